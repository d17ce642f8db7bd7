//! Who is accountable, who project-manages, what may be waived and for how long, and when to measure.

use golive::model::Area;
use golive::policy::{load as load_file, remarks};

use crate::{GOOD, load};

fn error(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

/// The small policy with these lines before its checks.
fn with(lines: &str) -> String {
    GOOD.replace("[stream.main]", &format!("{lines}\n[stream.main]"))
}

fn now() -> jiff::Timestamp {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

fn said(text: &str) -> String {
    remarks(&load(text).unwrap(), now()).join("\n")
}

#[test]
fn each_area_has_one_role_and_two_areas_two_hands() {
    for (lines, words) in [
        ("network = \"it\"\n", "[accountable] has no network"),
        ("brand = \"it\"\nproduction = \"it\"\n", "[accountable] has no brand and production"),
    ] {
        let found = error(&GOOD.replace(lines, "").replace("owner = \"network\"", "owner = \"brand\""));
        assert!(found.contains(words), "{words}: {found}");
    }
    let none = GOOD.replace("[accountable]\nnetwork = \"it\"\nbrand = \"it\"\nproduction = \"it\"\n", "");
    assert!(error(&none).contains("[accountable] has no network, brand and production"), "{}", error(&none));
    let two = GOOD.replace("brand = \"it\"", "brand = \"it\"\nbrand = \"it\"");
    assert!(error(&two).contains("duplicate key"), "{}", error(&two));

    let all = GOOD.replace("production = \"it\"", "production = \"pm\"");
    let all = all.replace("[accountable]", "[people.pm]\nname = \"P. Manager\"\n[accountable]");
    let found = said(&all);
    assert!(found.contains("A. Person is accountable for brand and network"), "{found}");
    // another role, and the same person behind it
    let found = said(&all.replace("P. Manager", "A. Person"));
    assert!(found.contains("A. Person is accountable for brand and network and production"), "{found}");
    let unknown = all.replace("production = \"pm\"", "production = \"pn\"");
    assert!(error(&unknown).contains("nobody in [people] has the role `pn`; did you mean `pm`?"));
}

#[test]
fn the_provider_is_appointed_or_it_is_said_why_none_is() {
    let provider = |lines: &str| with(&format!("[provider]\n{lines}"));
    let good = provider("by = \"it\"\nproject_manager = \"P\"\nwhy_none = \"we do it\"");
    assert_eq!(load(&good).unwrap().provider.unwrap().why_none.as_deref(), Some("we do it"));
    for (lines, words) in [
        ("by = \"it\"\nproject_manager = \"P\"", "[provider] has no appointed"),
        ("by = \"it\"\nappointed = \"it\"", "[provider] has no project_manager"),
        ("project_manager = \"P\"\nappointed = \"it\"", "[provider] has no by"),
        ("by = \"it\"\nproject_manager = \"P\"\nappointed = \"ut\"", "nobody in [people] has the role `ut`"),
        ("by = \"it\"\nproject_manager = \"P\"\nappointed = \"it\"\nwhy_none = \"w\"", "not both"),
    ] {
        let found = error(&provider(lines));
        assert!(found.contains(words), "{words}: {found}");
    }
}

#[test]
fn an_event_with_a_date_asks_who_project_manages() {
    let unasked = |text: &str| text.replace(", answered_by = \"provider\"", "");
    let found = error(&unasked(GOOD));
    assert!(found.contains("the event has a date, and nobody is asked who project-manages it"), "{found}");
    let timeless = |text: &str| {
        text.replace("starts = 2026-12-04T14:00:00+01:00\nends = 2026-12-04T15:30:00+01:00\n", "")
    };
    assert!(said(&timeless(&unasked(GOOD))).contains("nobody is asked who project-manages"));
    assert!(!said(GOOD).contains("project-manages"), "{}", said(GOOD));
    let settled = with("[provider]\nby = \"it\"\nproject_manager = \"P\"\nwhy_none = \"we do it\"");
    let found = error(&timeless(&unasked(&settled)));
    assert!(found.contains("[provider] answers no question"), "{found}");
}

#[test]
fn a_check_may_ask_for_the_events_hour() {
    let slot = GOOD.replace("enforcement = \"hard\"", "enforcement = \"hard\"\nsame_slot = true");
    assert!(load(&slot).unwrap().checks[1].same_slot);
    let timeless = slot.replace("starts = 2026-12-04T14:00:00+01:00\nends = 2026-12-04T15:30:00+01:00\n", "");
    assert!(error(&timeless).contains("`same_slot` needs the event's time"), "{}", error(&timeless));
    let zone = |name: &str| GOOD.replace("[people.it]", &format!("time_zone = \"{name}\"\n[people.it]"));
    assert_eq!(load(&zone("Europe/Berlin")).unwrap().event.time_zone.as_deref(), Some("Europe/Berlin"));
    assert!(error(&zone("Europe/Berlinn")).contains("there is no such time zone"));
    assert!(error(&zone("America/New_York")).contains("-05 in this zone, and starts says +01"));
}

const WAIVER: &str = "[[waiver]]\ncheck = \"stop\"\naccepts = \"fail\"\nreason = \"r\"\ncompensating = \"c\"\n\
                      by = \"it\"\ngranted = 2026-12-01T16:00:00+01:00\nexpires = 2026-12-04T16:00:00+01:00\n";

#[test]
fn each_enforcement_level_has_its_own_cap_on_waivers() {
    let all = |rules: &str, level: &str| {
        let policy = with(rules).replace("enforcement = \"waivable\"", &format!("enforcement = \"{level}\""));
        format!("{policy}{WAIVER}")
    };
    let rules = "[waiver_rules.waivable]\nlongest = \"2d\"\n[waiver_rules.advisory]\nlongest = \"14d\"";
    let found = error(&all(rules, "waivable"));
    assert!(found.contains("longer than 2d") && found.contains("the longest is set here"), "{found}");
    load(&all(rules, "advisory")).unwrap();
    let found = error(&all(
        "[waiver_rules]\nlongest = \"1d\"\n[waiver_rules.advisory]\nlongest = \"14d\"",
        "advisory",
    ));
    assert!(found.contains("longer than 1d"), "the stricter of both holds: {found}");
    assert!(error(&all(rules, "hard")).contains("is hard: nobody can waive it"));
    let renewed = all("[waiver_rules.waivable]\nrenewals = 1", "waivable") + "renewals = 2\n";
    assert!(error(&renewed).contains("was renewed 2 times, and 1 is the most"));
}

#[test]
fn a_waivers_scope_names_codes_that_can_come() {
    let scoped = |code: &str| format!("{GOOD}{WAIVER}scope = [\"{code}\"]\n");
    assert_eq!(load(&scoped("attest.answered_no")).unwrap().waivers[0].scope, ["attest.answered_no"]);
    load(&scoped("judge.stale")).unwrap();
    let found = error(&scoped("attest.answerd_no"));
    assert!(found.contains("`attest` never gives the code") && found.contains("did you mean"), "{found}");
}

#[test]
fn waivers_that_need_a_look_are_pointed_out() {
    let waived = |text: &str| said(&format!("{GOOD}{text}"));
    assert!(!waived(WAIVER).contains("waiver"), "{}", waived(WAIVER));
    let expired =
        WAIVER.replace("12-04T16", "12-01T17").replace("granted = 2026-12-01", "granted = 2026-11-01");
    let expired = expired.replace("2026-12-01T17", "2026-11-30T17");
    assert!(waived(&expired).contains("the waiver of stop expired 2026-11-30T17"), "{}", waived(&expired));
    let short = WAIVER.replace("12-04T16", "12-04T15");
    assert!(waived(&short).contains("before the event ends"), "{}", waived(&short));
    let other = GOOD.replace("[accountable]", "[people.boss]\nname = \"B\"\n[accountable]");
    let other = said(&format!("{other}{}", WAIVER.replace("by = \"it\"", "by = \"boss\"")));
    assert!(other.contains("given by boss, and it is accountable for network"), "{other}");
}

#[test]
fn the_shipped_survey_asks_every_role_and_has_nothing_to_point_out() {
    let policy = load_file(std::path::Path::new("builtin:venue-survey")).unwrap();
    assert_eq!(remarks(&policy, now()), [""; 0]);
    for role in ["marketing", "provider", "it", "security"] {
        let asked = policy.checks.iter().filter(|check| {
            matches!(&check.question, golive::probe::Question::Attest { target, .. }
                if target.of.as_str() == role && target.evidence.is_some())
        });
        assert!(asked.count() >= 3, "{role} is asked too little");
    }
    for area in ["network", "brand", "production"] {
        assert!(policy.accountable.contains_key(&Area::new(area).unwrap()));
    }
}

//! Policies over time: what differs, what is pinned, how long a waiver may hold.

use crate::event::{Event, POLICY, golive, told};

fn policy(event: &Event, arguments: &[&str]) -> (i32, String) {
    let mut command = golive();
    told(&command.current_dir(event.path("")).arg("policy").args(arguments).output().unwrap())
}

fn write(event: &Event, name: &str, text: &str) {
    std::fs::write(event.path(name), text).unwrap();
}

#[test]
fn diff_names_what_was_added_changed_and_taken_away() {
    let event = Event::new();
    event.go("runs/a");
    let before = event.policy(POLICY);
    let text = std::fs::read_to_string(&before).unwrap();
    write(
        &event,
        "after.toml",
        &text
            .replace("enforcement = \"waivable\"", "enforcement = \"hard\"")
            .replace("valid_for = \"7d\"", "valid_for = \"1d\"")
            .replace("change = \"CHG0031337\"\n", "venue = \"Hall 3\"\n"),
    );
    let (code, said) = policy(&event, &["diff", "event.toml", "after.toml"]);
    assert_eq!(code, 0, "{said}");
    for words in [
        "~ check stop.authority.enforcement: \"waivable\" → \"hard\"",
        "~ check rules.open.valid_for_s: 604800 → 86400",
        "- event.change: \"CHG0031337\"",
        "+ event.venue: \"Hall 3\"",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(policy(&event, &["diff", "event.toml", "event.toml"]), (0, "nothing differs\n".to_owned()));
    // the policy in a report is one as well
    let (code, said) = policy(&event, &["diff", "runs/a", "after.toml"]);
    assert!(code == 0 && said.contains("+ event.venue"), "{said}");
    let (code, said) = policy(&event, &["diff", "event.toml", "nowhere.toml"]);
    assert!(code == 78 && said.contains("there is no such file"), "{said}");
}

#[test]
fn a_layer_is_pinned_by_its_digest() {
    let event = Event::new();
    write(&event, "base.toml", "schema = \"golive-policy/1\"\n[event]\nvenue = \"Hall 3\"\n");
    let digest = golive::report::seal::sha256(&std::fs::read(event.path("base.toml")).unwrap());
    let with = |pin: &str| {
        let text = POLICY.replacen(
            "schema = \"golive-policy/1\"",
            &format!("schema = \"golive-policy/1\"\nextends = [\"base.toml#sha256={pin}\"]"),
            1,
        );
        event.policy(&text);
        policy(&event, &["check", "event.toml"])
    };
    let (code, said) = with(&digest);
    assert_eq!(code, 0, "{said}");
    let (code, said) = with(&"0".repeat(64));
    assert!(code == 78 && said.contains("is not the layer that is pinned here"), "{said}");
    assert!(said.contains(&digest) && said.contains("event.toml:3:"), "{said}");
    let (code, said) = with("abc");
    assert!(code == 78 && said.contains("a pin is 64 hexadecimal digits"), "{said}");
    with(&digest);
    write(&event, "base.toml", "schema = \"golive-policy/1\"\n[event]\nvenue = \"Hall 4\"\n");
    assert_eq!(policy(&event, &["check", "event.toml"]).0, 78);
}

/// A waiver that holds for ten days from now, with these lines more, under these rules.
fn waived(event: &Event, rules: &str, more: &str) -> (i32, String) {
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(240);
    event.policy(&format!(
        "{POLICY}\n{rules}\n[[waiver]]\ncheck = \"stop.authority\"\naccepts = \"fail\"\nreason = \"r\"\n\
         compensating = \"c\"\nby = \"marketing\"\nexpires = {until}\n{more}\n"
    ));
    policy(event, &["check", "event.toml"])
}

#[test]
fn a_waiver_holds_for_a_time_and_is_not_renewed_for_ever() {
    let event = Event::new();
    let granted = format!("granted = {}", jiff::Timestamp::now());
    for (rules, more, code, words) in [
        ("", "", 0, "good"),
        ("[waiver_rules]\nlongest = \"14d\"", granted.as_str(), 0, "good"),
        ("[waiver_rules]\nlongest = \"14d\"", "", 78, "has no granted, and waivers may hold 14d at most"),
        ("[waiver_rules]\nlongest = \"7d\"", &granted, 78, "longer than 7d"),
        ("[waiver_rules]\nrenewals = 2", "renewals = 2", 0, "good"),
        ("[waiver_rules]\nrenewals = 2", "renewals = 3", 78, "was renewed 3 times, and 2 is the most"),
        ("", "granted = 2090-01-01T00:00:00Z", 78, "is not after it is granted"),
    ] {
        let (found, said) = waived(&event, rules, more);
        assert!(found == code && said.contains(words), "{rules} {more}: {found} {said}");
    }
}

#[test]
fn a_waiver_covers_nothing_before_it_is_granted() {
    let event = Event::new();
    let granted = format!("granted = {}", jiff::Timestamp::now() + jiff::SignedDuration::from_hours(5));
    assert_eq!(waived(&event, "", &granted).0, 0);
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", false)]);
    assert_eq!(event.check("runs/a", &event.path("event.toml"), &answers).0, 2);
    let (_, said) = event.golive("judge", "runs/a", &["--at", &later(6)]);
    assert!(said.contains("CONDITIONAL GO"), "{said}");
}

fn later(hours: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string()
}

//! Two reports held against each other.

use golive::judge::Word;
use golive::report::comparison::{Sense, compare};
use golive::report::{comparison_markdown, comparison_text};
use serde_json::json;

use crate::cases;

fn blocked() -> serde_json::Value {
    json!({ "not_connected": { "failure": "timed_out", "icmp": null, "detail": "" } })
}

fn with_ingest(end: &serde_json::Value) -> golive::evidence::Evidence {
    let mut readings = cases::well();
    readings.measurements.extend(cases::evidence(&[("ingest.primary", cases::rtmp(end))]).measurements);
    readings
}

#[test]
fn a_rule_shows_as_what_it_mended_and_its_end_as_what_got_worse() {
    let policy = cases::load(cases::POLICY);
    let before = cases::document(&policy, &with_ingest(&blocked()));
    let after = cases::document(&policy, &cases::well());
    let comparison = compare(&before, &after).unwrap();
    assert_eq!(comparison.runs.each_ref().map(|side| side.verdict), [Word::NoGo, Word::ConditionalGo]);
    assert_eq!((comparison.verdict, comparison.worse()), (Sense::Better, false));
    let [change] = comparison.changed.as_slice() else { panic!("{comparison:#?}") };
    assert_eq!((change.check.as_str(), change.sense), ("ingest.primary", Sense::Better));
    assert_eq!(change.gone[0].code, "rtmp.filtered");
    assert!(comparison.policy.is_empty() && comparison.not_comparable.is_empty());
    let shown = comparison_text(&comparison);
    assert!(shown.starts_with("NO-GO → CONDITIONAL GO (better)\n"), "{shown}");
    assert!(shown.contains("fail → pass ingest.primary"), "{shown}");

    let back = compare(&after, &before).unwrap();
    assert!(back.worse() && back.changed[0].appeared[0].code == "rtmp.filtered", "{back:#?}");
    assert!(comparison_markdown(&back).contains("## Got worse"));
    assert!(compare(&after, &after).unwrap().changed.is_empty());
}

#[test]
fn figures_go_by_their_limits_sense_and_limits_that_moved_are_shown() {
    let policy = cases::load(cases::POLICY);
    let tighter = cases::load(&cases::POLICY.replace("1500.0", "100.0"));
    let mut slow = cases::well();
    let mut reading = cases::rtmp(&json!("accepted"));
    reading["rtmp"]["attempts"][0]["handshake_ms"] = json!(90.5);
    slow.measurements.extend(cases::evidence(&[("ingest.primary", reading)]).measurements);
    let comparison =
        compare(&cases::document(&policy, &cases::well()), &cases::document(&tighter, &slow)).unwrap();
    let [change] = comparison.changed.as_slice() else { panic!("{comparison:#?}") };
    let figure = &change.figures[0];
    assert_eq!((figure.values, figure.limits), ([80.2, 90.5], [1500.0, 100.0]), "{figure:?}");
    assert_eq!((figure.sense, change.sense), (Sense::Worse, Sense::Same));
    assert!(!comparison.worse(), "within its limit nothing got worse");
    assert!(comparison.policy.iter().any(|line| line.contains("handshake_ms")), "{:?}", comparison.policy);
}

#[test]
fn another_question_is_not_compared() {
    let policy = cases::load(cases::POLICY);
    let elsewhere =
        cases::load(&cases::POLICY.replace("rtmp://127.0.0.1:11935/live", "rtmp://127.0.0.1:11936/live"));
    let other = cases::load(&cases::POLICY.replace("ingest.certificate", "ingest.other"));
    let before = cases::document(&policy, &cases::well());
    let moved = compare(&before, &cases::document(&elsewhere, &cases::well())).unwrap();
    assert_eq!(moved.not_comparable[0].check.as_str(), "ingest.primary");
    let renamed = compare(&before, &cases::document(&other, &cases::well())).unwrap();
    let named: Vec<&str> = renamed.not_comparable.iter().map(|entry| entry.check.as_str()).collect();
    assert_eq!(named, ["ingest.other", "ingest.certificate"]);
}

#[test]
fn what_a_hostile_network_says_is_harmless_here_too() {
    let policy = cases::load(cases::POLICY);
    let description = golive::model::WireText::from("\u{1b}[31m<script>|x`\n# GO");
    let refused = json!({ "refused": { "phase": "connect", "code": "x", "description": description } });
    let before = cases::document(&policy, &cases::well());
    let after = cases::document(&policy, &with_ingest(&refused));
    let comparison = compare(&before, &after).unwrap();
    for shown in [comparison_text(&comparison), comparison_markdown(&comparison)] {
        assert!(!shown.contains(|c| c != '\n' && golive::model::text::acts(c)), "{shown}");
    }
    assert!(!comparison_markdown(&comparison).contains("<script"));
}

#[test]
fn a_close_out_is_no_worsening_of_the_day_before() {
    let open = cases::POLICY.replace(
        "[[check.tls]]",
        "[[check.port]]\nid = \"rules.rtmp\"\ntarget = { host = \"127.0.0.1\", port = 11935, ask = \"rtmp\" }\n\
         limits = { expect = \"open\" }\nenforcement = \"hard\"\nowner = \"network\"\nwhy = \"the port\"\n\
         valid_for = \"1d\"\n\n[[check.tls]]",
    );
    let policy = cases::load(&open);
    let closing = golive::policy::close_out(&policy, None);
    let none = cases::evidence(&[]);
    let comparison =
        compare(&cases::document(&policy, &cases::well()), &cases::document(&closing, &none)).unwrap();
    assert_eq!((comparison.verdict, comparison.worse()), (Sense::Same, false));
    assert!(comparison.changed.is_empty(), "{comparison:#?}");
    assert!(comparison.not_comparable.iter().any(|entry| entry.check.as_str() == "ingest.primary"));
}

#[test]
fn a_minute_on_the_day_is_compared_with_the_survey_of_ten() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/samples/signed/go/report.json");
    let day = golive::report::read(&std::fs::read(file).unwrap()).unwrap();
    let checks = day.policy.resolved["checks"].as_array().unwrap();
    let at = checks.iter().position(|check| check["id"] == "line.upload").unwrap();
    let mut survey = day.clone();
    let target = |document: &mut golive::report::Document, key: &str, value: serde_json::Value| {
        document.policy.resolved["checks"][at]["question"]["upload"]["target"][key] = value;
    };
    target(&mut survey, "seconds", json!(600));
    let comparison = compare(&survey, &day).unwrap();
    assert_eq!(comparison.not_comparable, [], "how long was looked is no other question");
    target(&mut survey, "far_end", json!("another"));
    assert_eq!(compare(&survey, &day).unwrap().not_comparable.len(), 1);
}

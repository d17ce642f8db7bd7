//! Copies for others: nothing that names a machine, a person or a certificate is left, in the
//! bytes and in every rendering, and the verdict still follows from what is left.

use std::collections::BTreeSet;
use std::path::Path;

use golive::evidence::{Evidence, Measured, Measurement};
use golive::judge;
use golive::policy::{Policy, Redaction, Sensitive};
use golive::report::v1::Document;
use golive::report::{
    Field, RedactError, build, comment, field, html, judged_from, junit, made_from, markdown, read, redact,
    summary, to_json,
};
use golive::run::Event;
use proptest::prelude::*;

use crate::paper::Paper;
use crate::samples;

const DIGEST: &str = "2807045f85162b0b1215de7c29f4d760886b6c8d22476cc82063cd3499535f5c";

/// The report of a recorded run of every probe, with other words in it than the recording's.
fn recorded(other: &[(&str, &str)]) -> Document {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo.jsonl");
    let mut text = std::fs::read_to_string(file).unwrap();
    for (from, to) in other {
        assert!(text.contains(from), "the recording has no {from}");
        text = text.replace(from, to);
    }
    let (mut policy, mut evidence, mut at) = (None::<Policy>, Evidence::default(), None);
    for line in text.lines() {
        let raw: serde_json::Value = serde_json::from_str(line).unwrap();
        match serde_json::from_str::<Event>(line).unwrap() {
            Event::RunStarted(_) => policy = Some(serde_json::from_value(raw["policy"].clone()).unwrap()),
            Event::Measured { .. } => {
                let measurement: Measurement = serde_json::from_value(raw["measurement"].clone()).unwrap();
                at = at.max(Some(measurement.started));
                evidence.measurements.insert(measurement.check.clone(), measurement);
            }
            _ => {}
        }
    }
    let (policy, at) = (policy.unwrap(), at.unwrap());
    let late = at.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
    let verdict = judge::evaluate(&policy, &evidence, late);
    build(samples::go().run, &policy, &evidence, &verdict)
}

/// Each form that people may get to see.
fn shown(copy: &Document) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("json", to_json(copy).unwrap()),
        ("html", html(copy)),
        ("markdown", markdown(copy)),
        ("junit", junit(copy)),
        ("summary", summary(copy)),
        ("comment", comment(copy, DIGEST)),
    ];
    all.extend(Field::ALL.map(|which| (which.name(), field(copy, DIGEST, which))));
    let paper = Paper::of(copy);
    let words = paper.words(&[]);
    // where lines are broken a digest has a space in it
    all.push(("pdf", words.replace(' ', "")));
    all.push(("pdf with its spaces", words));
    all.push(("pdf's metadata", paper.poppler("pdfinfo", &["-meta"], &[]) + DIGEST));
    all.push(("pdf's attachment", String::from_utf8(paper.carried()).unwrap()));
    all
}

#[track_caller]
fn free_of(copy: &Document, secrets: &[&str]) {
    for (form, text) in shown(copy) {
        let lower = text.to_lowercase();
        for secret in secrets {
            assert!(!lower.contains(&secret.to_lowercase()), "{secret} is in {form}");
        }
        let says = match form {
            "json" | "pdf's attachment" => "\"redacted\": {",
            "pdf" => "redactedcopyofreport",
            "pdf's metadata" => "go-live report of run",
            _ => "redacted copy of report",
        };
        assert!(lower.contains(says), "{form} does not say what it is");
        let whole = lower.replace("<wbr>", "").contains(DIGEST);
        assert!(whole || form == "pdf with its spaces", "{form} does not say of what");
    }
}

/// Another host, addresses and people than the recording's.
const ACME: [(&str, &str); 4] = [
    ("127.0.0.1", "93.184.216.34"),
    ("ingest.golive.test", "ingest.acme-live.example"),
    ("Ida Tellers", "Zoltan Quibberly"),
    ("this machine, loopback only", "Hall 3 at 10.44.55.66, call Quibberly or ops.acme-live.example"),
];

#[test]
fn every_probes_reading_is_judged_the_same_after_redaction() {
    let full = recorded(&ACME);
    let copy = redact(&full, DIGEST, &Redaction::default()).unwrap();
    assert_eq!(copy.verdict.word, full.verdict.word);
    assert_eq!(copy.checks.len(), full.checks.len());
    let secrets = [
        "93.184.216.34",
        "acme-live",
        "Quibberly",
        "Zoltan",
        "10.44.55.66",
        "Mark Etting",
        "run sheet",
        "moderator stops",
    ];
    free_of(&copy, &secrets);
    assert_eq!(copy.redacted.as_ref().unwrap().ask.as_ref().unwrap().as_str(), "it");

    // what is stored reads back, and its verdict follows from its own readings
    let stored = read(to_json(&copy).unwrap().as_bytes()).unwrap();
    let (policy, evidence) = judged_from(&stored).unwrap();
    let again = judge::evaluate(&policy, &evidence, stored.verdict.evaluated_at);
    assert_eq!(again.word, full.verdict.word);
    assert_eq!(again.reasons, stored.verdict.reasons);
}

#[test]
fn the_same_stands_for_the_same() {
    let full = recorded(&ACME);
    let text = to_json(&redact(&full, DIGEST, &Redaction::default()).unwrap()).unwrap();
    let copy: Document = serde_json::from_str(&text).unwrap();
    let dns = copy.checks.iter().find(|check| check.probe == "dns").unwrap();
    let name = dns.reading.as_ref().unwrap()["dns"]["name"].as_str().unwrap();
    assert!(name.starts_with("host-"), "{name}");
    assert_eq!(dns.target, name, "policy and reading name the same host");
    let people: BTreeSet<&String> = copy.people.values().collect();
    assert!(people.iter().all(|name| name.starts_with("person-")) && people.len() == full.people.len());
}

#[test]
fn a_policy_says_which_kinds() {
    let full = recorded(&ACME);
    let only = Redaction { kinds: Some([Sensitive::Address].into()), ask: None };
    let copy = redact(&full, DIGEST, &only).unwrap();
    let text = to_json(&copy).unwrap();
    assert!(!text.contains("93.184.216.34"));
    assert!(text.contains("acme-live") && text.contains("Zoltan Quibberly"));
    assert!(summary(&copy).contains("replaced: addresses; ask it"), "{}", summary(&copy));
}

#[test]
fn a_copy_is_proven_by_the_report_that_it_was_made_from() {
    let full = recorded(&ACME);
    let text = to_json(&redact(&full, DIGEST, &Redaction::default()).unwrap()).unwrap();
    assert_eq!(made_from(text.as_bytes(), &full, DIGEST), Ok(true));
    let other = DIGEST.replace('2', "3");
    assert_eq!(made_from(text.as_bytes(), &full, &other), Ok(false), "another report");
    let touched = text.replacen("person-1", "person-7", 1);
    assert_eq!(made_from(touched.as_bytes(), &full, DIGEST), Ok(false), "a copy that was changed");
}

#[test]
fn what_cannot_be_made_is_refused() {
    let full = recorded(&ACME);
    let copy = redact(&full, DIGEST, &Redaction::default()).unwrap();
    assert_eq!(redact(&copy, DIGEST, &Redaction::default()), Err(RedactError::Already));
    let mut forged = full.clone();
    forged.verdict.word = judge::Word::NoGo;
    assert!(matches!(redact(&forged, DIGEST, &Redaction::default()), Err(RedactError::NotFollowing(_))));
    assert!(matches!(redact(&samples::go(), DIGEST, &Redaction::default()), Err(RedactError::Read(_))));
}

#[test]
fn what_could_not_be_measured_names_nobody_either() {
    let mut full = recorded(&ACME);
    let (policy, mut evidence) = judged_from(&full).unwrap();
    let first = evidence.measurements.values_mut().next().unwrap();
    first.result = Measured::NotMeasured(golive::model::NotMeasured::new(
        golive::model::Cause::FarEnd,
        "ops.acme-live.example (10.44.55.66:8443) said: ask Quibberly",
        "call Zoltan Quibberly",
    ));
    let verdict = judge::evaluate(&policy, &evidence, full.verdict.evaluated_at);
    full = build(full.run, &policy, &evidence, &verdict);
    let copy = redact(&full, DIGEST, &Redaction::default()).unwrap();
    free_of(&copy, &["acme-live", "10.44.55.66", "Quibberly", "Zoltan"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the machines and the people are called.
    #[test]
    fn no_name_survives(
        address in "(1[0-9]|8[0-9]|17[0-9]|20[0-3])\\.[1-9][0-9]\\.1[0-9][0-9]\\.2[0-4][0-9]",
        host in "[a-z]{5,9}(-[a-z0-9]{2,5})?\\.[a-z]{6,9}\\.(com|net|local|corp|example|live)",
        given in "[A-Z][a-zäöü]{5,9}",
        family in "[A-Z][a-z]{6,10}(-[A-Z][a-z]{5,8})?",
    ) {
        let person = format!("{given} {family}");
        let venue = format!("{family}'s hall, see {host} or {address}:80.");
        let full = recorded(&[
            ("127.0.0.1", &address),
            ("ingest.golive.test", &host),
            ("Ida Tellers", &person),
            ("this machine, loopback only", &venue),
        ]);
        let copy = redact(&full, DIGEST, &Redaction::default()).unwrap();
        prop_assert_eq!(copy.verdict.word, full.verdict.word);
        free_of(&copy, &[&address, &host, &given, &family]);
    }
}

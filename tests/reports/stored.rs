//! Reading a report back: the same document, or an error that says what, where and what to do.

use golive::evidence::{Measured, Measurement};
use golive::judge;
use golive::model::{Cause, NotMeasured};
use golive::report::{MAX_BYTES, ReadError, html, judged_from, junit, markdown, read, summary, to_json};
use proptest::prelude::*;
use serde_json::Value;

use crate::{cases, samples};

fn stored() -> String {
    to_json(&cases::document(&cases::load(cases::POLICY), &cases::well())).unwrap()
}

/// The stored report after a change to its JSON.
fn changed(change: impl FnOnce(&mut Value)) -> Result<golive::report::Document, ReadError> {
    let mut value: Value = serde_json::from_str(&stored()).unwrap();
    change(&mut value);
    read(value.to_string().as_bytes())
}

#[test]
fn a_document_reads_back_the_same() {
    for (name, document) in samples::all() {
        assert_eq!(read(to_json(&document).unwrap().as_bytes()).unwrap(), document, "{name}");
    }
}

#[test]
fn policy_and_evidence_read_back_and_judge_the_same() {
    let policy = cases::load(cases::POLICY);
    let mut evidence = cases::well();
    let not = NotMeasured::new(Cause::NoPath, "interface wwan0 is not there", "plug it in");
    for interrupted in [false, true] {
        evidence.interrupted = interrupted;
        let document = cases::document(&policy, &evidence);
        let document = read(to_json(&document).unwrap().as_bytes()).unwrap();
        assert_eq!(judged_from(&document).unwrap(), (policy.clone(), evidence.clone()));
        let verdict = judge::evaluate(&policy, &evidence, document.verdict.evaluated_at);
        assert_eq!((verdict.word, verdict.reasons), (document.verdict.word, document.verdict.reasons));
        let ingest = samples::id("ingest.primary");
        let kept = evidence.measurements[&ingest].clone();
        let result = Measured::NotMeasured(not.clone());
        evidence.measurements.insert(ingest, Measurement { result, ..kept });
    }
}

#[test]
fn a_report_of_a_later_format_is_named_as_such() {
    let error = changed(|value| value["schema"] = "golive-report/2".into()).unwrap_err().to_string();
    assert!(error.contains("golive-report/2 is newer than this golive"), "{error}");
}

#[test]
fn each_kind_of_damage_has_its_error() {
    let wrong = |error: Result<_, ReadError>| error.unwrap_err();
    assert!(matches!(wrong(read(b"")), ReadError::NotJson(_)));
    assert_eq!(wrong(read(&vec![b' '; 1 + usize::try_from(MAX_BYTES).unwrap()])), ReadError::TooLarge);
    assert!(matches!(wrong(read(b"\xff\x00garbage")), ReadError::NotJson(_)));
    assert!(matches!(wrong(read(b"{}")), ReadError::NotReport(_)));
    assert!(matches!(wrong(read(b"[1]")), ReadError::NotReport(_) | ReadError::NotJson(_)));
    assert!(matches!(wrong(read(br#"{"schema":"golive-policy/1"}"#)), ReadError::NotReport(_)));
    assert!(matches!(wrong(read(br#"{"schema":"golive-report/1"}"#)), ReadError::Shape(_)));
    assert!(matches!(
        wrong(read("[".repeat(1 << 20).as_bytes())),
        ReadError::NotJson(_) | ReadError::NotReport(_)
    ));
    assert!(matches!(
        wrong(changed(|value| value["policy"]["resolved"]["event"]["title"] = "Another".into())),
        ReadError::Digest { .. }
    ));
    assert!(matches!(
        wrong(changed(|value| value["verdict"]["exit_code"] = 0.into())),
        ReadError::Contradiction(_)
    ));
    assert!(matches!(
        wrong(changed(|value| {
            let first = value["checks"][0].clone();
            value["checks"].as_array_mut().unwrap().push(first);
        })),
        ReadError::Contradiction(_)
    ));
}

#[test]
fn a_report_that_cannot_be_judged_says_which_part() {
    let document = changed(|value| {
        value["checks"][0]["reading"] = serde_json::json!({ "telepathy": {} });
    });
    let error = judged_from(&document.unwrap()).unwrap_err().to_string();
    assert!(error.contains("stop.authority") && error.contains("telepathy"), "{error}");
    let document = changed(|value| {
        value["checks"].as_array_mut().unwrap().pop();
    });
    assert!(matches!(judged_from(&document.unwrap()), Err(ReadError::Contradiction(_))));
}

#[test]
fn an_error_never_repeats_what_acts() {
    for text in ["\u{1b}[2J", "\u{9b}31m", "\u{202e}"] {
        let errors = [
            read(format!(r#"{{"schema":"{text}"}}"#).as_bytes()).map(drop),
            read(serde_json::json!({ "schema": text }).to_string().as_bytes()).map(drop),
            changed(|value| value["checks"][0]["outcome"] = text.into()).map(drop),
            changed(|value| value["policy"]["sha256"] = text.into()).map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err().to_string();
            assert!(!error.contains(golive::model::text::acts), "{error:?}");
        }
    }
}

#[test]
fn every_truncation_is_an_error() {
    let stored = stored();
    let stored = stored.trim_end();
    for end in (0..stored.len()).step_by(37).chain([stored.len() - 1]) {
        assert!(read(&stored.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        prop_assert!(read(&bytes).is_err());
    }

    /// What still reads after damage is rendered and judged without a panic.
    #[test]
    fn a_damaged_report_never_panics(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = stored().into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(document) = read(&bytes) {
            for render in [html, markdown, junit, summary] {
                prop_assert!(!render(&document).is_empty());
            }
            if let Ok((policy, evidence)) = judged_from(&document) {
                judge::evaluate(&policy, &evidence, document.verdict.evaluated_at);
            }
        }
    }
}

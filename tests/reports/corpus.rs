//! The compatibility corpus of `golive-report/1`: committed reports that every later golive reads
//! and judges the same. Write new ones with `GOLIVE_CORPUS=1`; never change an old one.

use std::path::{Path, PathBuf};

use golive::judge;
use golive::report::v1::Document;
use golive::report::{Filed, html, judged_from, junit, markdown, pdf, read, to_json};

use crate::{cases, samples};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/samples").join(format!("{name}.json"))
}

/// Each sample by its name: one per verdict, and one that can be judged again.
fn corpus() -> Vec<(&'static str, Document)> {
    let judgeable = cases::document(&cases::load(cases::POLICY), &cases::well());
    samples::all().into_iter().chain([("judgeable", judgeable)]).collect()
}

#[test]
fn reports_of_format_1_are_read_for_ever() {
    for (name, document) in corpus() {
        if std::env::var_os("GOLIVE_CORPUS").is_some() && !file(name).exists() {
            std::fs::create_dir_all(file(name).parent().unwrap()).unwrap();
            std::fs::write(file(name), to_json(&document).unwrap()).unwrap();
        }
        let bytes = std::fs::read(file(name)).unwrap();
        let stored = read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for shown in [html(&stored), markdown(&stored), junit(&stored)] {
            assert!(shown.contains(stored.verdict.word.text()));
        }
        let paper = pdf(&Filed::alone(&stored, &bytes)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(paper.ends_with(b"%%EOF"), "{name}");
    }
}

#[test]
fn a_committed_report_judges_as_it_did() {
    let stored = read(&std::fs::read(file("judgeable")).unwrap()).unwrap();
    let (policy, evidence) = judged_from(&stored).unwrap();
    let verdict = judge::evaluate(&policy, &evidence, stored.verdict.evaluated_at);
    assert_eq!(verdict.word, stored.verdict.word);
    assert_eq!(verdict.reasons, stored.verdict.reasons);
}

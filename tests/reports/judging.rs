//! `golive report` and `golive judge` on stored reports.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cases;

/// A folder with a report in it.
struct Run(TempDir);

impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let document = cases::document(&cases::load(cases::POLICY), &cases::well());
        golive::report::write_all(dir.path(), &document).unwrap();
        Self(dir)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn policy(&self, text: &str) -> PathBuf {
        let file = self.file("other.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Changes the stored JSON.
    fn change(&self, change: impl FnOnce(&mut Value)) {
        let file = self.file("report.json");
        let mut value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(&file, value.to_string()).unwrap();
    }

    fn judge(&self, arguments: &[&str]) -> (i32, String) {
        told(&golive("judge", self.0.path(), arguments))
    }
}

fn golive(command: &str, file: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_golive")).arg(command).arg(file).args(arguments).output().unwrap()
}

fn told(output: &Output) -> (i32, String) {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code().unwrap(), String::from_utf8(all).unwrap())
}

#[test]
fn at_its_own_time_a_report_judges_as_stored() {
    let (code, said) = Run::new().judge(&["--at", cases::JUDGED]);
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("CONDITIONAL GO"), "{said}");
    assert!(said.contains("nothing differs") && said.contains("follows from the stored readings"), "{said}");
}

#[test]
fn readings_grow_old() {
    let (code, said) = Run::new().judge(&["--at", "2027-01-01T00:00:00Z"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("verdict: CONDITIONAL GO → INCONCLUSIVE"), "{said}");
}

#[test]
fn a_verdict_typed_by_hand_does_not_follow_from_its_readings() {
    let run = Run::new();
    run.change(|value| {
        value["verdict"]["word"] = "GO".into();
        value["verdict"]["exit_code"] = 0.into();
        value["checks"][2]["outcome"] = "pass".into();
    });
    let (code, said) = run.judge(&["--at", cases::JUDGED]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("does not follow from the stored readings"), "{said}");
    assert!(said.contains("verdict: GO → CONDITIONAL GO"), "{said}");
}

#[test]
fn another_policy_judges_the_same_readings() {
    let run = Run::new();
    let tighter = run.policy(&cases::POLICY.replace("handshake_ms = 1500.0", "handshake_ms = 10.0"));
    let (code, said) = run.judge(&["--at", cases::JUDGED, "--policy", tighter.to_str().unwrap()]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("ingest.primary: pass (hard) → fail (hard)"), "{said}");
}

#[test]
fn a_reading_of_another_target_is_no_answer() {
    let run = Run::new();
    let elsewhere = run.policy(&cases::POLICY.replace(":11935/live", ":11936/live"));
    let (code, said) = run.judge(&["--at", cases::JUDGED, "--policy", elsewhere.to_str().unwrap()]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("asks something else than was measured, so unknown: ingest.primary"), "{said}");
}

#[test]
fn checks_on_one_side_only_are_named() {
    let run = Run::new();
    let other = run.policy(&cases::POLICY.replace("ingest.certificate", "ingest.chain"));
    let (_, said) = run.judge(&["--at", cases::JUDGED, "--policy", other.to_str().unwrap()]);
    assert!(said.contains("not in the report, so unknown: ingest.chain"), "{said}");
    assert!(said.contains("in the report, not in this policy: ingest.certificate"), "{said}");
}

#[test]
fn what_is_no_report_ends_with_65_and_says_what_to_do() {
    let run = Run::new();
    std::fs::write(run.file("report.json"), "{\"schema\": \"golive-report/2\"}").unwrap();
    for command in ["judge", "report"] {
        let (code, said) = told(&golive(command, run.0.path(), &[]));
        assert_eq!(code, 65, "{said}");
        assert!(said.contains("report.json") && said.contains("use a newer golive"), "{said}");
    }
}

#[test]
fn a_report_is_shown_in_every_form() {
    let run = Run::new();
    for (format, name) in [
        ("html", "report.html"),
        ("pdf", "report.pdf"),
        ("md", "report.md"),
        ("junit", "report.junit.xml"),
        ("json", "report.json"),
    ] {
        let output = golive("report", &run.file("report.json"), &["--format", format]);
        assert!(output.status.success());
        assert_eq!(output.stdout, std::fs::read(run.file(name)).unwrap(), "{format}");
    }
    let out = run.file("again.md");
    let output =
        golive("report", &run.file("report.json"), &["--format", "md", "--out", out.to_str().unwrap()]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(std::fs::read(out).unwrap(), std::fs::read(run.file("report.md")).unwrap());
}

#[test]
fn a_forged_text_does_not_reach_the_terminal() {
    let run = Run::new();
    run.change(|value| {
        value["checks"][1]["target"] = json!("\u{1b}[2J\u{9b}1m");
        value["verdict"]["reasons"][0]["text"] = json!("\u{1b}]0;GO\u{7}");
    });
    for arguments in [["--format", "text"], ["--format", "md"]] {
        let (_, said) = told(&golive("report", run.0.path(), &arguments));
        assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{said}");
    }
    let (_, said) = run.judge(&["--at", cases::JUDGED]);
    assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{said}");
}

//! What is done at the screen once a run is over.

use super::{OnTerminal, contains};

/// One question answered well, and one that is not and can be waived.
const POLICY: &str = r#"
schema = "golive-policy/1"
[event]
title = "Launch"
[people.it]
name = "Ida Tellers"
[accountable]
network = "it"
brand = "it"
production = "it"
[[check.attest]]
id = "people.ready"
target = { question = "Ready?", of = "it" }
enforcement = "hard"
owner = "network"
why = "somebody must be"
valid_for = "1d"
[[check.attest]]
id = "people.backup"
target = { question = "Is there a backup line?", of = "it" }
enforcement = "waivable"
owner = "network"
why = "the first one may fail"
valid_for = "1d"
"#;

fn answers() -> String {
    let answer = |check: &str, yes: bool| {
        let at = jiff::Timestamp::now();
        format!(
            "[[answer]]\ncheck = \"{check}\"\nyes = {yes}\nrole = \"it\"\nname = \"Ida Tellers\"\nat = {at}\n"
        )
    };
    answer("people.ready", true) + &answer("people.backup", false)
}

#[test]
fn after_a_run_its_report_is_signed_and_exported_and_a_waiver_is_asked_for() {
    const PASSPHRASE: &str = "canary-of-the-screen";
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let shown = |name: &str| at(name).display().to_string();
    std::fs::write(at("event.toml"), POLICY).unwrap();
    std::fs::write(at("answers.toml"), answers()).unwrap();
    let golive = env!("CARGO_BIN_EXE_golive");
    let (policy, answers, run) = (shown("event.toml"), shown("answers.toml"), shown("runs/first"));
    let command = format!("'{golive}' check '{policy}' --answers '{answers}' --out '{run}'");
    let mut terminal = OnTerminal::run(&command);
    terminal.wait_for(b"Do not go live");
    // the check that failed is selected; what it covers is left as proposed
    terminal.press("w\twe have no second line\tthe studio takes over\t2099-01-01T00:00:00Z\r");
    let waiver = terminal.wait_for_file(&at("runs/first/waiver.people.backup.toml"));
    assert!(waiver.contains("scope = [\"attest.") && waiver.contains("Asked for, not given"), "{waiver}");
    // role and decision as proposed, no condition, no dissent; signed by a new key
    terminal.press(&format!("\rs\t\t\t\t\u{1b}[B\u{1b}[B\t{}\t{PASSPHRASE}\r", shown("it.key")));
    let decision = terminal.wait_for_file(&at("runs/first/report.it.decision.json"));
    assert!(decision.contains("\"decision\": \"no_go\""), "{decision}");
    let erased = "\u{7f}".repeat(40);
    terminal.press(&format!("\re{erased}{}\r", shown("exported")));
    terminal.wait_for_file(&at("exported/report.junit.xml"));
    terminal.press("\rq");
    let seen = terminal.end();
    assert!(!contains(&seen, PASSPHRASE.as_bytes()), "the passphrase is on the screen");
    let key = std::fs::read_to_string(at("it.key")).unwrap();
    assert!(key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") && !key.contains(PASSPHRASE));
    let verified = super::golive(&["verify", &run]);
    // the verdict's exit code, of a report and a decision that hold
    assert!(verified.status.code() == Some(2), "{}", String::from_utf8_lossy(&verified.stdout));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("holds: report, decisions"));
    assert!(std::fs::read_to_string(at("exported/report.html")).unwrap().contains("Ida Tellers"));
    std::fs::write(at("event.toml"), format!("{POLICY}{waiver}")).unwrap();
    let taken = super::golive(&["policy", "check", &policy]);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
}

//! What must not pass, each with its own words and exit code.

use std::path::PathBuf;

use crate::event::{Event, POLICY};

/// A report that both signed, in `runs/a`.
fn signed() -> Event {
    let event = Event::new();
    event.go("runs/a");
    event.signed("runs/a", "it", "go", &[]);
    event.signed("runs/a", "marketing", "go", &[]);
    let (code, said) = event.verify("runs/a", &[]);
    assert_eq!(code, 0, "{said}");
    event
}

fn report(event: &Event, name: &str) -> PathBuf {
    event.path("runs/a").join(name)
}

/// Replaces text in a file of the report; what stood there must have been there.
fn change(event: &Event, name: &str, from: &str, to: &str) {
    let file = report(event, name);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

fn refused(event: &Event, code: i32, words: &str) {
    refused_at(event, &[], code, words);
}

fn refused_at(event: &Event, arguments: &[&str], code: i32, words: &str) {
    let (found, said) = event.verify("runs/a", arguments);
    assert!(found == code && said.contains(words), "wanted {code} and {words:?}: {found}\n{said}");
}

#[test]
fn a_change_of_the_report_is_refused_and_named() {
    for (from, to, words) in [
        ("\"M. Keller\"", "\"N. Keller\"", "changed: people"),
        ("\"word\": \"GO\"", "\"word\": \"NO-GO\"", "verdict"),
        ("without them no stream", "without these no stream", "check rules.open"),
        ("\"schema\": \"golive-report/1\",\n", "\"schema\":  \"golive-report/1\",\n", "only its layout"),
        ("\"runs\": 1", "\"runs\": 2", "ledger"),
    ] {
        let event = signed();
        change(&event, "report.json", from, to);
        refused(&event, 79, "is not the report that it signed");
        refused(&event, 79, words);
        assert_ne!(event.ssh_keygen("runs/a", "it", &[]).0, 0, "{words}");
    }
}

/// Every byte that counts: the report's, the decisions', the signatures'.
#[test]
fn one_byte_changed_anywhere_is_refused() {
    let event = signed();
    let files = [
        "report.json",
        "report.it.decision.json",
        "report.it.sig.txt",
        "report.marketing.decision.json",
        "report.marketing.sig.txt",
    ];
    for name in files {
        let file = report(&event, name);
        let good = std::fs::read(&file).unwrap();
        // about 25 places of each file, the first and the last byte among them
        let step = (good.len() / 24).max(1);
        for at in (0..good.len()).step_by(step).chain([good.len() - 1]) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            let (code, said) = event.verify("runs/a", &[]);
            assert_eq!(code, 79, "{name}, byte {at}: {said}");
            assert!(said.contains("REFUSED: ") && said.contains(name), "{name}, byte {at}: {said}");
        }
        // one byte more, and one fewer
        std::fs::write(&file, [good.as_slice(), b"\n"].concat()).unwrap();
        assert_eq!(event.verify("runs/a", &[]).0, 79, "{name} and a byte more");
        std::fs::write(&file, &good[..good.len() - 1]).unwrap();
        assert_eq!(event.verify("runs/a", &[]).0, 79, "{name} but one byte");
        std::fs::write(&file, &good).unwrap();
    }
    assert_eq!(event.verify("runs/a", &[]).0, 0);
}

#[test]
fn roles_swapped() {
    let event = signed();
    for ending in ["decision.json", "sig.txt"] {
        let (it, marketing) = (
            report(&event, &format!("report.it.{ending}")),
            report(&event, &format!("report.marketing.{ending}")),
        );
        let kept = std::fs::read(&it).unwrap();
        std::fs::copy(&marketing, &it).unwrap();
        refused(&event, 79, "role swapped: report.it.");
        std::fs::write(&it, kept).unwrap();
    }
}

#[test]
fn files_taken_away() {
    let event = signed();
    std::fs::remove_file(report(&event, "report.it.sig.txt")).unwrap();
    refused(&event, 79, "there is no report.it.sig.txt");
    let event = signed();
    std::fs::remove_file(report(&event, "report.it.decision.json")).unwrap();
    refused(&event, 79, "somebody took the decision away");
}

#[test]
fn a_stranger_signs_for_a_role() {
    let event = Event::new();
    event.go("runs/a");
    let key = event.path("stranger");
    let arguments = ["--role", "it", "--decision", "go", "--key", key.to_str().unwrap()];
    let (code, said) = event.golive("sign", "runs/a", &arguments);
    assert!(code == 79 && said.contains("wrong key"), "{code} {said}");

    // the stranger's signature made with plain ssh-keygen over the same bytes
    let event = signed();
    let bytes = [
        std::fs::read(report(&event, "report.json")).unwrap(),
        std::fs::read(report(&event, "report.it.decision.json")).unwrap(),
    ]
    .concat();
    let message = event.path("message");
    std::fs::write(&message, bytes).unwrap();
    let made = std::process::Command::new(crate::event::need("ssh-keygen", "openssh-client"))
        .args(["-Y", "sign", "-n", "golive-it@golive-report-1", "-f"])
        .args([event.path("stranger"), message])
        .output()
        .unwrap();
    assert!(made.status.success());
    std::fs::copy(event.path("message.sig"), report(&event, "report.it.sig.txt")).unwrap();
    refused(&event, 79, "wrong key: report.it.sig.txt was made with SHA256:");
}

#[test]
fn a_key_is_revoked_afterwards() {
    let event = signed();
    let revoked = format!(
        "{POLICY}\n[[signatures.revoked]]\nkey = \"KEY(it)\"\nsince = 2026-01-01T00:00:00Z\nreason = \"laptop stolen\"\n"
    );
    let today = event.policy(&revoked);
    refused_at(&event, &["--policy", today.to_str().unwrap()], 79, "key revoked: it signed with SHA256:");
    refused_at(&event, &["--policy", today.to_str().unwrap()], 79, "(laptop stolen)");
    // and whoever holds it can sign nothing more
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/b", &today, &answers).0, 0);
    let (code, said) = event.sign("runs/b", "it", "go", &[]);
    assert!(code == 79 && said.contains("key revoked"), "{said}");
}

#[test]
fn a_key_has_an_end() {
    let event = Event::new();
    let ended = POLICY.replace("key = \"KEY(it)\"", "key = \"KEY(it)\"\nkey_until = 2026-01-01T00:00:00Z");
    let policy = event.policy(&ended);
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 0);
    let (code, said) = event.sign("runs/a", "it", "go", &[]);
    assert!(code == 79 && said.contains("key expired"), "{said}");
}

#[test]
fn a_verdict_grows_stale() {
    let event = signed();
    refused_at(&event, &["--at", "2040-01-01T00:00:00Z"], 3, "verdict stale: it counted until");
    refused_at(&event, &["--at", "2040-01-01T00:00:00Z"], 3, "too old: rules.open, stop.authority");
}

#[test]
fn a_waiver_expires() {
    let event = Event::new();
    let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2)).to_string();
    let waived = format!(
        "{POLICY}\n[[waiver]]\ncheck = \"stop.authority\"\naccepts = \"fail\"\nreason = \"the moderator is on leave\"\n\
         compensating = \"the producer stops it\"\nby = \"marketing\"\nexpires = {until}\n"
    );
    let policy = event.policy(&waived);
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", false)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 1);
    let (code, said) = event.sign("runs/a", "it", "go", &[]);
    assert!(code == 64 && said.contains("the verdict is CONDITIONAL GO"), "{said}");
    event.signed("runs/a", "it", "go-with-conditions", &[]);
    event.signed("runs/a", "marketing", "go-with-conditions", &[]);
    assert_eq!(event.verify("runs/a", &[]).0, 1);
    let later = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(3)).to_string();
    refused_at(&event, &["--at", &later], 3, "waiver expired: marketing accepted stop.authority until");
}

#[test]
fn a_verdict_typed_by_hand_is_neither_verified_nor_signed() {
    let event = Event::new();
    let policy = event.policy(POLICY);
    let answers = event.answers(&[("rules.open", "it", false), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 2);
    change(&event, "report.json", "\"word\": \"NO-GO\"", "\"word\": \"GO\"");
    change(&event, "report.json", "\"exit_code\": 2", "\"exit_code\": 0");
    refused(&event, 79, "does not follow from the stored readings");
    let (code, said) = event.sign("runs/a", "it", "go", &[]);
    assert!(code == 79 && said.contains("not signed: the verdict does not follow"), "{said}");
}

#[test]
fn a_go_against_a_no_go_needs_its_reasons_and_never_becomes_go() {
    let event = Event::new();
    let policy = event.policy(POLICY);
    let answers = event.answers(&[("rules.open", "it", false), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 2);
    assert_eq!(event.sign("runs/a", "marketing", "go", &[]).0, 64);
    event.signed("runs/a", "marketing", "go", &["--dissent", "the board wants it; the risk is ours"]);
    event.signed("runs/a", "it", "no-go", &[]);
    let (code, said) = event.verify("runs/a", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("dissent: the board wants it"), "{said}");
}

/// Not the verdict alone: whatever is shown must follow from the policy and the readings, before
/// anybody signs it.
#[test]
fn what_is_shown_is_held_against_the_readings() {
    let event = Event::new();
    event.go("runs/a");
    for paper in ["report.pdf", "report.html"] {
        std::fs::remove_file(report(&event, paper)).unwrap();
    }
    let file = report(&event, "report.json");
    let good = std::fs::read_to_string(&file).unwrap();
    let document: serde_json::Value = serde_json::from_str(&good).unwrap();
    let expires = document["verdict"]["expires"].as_str().unwrap();
    let target = document["checks"][0]["target"].as_str().unwrap();
    let version = format!("\"golive\": \"{}\"", env!("CARGO_PKG_VERSION"));
    for (from, to, words) in [
        (
            format!("\"expires\": \"{expires}\""),
            "\"expires\": \"2099-01-01T00:00:00Z\"",
            "said to count until 2099",
        ),
        (format!("\"target\": \"{target}\""), "\"target\": \"another\"", "its target (rules.open)"),
        (
            "\"limits\": []".to_owned(),
            "\"limits\": [{\"field\": \"x\", \"bound\": \"1\"}]",
            "its limits (rules.open",
        ),
        ("\"observed\": \"".to_owned(), "\"observed\": \"12345 ", "what was observed (rules.open"),
    ] {
        assert!(good.contains(&from), "{from}");
        std::fs::write(&file, good.replace(&from, to)).unwrap();
        refused(&event, 79, words);
        let (code, said) = event.sign("runs/a", "it", "go", &[]);
        assert!(code == 79 && said.contains("not signed: the verdict does not follow"), "{words}: {said}");
        // of another version only what the verdict rests on is known: the rest is said
        std::fs::write(&file, good.replace(&from, to).replace(&version, "\"golive\": \"9.9.9\"")).unwrap();
        let hard = words.contains("2099");
        refused(&event, if hard { 79 } else { 3 }, words);
    }
    // words alone: said, and the signers may judge
    std::fs::write(&file, good.replacen("\"observed\": \"", "\"observed\": \"surely ", 1)).unwrap();
    refused(&event, 3, "note: texts that this golive writes otherwise");
    refused(&event, 3, "what was observed (rules.open)");
}

/// The paper of a better report beside a worse one.
#[test]
fn the_paper_of_another_report_is_refused() {
    let event = signed();
    let good = event.verify("runs/a", &[]).1;
    assert!(!good.contains("is not the page"), "{good}");
    let policy = event.path("event.toml");
    let answers = event.answers(&[("rules.open", "it", false), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/b", &policy, &answers).0, 2);
    for name in ["report.pdf", "report.html"] {
        let kept = std::fs::read(report(&event, name)).unwrap();
        std::fs::copy(event.path("runs/b").join(name), report(&event, name)).unwrap();
        refused(&event, 79, &format!("{name} is not the paper of report.json"));
        let ticket = ["--jira", "https://example.com", "--issue", "OPS-1", "--html", "--dry-run"];
        let (code, said) = event.golive("attach", "runs/a", &ticket);
        assert!(code == 79 && said.contains("nothing was attached"), "{code} {said}");
        std::fs::write(report(&event, name), kept).unwrap();
    }
    // the right digest in a page with other words: said, and attached as it is made anew
    change(&event, "report.html", "R. Osei", "N. Osei");
    refused(&event, 0, "report.html is not the page that this golive makes");
}

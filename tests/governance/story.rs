//! From the first run to the signed report on somebody else's desk.

use crate::event::{Event, POLICY, need};

#[test]
fn both_sign_and_plain_ssh_keygen_agrees_on_a_copy() {
    let event = Event::new();
    event.go("runs/a");
    let (code, said) = event.verify("runs/a", &[]);
    assert_eq!(code, 3, "nobody has decided yet: {said}");
    assert!(said.contains("not signed: it") && said.contains("not signed: marketing"), "{said}");

    event.signed("runs/a", "it", "go", &["--ticket", "CHG0031337"]);
    event.signed(
        "runs/a",
        "marketing",
        "go-with-conditions",
        &["--condition", "the moderator is in the hall"],
    );
    event.copy("runs/a", "elsewhere/a");
    let (code, said) = event.verify("elsewhere/a", &[]);
    assert_eq!(code, 1, "marketing made conditions: {said}");
    for words in [
        "GO  Autumn product launch",
        "run 1 of 1 of this event",
        "R. Osei",
        "cryptographic: SHA256:",
        "on condition: the moderator is in the hall",
        "ticket: CHG0031337",
        "it and marketing decided on the same machine",
        "holds: report, decisions, readings, verdict and ledger agree",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    for role in ["it", "marketing"] {
        let (code, said) = event.ssh_keygen("elsewhere/a", role, &[]);
        assert!(code == 0 && said.contains("Good \"golive-"), "{said}");
    }
}

#[test]
fn a_no_go_and_a_dissent_are_inside_what_is_signed() {
    let event = Event::new();
    event.go("runs/a");
    let (code, said) = event.sign("runs/a", "it", "no-go", &[]);
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("say why with --dissent"), "{said}");
    event.signed(
        "runs/a",
        "it",
        "no-go",
        &["--dissent", "the rules were opened by a temporary admin account"],
    );
    event.signed("runs/a", "marketing", "go", &[]);
    let (code, said) = event.verify("runs/a", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("dissent: the rules were opened"), "{said}");
    assert_eq!(event.ssh_keygen("runs/a", "it", &[]).0, 0);

    // the dissent taken out: plain ssh-keygen refuses it as well
    let file = event.path("runs/a/report.it.decision.json");
    let text = std::fs::read_to_string(&file).unwrap().replace("\"no_go\"", "\"go\"");
    std::fs::write(&file, text).unwrap();
    assert_ne!(event.ssh_keygen("runs/a", "it", &[]).0, 0);
    assert_eq!(event.verify("runs/a", &[]).0, 79);
}

#[test]
fn there_are_three_levels_and_the_policy_says_which_is_enough() {
    let event = Event::new();
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    let policy = event.policy(
        &POLICY.replace("level = \"key\"", "level = \"ticket\"").replace("key = \"KEY(marketing)\"\n", ""),
    );
    assert_eq!(event.check("runs/a", &policy, &answers).0, 0);
    let named = ["--role", "marketing", "--decision", "go", "--named"];
    let (code, said) = event.golive("sign", "runs/a", &named);
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("the policy asks for a decision that is ticket approval"), "{said}");
    let ticket = ["--role", "marketing", "--decision", "go", "--ticket", "CHG0031337, approval 2"];
    let (code, said) = event.golive("sign", "runs/a", &ticket);
    assert_eq!(code, 0, "{said}");
    event.signed("runs/a", "it", "go", &[]);
    let (code, said) = event.verify("runs/a", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ticket approval: CHG0031337, approval 2"), "{said}");
    assert!(said.contains("cryptographic: SHA256:"), "{said}");
}

#[test]
fn a_role_decides_once() {
    let event = Event::new();
    event.go("runs/a");
    event.signed("runs/a", "it", "go", &[]);
    let (code, said) = event.sign("runs/a", "it", "go", &[]);
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("move report.it.decision.json and its signature away"), "{said}");
    let (code, said) = event.sign("runs/a", "ceo", "go", &[]);
    assert!(code == 64 && said.contains("the policy knows no role ceo; it has: it, marketing"), "{said}");
}

#[test]
fn a_report_is_never_altered_by_signing() {
    let event = Event::new();
    event.go("runs/a");
    let before = std::fs::read(event.path("runs/a/report.json")).unwrap();
    event.signed("runs/a", "it", "go", &[]);
    event.signed("runs/a", "marketing", "go", &[]);
    assert_eq!(std::fs::read(event.path("runs/a/report.json")).unwrap(), before);
}

#[test]
fn the_paper_shows_who_decided_and_what_does_not_hold() {
    let event = Event::new();
    event.go("runs/a");
    event.signed("runs/a", "it", "go", &["--ticket", "CHG0031337"]);
    event.signed("runs/a", "marketing", "go", &[]);
    let words = |format: &str| {
        let out = event.path(&format!("out.{format}"));
        let (code, said) =
            event.golive("report", "runs/a", &["--format", format, "--out", out.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
        if format != "pdf" {
            return std::fs::read_to_string(out).unwrap();
        }
        let pdftotext = need("pdftotext", "poppler-utils");
        let output = std::process::Command::new(pdftotext).arg("-raw").arg(out).arg("-").output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for shown in [words("pdf"), words("html")] {
        for name in ["R. Osei", "M. Keller"] {
            assert!(shown.contains(name), "{name}: {shown}");
        }
        assert_eq!(shown.matches("cryptographic: SHA256:").count(), 4, "on page 1 and on the last: {shown}");
        assert!(!shown.contains("Does not count"), "{shown}");
        let remark = "It and marketing decided on the same machine.";
        assert_eq!(shown.matches(remark).count(), 2, "on page 1 and on the last: {shown}");
    }
    assert!(words("md").contains("**Note:** It and marketing decided on the same machine"));

    let file = event.path("runs/a/report.it.decision.json");
    let text = std::fs::read_to_string(&file).unwrap().replace("CHG0031337", "CHG0031338");
    std::fs::write(&file, text).unwrap();
    for shown in [words("pdf"), words("html")] {
        assert_eq!(shown.matches("cryptographic: SHA256:").count(), 2, "marketing's alone: {shown}");
        assert!(shown.contains("Does not count"), "{shown}");
    }
}

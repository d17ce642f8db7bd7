//! People answer afterwards: a new version, never a change of what was signed.

use crate::event::{Event, POLICY};

/// A run in which marketing has not answered yet.
fn open() -> Event {
    let event = Event::new();
    let policy = event.policy(POLICY);
    let answers = event.answers(&[("rules.open", "it", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 3);
    event
}

#[test]
fn an_answer_makes_a_new_version_and_leaves_the_signed_one_alone() {
    let event = open();
    event.signed("runs/a", "it", "no-go", &[]);
    let before = std::fs::read(event.path("runs/a/report.json")).unwrap();
    let (code, said) = event.golive("attest", "runs/a", &["--role", "marketing"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("unknown  stop.authority (waivable)") && said.contains("May somebody stop"),
        "{said}"
    );
    assert!(!said.contains("rules.open"), "{said}");

    let arguments = ["--role", "marketing", "--answer", "stop.authority=yes", "--evidence", "run sheet v3"];
    let (code, said) = event.golive("attest", "runs/a", &arguments);
    assert_eq!(code, 0, "{said}");
    for words in [
        "verdict: INCONCLUSIVE → GO",
        "runs/a-v2/report.json",
        "decisions of it: they hold for that version only",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(std::fs::read(event.path("runs/a/report.json")).unwrap(), before);
    let (_, said) = event.verify("runs/a", &[]);
    assert!(said.contains("no-go") && said.contains("run 1 of 1") && !said.contains("REFUSED"), "{said}");
    assert!(said.contains("since then: run") && said.contains("came to GO"), "{said}");

    // the decision about the version before is none about this one
    std::fs::copy(
        event.path("runs/a/report.it.decision.json"),
        event.path("runs/a-v2/report.it.decision.json"),
    )
    .unwrap();
    std::fs::copy(event.path("runs/a/report.it.sig.txt"), event.path("runs/a-v2/report.it.sig.txt")).unwrap();
    let (code, said) = event.verify("runs/a-v2", &[]);
    assert!(code == 79 && said.contains("is not the report that it signed"), "{said}");
    assert!(said.contains("check stop.authority") && said.contains("revises (added)"), "{said}");
    std::fs::remove_file(event.path("runs/a-v2/report.it.decision.json")).unwrap();
    std::fs::remove_file(event.path("runs/a-v2/report.it.sig.txt")).unwrap();
    event.signed("runs/a-v2", "it", "go", &[]);
    event.signed("runs/a-v2", "marketing", "go", &[]);
    let (code, said) = event.verify("runs/a-v2", &[]);
    assert_eq!(code, 0, "{said}");
    let text = std::fs::read_to_string(event.path("runs/a-v2/report.md")).unwrap();
    assert!(text.contains("run sheet v3"), "{text}");
}

#[test]
fn an_answer_has_an_end() {
    let event = open();
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let arguments =
        ["--role", "marketing", "--answer", "stop.authority=yes", "--expires", &until.to_string()];
    let (code, said) = event.golive("attest", "runs/a", &arguments);
    assert_eq!(code, 0, "{said}");
    let later = (until + jiff::SignedDuration::from_secs(60)).to_string();
    let (code, said) = event.golive("judge", "runs/a-v2", &["--at", &later]);
    assert!(code == 3 && said.contains("stop.authority"), "{said}");
    let (code, said) = event.verify("runs/a-v2", &["--at", &later]);
    assert!(code == 3 && said.contains("verdict stale"), "{said}");
}

#[test]
fn mistakes_are_named() {
    let event = open();
    let attest = |arguments: &[&str]| event.golive("attest", "runs/a", arguments);
    for (arguments, words) in [
        (&["--role", "marketing", "--answer", "stop.authority=maybe"][..], "the answer is yes or no"),
        (&["--role", "marketing", "--answer", "stop.authority"], "write it like"),
        (&["--role", "marketing", "--answer", "nothing=yes"], "these are: rules.open, stop.authority"),
        (&["--role", "marketing", "--answer", "rules.open=yes"], "is asked of it, not of marketing"),
        (&["--role", "ceo", "--answer", "rules.open=yes"], "the policy knows no role ceo"),
        (
            &["--role", "marketing", "--answer", "stop.authority=yes", "--expires", "2020-01-01T00:00:00Z"],
            "lies in the past",
        ),
    ] {
        let (code, said) = attest(arguments);
        assert!(code == 64 && said.contains(words), "{words}: {code} {said}");
    }
    assert!(!event.path("runs/a-v2").exists());
}

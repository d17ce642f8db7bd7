//! A copy for others, made, verified and proven by the binary.

use crate::event::Event;

fn signed() -> Event {
    let event = Event::new();
    event.go("runs/a");
    event.signed("runs/a", "it", "go", &[]);
    event.signed("runs/a", "marketing", "go", &[]);
    event
}

#[test]
fn a_copy_says_what_it_is_and_is_proven_by_the_full_report() {
    let event = signed();
    let (code, said) = event.golive("redact", "runs/a", &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(event.verify("runs/a", &[]).0, 0, "the full report is as it was");
    let copy = "runs/a/report.redacted.json";
    let text = std::fs::read_to_string(event.path(copy)).unwrap();
    for secret in ["R. Osei", "Osei", "M. Keller", "ssh-ed25519", event.public("it").as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
    let (code, said) = event.verify(copy, &[]);
    assert_eq!(code, 3, "a copy carries no decision by itself: {said}");
    assert!(
        said.contains("not valid now: redacted copy of report")
            && said.contains("ask it for the full report"),
        "{said}"
    );
    assert!(said.starts_with("GO  Autumn product launch"), "{said}");

    let full = event.path("runs/a");
    let (code, said) = event.verify(copy, &["--against", full.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("redacted copy, made from report.json") && said.contains("cryptographic: SHA256:"),
        "{said}"
    );

    let (code, said) = event.sign(copy, "it", "go", &[]);
    assert!(code == 3 && said.contains("not signed: redacted copy"), "{said}");
    let (code, said) = event.golive("redact", copy, &[]);
    assert!(code == 65 && said.contains("a redacted copy already"), "{said}");
}

#[test]
fn a_copy_that_was_changed_is_refused() {
    let event = signed();
    assert_eq!(event.golive("redact", "runs/a", &[]).0, 0);
    let copy = event.path("runs/a/report.redacted.json");
    let text = std::fs::read_to_string(&copy).unwrap();
    std::fs::write(&copy, text.replace("person-1", "person-9")).unwrap();
    let full = event.path("runs/a");
    let (code, said) = event.verify("runs/a/report.redacted.json", &["--against", full.to_str().unwrap()]);
    assert!(code == 79 && said.contains("is not the redacted copy of report.json"), "{said}");
}

//! Re-running until green shows.

use crate::event::{Event, POLICY, golive};

fn red(event: &Event, run: &str) {
    let policy = event.policy(POLICY);
    let answers = event.answers(&[("rules.open", "it", false), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check(run, &policy, &answers).0, 2);
}

/// The one ledger beside the runs.
fn file(event: &Event) -> std::path::PathBuf {
    let files = std::fs::read_dir(event.path("runs")).unwrap().map(|entry| entry.unwrap().path());
    let mut ledgers: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect();
    assert_eq!(ledgers.len(), 1, "{ledgers:?}");
    ledgers.remove(0)
}

/// Run ids have whole seconds.
fn a_second_later() {
    std::thread::sleep(std::time::Duration::from_millis(1100));
}

#[test]
fn every_run_of_an_event_is_in_the_report() {
    let event = Event::new();
    for run in ["runs/a", "runs/b"] {
        red(&event, run);
        a_second_later();
    }
    event.go("runs/c");
    let (_, said) = event.golive("report", "runs/c", &[]);
    assert!(said.contains("run 3 of 3 of this event; before it: NO-GO × 2"), "{said}");
    for (file, words) in
        [("report.html", "run 3 of 3 of this event"), ("report.md", "run 3 of 3 of this event")]
    {
        let text = std::fs::read_to_string(event.path("runs/c").join(file)).unwrap();
        assert!(text.contains(words), "{file}");
    }
    event.signed("runs/c", "it", "go", &[]);
    event.signed("runs/c", "marketing", "go", &[]);
    let (code, said) = event.verify("runs/c", &[]);
    assert!(code == 0 && said.contains("run 3 of 3"), "{said}");
    a_second_later();
    red(&event, "runs/d");
    let (code, said) = event.verify("runs/c", &[]);
    assert!(code == 0 && said.contains("since then: run ") && said.contains("came to NO-GO"), "{said}");
}

#[test]
fn a_run_that_was_killed_counts() {
    let event = Event::new();
    red(&event, "runs/a");
    // what a kill between start and report leaves behind
    let text = std::fs::read_to_string(file(&event)).unwrap();
    std::fs::write(file(&event), text.lines().next().unwrap().to_owned() + "\n{\"before\":\"torn").unwrap();
    a_second_later();
    event.go("runs/b");
    let (_, said) = event.golive("report", "runs/b", &[]);
    assert!(said.contains("run 2 of 2 of this event; before it: no report"), "{said}");
}

#[test]
fn a_rewritten_ledger_is_refused() {
    let event = Event::new();
    red(&event, "runs/a");
    a_second_later();
    event.go("runs/b");
    let good = std::fs::read_to_string(file(&event)).unwrap();
    let whole: Vec<&str> = good.lines().collect();
    for (bad, words) in [
        (good.replace("NO-GO", "GO"), "does not follow from the line before"),
        (whole[2..].join("\n") + "\n", "does not follow from the line before"),
        (whole[..2].join("\n") + "\n", "one of the two was rewritten"),
        (good.replace("\"step\"", "\"stepp\""), "is not one of a ledger"),
    ] {
        std::fs::write(file(&event), bad).unwrap();
        let (code, said) = event.verify("runs/b", &[]);
        assert!(code == 79 && said.contains(words), "{words}: {said}");
    }
    // a run goes on all the same, and says that it knows nothing of the runs before it
    std::fs::write(file(&event), good.replace("NO-GO", "GO")).unwrap();
    a_second_later();
    event.go("runs/c");
    let (_, said) = event.golive("report", "runs/c", &[]);
    assert!(said.contains("run 1 of 1 of this event; earlier runs are not known"), "{said}");
}

#[test]
fn the_ledger_in_a_report_is_held_against_the_report() {
    let event = Event::new();
    event.go("runs/a");
    event.copy("runs/a", "elsewhere/a");
    let file = event.path("elsewhere/a/report.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"runs\": 1", "\"runs\": 7")).unwrap();
    let (code, said) = event.verify("elsewhere/a", &[]);
    assert!(code == 79 && said.contains("another count of runs"), "{said}");
}

#[test]
fn another_event_has_another_ledger() {
    let event = Event::new();
    event.go("runs/a");
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    let other = event.policy(&POLICY.replace("Autumn", "Spring"));
    a_second_later();
    assert_eq!(event.check("runs/b", &other, &answers).0, 0);
    let (_, said) = event.golive("report", "runs/b", &[]);
    assert!(said.contains("run 1 of 1 of this event"), "{said}");
    assert!(golive().arg("verify").arg(event.path("runs/b")).output().unwrap().status.code() == Some(3));
}

//! Measuring some checks again, the others carried.

use std::collections::BTreeSet;

use super::*;
use crate::model::Vantage;
use crate::report::ledger::history;
use crate::report::{Document, read, seal::sha256};
use crate::run::again::{From, carry};
use crate::run::{AgainError, Carried};

fn document(folder: &Path) -> (Document, String) {
    let bytes = fs::read(folder.join("report.json")).unwrap();
    (read(&bytes).unwrap(), sha256(&bytes))
}

/// A run in which nobody has answered `b`, in a folder of its own beside others.
async fn failed(folder: &Path) {
    let mut job = job(folder, &["a", "b"], Stop::default());
    job.answers.retain(|answer| answer.check.as_str() == "a");
    assert_eq!(run(job, unbounded_channel().0).await.unwrap().verdict.word, Word::Inconclusive);
}

fn carried(folder: &Path, checks: &[&str]) -> Result<Carried, AgainError> {
    let (document, sha256) = document(folder);
    let ledger = document.ledger.as_ref().unwrap().lines.clone();
    let from = From { document: &document, sha256: &sha256, ledger: &ledger };
    let checks: BTreeSet<CheckId> = checks.iter().map(|name| id(name)).collect();
    let here = document.run.vantage.clone();
    carry(from, &policy(&["a", "b"]), &checks, here.as_ref(), crate::net::clock::now())
}

fn again(folder: &Path, from: &Path) -> Job {
    let carried = Some(Box::new(carried(from, &["b"]).unwrap()));
    Job { carried, ..job(folder, &["a", "b"], Stop::default()) }
}

#[tokio::test]
async fn only_the_named_check_is_measured_and_both_runs_are_on_record() {
    let event = tempfile::tempdir().unwrap();
    let (first, second) = (event.path().join("1"), event.path().join("2"));
    failed(&first).await;
    let before = document(&first).0;
    let done = run(again(&second, &first), unbounded_channel().0).await.unwrap();
    assert_eq!(done.verdict.word, Word::Go);
    let (after, _) = document(&second);
    let said = after.again.as_ref().unwrap();
    assert_ne!(after.run.id, before.run.id, "a run is named by its own second");
    assert_eq!((&said.run, &said.report_sha256), (&before.run.id, &document(&first).1));
    assert_eq!(said.measured, [id("b")]);
    assert_eq!(said.carried, [(id("a"), before.run.id.clone())].into());
    assert_eq!(after.checks[0].measured, before.checks[0].measured, "with its own time");
    assert_eq!(said.oldest, Some(before.checks[0].measured.as_ref().unwrap().started));
    assert_eq!(said.misfit(&after), None);
    let ledger = after.ledger.as_ref().unwrap();
    assert_eq!(ledger.check(&after), Ok(()));
    assert_eq!(ledger.words(&after.run.id), "run 2 of 2 of this event; before it: INCONCLUSIVE");
    let of = |check| history(&ledger.lines, &after.run.id, &id(check));
    assert_eq!((of("a"), of("b")), (vec!["pass"], vec!["unknown", "pass"]));
    let words = crate::report::again(&after).unwrap();
    assert!(words.starts_with("1 of 2 checks was measured again at "), "{words}");
    assert!(
        words.contains("; the other is of run 1, ") && words.ends_with("So far: b unknown, pass."),
        "{words}"
    );

    // what is said of carried readings is held against the rest of the report
    let mut hidden = after.clone();
    hidden.again = None;
    assert!(hidden.ledger.as_ref().unwrap().check(&hidden).is_err());
    let mut moved = said.clone();
    moved.carried.insert(id("b"), before.run.id.clone());
    moved.measured.clear();
    assert!(moved.misfit(&after).unwrap().contains("was measured in this run"));
    moved.carried.clear();
    assert!(moved.misfit(&after).unwrap().contains("not said to be either"));
}

#[tokio::test]
async fn a_run_that_carried_readings_goes_on_after_a_crash_without_the_earlier_one() {
    let event = tempfile::tempdir().unwrap();
    let (first, second) = (event.path().join("1"), event.path().join("2"));
    failed(&first).await;
    run(again(&second, &first), unbounded_channel().0).await.unwrap();
    let (whole, _) = document(&second);
    let text = fs::read_to_string(second.join("journal")).unwrap();
    let until: Vec<&str> = text.lines().take_while(|line| !line.contains("check_started")).collect();
    assert!(until.len() == 3 && until[1].contains("\"carried\""), "{until:?}");
    fs::write(second.join("journal"), until.join("\n") + "\n").unwrap();
    fs::remove_dir_all(&first).unwrap();
    let kept = Recorded::read(&second).unwrap();
    assert_eq!(kept.carried(), [id("a")].into());
    let done = resume(job(&second, &["a", "b"], Stop::default()), unbounded_channel().0).await.unwrap();
    assert_eq!(done.verdict.word, Word::Go);
    let (resumed, _) = document(&second);
    assert_eq!(resumed.again, whole.again);
    assert!(resumed.run.resumed);
}

#[tokio::test]
async fn readings_of_elsewhere_or_of_another_time_are_not_carried() {
    let event = tempfile::tempdir().unwrap();
    let folder = event.path().join("1");
    failed(&folder).await;
    let (good, sha256) = document(&folder);
    let here =
        good.run.vantage.clone().expect("this system has no /etc/machine-id: run systemd-machine-id-setup");
    let now = crate::net::clock::now();
    let ledger = good.ledger.as_ref().unwrap().lines.clone();
    let policy = policy(&["a", "b"]);
    let ask = |document: &Document, policy: &Policy, here: Option<&Vantage>, now| {
        let from = From { document, sha256: &sha256, ledger: &ledger };
        carry(from, policy, &[id("b")].into(), here, now).map(|carried| carried.again.carried.len())
    };
    assert_eq!(ask(&good, &policy, Some(&here), now), Ok(1));

    let elsewhere =
        |machine: &str, network: &str| Vantage { machine: machine.into(), network: network.into() };
    let other = elsewhere("another", &here.network);
    assert!(matches!(ask(&good, &policy, Some(&other), now), Err(AgainError::OtherMachine(_))));
    let other = elsewhere(&here.machine, "another");
    assert!(matches!(ask(&good, &policy, Some(&other), now), Err(AgainError::OtherNetwork(_))));
    assert!(matches!(ask(&good, &policy, None, now), Err(AgainError::NoVantage(_))));
    let mut old = good.clone();
    old.run.vantage = None;
    assert!(matches!(ask(&old, &policy, Some(&here), now), Err(AgainError::NoVantage(_))));
    let mut old = good.clone();
    old.golive = "0.0.9".into();
    assert!(matches!(ask(&old, &policy, Some(&here), now), Err(AgainError::OtherVersion { .. })));
    let mut stopped = good.clone();
    stopped.run.interrupted = true;
    assert!(matches!(ask(&stopped, &policy, Some(&here), now), Err(AgainError::Interrupted(_))));
    let mut apart = good.clone();
    apart.ledger.as_mut().unwrap().apart = Some("no disk".into());
    assert!(matches!(ask(&apart, &policy, Some(&here), now), Err(AgainError::NoLedger(_))));
    let mut strict = policy.clone();
    strict.checks[0].why = "changed".into();
    assert!(matches!(ask(&good, &strict, Some(&here), now), Err(AgainError::OtherPolicy { .. })));

    let after = |seconds| now + jiff::SignedDuration::from_secs(seconds);
    let refused = ask(&good, &policy, Some(&here), after(4 * 3600 + 60)).unwrap_err().to_string();
    assert!(refused.contains("measured more than 4h ago: a"), "{refused}");
    let refused = ask(&good, &policy, Some(&here), after(-60)).unwrap_err().to_string();
    assert!(refused.contains("measured later than this machine's clock"), "{refused}");
    assert_eq!(ask(&good, &policy, Some(&here), after(3 * 3600)), Ok(1));
}

#[tokio::test]
async fn only_the_last_run_of_an_event_is_gone_on_with() {
    let event = tempfile::tempdir().unwrap();
    let (first, second) = (event.path().join("1"), event.path().join("2"));
    failed(&first).await;
    run(again(&second, &first), unbounded_channel().0).await.unwrap();
    let (document_of, sha256) = document(&first);
    let ledger = document(&second).0.ledger.unwrap().lines;
    let from = From { document: &document_of, sha256: &sha256, ledger: &ledger };
    let here = document_of.run.vantage.clone();
    let refused =
        carry(from, &policy(&["a", "b"]), &[id("b")].into(), here.as_ref(), crate::net::clock::now());
    assert!(matches!(refused, Err(AgainError::NotNewest { .. })), "{refused:?}");
    let none = carried(&second, &["a", "b"]).unwrap_err();
    assert_eq!(none, AgainError::All);
    let unknown = carried(&second, &["c"]).unwrap_err().to_string();
    assert!(unknown.contains("no check c; it has: a, b"), "{unknown}");
}

use std::fs;
use std::io::Write as _;
use std::path::Path;

use tokio::sync::mpsc::unbounded_channel;

use super::dispatcher::{Stop, resume};
use super::*;
use crate::judge::Word;
use crate::model::{Answer, Area, CheckId, Enforcement, Role};
use crate::policy::{self, Check, Policy};
use crate::probe::{Question, attest};

fn id(name: &str) -> CheckId {
    CheckId::new(name).unwrap()
}

fn policy(names: &[&str]) -> Policy {
    let role = Role::new("it").unwrap();
    let check = |name: &&str| Check {
        id: id(name),
        path: None,
        question: Question::Attest {
            target: attest::Target { question: "Ready?".into(), of: role.clone() },
            limits: attest::Limits::default(),
        },
        enforcement: Enforcement::Hard,
        owner: Area::new("network").unwrap(),
        why: String::new(),
        valid_for_s: 3600,
    };
    Policy {
        schema: policy::SCHEMA.into(),
        event: policy::Event {
            title: "Launch".into(),
            starts: None,
            ends: None,
            venue: None,
            objective: None,
            change: None,
            way_back: None,
        },
        people: [(role.clone(), policy::Person { name: "I. T.".into(), ..Default::default() })].into(),
        accountable: std::collections::BTreeMap::new(),
        authorisation: None,
        signatures: policy::Signatures::default(),
        paths: std::collections::BTreeMap::new(),
        streams: std::collections::BTreeMap::new(),
        far_ends: std::collections::BTreeMap::new(),
        checks: names.iter().map(check).collect(),
        waivers: Vec::new(),
        layers: Vec::new(),
    }
}

fn job(folder: &Path, names: &[&str], stop: Stop) -> Job {
    let answer = |name: &&str| Answer {
        check: id(name),
        yes: true,
        role: Role::new("it").unwrap(),
        name: "I. T.".into(),
        at: crate::net::clock::now(),
        evidence: String::new(),
        expires: None,
    };
    Job {
        policy: policy(names),
        policy_source: "test".into(),
        answers: names.iter().map(answer).collect(),
        answers_source: None,
        folder: folder.to_owned(),
        stop,
    }
}

#[tokio::test]
async fn a_run_is_journalled_and_shown_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (out, mut events) = unbounded_channel();
    let finished = run(job(folder.path(), &["a", "b"], Stop::default()), out).await.unwrap();
    assert_eq!(finished.verdict.word, Word::Go);
    let mut shown = Vec::new();
    while let Some(event) = events.recv().await {
        shown.push(event);
    }
    let recorded = Recorded::read(folder.path()).unwrap();
    assert_eq!(recorded.events, shown);
    assert!(recorded.complete());
    assert!(folder.path().join("report.json").exists());
}

#[tokio::test]
async fn a_folder_is_used_once() {
    let folder = tempfile::tempdir().unwrap();
    run(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0).await.unwrap();
    let again = run(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0).await.unwrap_err();
    assert!(matches!(again, RunError::Journal(JournalError::Exists(_))), "{again}");
}

#[tokio::test]
async fn a_run_stopped_at_once_is_inconclusive_and_resumes_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    stop.ask("test");
    let stopped = run(job(folder.path(), &["a", "b"], stop), unbounded_channel().0).await.unwrap();
    assert_eq!((stopped.verdict.word, stopped.interrupted), (Word::Inconclusive, true));
    let resumed =
        resume(job(folder.path(), &["a", "b"], Stop::default()), unbounded_channel().0).await.unwrap();
    assert_eq!((resumed.verdict.word, resumed.interrupted), (Word::Go, false));
}

#[tokio::test]
async fn resume_refuses_another_policy() {
    let folder = tempfile::tempdir().unwrap();
    run(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0).await.unwrap();
    let error = resume(job(folder.path(), &["b"], Stop::default()), unbounded_channel().0).await.unwrap_err();
    assert!(matches!(error, RunError::PolicyChanged));
}

#[tokio::test]
async fn every_cut_of_a_journal_reads_back_a_prefix() {
    let folder = tempfile::tempdir().unwrap();
    run(job(folder.path(), &["a", "b"], Stop::default()), unbounded_channel().0).await.unwrap();
    let whole = Recorded::read(folder.path()).unwrap();
    let bytes = fs::read(folder.path().join("journal")).unwrap();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let cut = tempfile::tempdir().unwrap();
    for length in (first..=bytes.len()).step_by(7).chain([bytes.len()]) {
        fs::write(cut.path().join("journal"), &bytes[..length]).unwrap();
        let recorded = Recorded::read(cut.path()).unwrap();
        assert!(whole.events.starts_with(&recorded.events), "{length}");
        assert_eq!(recorded.torn, bytes[length - 1] != b'\n');
    }
    fs::write(cut.path().join("journal"), &bytes[..first - 2]).unwrap();
    assert!(matches!(Recorded::read(cut.path()), Err(JournalError::NoStart(_))));
}

#[test]
fn a_damaged_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = fs::File::create(folder.path().join("journal")).unwrap();
    file.write_all(b"nonsense\n").unwrap();
    let error = Recorded::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("journal:1: not a golive event"), "{error}");
    let missing = Recorded::read(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(missing, JournalError::Missing(_)), "{missing}");
}

#[test]
fn two_writers_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Journal::create(folder.path()).unwrap();
    let finished = Event::Interrupted { at: crate::net::clock::now(), by: "x".into() };
    first.append(&finished).unwrap();
    let second = Journal::reopen(folder.path());
    assert!(matches!(second, Err(JournalError::Locked(_))));
}

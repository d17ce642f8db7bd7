mod again;
mod kept;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use tokio::sync::mpsc::unbounded_channel;

use super::dispatcher::resume;
use super::people::{Given, People, Said};
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
            target: attest::Target {
                question: "Ready?".into(),
                of: role.clone(),
                evidence: None,
                answered_by: None,
            },
            limits: attest::Limits::default(),
        },
        enforcement: Enforcement::Hard,
        owner: Area::new("network").unwrap(),
        why: String::new(),
        valid_for_s: 3600,
        same_slot: false,
    };
    Policy {
        schema: policy::SCHEMA.into(),
        event: policy::Event {
            title: "Launch".into(),
            starts: None,
            ends: None,
            time_zone: None,
            venue: None,
            objective: None,
            change: None,
            way_back: None,
        },
        people: [(role.clone(), policy::Person { name: "I. T.".into(), ..Default::default() })].into(),
        accountable: std::collections::BTreeMap::new(),
        provider: None,
        authorisation: None,
        signatures: policy::Signatures::default(),
        redaction: policy::Redaction::default(),
        pace: policy::Pace::default(),
        again: policy::Again::default(),
        paths: std::collections::BTreeMap::new(),
        streams: std::collections::BTreeMap::new(),
        far_ends: std::collections::BTreeMap::new(),
        checks: names.iter().map(check).collect(),
        waivers: Vec::new(),
        layers: Vec::new(),
        close_out: None,
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
        carried: None,
        answers: names.iter().map(answer).collect(),
        answers_source: None,
        folder: folder.to_owned(),
        people: People::default(),
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
    let stop = Stop::default();
    stop.ask("test");
    run(job(folder.path(), &["a"], stop), unbounded_channel().0).await.unwrap();
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

/// Answers at the screen: one while the run measures or waits, then nothing more.
async fn answered(names: &[&str], said: Vec<Said>) -> (tempfile::TempDir, Recorded, Word) {
    let folder = tempfile::tempdir().unwrap();
    let (desk, people) = People::at_a_desk();
    for said in said {
        desk.send(said).unwrap();
    }
    // the person leaves: a run whose screen is gone waits for nobody
    drop(desk);
    let (out, _events) = unbounded_channel();
    let mut job = job(folder.path(), names, Stop::default());
    job.people = people;
    job.answers.clear();
    let word = run(job, out).await.unwrap().verdict.word;
    let recorded = Recorded::read(folder.path()).unwrap();
    (folder, recorded, word)
}

fn given(check: &str, yes: bool, evidence: &str) -> Said {
    Said::Answer(Box::new(Given { check: id(check), yes, evidence: evidence.into(), expires: None }))
}

#[tokio::test]
async fn people_answer_at_the_screen_and_the_journal_holds_it() {
    let (folder, recorded, word) =
        answered(&["a", "b"], vec![given("a", true, "run sheet v3"), Said::Busy, given("b", true, "")]).await;
    assert_eq!(word, Word::Go);
    let said: Vec<(&str, &str)> = recorded
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Answered { answer } => Some((answer.name.as_str(), answer.evidence.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(said, [("I. T.", "run sheet v3"), ("I. T.", "")], "by the name that the policy has");
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    assert!(report.contains("run sheet v3"));
    assert!(recorded.complete());
    assert_eq!(recorded.evidence().measurements.len(), 2);
    // and a replay shows the same
    let mut story = crate::ui::Story::new(crate::ui::Charset::Unicode);
    recorded.events.iter().for_each(|event| story.apply(event));
    assert_eq!(story.count(crate::model::Outcome::Pass), 2);
}

#[tokio::test]
async fn who_leaves_questions_open_gets_no_go_but_gets_a_report() {
    for said in [vec![], vec![given("nothing", true, "")]] {
        let (folder, _, word) = answered(&["a"], said).await;
        assert_eq!(word, Word::Inconclusive);
        assert!(folder.path().join("report.json").exists());
    }
}

#[tokio::test]
async fn the_report_waits_until_the_person_says_that_it_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, people) = People::at_a_desk();
    let (out, mut events) = unbounded_channel();
    let mut job = job(folder.path(), &["a", "b"], Stop::default());
    job.people = people;
    job.answers.clear();
    let run = tokio::spawn(run(job, out));
    let mut asked = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            Event::Asking { checks, .. } => {
                assert!(!folder.path().join("report.json").exists(), "it waits");
                asked = checks;
                desk.send(given("a", true, "")).unwrap();
                desk.send(Said::Done).unwrap();
            }
            Event::RunFinished { .. } => break,
            _ => {}
        }
    }
    assert_eq!(asked, [id("a"), id("b")]);
    let verdict = run.await.unwrap().unwrap().verdict;
    assert_eq!(verdict.word, Word::Inconclusive);
    assert_eq!(verdict.checks[0].outcome, crate::model::Outcome::Pass);
}

#[tokio::test]
async fn an_answer_may_be_given_again() {
    let (_folder, _, word) = answered(&["a"], vec![given("a", false, ""), given("a", true, "")]).await;
    assert_eq!(word, Word::Go, "the last one counts");
}

#[tokio::test]
async fn the_provider_question_is_answered_by_the_policy_unless_somebody_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), &["a"], Stop::default());
    let answers = std::mem::take(&mut job.answers);
    let Question::Attest { target, .. } = &mut job.policy.checks[0].question else { unreachable!() };
    target.answered_by = Some(attest::AnsweredBy::Provider);
    assert!(job.policy.answers(&[], crate::net::clock::now()).is_empty(), "nothing settled, nothing said");
    job.policy.provider = Some(policy::Provider {
        by: Role::new("it").unwrap(),
        project_manager: "P. Manager".into(),
        appointed: None,
        why_none: Some("done by ourselves".into()),
    });
    assert!(job.policy.answers(&answers, crate::net::clock::now()).is_empty(), "a person's word goes before");
    let (out, _events) = unbounded_channel();
    assert_eq!(run(job, out).await.unwrap().verdict.word, Word::Go);
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    assert!(report.contains("no provider: done by ourselves; project manager: P. Manager"), "{report}");
}

/// One run of an event whose runs lie in `runs`.
async fn run_in(runs: &Path, name: &str, names: &[&str], stop: Stop) -> String {
    let folder = runs.join(name);
    run(job(&folder, names, stop), unbounded_channel().0).await.unwrap();
    let recorded = Recorded::read(&folder).unwrap();
    let Some(Event::RunStarted(started)) = recorded.events.first() else { panic!("no start") };
    started.run.clone()
}

#[tokio::test]
async fn earlier_runs_are_the_ledgers_with_their_reports() {
    let runs = tempfile::tempdir().unwrap();
    let stopped = Stop::default();
    stopped.ask("test");
    let first = run_in(runs.path(), "first", &["a", "b"], stopped).await;
    // a run's id counts seconds
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let second = run_in(runs.path(), "second", &["a"], Stop::default()).await;
    let now = policy(&["a", "b"]);
    let earlier = earlier::read(&runs.path().join("third"), &now, None);
    let told: Vec<_> = earlier.runs.iter().map(|run| (run.run.as_str(), run.verdict)).collect();
    assert_eq!(told, [(second.as_str(), Some(Word::Go)), (first.as_str(), Some(Word::Inconclusive))]);
    let checks = earlier.runs[0].checks.as_ref().unwrap();
    assert_eq!(checks[&id("a")].outcome, crate::model::Outcome::Pass);
    assert!(checks[&id("a")].same_question && !checks.contains_key(&id("b")));
    let own = earlier::read(&runs.path().join("second"), &now, Some(&second));
    assert_eq!(own.runs.len(), 1, "a run is none of its own earlier runs");
}

#[tokio::test]
async fn a_report_that_the_ledger_does_not_know_says_nothing() {
    let runs = tempfile::tempdir().unwrap();
    run_in(runs.path(), "first", &["a"], Stop::default()).await;
    let report = runs.path().join("first/report.json");
    let text = fs::read_to_string(&report).unwrap();
    fs::write(&report, text.replace("\"yes\": true", "\"yes\": false")).unwrap();
    let there = earlier::read(&runs.path().join("next"), &policy(&["a"]), None);
    assert_eq!(there.runs[0].checks, Err("its report is not the one that the ledger knows"));
    fs::write(&report, "{").unwrap();
    let there = earlier::read(&runs.path().join("next"), &policy(&["a"]), None);
    assert_eq!(there.runs[0].checks, Err("its report is not beside this run's"));
    let ledger = fs::read_dir(runs.path()).unwrap().flatten().map(|entry| entry.path());
    let ledger = ledger.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
    fs::write(&ledger, "nonsense\n").unwrap();
    let there = earlier::read(&runs.path().join("next"), &policy(&["a"]), None);
    assert!(there.runs.is_empty() && there.trouble.is_some());
}

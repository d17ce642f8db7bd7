//! Going on with a run: what is kept, what is asked anew, what is refused.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::evidence::{Measured, Measurement};
use crate::model::{NotMeasured, SourceAddress, Vantage};
use crate::probe::{Reading, clock};
use crate::run::kept::{Kept, kept};

fn measured(check: &str, at: Timestamp, result: Measured) -> Event {
    let source = SourceAddress::default();
    let measurement =
        Measurement { check: id(check), started: at, offset_ms: 0.0, took_ms: 1.0, source, result };
    Event::Measured { measurement: Box::new(measurement) }
}

/// A reading that is no person's answer.
fn seen(check: &str, at: Timestamp) -> Event {
    let reading = clock::Reading { servers: Vec::new(), https: None, kernel: None };
    measured(check, at, Measured::Reading(Reading::Clock(reading)))
}

fn place(machine: &str, network: &str) -> Vantage {
    Vantage { machine: machine.into(), network: network.into() }
}

/// A run that began in the office and died after these events.
async fn died(events: impl IntoIterator<Item = Event>) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    run(job(folder.path(), &["a", "b"], Stop::default()), unbounded_channel().0).await.unwrap();
    let mut recorded = Recorded::read(folder.path()).unwrap();
    recorded.started.vantage = Some(place("laptop", "office"));
    recorded.events.truncate(1);
    recorded.events.extend(events);
    recorded
}

fn names(recorded: &Recorded) -> Vec<String> {
    recorded.kept().into_keys().map(|check| check.as_str().to_owned()).collect()
}

fn asked_at(
    recorded: &Recorded,
    answers: &[Answer],
    here: Option<&Vantage>,
    now: Timestamp,
) -> Result<Kept, String> {
    kept(recorded, &policy(&["a", "b"]), answers, here, now).map_err(|error| error.to_string())
}

/// The journal of a run without its last line, as after a power loss.
fn cut_the_end(folder: &Path) {
    let text = fs::read_to_string(folder.join("journal")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("\"run_finished\"")).collect();
    fs::write(folder.join("journal"), lines.join("\n") + "\n").unwrap();
}

#[tokio::test]
async fn what_ended_after_a_stop_was_asked_for_is_asked_again() {
    let at = crate::net::clock::now();
    let stop = || Event::Interrupted { at, by: "SIGINT".into() };
    let not = measured("c", at, Measured::NotMeasured(NotMeasured::cancelled()));
    let mut recorded = died([seen("a", at), stop(), seen("b", at), not]).await;
    assert_eq!(names(&recorded), ["a"], "b may look whole, and was cut short");
    recorded.events.push(Event::RunResumed { at, kept: 1, old: Vec::new(), vantage: None });
    assert_eq!(names(&recorded), ["a"], "also after a second crash");
    recorded.events.extend([seen("b", at), seen("c", at)]);
    assert_eq!(names(&recorded), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_could_not_be_measured_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut unanswered = job(folder.path(), &["a"], Stop::default());
    unanswered.answers.clear();
    let word = run(unanswered, unbounded_channel().0).await.unwrap().verdict.word;
    assert_eq!(word, Word::Inconclusive);
    cut_the_end(folder.path());
    let resumed = resume(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0).await.unwrap();
    assert_eq!(resumed.verdict.word, Word::Go, "the answers that came with it count");
}

#[tokio::test]
async fn an_answer_that_came_later_goes_before_the_one_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    run(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0).await.unwrap();
    cut_the_end(folder.path());
    let mut earlier = job(folder.path(), &["a"], Stop::default());
    earlier.answers[0].at -= SignedDuration::from_mins(5);
    earlier.answers[0].yes = false;
    let word = resume(earlier, unbounded_channel().0).await.unwrap().verdict.word;
    assert_eq!(word, Word::Go);
    cut_the_end(folder.path());
    let mut later = job(folder.path(), &["a"], Stop::default());
    later.answers[0].yes = false;
    assert_eq!(resume(later, unbounded_channel().0).await.unwrap().verdict.word, Word::NoGo);
}

#[tokio::test]
async fn an_answer_at_the_screen_outlives_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    stop.ask("test");
    let given = job(folder.path(), &["a"], stop.clone()).answers[0].clone();
    run(job(folder.path(), &["a"], stop), unbounded_channel().0).await.unwrap();
    let (mut journal, _) = Journal::reopen(folder.path()).unwrap();
    journal.append(&Event::Answered { answer: given }).unwrap();
    drop(journal);
    let mut on = job(folder.path(), &["a"], Stop::default());
    on.answers.clear();
    assert_eq!(resume(on, unbounded_channel().0).await.unwrap().verdict.word, Word::Go);
}

#[tokio::test]
async fn a_run_is_not_gone_on_with_elsewhere() {
    let at = crate::net::clock::now();
    let (office, venue) = (place("laptop", "office"), place("laptop", "venue"));
    let mut recorded = died([seen("a", at)]).await;
    let asked = |recorded: &Recorded, here: Option<&Vantage>| asked_at(recorded, &[], here, at);
    let kept = asked(&recorded, Some(&office)).unwrap();
    assert_eq!((kept.measurements.len(), kept.vantage), (1, Some(office.clone())));
    let refused = asked(&recorded, Some(&venue)).unwrap_err();
    assert!(refused.contains("from another network") && refused.contains("`golive check`"), "{refused}");
    let refused = asked(&recorded, Some(&place("tablet", "office"))).unwrap_err();
    assert!(refused.contains("on another machine"), "{refused}");
    assert!(asked(&recorded, None).is_err(), "nobody can tell");

    // nothing was measured there: it begins here, and is held to this place from now on
    recorded.events.truncate(1);
    assert_eq!(asked(&recorded, Some(&venue)).unwrap().vantage, Some(venue.clone()));
    let (old, vantage) = (Vec::new(), Some(venue.clone()));
    recorded.events.extend([Event::RunResumed { at, kept: 0, old, vantage }, seen("a", at)]);
    assert_eq!(asked(&recorded, Some(&venue)).unwrap().measurements.len(), 1);
    assert!(asked(&recorded, Some(&office)).is_err());

    // a system that never told
    recorded.events.remove(1);
    recorded.started.vantage = None;
    assert_eq!(asked(&recorded, Some(&venue)).unwrap().vantage, None);
}

#[tokio::test]
async fn what_is_too_old_is_measured_anew_and_answers_say_themselves_how_long_they_count() {
    let at = crate::net::clock::now();
    let office = place("laptop", "office");
    let given = job(Path::new("x"), &["b"], Stop::default()).answers[0].clone();
    let asking = policy(&["b"]);
    let Question::Attest { target, .. } = &asking.checks[0].question else { unreachable!() };
    let answer = attest::Reading::of(target, given);
    let said = measured("b", at, Measured::Reading(Reading::Attest(answer)));
    let recorded = died([seen("a", at), said]).await;
    let later =
        |hours| asked_at(&recorded, &[], Some(&office), at + SignedDuration::from_hours(hours)).unwrap();
    assert_eq!((later(3).measurements.len(), later(3).old), (2, vec![]));
    let kept = later(5);
    assert_eq!(kept.old, [id("a")]);
    assert_eq!(kept.measurements.into_keys().collect::<Vec<_>>(), [id("b")]);
}

#[tokio::test]
async fn a_complete_run_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let again = || resume(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0);
    run(job(folder.path(), &["a"], Stop::default()), unbounded_channel().0).await.unwrap();
    let report = fs::read(folder.path().join("report.json")).unwrap();
    let refused = again().await.unwrap_err();
    assert!(matches!(refused, RunError::Complete(_)), "{refused}");
    assert_eq!(fs::read(folder.path().join("report.json")).unwrap(), report);
    fs::remove_file(folder.path().join("report.json")).unwrap();
    assert_eq!(again().await.unwrap().verdict.word, Word::Go, "a report that is lost is written again");
}

#[tokio::test]
async fn a_signed_report_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    stop.ask("test");
    run(job(folder.path(), &["a"], stop), unbounded_channel().0).await.unwrap();
    fs::write(folder.path().join("report.it.decision.json"), "{}").unwrap();
    let report = fs::read(folder.path().join("report.json")).unwrap();
    let again = || job(folder.path(), &["a"], Stop::default());
    let refused = resume(again(), unbounded_channel().0).await.unwrap_err();
    assert!(matches!(refused, RunError::Signed(_)), "{refused}");
    // a new version has no journal
    fs::remove_file(folder.path().join("journal")).unwrap();
    let refused = run(again(), unbounded_channel().0).await.unwrap_err();
    assert!(matches!(refused, RunError::Journal(JournalError::Report(_))), "{refused}");
    let document = crate::report::read(&report).unwrap();
    assert!(crate::report::write_all(folder.path(), &document).is_err());
    assert_eq!(fs::read(folder.path().join("report.json")).unwrap(), report);
    fs::remove_file(folder.path().join("report.it.decision.json")).unwrap();
    assert!(run(again(), unbounded_channel().0).await.is_err(), "also when nobody has signed it yet");
}

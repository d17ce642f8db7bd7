//! The one owner of truth of a run: starts checks lane by lane, journals each event,
//! then shows it, and judges at the end.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::event::{Event, Started};
use super::executor::Asking;
use super::job::{Finished, Job, RunError, Stop};
use super::kept::kept;
use super::opening::{own_second, started};
use super::people::{self, Given, PATIENCE, People, Said};
use super::plan::{Item, Plan, width};
use super::{Journal, JournalError, Recorded, ledger};
use crate::evidence::{Evidence, Measurement};
use crate::judge::{Judged, evaluate, judge_one};
use crate::model::{Answer, CheckId, Lane};
use crate::net::clock::{self, Origin};
use crate::net::machine;
use crate::policy::{Policy, Slot};
use crate::probe::{Progress, Sample};
use crate::report::ledger::{self as chain, Entry, Step};
use crate::report::{self, v1::RunDoc};

enum Message {
    Started(usize),
    Sample(usize, Sample),
    Done(Box<Measurement>),
}

struct Dispatcher {
    policy: Policy,
    items: VecDeque<Item>,
    /// When the next question may be asked, by the policy's pace.
    due: Instant,
    journal: Journal,
    out: UnboundedSender<Event>,
    evidence: Evidence,
    /// Checks whose measurement is an earlier run's.
    carried: BTreeSet<CheckId>,
    origin: Origin,
    answers: Arc<Vec<Answer>>,
    people: People,
    /// Nobody answers any more.
    enough: bool,
    stop: Stop,
    /// Set to wind probes down: by a stop, or when the journal can no longer be written.
    cancel: CancellationToken,
    tell: UnboundedSender<Message>,
    heard: UnboundedReceiver<Message>,
}

/// Runs a policy from the start. Every event goes to the journal, then to `out`.
pub async fn run(mut job: Job, out: UnboundedSender<Event>) -> Result<Finished, RunError> {
    let journal = Journal::create(&job.folder)?;
    let carried = job.carried.take().map(|carried| *carried);
    let known = carried.as_ref().map(|carried| carried.ledger.clone()).unwrap_or_default();
    let started = started(&job, carried.as_ref(), own_second(&known).await);
    // Counted before anything is measured: a run that is killed because it looks bad counts, too.
    let again = started.again.as_ref().map(|again| chain::Again {
        run: again.run.clone(),
        report: again.report_sha256.clone(),
        checks: again.measured.clone(),
    });
    let step = Step::Started { again };
    let ledger = writer(&job.folder, &job.policy, &started.run, &known).add(started.at, step);
    let measurements = carried.map(|carried| carried.measurements).unwrap_or_default();
    let evidence = Evidence { measurements, ..Evidence::default() };
    go(job, journal, evidence, started, ledger.lines, None, out).await
}

/// Goes on with a run that died or was stopped: what is measured is kept, the rest is asked.
pub async fn resume(mut job: Job, out: UnboundedSender<Event>) -> Result<Finished, RunError> {
    let (journal, recorded) = Journal::reopen(&job.folder)?;
    if report::is_decided(&job.folder) {
        return Err(RunError::Signed(job.folder));
    }
    if recorded.complete() && report::is_there(&job.folder) {
        return Err(RunError::Complete(job.folder));
    }
    if redacted(&job.policy) != redacted(&recorded.started.policy) {
        return Err(RunError::PolicyChanged);
    }
    // of two answers to one question the later one counts
    job.answers.extend(recorded.answers());
    let here = machine::vantage();
    let kept = kept(&recorded, &job.policy, &job.answers, here.as_ref(), clock::now())?;
    let started = Started { vantage: kept.vantage.clone(), ..recorded.started.clone() };
    let lines = ledger::read(&job.folder, &job.policy.event).ok().flatten().unwrap_or_default();
    let evidence = Evidence { measurements: kept.measurements, ..Evidence::default() };
    go(job, journal, evidence, started, lines, Some((recorded, kept.old)), out).await
}

/// Secrets left out: what a journal holds can then be compared with what a file says.
fn redacted(policy: &Policy) -> Option<serde_json::Value> {
    serde_json::to_value(policy).ok()
}

async fn go(
    job: Job,
    journal: Journal,
    evidence: Evidence,
    started: Started,
    lines: Vec<Entry>,
    recorded: Option<(Recorded, Vec<CheckId>)>,
    out: UnboundedSender<Event>,
) -> Result<Finished, RunError> {
    let plan = Plan::new(&job.policy);
    let items =
        plan.items.into_iter().filter(|item| !evidence.measurements.contains_key(&item.check)).collect();
    let (tell, heard) = unbounded_channel();
    let own = job.policy.answers(&job.answers, clock::now());
    let answers = Arc::new([job.answers, own].concat());
    let mut carried = recorded.as_ref().map_or_else(
        || started.again.iter().flat_map(|again| again.carried.keys().cloned()).collect(),
        |(recorded, _)| recorded.carried(),
    );
    carried.retain(|check| evidence.measurements.contains_key(check));
    let mut dispatcher = Dispatcher {
        policy: job.policy,
        items,
        due: Instant::now(),
        journal,
        out,
        evidence,
        carried,
        origin: Origin::start(),
        answers,
        people: job.people,
        enough: false,
        stop: job.stop,
        cancel: CancellationToken::new(),
        tell,
        heard,
    };
    let resumed = recorded.is_some();
    dispatcher.begin(&started, recorded)?;
    let mut done = dispatcher.all_lanes().await;
    if done.is_ok() {
        done = dispatcher.ask_people().await;
    }
    dispatcher.cancel.cancel();
    done?;
    dispatcher.finish(&started, resumed, &job.folder, &lines)
}

fn writer<'a>(folder: &'a Path, policy: &'a Policy, run: &'a str, known: &'a [Entry]) -> ledger::Writer<'a> {
    ledger::Writer { folder, policy, run, known }
}

impl Dispatcher {
    /// Journal first, then the screen. A reader that went away does not end the run.
    fn emit(&mut self, event: Event) -> Result<(), JournalError> {
        self.journal.append(&event)?;
        let _ = self.out.send(event);
        Ok(())
    }

    fn begin(
        &mut self,
        started: &Started,
        recorded: Option<(Recorded, Vec<CheckId>)>,
    ) -> Result<(), JournalError> {
        let Some((recorded, old)) = recorded else {
            self.emit(Event::RunStarted(Box::new(started.clone())))?;
            return self.take_over(started);
        };
        // Readers are shown what the journal holds already and is kept; it is not written twice.
        for event in recorded.events {
            if self.is_shown(&event) {
                let _ = self.out.send(event);
            }
        }
        let kept = self.evidence.measurements.len();
        self.emit(Event::RunResumed { at: clock::now(), kept, old, vantage: started.vantage.clone() })
    }

    /// True for an event of a run that goes on that still holds.
    fn is_shown(&self, event: &Event) -> bool {
        let check = match event {
            Event::RunFinished { .. } | Event::Interrupted { .. } => return false,
            Event::Measured { measurement } | Event::Carried { measurement, .. } => &measurement.check,
            Event::Judged { judged } => &judged.check,
            Event::CheckStarted { check, .. } | Event::Sample { check, .. } => check,
            _ => return true,
        };
        self.evidence.measurements.contains_key(check)
    }

    /// Journals what is carried, so that a run that dies can go on without the earlier report.
    fn take_over(&mut self, started: &Started) -> Result<(), JournalError> {
        for (check, run) in started.again.iter().flat_map(|again| &again.carried) {
            let Some(measurement) = self.evidence.measurements.get(check).cloned() else { continue };
            let judged = self.judged(check, &measurement);
            self.emit(Event::Carried { measurement: Box::new(measurement), run: run.clone() })?;
            if let Some(judged) = judged {
                self.emit(Event::Judged { judged })?;
            }
        }
        Ok(())
    }

    /// What a measurement comes to by itself.
    fn judged(&self, check: &CheckId, measurement: &Measurement) -> Option<Judged> {
        let slot = Slot::of(&self.policy.event);
        Some(judge_one(self.policy.check(check)?, Some(measurement), slot.as_ref(), clock::now()))
    }

    async fn all_lanes(&mut self) -> Result<(), JournalError> {
        for lane in [Lane::Person, Lane::Ask, Lane::Delay, Lane::Load] {
            self.one_lane(lane).await?;
        }
        Ok(())
    }

    async fn one_lane(&mut self, lane: Lane) -> Result<(), JournalError> {
        let mut under_way = 0;
        loop {
            let room = width(lane, &self.policy.pace);
            while under_way < room && !self.stop.is_asked() && self.is_due(lane) && self.start_next(lane) {
                under_way += 1;
            }
            let held = under_way < room && !self.stop.is_asked() && !self.is_due(lane);
            // An answer that came meanwhile is looked up beside what is measured: it sends nothing.
            while !self.stop.is_asked() && self.start_next(Lane::Person) {
                under_way += 1;
            }
            if under_way == 0 && !held {
                return self.note_stop();
            }
            let stop = self.stop.clone();
            let message = tokio::select! {
                message = self.heard.recv() => message,
                () = sleep_until(self.due), if held => continue,
                said = self.people.said() => {
                    self.heard_said(&said)?;
                    continue;
                }
                () = stop.asked(), if !self.cancel.is_cancelled() => {
                    self.note_stop()?;
                    continue;
                }
            };
            if let Some(message) = message {
                under_way -= usize::from(self.hear(message)?);
            }
        }
    }

    /// Whether the policy's pace lets a check of this lane begin now; also when there is none left.
    fn is_due(&self, lane: Lane) -> bool {
        lane != Lane::Ask || Instant::now() >= self.due || !self.items.iter().any(|item| item.lane == lane)
    }

    /// Takes in what the person at the screen says.
    fn heard_said(&mut self, said: &Said) -> Result<(), JournalError> {
        match said {
            Said::Answer(given) => self.answered(given),
            Said::Done => {
                self.enough = true;
                Ok(())
            }
            Said::Busy => Ok(()),
        }
    }

    /// Takes an answer in and asks its question again.
    fn answered(&mut self, given: &Given) -> Result<(), JournalError> {
        let Some(answer) = people::answer(&self.policy, given, clock::now()) else { return Ok(()) };
        let kept = self.answers.iter().filter(|known| known.check != answer.check).cloned();
        self.answers = Arc::new(kept.chain([answer.clone()]).collect());
        self.items.retain(|item| item.check != answer.check);
        self.items.extend(Plan::new(&self.policy).items.into_iter().find(|item| item.check == answer.check));
        self.emit(Event::Answered { answer })
    }

    /// Everything is measured and on disk. While somebody is at the screen, the report waits for
    /// answers to what is still open: as long as keys are pressed.
    async fn ask_people(&mut self) -> Result<(), JournalError> {
        let stop = self.stop.clone();
        let mut asked = false;
        loop {
            let open = people::open(&self.policy, &self.evidence);
            if open.is_empty() || self.enough || !self.people.are_there() || stop.is_asked() {
                return Ok(());
            }
            if !std::mem::replace(&mut asked, true) {
                self.emit(Event::Asking { at: clock::now(), checks: open })?;
            }
            let said = tokio::select! {
                said = tokio::time::timeout(PATIENCE, self.people.said()) => said,
                () = stop.asked() => return Ok(()),
            };
            // nobody has pressed a key for long: nobody is there
            let Ok(said) = said else { return Ok(()) };
            self.heard_said(&said)?;
            self.one_lane(Lane::Person).await?;
        }
    }

    /// Winds running probes down and says so, once, if a stop was asked for while anything was left.
    fn note_stop(&mut self) -> Result<(), JournalError> {
        let left = self.evidence.measurements.len() < self.policy.checks.len();
        if !self.stop.is_asked() || self.evidence.interrupted || !left {
            return Ok(());
        }
        self.evidence.interrupted = true;
        self.cancel.cancel();
        self.emit(Event::Interrupted { at: clock::now(), by: self.stop.by() })
    }

    /// Starts the next check of a lane in a task of its own; false when there is none.
    fn start_next(&mut self, lane: Lane) -> bool {
        let Some(at) = self.items.iter().position(|item| item.lane == lane) else { return false };
        let Some(item) = self.items.remove(at) else { return false };
        if lane == Lane::Ask {
            self.due = Instant::now() + self.policy.pace.spacing();
        }
        let Some(check) = self.policy.checks.get(item.index) else { return false };
        let (tell, index, origin) = (self.tell.clone(), item.index, self.origin);
        let samples = tell.clone();
        let progress = Progress::to(move |sample| drop(samples.send(Message::Sample(index, sample))));
        let answers = Arc::clone(&self.answers);
        let asking = Asking::new(&self.policy, check, answers, progress, self.cancel.child_token());
        tokio::spawn(async move {
            let _ = tell.send(Message::Started(index));
            let _ = tell.send(Message::Done(Box::new(asking.measure(origin).await)));
        });
        true
    }

    /// Takes in what a probe's task says; true when that task is over.
    fn hear(&mut self, message: Message) -> Result<bool, JournalError> {
        let check_id = |policy: &Policy, index: usize| policy.checks.get(index).map(|check| check.id.clone());
        match message {
            Message::Started(index) => {
                let Some(check) = check_id(&self.policy, index) else { return Ok(false) };
                self.emit(Event::CheckStarted { check, offset_ms: self.origin.ms() })?;
                Ok(false)
            }
            Message::Sample(index, sample) => {
                let Some(check) = check_id(&self.policy, index) else { return Ok(false) };
                self.emit(Event::Sample { check, sample })?;
                Ok(false)
            }
            Message::Done(measurement) => {
                self.emit(Event::Measured { measurement: measurement.clone() })?;
                if let Some(judged) = self.judged(&measurement.check, &measurement) {
                    self.emit(Event::Judged { judged })?;
                }
                self.carried.remove(&measurement.check);
                self.evidence.measurements.insert(measurement.check.clone(), *measurement);
                Ok(true)
            }
        }
    }

    fn finish(
        mut self,
        started: &Started,
        resumed: bool,
        folder: &Path,
        lines: &[Entry],
    ) -> Result<Finished, RunError> {
        let at = clock::now();
        let verdict = evaluate(&self.policy, &self.evidence, at);
        let facts = RunDoc {
            id: started.run.clone(),
            started: started.at,
            finished: at,
            interrupted: self.evidence.interrupted,
            resumed,
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            vantage: started.vantage.clone(),
        };
        let mut document = report::build(facts, &self.policy, &self.evidence, &verdict);
        let again = started.again.clone().map(|again| again.settled(&document.checks, &self.carried));
        document.again = again;
        let (readings, outcomes) = (chain::readings(&document), chain::outcomes(&document));
        let step = Step::Finished { verdict: verdict.word, readings, outcomes };
        document.ledger = Some(writer(folder, &self.policy, &started.run, lines).add(at, step));
        report::write_all(folder, &document)?;
        let shown = folder.join("report.html").display().to_string();
        let (again, answer) = (report::again(&document), Box::new(verdict.clone()));
        self.emit(Event::RunFinished { at, verdict: answer, report: Some(shown), again })?;
        Ok(Finished { verdict, interrupted: self.evidence.interrupted })
    }
}

//! The one owner of a watch: looks when a check is due, journals, then tells.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Fate};
use super::event::{WatchEvent, WatchStarted};
use super::plan::is_alone;
use super::{Metrics, Recorded, WatchJob, WatchPlan, document};
use crate::evidence::Measurement;
use crate::judge::judge_one;
use crate::judge::watch::{Alert, Change, Look};
use crate::model::{CheckId, Outcome};
use crate::net::clock;
use crate::probe::Progress;
use crate::report::{WatchedDoc, write_watch};
use crate::run::executor::Asking;
use crate::run::{Journal, JournalError, RunError};

/// Looks under way at once: a watch is in no hurry, and a line that is down makes each look last.
const AT_ONCE: usize = 4;
/// How long the webhook may take for what waits when the watch ends.
const LAST_MESSAGES: Duration = Duration::from_secs(20);

/// How a watch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The worst state that was; its exit code is [`crate::judge::watch::exit_code`].
    pub worst: Outcome,
}

struct Round {
    plan: WatchPlan,
    checks: Vec<WatchedDoc>,
    started: WatchStarted,
    recorded: Recorded,
    journal: Journal,
    out: UnboundedSender<WatchEvent>,
    metrics: Metrics,
    courier: Option<Courier>,
    /// When each check is looked at next; `None` while it is being looked at.
    due: Vec<Option<Instant>>,
    /// A check that measures delay is being looked at: alone.
    delay: bool,
    under_way: usize,
    jitter: RandomState,
    cancel: CancellationToken,
    tell: UnboundedSender<(usize, Box<Measurement>)>,
}

/// Watches from the start. Every event goes to the journal, then to `out`.
///
/// # Errors
/// The journal or the report cannot be written.
pub async fn watch(job: WatchJob, out: UnboundedSender<WatchEvent>) -> Result<Ended, RunError> {
    let journal = Journal::create(&job.folder)?;
    go(job, journal, Recorded::default(), out).await
}

/// Goes on with a watch that died; the time between is a gap in its timelines.
///
/// # Errors
/// As [`watch`], or the policy is not the one that it began with.
pub async fn resume(job: WatchJob, out: UnboundedSender<WatchEvent>) -> Result<Ended, RunError> {
    let (journal, recorded) = Journal::reopen_as(&job.folder, Recorded::from_file)?;
    let plan = WatchPlan::new(&job.policy, &job.wish);
    let before = recorded.started.as_ref().and_then(|started| serde_json::to_value(&started.policy).ok());
    // secrets are left out of both
    if before.is_none() || before != serde_json::to_value(&plan.policy).ok() {
        return Err(RunError::PolicyChanged);
    }
    go(job, journal, recorded, out).await
}

async fn go(
    job: WatchJob,
    journal: Journal,
    recorded: Recorded,
    out: UnboundedSender<WatchEvent>,
) -> Result<Ended, RunError> {
    let plan = WatchPlan::new(&job.policy, &job.wish);
    let started = document::started(&job, &plan);
    let metrics = Metrics::new(&started.checks, started.most_sent_bps);
    let cancel = CancellationToken::new();
    if let Some(exposition) = job.metrics {
        let page = metrics.clone();
        tokio::spawn(exposition.serve(Arc::new(move || page.text()), cancel.child_token()));
    }
    let (fates_to, mut fates) = unbounded_channel();
    let (courier, carrying) = job.webhook.map(|webhook| Courier::start(webhook, fates_to)).unzip();
    let (tell, heard) = unbounded_channel();
    let mut round = Round {
        checks: started.checks.clone(),
        due: Vec::new(),
        plan,
        started,
        recorded,
        journal,
        out,
        metrics,
        courier,
        delay: false,
        under_way: 0,
        jitter: RandomState::new(),
        cancel: cancel.clone(),
        tell,
    };
    round.begin()?;
    let by = round.look_on(heard, &mut fates, &job.stop, job.status).await;
    cancel.cancel();
    let by = by?;
    // what waits for the webhook is still carried, for a while
    round.courier = None;
    if let Some(carrying) = carrying {
        let _ = tokio::time::timeout(LAST_MESSAGES, carrying).await;
        while let Ok(fate) = fates.try_recv() {
            round.told(fate)?;
        }
    }
    round.finish(&job.folder, by)
}

impl Round {
    /// Journal first, then the screen. A reader that went away does not end the watch.
    fn emit(&mut self, event: WatchEvent) -> Result<Option<Change>, JournalError> {
        self.journal.append(&event)?;
        let change = self.recorded.take(&event);
        let _ = self.out.send(event);
        Ok(change)
    }

    fn state(&self, check: &CheckId) -> Option<Outcome> {
        self.recorded.records.get(check)?.alarm.state()
    }

    fn begin(&mut self) -> Result<(), JournalError> {
        match self.recorded.started.clone() {
            None => self.emit(WatchEvent::WatchStarted(Box::new(self.started.clone())))?,
            Some(before) => {
                // the same watch goes on, under the name and with the end that it began with
                self.started = WatchStarted { metrics: self.started.metrics, ..WatchStarted::clone(&before) };
                let _ = self.out.send(WatchEvent::WatchStarted(before));
                self.emit(WatchEvent::WatchResumed { at: clock::now(), looks: self.recorded.looks })?
            }
        };
        for head in &self.checks {
            self.metrics.set_state(head, self.state(&head.check));
        }
        let now = Instant::now();
        let count = u32::try_from(self.plan.watched.len().max(1)).unwrap_or(u32::MAX);
        // spread over the first interval, so that they are never asked all at once
        let first = self.plan.watched.iter().zip(0..).map(|(watched, n)| {
            let spread = watched.every.min(Duration::from_mins(1)) / count;
            now.checked_add(spread * n)
        });
        self.due = first.collect();
        Ok(())
    }

    /// Looks until the end; by what it ended.
    async fn look_on(
        &mut self,
        mut heard: UnboundedReceiver<(usize, Box<Measurement>)>,
        fates: &mut UnboundedReceiver<Fate>,
        stop: &crate::run::Stop,
        status: Duration,
    ) -> Result<String, JournalError> {
        let mut next_status = Instant::now() + status;
        loop {
            if let Some((at, by)) = &self.started.ends
                && clock::now() >= *at
            {
                return Ok(by.clone());
            }
            self.start_due();
            let wake = self.wake(next_status);
            tokio::select! {
                () = stop.asked() => return Ok(stop.by()),
                Some((index, measurement)) = heard.recv() => self.looked(index, *measurement)?,
                Some(fate) = fates.recv() => self.told(fate)?,
                () = sleep_until(wake) => {}
            }
            if Instant::now() >= next_status {
                next_status = Instant::now() + status;
                self.say_how_it_stands()?;
            }
        }
    }

    /// When there is something to do next: at most a second away, since the end is by the clock on the
    /// wall, which goes on while a machine sleeps.
    fn wake(&self, next_status: Instant) -> Instant {
        let room = self.under_way < AT_ONCE;
        let due = self.startable().filter_map(|index| *self.due.get(index)?).filter(|_| room).min();
        let tick = Instant::now() + Duration::from_secs(1);
        due.into_iter().chain([next_status, tick]).min().unwrap_or(tick)
    }

    /// Checks that no other keeps from being looked at.
    fn startable(&self) -> impl Iterator<Item = usize> {
        let lanes = self.plan.watched.iter().enumerate();
        lanes.filter(|(_, watched)| !(self.delay && is_alone(watched.item.lane))).map(|(index, _)| index)
    }

    fn start_due(&mut self) {
        while self.under_way < AT_ONCE {
            let now = Instant::now();
            let due = |index: &usize| self.due.get(*index).copied().flatten();
            let next =
                self.startable().filter(|index| due(index).is_some_and(|at| at <= now)).min_by_key(due);
            let Some(index) = next else { return };
            self.start(index);
        }
    }

    fn start(&mut self, index: usize) {
        if let Some(due) = self.due.get_mut(index) {
            *due = None;
        }
        let Some(watched) = self.plan.watched.get(index) else { return };
        let Some(check) = self.plan.policy.checks.get(watched.item.index) else { return };
        self.delay |= is_alone(watched.item.lane);
        self.under_way += 1;
        let (progress, cancel) = (Progress::none(), self.cancel.child_token());
        let asking = Asking::new(&self.plan.policy, check, Arc::default(), progress, cancel);
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let measurement = asking.measure(clock::Origin::start()).await;
            let _ = tell.send((index, Box::new(measurement)));
        });
    }

    fn looked(&mut self, index: usize, measurement: Measurement) -> Result<(), JournalError> {
        let Some(watched) = self.plan.watched.get(index) else { return Ok(()) };
        let Some(check) = self.plan.policy.checks.get(watched.item.index) else { return Ok(()) };
        self.under_way = self.under_way.saturating_sub(1);
        self.delay &= !is_alone(watched.item.lane);
        // nine to eleven tenths: watches that began together do not ask together for ever
        let tenths =
            900 + u32::try_from(self.jitter.hash_one((index, measurement.started)) % 201).unwrap_or(0);
        let pause = watched.every.checked_mul(tenths).map_or(watched.every, |pause| pause / 1000);
        if let Some(due) = self.due.get_mut(index) {
            *due = Instant::now().checked_add(pause);
        }
        let now = clock::now();
        let judged = judge_one(check, Some(&measurement), None, now);
        let look = Look::of(&measurement, &judged, now);
        let id = check.id.clone();
        let before = self.recorded.records.get(&id).and_then(|record| record.timeline.periods().last());
        let differs = before.is_none_or(|period| period.outcome != Some(look.outcome));
        let measurement = differs.then(|| Box::new(measurement));
        let change = self.emit(WatchEvent::Looked { check: id.clone(), look: look.clone(), measurement })?;
        if let Some(head) = self.checks.get(index) {
            self.metrics.looked(head, &look, self.state(&id));
        }
        match change {
            Some(change) => self.alert(index, &look, change),
            None => Ok(()),
        }
    }

    fn alert(&mut self, index: usize, look: &Look, change: Change) -> Result<(), JournalError> {
        let Some(head) = self.checks.get(index).cloned() else { return Ok(()) };
        let alert = Alert {
            number: self.recorded.alerts_in_all + 1,
            at: look.until,
            since: change.since,
            check: head.check.clone(),
            from: change.from,
            to: change.to,
            code: look.code.clone(),
            said: look.said.clone(),
            enforcement: head.enforcement,
            owner: head.owner.clone(),
            accountable: head.accountable.clone(),
        };
        self.metrics.alerted(&head, &alert);
        self.emit(WatchEvent::Alert { alert: alert.clone() })?;
        let sent = self.courier.as_ref().map(|courier| courier.send(&self.started, &alert));
        match sent {
            Some(Err(why)) => self.told(Fate { alert: alert.number, outcome: Err(why) }),
            Some(Ok(())) | None => Ok(()),
        }
    }

    fn told(&mut self, Fate { alert, outcome }: Fate) -> Result<(), JournalError> {
        self.metrics.delivered(outcome.is_ok());
        self.emit(match outcome {
            Ok(attempts) => WatchEvent::Delivered { alert, attempts },
            Err(why) => WatchEvent::Undelivered { alert, why },
        })
        .map(|_| ())
    }

    fn say_how_it_stands(&mut self) -> Result<(), JournalError> {
        let mut counts = [0; 5];
        let mut unwell: Vec<CheckId> = Vec::new();
        for head in &self.checks {
            let place = match self.state(&head.check) {
                None => 0,
                Some(Outcome::Pass | Outcome::NotApplicable) => 1,
                Some(Outcome::Warn) => 2,
                Some(Outcome::Unknown) => 3,
                Some(Outcome::Fail) => 4,
            };
            counts[place] += 1;
            if place > 1 {
                unwell.push(head.check.clone());
            }
        }
        let looks = self.recorded.looks;
        self.emit(WatchEvent::Status { at: clock::now(), counts, unwell, looks }).map(|_| ())
    }

    fn finish(mut self, folder: &std::path::Path, by: String) -> Result<Ended, RunError> {
        let at = clock::now();
        let document = document::of(&self.started, &self.recorded, at, &by);
        let report = write_watch(folder, &document)?.display().to_string();
        let (worst, exit_code) = (document.worst, document.exit_code);
        self.emit(WatchEvent::WatchFinished { at, by, worst, exit_code, report: Some(report) })?;
        Ok(Ended { worst })
    }
}

//! The run as its events tell it, ready to be shown: every text in it is escaped, bounded
//! and in the terminal's character set, so that no view can forget to. Pure: no clock.

mod area;
mod card;
mod charset;
mod ending;
mod matrix;
mod past;
mod trace;
mod way_out;

#[cfg(test)]
mod tests;

pub use area::AreaSoFar;
pub use card::{Card, Effort, FindingText, Remedy, Stage};
pub use charset::Charset;
pub use ending::{Ending, ReasonText, meaning};
pub use matrix::{Cell, Column, Matrix, Row};
pub use past::{Past, PastCheck, PastRun};
pub use trace::{Point, Trace};
pub use way_out::{Sight, Station, Stop, Trail, WayOut, ways_out};

use std::collections::HashMap;

use jiff::Timestamp;

use crate::evidence::{Measured, Measurement};
use crate::judge::{Rank, Verdict};
use crate::model::{CheckId, Enforcement, Outcome};
use crate::policy::Policy;
use crate::run::Event;
use crate::run::earlier::Earlier;
use crate::run::event::Started;

/// What is known of the run so far.
#[derive(Debug, Clone, Default)]
pub struct Story {
    charset: Charset,
    policy: Option<Policy>,
    /// Where each check's card is: thousands of samples a second ask for it.
    places: HashMap<CheckId, usize>,
    /// How it began; `None` before the first event.
    pub opening: Option<Opening>,
    /// Each check, in the policy's order.
    pub cards: Vec<Card>,
    /// Questions that the report waits for; empty, when it waits for none.
    pub asking: Vec<CheckId>,
    /// Who asked the run to stop.
    pub stopping: Option<String>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Earlier runs of the event.
    pub past: Past,
}

/// How the run began.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The event's title.
    pub title: String,
    /// Where it takes place.
    pub venue: Option<String>,
    /// When it starts, as the policy has it.
    pub starts: Option<String>,
    /// The change request.
    pub change: Option<String>,
    /// The run's id.
    pub run: String,
    /// golive's version.
    pub golive: String,
    /// The policy file.
    pub policy: String,
    /// When the run started.
    pub at: Timestamp,
    /// When it was resumed and how many measurements were kept.
    pub resumed: Option<(Timestamp, usize)>,
    /// Seconds that the plan expects.
    pub seconds: f64,
    /// The run that it takes readings over from, and how many.
    pub again: Option<(String, usize)>,
}

impl Story {
    /// Nothing has happened yet.
    pub fn new(charset: Charset) -> Self {
        Self { charset, ..Self::default() }
    }

    /// Takes in what is known of earlier runs.
    pub fn remember(&mut self, earlier: &Earlier) {
        self.past = Past::new(self.charset, earlier);
    }

    /// The character set that its texts are in.
    pub const fn charset(&self) -> Charset {
        self.charset
    }

    /// Takes in one event. Events of checks that the run did not announce are ignored.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => self.open(started),
            Event::RunResumed { at, kept, .. } => {
                if let Some(opening) = &mut self.opening {
                    opening.resumed = Some((*at, *kept));
                }
                self.stopping = None;
                self.asking.clear();
                self.ending = None;
                for card in &mut self.cards {
                    card.forget_unfinished();
                }
            }
            Event::CheckStarted { check, offset_ms } => {
                if let Some(card) = self.card_mut(check) {
                    card.start(*offset_ms);
                }
            }
            Event::Sample { check, sample } => {
                let charset = self.charset;
                if let Some(card) = self.card_mut(check) {
                    card.sample(charset, sample);
                }
            }
            Event::Measured { measurement } => self.measured(measurement, None),
            Event::Carried { measurement, run } => self.measured(measurement, Some(run)),
            Event::Judged { judged } => self.judge(judged),
            Event::Asking { checks, .. } => {
                let known = checks.iter().filter(|check| self.places.contains_key(check));
                self.asking = known.take(self.cards.len()).cloned().collect();
            }
            Event::Answered { answer } => self.asking.retain(|check| *check != answer.check),
            Event::Interrupted { by, .. } => self.stopping = Some(self.charset.show(by)),
            Event::RunFinished { at, verdict, report, again } => {
                self.finish(*at, verdict, report.as_deref(), again.as_deref());
            }
        }
    }

    /// How many checks have an outcome.
    pub fn done(&self) -> usize {
        self.cards.iter().filter(|card| card.outcome().is_some()).count()
    }

    /// How many checks have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cards.iter().filter(|card| card.outcome() == Some(outcome)).count()
    }

    /// The heaviest that a check says against GO so far, and whether waivers could lift all of that.
    pub fn against(&self) -> Option<(Rank, bool)> {
        let weighed = || self.cards.iter().filter_map(|card| Some((card.weight()?, card.enforcement)));
        let heaviest = weighed().map(|(rank, _)| rank).min()?;
        let mut same = weighed().filter(|(rank, _)| *rank == heaviest);
        Some((heaviest, same.all(|(_, enforcement)| enforcement == Enforcement::Waivable)))
    }

    /// The areas of its checks.
    pub fn areas(&self) -> Vec<AreaSoFar> {
        AreaSoFar::of(&self.cards)
    }

    /// Milliseconds that the run took by its own account, since it started or was resumed.
    pub fn took_ms(&self) -> Option<f64> {
        let (opening, ending) = (self.opening.as_ref()?, self.ending.as_ref()?);
        let from = opening.resumed.map_or(opening.at, |(at, _)| at);
        Some(ending.at.duration_since(from).as_millis_f64()).filter(|ms| ms.is_finite() && *ms >= 0.0)
    }

    /// The policy of the run.
    pub const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The card of a check.
    pub fn card(&self, check: &CheckId) -> Option<&Card> {
        self.cards.get(*self.places.get(check)?)
    }

    fn card_mut(&mut self, check: &CheckId) -> Option<&mut Card> {
        self.cards.get_mut(*self.places.get(check)?)
    }

    fn open(&mut self, started: &Started) {
        let show = |text: &str| self.charset.show(text);
        let event = &started.policy.event;
        self.opening = Some(Opening {
            title: show(&event.title),
            venue: event.venue.as_deref().map(show),
            starts: event.starts.as_ref().map(|when| show(&when.to_string())),
            change: event.change.as_deref().map(show),
            run: show(&started.run),
            golive: show(&started.golive),
            policy: show(&started.policy_source),
            at: started.at,
            resumed: None,
            seconds: if started.seconds.is_finite() { started.seconds.max(0.0) } else { 0.0 },
            again: started.again.as_ref().map(|again| (show(&again.run), again.carried.len())),
        });
        self.cards =
            started.checks.iter().map(|head| Card::new(self.charset, head, &started.policy)).collect();
        // a forged recording may name a check twice: the first is meant
        let places = started.checks.iter().enumerate().rev();
        self.places = places.map(|(place, head)| (head.id.clone(), place)).collect();
        self.stopping = None;
        self.asking.clear();
        self.ending = None;
        self.policy = Some(started.policy.clone());
    }

    fn measured(&mut self, measurement: &Measurement, of: Option<&str>) {
        let series = match (&self.policy, &measurement.result) {
            (Some(policy), Measured::Reading(reading)) => {
                let check = policy.check(&measurement.check);
                check.map(|check| check.question.series(reading)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let charset = self.charset;
        if let Some(card) = self.card_mut(&measurement.check) {
            card.measured(charset, measurement, &series);
            card.carried = of.map(|run| charset.show(run));
        }
    }

    fn judge(&mut self, judged: &crate::judge::Judged) {
        let waiver = judged.waived.and_then(|index| self.policy.as_ref()?.waivers.get(index)).cloned();
        let charset = self.charset;
        if let Some(card) = self.card_mut(&judged.check) {
            card.judged(charset, judged, waiver.as_ref());
        }
    }

    fn finish(&mut self, at: Timestamp, verdict: &Verdict, report: Option<&str>, again: Option<&str>) {
        for judged in &verdict.checks {
            self.judge(judged);
        }
        self.asking.clear();
        let mut ending = Ending::new(self.charset, at, verdict, self.stopping.is_some(), report);
        ending.again = again.map(|again| self.charset.show(again));
        self.ending = Some(ending);
    }
}

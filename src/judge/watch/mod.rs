//! What looking at a check again and again comes to: periods, states and alerts. Pure: time is an
//! argument, so that a journal read back gives the same as the watch itself.
//!
//! A watch is no verdict on the event: it says what became of light questions while the event ran.

mod alarm;
#[cfg(test)]
mod tests;
mod timeline;

pub use alarm::{Alarm, Change, LOOKS};
pub use timeline::{MOST_PERIODS, Period, Timeline};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Judged;
use crate::evidence::{Measured, Measurement};
use crate::model::{Area, CheckId, Enforcement, Outcome, Role};

/// Longest text that is kept of one look, in characters: a watch looks thousands of times.
const MOST_SAID: usize = 240;

/// One look at one check: what its measurement was judged to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Look {
    /// When it began, UTC.
    pub at: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// What it came to; unknown where the question could not be asked.
    pub outcome: Outcome,
    /// The finding that weighs most, or why nothing was measured: `port.filtered`, `no_path`.
    pub code: String,
    /// What was seen, at most 240 characters, escaped already.
    pub said: String,
}

impl Look {
    /// Of a measurement and what judging it says.
    pub fn of(measurement: &Measurement, judged: &Judged, until: Timestamp) -> Self {
        let worst = judged.findings.iter().rev().max_by_key(|finding| finding.effect);
        let (code, said) = match (&measurement.result, worst) {
            (Measured::NotMeasured(not), _) => (not.cause.word().to_owned(), not.detail.as_str()),
            (Measured::Reading(_), Some(finding)) => (finding.code.clone(), finding.observed.as_str()),
            (Measured::Reading(_), None) => (String::new(), ""),
        };
        let said = said.chars().take(MOST_SAID).collect();
        Self { at: measurement.started, until, outcome: judged.outcome, code, said }
    }
}

/// All that is kept of one check: bounded, however long the watch is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// What it was, when.
    pub timeline: Timeline,
    /// What it is now, and the rule for saying so.
    pub alarm: Alarm,
    /// How often it was looked at.
    pub looks: u64,
    /// The worst state that it was in; `None` before the first two looks.
    pub worst: Option<Outcome>,
}

impl Record {
    /// Takes a look in; `every` is how often this check is looked at. A change is told once.
    pub fn take(&mut self, look: &Look, every: SignedDuration) -> Option<Change> {
        self.looks = self.looks.saturating_add(1);
        if self.timeline.add(look, every) {
            // what was seen before nobody looked says nothing of now
            self.alarm.forget();
        }
        let change = self.alarm.hear(look);
        self.worst = self.worst.max(self.alarm.state());
        change
    }
}

/// Something to tell people: a check is in another state than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Counted from 1.
    pub number: u64,
    /// When it was known.
    pub at: Timestamp,
    /// When the first look saw it.
    pub since: Timestamp,
    /// The check.
    pub check: CheckId,
    /// Its state before; absent when it was so from the start.
    pub from: Option<Outcome>,
    /// Its state now.
    pub to: Outcome,
    /// The finding that weighs most, or why nothing was measured.
    pub code: String,
    /// What was seen.
    pub said: String,
    /// How binding the check is.
    pub enforcement: Enforcement,
    /// The area that owns the remedy.
    pub owner: Area,
    /// The role accountable for that area, if the policy names one.
    pub accountable: Option<Role>,
}

impl Alert {
    /// True when it is good news.
    pub fn recovered(&self) -> bool {
        self.from.is_some_and(|from| self.to < from)
    }

    /// `backup.rtmp: pass → fail`, for one line.
    pub fn headline(&self) -> String {
        match self.from {
            Some(from) => format!("{}: {} → {}", self.check, from.word(), self.to.word()),
            None => format!("{}: {} from the start", self.check, self.to.word()),
        }
    }
}

/// The worst state of a whole watch: what is advisory counts as a warning at most, and a check of
/// which nothing is known, or a watch without any check, is unknown.
pub fn worst(states: impl IntoIterator<Item = (Enforcement, Option<Outcome>)>) -> Outcome {
    let weighed = states.into_iter().map(|(enforcement, state)| {
        let state = state.unwrap_or(Outcome::Unknown);
        if enforcement.required() { state } else { state.min(Outcome::Warn) }
    });
    weighed.max().unwrap_or(Outcome::Unknown)
}

/// The exit code of a watch: as a run's ([`super::Word::exit_code`]), by its worst state.
pub const fn exit_code(worst: Outcome) -> u8 {
    match worst {
        Outcome::NotApplicable | Outcome::Pass => 0,
        Outcome::Warn => 1,
        Outcome::Fail => 2,
        Outcome::Unknown => 3,
    }
}

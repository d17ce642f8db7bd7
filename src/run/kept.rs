//! Going on with a run: what of its journal is kept, and what is asked anew. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::event::Event;
use super::{Recorded, RunError, again};
use crate::evidence::{Measured, Measurement};
use crate::model::{Answer, CheckId, Vantage};
use crate::policy::Policy;
use crate::probe::Reading;
use crate::report::line;

/// What a run goes on with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// Measured already.
    pub measurements: BTreeMap<CheckId, Measurement>,
    /// Measured already, but too long ago: measured anew.
    pub old: Vec<CheckId>,
    /// From where all of it was measured, if that is known.
    pub vantage: Option<Vantage>,
}

/// What of a journal is gone on with, by people's answers as they are now, from `here`, now.
///
/// # Errors
/// When the readings were taken elsewhere: from two places, it would be a report of neither. When what
/// was carried from an earlier run has become too old.
pub fn kept(
    recorded: &Recorded,
    policy: &Policy,
    answers: &[Answer],
    here: Option<&Vantage>,
    now: Timestamp,
) -> Result<Kept, RunError> {
    let (carried, mut measurements) = (recorded.carried(), recorded.kept());
    // an answer that was given since then goes before the one that was read; what is carried stays so
    measurements.retain(|check, one| carried.contains(check) || !overtaken(one, answers));
    again::young(policy, measurements.values().filter(|one| carried.contains(&one.check)), now)?;
    let is_old = |one: &&Measurement| {
        answered(one).is_none() && again::young(policy, [*one].into_iter(), now).is_err()
    };
    let old: Vec<CheckId> = measurements.values().filter(is_old).map(|one| one.check.clone()).collect();
    measurements.retain(|check, _| !old.contains(check));
    // what people say does not depend on the network
    let measured =
        measurements.values().any(|one| answered(one).is_none()) || recorded.started.again.is_some();
    let vantage = match (recorded.vantage(), here) {
        (Some(_), Some(here)) if !measured => Some(here.clone()),
        (Some(then), here) => Some(same(recorded, then, here)?),
        // it was not known then: nobody can tell now
        (None, _) => None,
    };
    Ok(Kept { measurements, old, vantage })
}

fn same(recorded: &Recorded, then: &Vantage, here: Option<&Vantage>) -> Result<Vantage, RunError> {
    let what = match here {
        Some(here) if here == then => return Ok(here.clone()),
        Some(here) if here.machine != then.machine => "on another machine",
        Some(_) => "from another network (interface, next router or own address differ)",
        None => "where this system does not tell whether it still is",
    };
    Err(RunError::Elsewhere { run: line(&recorded.started.run), what })
}

/// Whether the same question was answered otherwise since then.
pub(super) fn overtaken(measurement: &Measurement, answers: &[Answer]) -> bool {
    let since = |known: &Answer| {
        answers.iter().any(|one| one.check == known.check && one.at >= known.at && one != known)
    };
    answered(measurement).is_some_and(since)
}

/// The answer, when the question was one to people; it says itself how long it counts.
fn answered(measurement: &Measurement) -> Option<&Answer> {
    match &measurement.result {
        Measured::Reading(Reading::Attest(reading)) => Some(&reading.answer),
        _ => None,
    }
}

impl Recorded {
    /// The readings to go on with. What could not be measured is asked again, and so is whatever ended
    /// after a stop was asked for: a probe that was cut short hands over what it has, which may look whole.
    pub fn kept(&self) -> BTreeMap<CheckId, Measurement> {
        let mut kept = BTreeMap::new();
        let mut stopping = false;
        for event in &self.events {
            match event {
                Event::Interrupted { .. } => stopping = true,
                Event::RunResumed { .. } => stopping = false,
                Event::Measured { measurement } => {
                    let whole = !stopping && matches!(measurement.result, Measured::Reading(_));
                    kept.remove(&measurement.check);
                    if whole {
                        kept.insert(measurement.check.clone(), Measurement::clone(measurement));
                    }
                }
                Event::Carried { measurement, .. } => {
                    kept.insert(measurement.check.clone(), Measurement::clone(measurement));
                }
                _ => {}
            }
        }
        kept
    }

    /// What people answered at the screen, the last answer to each question.
    pub fn answers(&self) -> Vec<Answer> {
        let mut answers = BTreeMap::new();
        for event in &self.events {
            if let Event::Answered { answer } = event {
                answers.insert(answer.check.clone(), answer.clone());
            }
        }
        answers.into_values().collect()
    }

    /// From where it measured last.
    fn vantage(&self) -> Option<&Vantage> {
        let resumed = self.events.iter().rev().find_map(|event| match event {
            Event::RunResumed { vantage, .. } => vantage.as_ref(),
            _ => None,
        });
        resumed.or(self.started.vantage.as_ref())
    }
}

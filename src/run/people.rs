//! People who answer questions while a run goes on, or before its report is written.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::evidence::{Evidence, Measured};
use crate::model::{Answer, Cause, CheckId};
use crate::policy::Policy;
use crate::probe::{Question, attest};

/// How long a report waits for somebody who does not press a key.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// What the person at the screen says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// An answer to one question.
    Answer(Box<Given>),
    /// Somebody is there, and typing.
    Busy,
    /// Nothing more will be answered: write the report.
    Done,
}

/// An answer as it was typed; whose it is and when follow from the policy and the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The question.
    pub check: CheckId,
    /// `true` for yes.
    pub yes: bool,
    /// What supports it.
    pub evidence: String,
    /// Until when it counts, if not as long as the check's own `valid_for`.
    pub expires: Option<Timestamp>,
}

/// The screen's end.
pub type Desk = UnboundedSender<Said>;

/// The run's end; by default nobody is there.
#[derive(Debug, Default)]
pub struct People(Option<UnboundedReceiver<Said>>);

impl People {
    /// Somebody at a desk.
    pub fn at_a_desk() -> (Desk, Self) {
        let (desk, heard) = unbounded_channel();
        (desk, Self(Some(heard)))
    }

    /// True while somebody may answer.
    pub const fn are_there(&self) -> bool {
        self.0.is_some()
    }

    /// The next thing that is said; never, when nobody is there.
    pub async fn said(&mut self) -> Said {
        let Some(heard) = &mut self.0 else { return std::future::pending().await };
        if let Some(said) = heard.recv().await {
            return said;
        }
        self.0 = None;
        Said::Done
    }
}

/// Questions that nobody has answered.
pub fn open(policy: &Policy, evidence: &Evidence) -> Vec<CheckId> {
    let unanswered = |check: &&crate::policy::Check| {
        question(&check.question).is_some()
            && evidence.measurements.get(&check.id).is_none_or(|measurement| {
                matches!(&measurement.result, Measured::NotMeasured(not) if not.cause == Cause::Unattested)
            })
    };
    policy.checks.iter().filter(unanswered).map(|check| check.id.clone()).collect()
}

/// What an `attest` check asks.
pub const fn question(question: &Question) -> Option<&attest::Target> {
    match question {
        Question::Attest { target, .. } => Some(target),
        _ => None,
    }
}

/// The answer in the words of the policy: only the role that is asked answers, by its name there.
pub fn answer(policy: &Policy, given: &Given, at: Timestamp) -> Option<Answer> {
    let asked = question(&policy.check(&given.check)?.question)?;
    Some(Answer {
        check: given.check.clone(),
        yes: given.yes,
        role: asked.of.clone(),
        name: policy.people.get(&asked.of)?.name.clone(),
        at,
        evidence: given.evidence.clone(),
        expires: given.expires,
    })
}

//! Two reports held against each other: before and after the rule, survey day and show day.
//! What changed, and whether for the better. Pure; nothing is judged again.

mod figures;

pub use figures::{Figure, words as figure_words};

use std::collections::BTreeMap;

use serde::Serialize;

use super::compare::{Asked, asked};
use super::v1::{CheckDoc, Document};
use super::{ReadError, judged_from};
use crate::judge::Word;
use crate::model::{CheckId, Effect, Finding, Outcome};
use crate::policy::{self, Check, Policy};
use crate::probe::{Question, port};

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// For the better.
    Better,
    /// Neither.
    Same,
    /// For the worse.
    Worse,
}

impl Sense {
    /// `better`, `same`, `worse`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
        }
    }

    /// Of a rank where less is better.
    fn of<T: Ord>(before: &T, after: &T) -> Self {
        match after.cmp(before) {
            std::cmp::Ordering::Less => Self::Better,
            std::cmp::Ordering::Equal => Self::Same,
            std::cmp::Ordering::Greater => Self::Worse,
        }
    }
}

/// What differs between two reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Runs, earlier and later.
    pub runs: [RunSide; 2],
    /// Which way the verdict went.
    pub verdict: Sense,
    /// Checks that both asked in the same words and whose answers differ in something.
    pub changed: Vec<CheckChange>,
    /// Checks that both asked, with the same outcome, findings and figures.
    pub unchanged: usize,
    /// Checks that cannot be compared, and why.
    pub not_comparable: Vec<NotComparable>,
    /// What differs between the policies, a line each (`+`, `-`, `~`).
    pub policy: Vec<String>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSide {
    /// The run.
    pub run: String,
    /// When it was measured.
    pub started: jiff::Timestamp,
    /// Its verdict.
    pub verdict: Word,
    /// The event's title.
    pub event: String,
}

/// One check that both asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckChange {
    /// The check.
    pub check: CheckId,
    /// Outcomes, earlier and later.
    pub outcomes: [Outcome; 2],
    /// Which way it went, by outcome.
    pub sense: Sense,
    /// Findings that are there now, and were not.
    pub appeared: Vec<Finding>,
    /// Findings that were there, and are gone.
    pub gone: Vec<Finding>,
    /// Measured figures, each with the limit that gives them their sense.
    pub figures: Vec<Figure>,
    /// Why it was not measured, when that is new.
    pub not_measured: Option<String>,
}

/// A check whose answers say nothing of each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotComparable {
    /// The check.
    pub check: CheckId,
    /// Why.
    pub why: &'static str,
}

impl Comparison {
    /// Something got worse: the verdict, or a check's outcome. A figure that moved within its
    /// limit is no worsening.
    pub fn worse(&self) -> bool {
        self.verdict == Sense::Worse || self.changed.iter().any(|change| change.sense == Sense::Worse)
    }
}

const UNLIKE: &str = "the two ask something else: target, path, far end, or open instead of blocked";

/// How far from GO: less is better.
const fn rank(word: Word) -> u8 {
    match word {
        Word::Go => 0,
        Word::ConditionalGo => 1,
        Word::Inconclusive => 2,
        Word::NoGo => 3,
    }
}

/// Holds `after` against `before`.
///
/// # Errors
/// One of them holds a policy that this build does not know.
pub fn compare(before: &Document, after: &Document) -> Result<Comparison, ReadError> {
    let (policy_before, _) = judged_from(before)?;
    let (policy_after, _) = judged_from(after)?;
    // a close-out's GO says the contrary of a run's before the event
    let verdict = match (&before.close_out, &after.close_out) {
        (Some(_), None) | (None, Some(_)) => Sense::Same,
        _ => Sense::of(&rank(before.verdict.word), &rank(after.verdict.word)),
    };
    let mut comparison = Comparison {
        runs: [before, after].map(|document| RunSide {
            run: document.run.id.clone(),
            started: document.run.started,
            verdict: document.verdict.word,
            event: document.event.title.clone(),
        }),
        verdict,
        changed: Vec::new(),
        unchanged: 0,
        not_comparable: Vec::new(),
        policy: policy::diff(&policy_before, &policy_after),
    };
    let earlier: BTreeMap<&CheckId, &CheckDoc> =
        before.checks.iter().map(|check| (&check.id, check)).collect();
    for check in &after.checks {
        let unlike = |why| NotComparable { check: check.id.clone(), why };
        match earlier.get(&check.id) {
            None => comparison.not_comparable.push(unlike("only the later run asks it")),
            Some(_) if !same_question(&policy_before, &policy_after, &check.id) => {
                comparison.not_comparable.push(unlike(UNLIKE));
            }
            Some(was) => match change(was, check) {
                Some(change) => comparison.changed.push(change),
                None => comparison.unchanged += 1,
            },
        }
    }
    let gone = before.checks.iter().filter(|was| !after.checks.iter().any(|check| check.id == was.id));
    let gone = gone.map(|was| NotComparable { check: was.id.clone(), why: "only the earlier run asked it" });
    comparison.not_comparable.extend(gone);
    comparison.changed.sort_by_key(|change| std::cmp::Reverse(change.sense));
    Ok(comparison)
}

/// Whether two policies ask the same in a check, so that its answers can be held against each other.
pub fn same_question(before: &Policy, after: &Policy, id: &CheckId) -> bool {
    match (before.check(id), after.check(id)) {
        (Some(was), Some(is)) => alike(asked(before, was), asked(after, is)) && expected(was) == expected(is),
        _ => false,
    }
}

/// The same question, for as long or for longer: how long was looked stands among the figures.
fn alike(mut was: Asked, mut is: Asked) -> bool {
    for asked in [&mut was, &mut is] {
        let of_kind = asked.0.as_object_mut().and_then(|kinds| kinds.values_mut().next());
        of_kind.and_then(|parts| parts["target"].as_object_mut()).map(|target| target.remove("seconds"));
    }
    was == is
}

/// Whether a port is to be open or blocked: a limit that turns the question round.
fn expected(check: &Check) -> Option<&port::Expect> {
    match &check.question {
        Question::Port { limits, .. } => limits.expect.as_ref().map(|expect| &expect.0),
        _ => None,
    }
}

fn change(was: &CheckDoc, is: &CheckDoc) -> Option<CheckChange> {
    let not_in = |finding: &&Finding, others: &CheckDoc| {
        !others.findings.iter().any(|other| other.code == finding.code && other.effect == finding.effect)
    };
    // one that passes is no news; one that no longer passes is, by what came in its place
    let news = |of: &CheckDoc, others: &CheckDoc| -> Vec<Finding> {
        let telling = |finding: &&Finding| finding.effect != Effect::Pass && not_in(finding, others);
        of.findings.iter().filter(telling).cloned().collect()
    };
    let why = |check: &CheckDoc| check.not_measured.as_ref().map(ToString::to_string);
    let change = CheckChange {
        check: is.id.clone(),
        outcomes: [was.outcome, is.outcome],
        sense: Sense::of(&severity(was.outcome), &severity(is.outcome)),
        appeared: news(is, was),
        gone: news(was, is),
        figures: figures::between(was, is),
        not_measured: why(is).filter(|_| why(was) != why(is)),
    };
    let moved = change.figures.iter().any(|figure| figure.sense != Sense::Same);
    let differs = change.outcomes[0] != change.outcomes[1]
        || !change.appeared.is_empty()
        || !change.gone.is_empty()
        || change.not_measured.is_some()
        || moved;
    differs.then_some(change)
}

/// How far from a pass: less is better.
const fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotApplicable | Outcome::Pass => 0,
        Outcome::Warn => 1,
        Outcome::Unknown => 2,
        Outcome::Fail => 3,
    }
}

//! The ledger: a hash chain over all runs of an event, so that re-running until green shows.
//! Pure; `run::ledger` keeps it on the disk.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::seal::sha256;
use super::v1::Document;
use crate::judge::Word;
use crate::model::{CheckId, Outcome, Role};
use crate::policy::{self, Policy};

/// One line of an event's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// SHA-256 of the line before, hexadecimal; of the first line, empty.
    pub before: String,
    /// Which event: [`event_id`].
    pub event: String,
    /// When, UTC.
    pub at: Timestamp,
    /// The run's id.
    pub run: String,
    /// Digest of the policy.
    pub policy: String,
    /// What happened.
    pub step: Step,
}

/// What a line of the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A run began. One that has no other line was killed.
    Started {
        /// It measures only some checks, and takes the others over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Again>,
    },
    /// A run ended with a report.
    Finished {
        /// Its verdict.
        verdict: Word,
        /// Digest of its readings: [`readings`].
        readings: String,
        /// What each check came to that this run measured itself; none in lines of an earlier golive.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outcomes: BTreeMap<CheckId, Outcome>,
    },
    /// People answered afterwards, and the report was judged again.
    Answered {
        /// In which role.
        role: Role,
        /// SHA-256 of the report that was answered.
        report: String,
        /// The new verdict.
        verdict: Word,
        /// Digest of the readings with the answers.
        readings: String,
    },
}

/// What a run measures that takes the rest over from an earlier report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Id of the earlier run.
    pub run: String,
    /// SHA-256 of its report's file, hexadecimal.
    pub report: String,
    /// The checks that are measured again.
    pub checks: Vec<CheckId>,
}

impl Step {
    /// Verdict and digest of the readings, of a step that has them.
    pub fn outcome(&self) -> Option<(Word, &str)> {
        match self {
            Self::Started { .. } => None,
            Self::Finished { verdict, readings, .. } | Self::Answered { verdict, readings, .. } => {
                Some((*verdict, readings))
            }
        }
    }
}

/// An event's ledger as a report carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ledger {
    /// Number of this run among the event's, from 1.
    pub run: usize,
    /// How many runs of the event there were when the report was written.
    pub runs: usize,
    /// SHA-256 of the last line: the chain's head.
    pub head: String,
    /// Why earlier runs are not known, if the ledger beside the runs could not be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<String>,
    /// Every line, the first one first.
    pub lines: Vec<Entry>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A line does not follow from the one before.
    #[error(
        "line {0} of the ledger does not follow from the line before: a line was changed, taken out or put in"
    )]
    Link(usize),
    /// A line of another event.
    #[error("line {0} of the ledger is of another event")]
    Event(usize),
    /// What it states of itself.
    #[error("the ledger states {0}, which does not follow from its lines")]
    Stated(&'static str),
    /// The report's own line.
    #[error("the ledger's last line is not this report's: {0} differs")]
    NotOurs(&'static str),
}

/// Which event a policy is about: its title and its change request. A postponed event is the
/// same one, and so is one whose limits changed.
pub fn event_id(event: &policy::Event) -> String {
    let change = event.change.as_deref().unwrap_or_default().trim();
    let words = format!("{}\n{change}", event.title.trim().to_lowercase());
    let mut id = sha256(words.as_bytes());
    id.truncate(16);
    id
}

/// Digest of all readings of a report.
pub fn readings(document: &Document) -> String {
    let all: Vec<Value> = document
        .checks
        .iter()
        .map(|check| json!([check.id, check.measured, check.not_measured, check.reading]))
        .collect();
    sha256(Value::from(all).to_string().as_bytes())
}

/// What each check came to that the report's own run measured.
pub fn outcomes(document: &Document) -> BTreeMap<CheckId, Outcome> {
    let carried = |id: &CheckId| document.again.as_ref().is_some_and(|again| again.carried.contains_key(id));
    let own = document.checks.iter().filter(|check| check.measured.is_some() && !carried(&check.id));
    own.map(|check| (check.id.clone(), check.outcome)).collect()
}

/// What a check came to in each run that asked it, up to and with `run`: an outcome's word, or `no
/// report` of a run that ended without one. Runs of which that is not on record are left out.
pub fn history(lines: &[Entry], run: &str, check: &CheckId) -> Vec<&'static str> {
    let all = runs(lines);
    let last = all.iter().position(|id| *id == run).map_or(all.len(), |at| at + 1);
    all.into_iter().take(last).filter_map(|id| one_run(lines, id, check)).collect()
}

fn one_run(lines: &[Entry], run: &str, check: &CheckId) -> Option<&'static str> {
    let steps = || lines.iter().filter(|line| line.run == run).map(|line| &line.step);
    let finished = steps().find_map(|step| match step {
        Step::Finished { outcomes, .. } => Some(outcomes.get(check)),
        _ => None,
    });
    let asked = |step: &Step| match step {
        Step::Started { again } => again.as_ref().is_none_or(|again| again.checks.contains(check)),
        _ => false,
    };
    match finished {
        Some(outcome) => outcome.map(|outcome| outcome.word()),
        None => steps().any(asked).then_some("no report"),
    }
}

/// A line's own digest.
pub fn digest(entry: &Entry) -> String {
    sha256(text(entry).as_bytes())
}

/// A line's text, without its line feed.
pub fn text(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap_or_default()
}

/// The next line of a chain.
pub fn next(lines: &[Entry], policy: &Policy, run: &str, at: Timestamp, step: Step) -> Entry {
    let resolved = serde_json::to_value(policy).unwrap_or_default();
    Entry {
        before: lines.last().map(digest).unwrap_or_default(),
        event: event_id(&policy.event),
        at,
        run: run.to_owned(),
        policy: super::policy_digest(&resolved),
        step,
    }
}

/// Whether each line follows from the one before; gives the head.
pub fn check(lines: &[Entry]) -> Result<String, Broken> {
    let mut head = String::new();
    for (index, line) in lines.iter().enumerate() {
        if line.before != head {
            return Err(Broken::Link(index + 1));
        }
        if lines.first().is_some_and(|first| first.event != line.event) {
            return Err(Broken::Event(index + 1));
        }
        head = digest(line);
    }
    Ok(head)
}

/// The ids of the runs, in the order in which they began.
pub fn runs(lines: &[Entry]) -> Vec<&str> {
    let mut runs: Vec<&str> = Vec::new();
    for line in lines {
        if !runs.contains(&line.run.as_str()) {
            runs.push(&line.run);
        }
    }
    runs
}

impl Ledger {
    /// As the report of `run` carries it.
    pub fn of(lines: Vec<Entry>, run: &str, apart: Option<String>) -> Self {
        let all = runs(&lines);
        let (number, runs) = (number(&all, run), all.len());
        let head = lines.last().map(digest).unwrap_or_default();
        Self { run: number, runs, head, apart, lines }
    }

    /// Whether the chain holds and ends with this report.
    pub fn check(&self, document: &Document) -> Result<(), Broken> {
        if check(&self.lines)? != self.head {
            return Err(Broken::Stated("another head"));
        }
        let all = runs(&self.lines);
        if self.runs != all.len() || self.run != number(&all, &document.run.id) {
            return Err(Broken::Stated("another count of runs"));
        }
        let Some(last) = self.lines.last() else { return Err(Broken::NotOurs("all of it")) };
        let Some((verdict, readings_then)) = last.step.outcome() else {
            return Err(Broken::NotOurs("the step"));
        };
        let parts = [
            ("the event", last.event == event_id(&document.event)),
            ("the run", last.run == document.run.id),
            ("the policy", last.policy == document.policy.sha256),
            ("the verdict", verdict == document.verdict.word),
            ("the readings", readings_then == readings(document)),
            (
                "what was measured again",
                self.again() == document.again.as_ref().map(|again| again.run.as_str()),
            ),
            ("what the checks came to", self.outcomes().is_none_or(|then| *then == outcomes(document))),
        ];
        match parts.iter().find(|(_, same)| !same) {
            Some((what, _)) => Err(Broken::NotOurs(what)),
            None => Ok(()),
        }
    }

    /// The run that this report's run took readings over from.
    fn again(&self) -> Option<&str> {
        let own = self.lines.iter().filter(|line| Some(&line.run) == self.lines.last().map(|last| &last.run));
        let mut begun = own.filter_map(|line| match &line.step {
            Step::Started { again } => again.as_ref(),
            _ => None,
        });
        begun.next().map(|again| again.run.as_str())
    }

    /// The outcomes in the last line, if it has them.
    fn outcomes(&self) -> Option<&BTreeMap<CheckId, Outcome>> {
        match &self.lines.last()?.step {
            Step::Finished { outcomes, .. } if !outcomes.is_empty() => Some(outcomes),
            _ => None,
        }
    }

    /// `run 4 of 4 of this event; before it: NO-GO, NO-GO, stopped without a report`.
    pub fn words(&self, run: &str) -> String {
        let before: Vec<String> = runs(&self.lines)
            .into_iter()
            .take_while(|id| *id != run)
            .map(|id| {
                let mut last = self.lines.iter().rev().filter(|line| line.run == id);
                let outcome = last.find_map(|line| line.step.outcome());
                outcome.map_or("no report".to_owned(), |(verdict, _)| verdict.to_string())
            })
            .collect();
        let mut words = format!("run {} of {} of this event", self.run, self.runs);
        if !before.is_empty() {
            let _ = write!(words, "; before it: {}", grouped(&before));
        }
        if let Some(apart) = &self.apart {
            let _ = write!(words, "; earlier runs are not known: {apart}");
        }
        words
    }
}

fn number(runs: &[&str], run: &str) -> usize {
    runs.iter().position(|id| *id == run).map_or(0, |at| at + 1)
}

/// `NO-GO × 3, GO`: repeated words once, with their number.
pub fn grouped(words: &[impl AsRef<str>]) -> String {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for word in words.iter().map(AsRef::as_ref) {
        match groups.last_mut() {
            Some((same, count)) if *same == word => *count += 1,
            _ => groups.push((word, 1)),
        }
    }
    let shown = |(word, count): &(&str, usize)| match count {
        1 => (*word).to_owned(),
        count => format!("{word} × {count}"),
    };
    groups.iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(lines: &[Entry], run: &str, step: Step) -> Entry {
        Entry {
            before: lines.last().map(digest).unwrap_or_default(),
            event: "e".into(),
            at: "2026-12-04T12:00:00Z".parse().unwrap(),
            run: run.into(),
            policy: "p".into(),
            step,
        }
    }

    fn chain() -> Vec<Entry> {
        let finished = |verdict| Step::Finished { verdict, readings: "r".into(), outcomes: BTreeMap::new() };
        let mut lines = Vec::new();
        for (run, step) in [
            ("a", Step::Started { again: None }),
            ("a", finished(Word::NoGo)),
            ("b", Step::Started { again: None }),
            ("c", Step::Started { again: None }),
            ("c", finished(Word::Go)),
        ] {
            lines.push(line(&lines, run, step));
        }
        lines
    }

    #[test]
    fn a_ledger_counts_runs_that_left_no_report() {
        let ledger = Ledger::of(chain(), "c", None);
        assert_eq!(ledger.words("c"), "run 3 of 3 of this event; before it: NO-GO, no report");
    }

    #[test]
    fn a_line_changed_or_taken_out_breaks_the_chain() {
        assert!(check(&chain()).is_ok());
        for at in 0..4 {
            let mut changed = chain();
            changed[at].at = "2026-12-04T12:00:01Z".parse().unwrap();
            assert_eq!(check(&changed), Err(Broken::Link(at + 2)));
            let mut gone = chain();
            gone.remove(at);
            assert_eq!(check(&gone), Err(Broken::Link(at + 1)));
        }
        assert_eq!(check(&chain()[1..]), Err(Broken::Link(1)), "the first line has none before it");
    }
}

//! Readings that a report carries from an earlier one: whether it says so rightly, and whether they are
//! that report's.

use serde_json::{Value, json};

use super::verify::Verifier;
use super::{Problem, Standing, sha256};
use crate::model::{CheckId, Lane};
use crate::policy::Policy;
use crate::report::ledger::Step;
use crate::report::{self, AgainDoc, Document, line};

impl Verifier<'_> {
    /// What the report says of carried readings fits the report, its policy and its ledger.
    pub fn carried(&mut self, document: &Document, own: &Policy) {
        let mut begun = document.ledger.iter().flat_map(|ledger| &ledger.lines).filter_map(|line| {
            let own = line.run == document.run.id;
            match &line.step {
                Step::Started { again } if own => again.as_ref(),
                _ => None,
            }
        });
        let (said, booked) = (document.again.as_ref(), begun.next());
        let wrong = match (said, booked) {
            (None, None) => None,
            (None, Some(booked)) => Some(format!(
                "the ledger says that this run carried readings of run {}, and the report does not",
                line(&booked.run)
            )),
            (Some(said), Some(booked)) if booked.report != said.report_sha256 => {
                Some("the ledger names another report as the one that readings were carried from".to_owned())
            }
            (Some(said), Some(booked)) if unbooked(said, &booked.checks, own).is_some() => Some(format!(
                "{} is said to be measured again, and the ledger knows nothing of it",
                unbooked(said, &booked.checks, own).map_or("", CheckId::as_str)
            )),
            (Some(said), _) => said.misfit(document).or_else(|| {
                let age = document.run.started.duration_since(said.oldest?);
                let most = own.again.oldest();
                (age > own.again.span())
                    .then(|| format!("a carried reading is older than the {most} that the policy lets it be"))
            }),
        };
        if let Some(why) = wrong {
            self.problem(Problem::Carried(why));
        }
    }
}

/// A check that was not to be measured again when the run began. People may answer at any time.
fn unbooked<'a>(said: &'a AgainDoc, booked: &[CheckId], own: &Policy) -> Option<&'a CheckId> {
    let asked_of_people =
        |id: &CheckId| own.check(id).is_some_and(|check| check.question.lane() == Lane::Person);
    said.measured.iter().find(|id| !booked.contains(id) && !asked_of_people(id))
}

/// Holds carried readings against the reports that lie beside: `earlier` are those that state the run
/// that the readings are from.
pub fn carried(mut standing: Standing, earlier: &[Vec<u8>]) -> Standing {
    let Some(document) = standing.document.as_ref().filter(|document| document.redacted.is_none()) else {
        return standing;
    };
    let Some(again) = &document.again else { return standing };
    let run = line(&again.run);
    match earlier.iter().find(|bytes| sha256(bytes) == again.report_sha256) {
        Some(bytes) => {
            let before = report::read(bytes).ok();
            let differs: Vec<&str> = again
                .carried
                .keys()
                .filter(|id| before.as_ref().and_then(|before| taken(before, id)) != taken(document, id))
                .map(CheckId::as_str)
                .collect();
            if differs.is_empty() {
                let words = format!("the carried readings are those of run {run}, whose report lies beside");
                standing.notes.push(words);
            } else {
                standing.problems.push(Problem::Carried(format!(
                    "carried readings are not those of the report of run {run}: {}",
                    differs.join(", ")
                )));
            }
        }
        None if earlier.is_empty() => standing.notes.push(format!(
            "readings are carried from run {run}, whose report (sha256 {}) does not lie beside this one: \
             they rest on this report's own word",
            line(&again.report_sha256)
        )),
        None => standing.problems.push(Problem::Carried(format!(
            "the report of run {run} beside this one is not the one that readings were carried from"
        ))),
    }
    standing
}

/// What a report holds of a check, as it was measured.
fn taken(document: &Document, id: &CheckId) -> Option<Value> {
    let check = document.checks.iter().find(|check| &check.id == id)?;
    Some(json!([check.measured, check.not_measured, check.reading]))
}

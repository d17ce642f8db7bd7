//! What a report says of itself when its run measured some checks again and took the others over from
//! an earlier report.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::v1::{CheckDoc, Document};
use crate::model::CheckId;

/// How far a clock may be set back while a run goes on.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

/// Which checks were measured again, and where the others are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgainDoc {
    /// Id of the run that the others are carried from.
    pub run: String,
    /// When the verdict of its report was computed.
    pub issued: Timestamp,
    /// SHA-256 of its report's file, hexadecimal.
    pub report_sha256: String,
    /// Checks that this run measured itself, in the policy's order.
    pub measured: Vec<CheckId>,
    /// Checks that are carried, each with the run that measured it: the earlier one, or one before it.
    pub carried: BTreeMap<CheckId, String>,
    /// When the oldest carried check was measured.
    pub oldest: Option<Timestamp>,
}

impl AgainDoc {
    /// The same once it is known what was measured after all: `carried` are the checks whose reading is
    /// still the earlier report's.
    #[must_use]
    pub fn settled(mut self, checks: &[CheckDoc], carried: &BTreeSet<CheckId>) -> Self {
        let measured = checks.iter().filter(|check| check.measured.is_some());
        self.measured = measured.map(|check| check.id.clone()).filter(|id| !carried.contains(id)).collect();
        self.carried.retain(|id, _| carried.contains(id));
        self.oldest = oldest(checks, &self.carried);
        self
    }

    /// The same after these checks were answered in a later version of the report.
    #[must_use]
    pub fn answered(self, checks: &[CheckDoc], answered: &[CheckId]) -> Self {
        let carried = self.carried.keys().filter(|id| !answered.contains(id)).cloned().collect();
        self.settled(checks, &carried)
    }

    /// Why it does not fit the report that says it, if so.
    pub fn misfit(&self, document: &Document) -> Option<String> {
        let began = document.run.started;
        if self.run == document.run.id {
            return Some("a run cannot carry readings from itself".to_owned());
        }
        for check in &document.checks {
            let (again, carried) = (self.measured.contains(&check.id), self.carried.contains_key(&check.id));
            let id = &check.id;
            match &check.measured {
                Some(_) if again == carried => {
                    return Some(format!("{id} is not said to be either measured again or carried"));
                }
                None if again || carried => return Some(format!("{id} has no measurement")),
                Some(measured) if carried && measured.started >= began => {
                    return Some(format!("{id} is said to be carried, and was measured in this run"));
                }
                Some(measured) if again && began.duration_since(measured.started) > CLOCK_SLACK => {
                    return Some(format!("{id} is said to be measured again, and is older than this run"));
                }
                _ => {}
            }
        }
        let known = |id: &&CheckId| document.checks.iter().any(|check| check.id == **id);
        if let Some(id) = self.measured.iter().chain(self.carried.keys()).find(|id| !known(id)) {
            return Some(format!("{id} is no check of this report"));
        }
        (self.oldest != oldest(&document.checks, &self.carried))
            .then(|| "the oldest carried check is another".to_owned())
    }
}

fn oldest(checks: &[CheckDoc], carried: &BTreeMap<CheckId, String>) -> Option<Timestamp> {
    let carried = checks.iter().filter(|check| carried.contains_key(&check.id));
    carried.filter_map(|check| check.measured.as_ref()).map(|measured| measured.started).min()
}

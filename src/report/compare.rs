//! Judging again: which readings still answer another policy's questions, and what differs.

use serde_json::Value;

use super::v1::{CheckDoc, Document};
use crate::evidence::Evidence;
use crate::model::CheckId;
use crate::policy::{Check, Policy};

/// Stored evidence held against another policy.
#[derive(Debug, Clone, PartialEq)]
pub struct CarriedOver {
    /// Readings whose question the other policy asks in the same words.
    pub evidence: Evidence,
    /// Checks that the other policy asks and the report does not hold: they are unknown.
    pub added: Vec<CheckId>,
    /// Checks of the report that the other policy does not ask: they do not count.
    pub dropped: Vec<CheckId>,
    /// Checks of both that ask something else (target, path, far end): they are unknown.
    pub changed: Vec<CheckId>,
}

/// Takes over the readings that answer `policy`'s questions. A reading of another target is
/// no answer, whatever its id.
pub fn carry_over(policy: &Policy, stored: &Policy, evidence: &Evidence) -> CarriedOver {
    let mut carried = CarriedOver {
        evidence: Evidence { interrupted: evidence.interrupted, ..Evidence::default() },
        added: Vec::new(),
        dropped: Vec::new(),
        changed: Vec::new(),
    };
    for check in &policy.checks {
        match stored.check(&check.id) {
            None => carried.added.push(check.id.clone()),
            Some(before) if asked(policy, check) != asked(stored, before) => {
                carried.changed.push(check.id.clone());
            }
            Some(_) => {
                let kept = evidence.measurements.get(&check.id).cloned();
                carried.evidence.measurements.extend(kept.map(|kept| (check.id.clone(), kept)));
            }
        }
    }
    let dropped = stored.checks.iter().filter(|check| policy.check(&check.id).is_none());
    carried.dropped = dropped.map(|check| check.id.clone()).collect();
    carried
}

/// Question, path and endpoints of a check.
pub(super) type Asked = (Value, Value, Value);

/// What is asked, of whom, by which way out: all but the limits.
pub(super) fn asked(policy: &Policy, check: &Check) -> Asked {
    let mut question = serde_json::to_value(&check.question).unwrap_or_default();
    if let Some(of_kind) = question.as_object_mut().and_then(|kinds| kinds.values_mut().next()) {
        of_kind.as_object_mut().map(|parts| parts.remove("limits"));
    }
    let path = check.path.as_ref().map(|name| (name, policy.paths.get(name)));
    let endpoints = check.question.demand(&policy.far_ends).endpoints;
    (
        question,
        serde_json::to_value(path).unwrap_or_default(),
        serde_json::to_value(endpoints).unwrap_or_default(),
    )
}

/// What a later judging says otherwise than an earlier one, a line each; empty when they agree.
/// Inert text.
pub fn differences(before: &Document, after: &Document) -> Vec<String> {
    let mut lines = Vec::new();
    if before.verdict.word != after.verdict.word {
        lines.push(format!("verdict: {} → {}", before.verdict.word, after.verdict.word));
    }
    for check in &after.checks {
        match before.checks.iter().find(|have| have.id == check.id) {
            None => lines.push(format!("{}: not in the report → {}", check.id, check.outcome.word())),
            Some(have) => lines.extend(difference(have, check)),
        }
    }
    let gone = before.checks.iter().filter(|have| !after.checks.iter().any(|check| check.id == have.id));
    lines.extend(gone.map(|gone| format!("{}: {} → not asked", gone.id, gone.outcome.word())));
    lines
}

fn difference(before: &CheckDoc, after: &CheckDoc) -> Option<String> {
    let standing = |check: &CheckDoc| {
        let waived = if check.waiver.is_some() { ", waived" } else { "" };
        format!("{} ({}{waived})", check.outcome.word(), check.enforcement.word())
    };
    let (was, is) = (standing(before), standing(after));
    if was != is {
        return Some(format!("{}: {was} → {is}", after.id));
    }
    let codes = |check: &CheckDoc| -> Vec<String> {
        check.findings.iter().map(|finding| super::line(&finding.code)).collect()
    };
    let (had, has) = (codes(before), codes(after));
    (had != has).then(|| format!("{}: {} → {}", after.id, had.join(" "), has.join(" ")))
}

//! What several renderings pick out of a document. Picks and sorts; never decides.

use serde_json::Value;

use super::brief::capital;
use super::text::line;
use crate::judge::{Rank, Reason, Word};
use crate::model::{Area, CheckId, Effect, Finding, Outcome, Role};
use crate::policy::{Layer, Waiver};
use crate::report::v1::{CheckDoc, Document, WaiverState};

/// What the word means, in one sentence for a person who is no engineer.
pub fn meaning(word: Word) -> &'static str {
    match word {
        Word::Go => "Everything that the policy requires was measured and is within its limits.",
        Word::ConditionalGo => "The event can go ahead if the conditions below are accepted.",
        Word::NoGo => "Something that the policy requires is not met. Do not go live before it is mended.",
        Word::Inconclusive => "Something that the policy requires is not known. This is not a go.",
    }
}

/// How often a waiver was renewed, if it was: `renewed 2 times`.
pub fn renewed(waiver: &Waiver) -> Option<String> {
    let times = waiver.renewals.filter(|times| *times > 0)?;
    Some(format!("renewed {times} {}", if times == 1 { "time" } else { "times" }))
}

/// That the document is a redacted copy, and of what; inert.
pub fn redacted(document: &Document) -> Option<String> {
    document.redacted.as_ref().map(|redacted| line(&redacted.words()))
}

/// What GO means in a close-out; nothing for any other report.
pub fn close_out(document: &Document) -> Option<&'static str> {
    document.close_out.as_ref().map(
        |_| "This is a close-out, after the event: GO means that what was opened for it is closed again.",
    )
}

/// Checks of the policy that a close-out does not ask, and why.
pub fn left_open(document: &Document) -> impl Iterator<Item = (&CheckId, &str)> {
    let left_out = document.close_out.iter().flat_map(|close_out| &close_out.left_out);
    left_out.map(|(check, why)| (check, why.as_str()))
}

/// Checks that give a reason of this rank, worst reason first, each once.
pub fn checks_of(document: &Document, rank: Rank) -> Vec<&CheckDoc> {
    let reasons = document.verdict.reasons.iter().filter(|reason| reason.rank == rank);
    let mut checks: Vec<&CheckDoc> = Vec::new();
    for id in reasons.filter_map(|reason| reason.check.as_ref()) {
        let found = document.checks.iter().find(|check| &check.id == id);
        checks.extend(found.filter(|check| !checks.iter().any(|have| have.id == check.id)));
    }
    checks
}

/// Reasons that come from no single check, or from one that the report does not hold.
pub fn whole_run(document: &Document) -> impl Iterator<Item = &Reason> {
    let held = |id| document.checks.iter().any(|check| &check.id == id);
    document.verdict.reasons.iter().filter(move |reason| !reason.check.as_ref().is_some_and(held))
}

/// Checks whose question has no answer.
pub fn unanswered(document: &Document) -> impl Iterator<Item = &CheckDoc> {
    document.checks.iter().filter(|check| check.outcome == Outcome::Unknown)
}

/// Findings that are not as they should be, worst first.
pub fn troubles(check: &CheckDoc) -> Vec<&Finding> {
    let mut troubles: Vec<&Finding> =
        check.findings.iter().filter(|finding| finding.effect != Effect::Pass).collect();
    troubles.sort_by_key(|finding| std::cmp::Reverse(finding.effect));
    troubles
}

/// The finding to show where there is room for one: the worst, else the first.
pub fn telling(check: &CheckDoc) -> Option<&Finding> {
    troubles(check).first().copied().or(check.findings.first())
}

/// Area → role → name: `network → it → A. Person`; what the policy does not name is left out.
pub fn owner(document: &Document, area: &Area) -> String {
    let Some(entry) = document.accountable.iter().find(|entry| &entry.area == area) else {
        return format!("{area} (nobody is accountable)");
    };
    match &entry.name {
        Some(name) => format!("{area} → {} → {}", entry.role, line(name)),
        None => format!("{area} → {}", entry.role),
    }
}

/// What hangs on a check: what viewers would notice, else the policy's reason for asking.
pub fn stake(check: &CheckDoc) -> &str {
    if check.viewers.is_empty() { &check.why } else { &check.viewers }
}

/// A role with the name behind it: `it (A. Person)`.
pub fn who(document: &Document, role: &Role) -> String {
    match document.people.get(role) {
        Some(name) => format!("{role} ({})", line(name)),
        None => role.to_string(),
    }
}

/// What a code means, if the document says so.
pub fn means<'a>(document: &'a Document, finding: &Finding) -> Option<&'a str> {
    document.codes.get(&finding.code).map(String::as_str)
}

/// What a waiver does, in words.
pub const fn state(state: WaiverState) -> &'static str {
    match state {
        WaiverState::InUse => "in use",
        WaiverState::NotNeeded => "not needed",
        WaiverState::Expired => "expired",
        WaiverState::WithoutEffect => "without effect",
    }
}

/// How many checks came to this.
pub fn count(document: &Document, outcome: Outcome) -> usize {
    document.checks.iter().filter(|check| check.outcome == outcome).count()
}

/// The command that computes the verdict again from the readings.
pub fn verifies(document: &Document) -> String {
    format!("golive judge report.json --at {}", document.verdict.evaluated_at)
}

/// When a layer's facts were last read, and by when they are to be read again.
pub fn read_on(layer: &Layer) -> Option<String> {
    let facts = layer.provenance.as_ref()?;
    Some(format!("facts of {}, to be read again by {}", facts.verified, facts.review_by))
}

/// Layers whose facts were to be read again before the verdict was computed, a sentence each.
pub fn overdue(document: &Document) -> impl Iterator<Item = String> + '_ {
    let at = document.verdict.evaluated_at;
    document
        .policy
        .layers
        .iter()
        .filter_map(move |layer| layer.overdue(at))
        .map(|words| line(&capital(&words)))
}

/// One exchange, as a reading holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The address contacted.
    pub remote: String,
    /// Our own address.
    pub local: Option<String>,
    /// Milliseconds since the check began.
    pub offset_ms: Option<f64>,
    /// Milliseconds that it took.
    pub took_ms: Option<f64>,
}

/// Most exchanges and methods listed per check; the raw reading holds them all.
const MOST: usize = 12;
/// Deepest nesting looked into.
const DEEPEST: usize = 12;

/// Every exchange that a raw reading holds, in its order, up to a bound.
pub fn exchanges(reading: &Value) -> Vec<Exchange> {
    let mut found = Vec::new();
    walk(reading, DEEPEST, &mut |object| {
        let Some(remote) = object.get("remote").and_then(Value::as_str) else { return };
        let number = |key| object.get(key).and_then(Value::as_f64);
        if found.len() < MOST && object.contains_key("took_ms") {
            found.push(Exchange {
                remote: line(remote),
                local: object.get("local").and_then(Value::as_str).map(line),
                offset_ms: number("offset_ms"),
                took_ms: number("took_ms"),
            });
        }
    });
    found
}

/// Methods that a raw reading names, each once.
pub fn methods(reading: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    walk(reading, DEEPEST, &mut |object| {
        let method = object.get("method").and_then(Value::as_str).map(line);
        found.extend(method.filter(|method| found.len() < MOST && !found.contains(method)));
    });
    found
}

fn walk(value: &Value, depth: usize, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Object(object) => {
            see(object);
            object.values().for_each(|value| walk(value, depth, see));
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, depth, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

//! Bytes to document, and document to what it was judged from. The bytes are hostile.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::policy_digest;
use super::v1::{CheckDoc, Document, SCHEMA};
use crate::evidence::{Evidence, Measured, Measurement};
use crate::model::{CheckId, text};
use crate::policy::Policy;
use crate::probe::Reading;

/// Largest report that is read, in bytes. A real one has a few hundred kilobytes.
pub const MAX_BYTES: u64 = 32 << 20;

/// Why bytes are no report that can be used. Each says what, where and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// More than [`MAX_BYTES`].
    #[error("this is larger than {} MiB, more than any report: is it the right file?", MAX_BYTES >> 20)]
    TooLarge,
    /// Not JSON, or cut short.
    #[error("this is not JSON, or it is cut short: {0}; fetch the report.json of the run again")]
    NotJson(String),
    /// JSON without a schema of ours.
    #[error("this JSON is not a golive report (`schema` is {0}); name the report.json of a run")]
    NotReport(String),
    /// A report of a later format.
    #[error("{0} is newer than this golive, which reads {SCHEMA}; use a newer golive")]
    Newer(String),
    /// Right schema, wrong contents.
    #[error("this report does not hold to {SCHEMA}: {0}; it was damaged or changed after it was written")]
    Shape(String),
    /// Policy and digest differ.
    #[error(
        "the policy in this report does not have the digest that the report states ({stated}; it is {found}): \
         it was damaged or changed after it was written"
    )]
    Digest {
        /// What the report states.
        stated: String,
        /// What its policy has.
        found: String,
    },
    /// It says two different things.
    #[error("this report contradicts itself: {0}; it was damaged or changed after it was written")]
    Contradiction(String),
    /// Right schema, but a probe or a policy key that this build does not know.
    #[error("this golive cannot judge {what}: {why}; use the golive that wrote the report ({wrote})")]
    Unjudgeable {
        /// What: the policy, or the reading of a check.
        what: String,
        /// Why.
        why: String,
        /// The version that wrote it.
        wrote: String,
    },
}

/// Just enough to say which format it is.
#[derive(Deserialize)]
struct Head {
    schema: Option<Value>,
}

/// Reads a report, re-checks its policy's digest and that its parts agree.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() { ReadError::NotReport("absent".into()) } else { ReadError::NotJson(said(&error)) }
    })?;
    check_schema(head.schema.as_ref())?;
    let document: Document = serde_json::from_slice(bytes).map_err(|error| ReadError::Shape(said(&error)))?;
    check_agreement(&document)?;
    Ok(document)
}

fn check_schema(schema: Option<&Value>) -> Result<(), ReadError> {
    let Some(Value::String(schema)) = schema else {
        return Err(ReadError::NotReport(if schema.is_none() { "absent" } else { "not text" }.into()));
    };
    if schema == SCHEMA {
        return Ok(());
    }
    match schema.strip_prefix("golive-report/").and_then(|version| version.parse::<u32>().ok()) {
        Some(version) if version > 1 => Err(ReadError::Newer(format!("golive-report/{version}"))),
        _ => Err(ReadError::NotReport(format!("`{}`", short(schema)))),
    }
}

fn check_agreement(document: &Document) -> Result<(), ReadError> {
    let found = policy_digest(&document.policy.resolved);
    if found != document.policy.sha256 {
        return Err(ReadError::Digest { stated: short(&document.policy.sha256), found });
    }
    let verdict = &document.verdict;
    if verdict.exit_code != verdict.word.exit_code() {
        let says = format!("the verdict {} with exit code {}", verdict.word, verdict.exit_code);
        return Err(ReadError::Contradiction(says));
    }
    let mut seen = BTreeSet::new();
    match document.checks.iter().find(|check| !seen.insert(&check.id)) {
        Some(twice) => Err(ReadError::Contradiction(format!("check {} is there twice", twice.id))),
        None => Ok(()),
    }
}

/// What the report was judged from, to judge it again.
pub fn judged_from(document: &Document) -> Result<(Policy, Evidence), ReadError> {
    let unjudgeable = |what: String, error: &serde_json::Error| ReadError::Unjudgeable {
        what,
        why: said(error),
        wrote: short(&document.golive),
    };
    let policy: Policy = serde_json::from_value(document.policy.resolved.clone())
        .map_err(|error| unjudgeable("the policy in this report".into(), &error))?;
    let ours: Vec<&CheckId> = policy.checks.iter().map(|check| &check.id).collect();
    if !ours.iter().copied().eq(document.checks.iter().map(|check| &check.id)) {
        let says = "its checks are not those of its policy".to_owned();
        return Err(ReadError::Contradiction(says));
    }
    let mut measurements = BTreeMap::new();
    for check in &document.checks {
        let measurement = measurement(check)
            .map_err(|error| unjudgeable(format!("the reading of {}", check.id), &error))?;
        measurements.extend(measurement.map(|measurement| (check.id.clone(), measurement)));
    }
    Ok((policy, Evidence { measurements, interrupted: document.run.interrupted }))
}

fn measurement(check: &CheckDoc) -> Result<Option<Measurement>, serde_json::Error> {
    let Some(measured) = &check.measured else { return Ok(None) };
    let result = match (&check.reading, &check.not_measured) {
        // a report that holds both was put together wrongly: "could not ask" weighs more
        (_, Some(not_measured)) => Measured::NotMeasured(not_measured.clone()),
        (Some(reading), None) => Measured::Reading(Reading::deserialize(reading)?),
        (None, None) => return Ok(None),
    };
    Ok(Some(Measurement {
        check: check.id.clone(),
        started: measured.started,
        offset_ms: measured.offset_ms,
        took_ms: measured.took_ms,
        source: measured.source.clone(),
        result,
    }))
}

/// A parser's words; they may quote the file, so they are bounded and escaped.
fn said(error: &serde_json::Error) -> String {
    text::escape(&error.to_string()).chars().take(300).collect()
}

fn short(text: &str) -> String {
    text::escape(text).chars().take(80).collect()
}

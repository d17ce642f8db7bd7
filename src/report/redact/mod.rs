//! A copy that may be shown to others: what names machines, people and keys is replaced.
//!
//! The policy and the raw readings are redacted, string by string, each by what its key says
//! that it holds; everything else of the report is then *made anew* from them, as it was made the
//! first time. So the copy's verdict follows from the copy's own readings, and no sentence of a
//! finding can carry a name past the redaction. Within one copy the same host is always the same
//! `host-3`; the numbers say nothing about the names, and differ from report to report.
//!
//! The copy states the SHA-256 of the report that it was made from. Who has that report makes the
//! copy again and compares: [`made_from`].

mod address;
mod leaf;
mod pseudonym;
mod scan;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::v1::{CheckDoc, Document, MeasuredDoc};
use super::{ReadError, build, differences, judged_from, to_json};
use crate::judge;
use crate::model::{NotMeasured, Role};
use crate::policy::{Policy, Redaction, Sensitive};

use pseudonym::Pseudonyms;

/// Of which report a document is a redacted copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedactedDoc {
    /// SHA-256 of the full report's file, hexadecimal.
    pub report_sha256: String,
    /// What was replaced.
    pub kinds: Vec<Sensitive>,
    /// Who may be asked for the full report.
    pub ask: Option<Role>,
}

impl RedactedDoc {
    /// `redacted copy of report 3f2a…; replaced: …; ask … for the full report`.
    pub fn words(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.words()).collect();
        let ask =
            self.ask.as_ref().map(|role| format!("; ask {role} for the full report")).unwrap_or_default();
        format!("redacted copy of report {}; replaced: {}{ask}", self.report_sha256, kinds.join(", "))
    }
}

/// Why a report cannot be redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedactError {
    /// It is a copy already.
    #[error("this is a redacted copy already: redact the full report")]
    Already,
    /// It cannot be judged again.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its verdict does not follow from its readings.
    #[error("the report's verdict does not follow from its own readings, so no copy of it is made: {}", .0.join("; "))]
    NotFollowing(Vec<String>),
    /// The redacted readings would be judged otherwise.
    #[error("what is left after redaction would be judged otherwise ({}): no copy was made; please report this", .0.join("; "))]
    Otherwise(Vec<String>),
}

/// The redacted copy of a report. `sha256` is the digest of the report's file.
///
/// # Errors
/// See [`RedactError`]; a copy that would not verify is never made.
pub fn redact(document: &Document, sha256: &str, redaction: &Redaction) -> Result<Document, RedactError> {
    if document.redacted.is_some() {
        return Err(RedactError::Already);
    }
    let full = again(document)?;
    let differs = differences(document, &full);
    if !differs.is_empty() {
        return Err(RedactError::NotFollowing(differs));
    }
    let mut pseudonyms = Pseudonyms::new(redaction.kinds());
    // first what there is to hide, so that no pseudonym is a name that occurs
    replaced(document, &mut pseudonyms);
    pseudonyms.assign();
    let mut copy = again(&replaced(document, &mut pseudonyms))?;
    let otherwise = differences(&full, &copy);
    if !otherwise.is_empty() {
        return Err(RedactError::Otherwise(otherwise));
    }
    copy.golive.clone_from(&document.golive);
    // digests, times and verdicts: the chain could not be checked with anything in it replaced
    copy.ledger.clone_from(&document.ledger);
    if let Some(ledger) = &mut copy.ledger {
        ledger.apart = ledger.apart.as_ref().map(|_| "see the full report".to_owned());
    }
    copy.again.clone_from(&document.again);
    copy.revises.clone_from(&document.revises);
    copy.redacted = Some(RedactedDoc {
        report_sha256: sha256.to_owned(),
        kinds: redaction.kinds().into_iter().collect(),
        ask: redaction.ask.clone().or_else(|| network(document)),
    });
    Ok(copy)
}

/// Who is accountable for the network.
fn network(document: &Document) -> Option<Role> {
    let entry = document.accountable.iter().find(|entry| entry.area.as_str() == "network")?;
    Some(entry.role.clone())
}

/// Whether a copy's bytes are what redacting this report gives; `sha256` is the report's digest.
///
/// # Errors
/// When the report itself cannot be redacted.
pub fn made_from(copy: &[u8], document: &Document, sha256: &str) -> Result<bool, RedactError> {
    let Ok(stated) = super::read(copy) else { return Ok(false) };
    let Some(redacted) = stated.redacted.filter(|redacted| redacted.report_sha256 == sha256) else {
        return Ok(false);
    };
    let redaction = Redaction { kinds: Some(redacted.kinds.into_iter().collect()), ask: redacted.ask };
    let again = redact(document, sha256, &redaction)?;
    Ok(to_json(&again).is_ok_and(|text| text.as_bytes() == copy))
}

/// The document as it follows from its own policy and readings.
fn again(document: &Document) -> Result<Document, ReadError> {
    let (policy, evidence): (Policy, _) = judged_from(document)?;
    let verdict = judge::evaluate(&policy, &evidence, document.verdict.evaluated_at);
    Ok(build(document.run.clone(), &policy, &evidence, &verdict))
}

/// The document with its policy and readings redacted, all else as it was.
fn replaced(document: &Document, pseudonyms: &mut Pseudonyms) -> Document {
    let mut copy = document.clone();
    leaf::walk(&mut copy.policy.resolved, &mut Vec::new(), pseudonyms);
    for check in &mut copy.checks {
        of_check(check, pseudonyms);
    }
    copy
}

fn of_check(check: &mut CheckDoc, pseudonyms: &mut Pseudonyms) {
    if let Some(reading) = &mut check.reading {
        leaf::walk(reading, &mut vec!["reading".to_owned()], pseudonyms);
    }
    if let Some(measured) = &mut check.measured {
        let found: Option<MeasuredDoc> = through(measured, pseudonyms);
        *measured = found.unwrap_or_else(|| measured.clone());
    }
    if let Some(not) = &mut check.not_measured {
        let found: Option<NotMeasured> = through(not, pseudonyms);
        *not = found.unwrap_or_else(|| NotMeasured {
            detail: String::new(),
            remedy: String::new(),
            ..not.clone()
        });
    }
}

/// A typed value through its JSON.
fn through<T: Serialize + for<'de> Deserialize<'de>>(value: &T, pseudonyms: &mut Pseudonyms) -> Option<T> {
    let mut json: Value = serde_json::to_value(value).ok()?;
    leaf::walk(&mut json, &mut Vec::new(), pseudonyms);
    serde_json::from_value(json).ok()
}

/// How each field of a report comes into its copy. What is neither made anew nor walked holds
/// no text of strangers: versions, ids, times, digests.
#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::v1::PolicyDoc;
    use super::*;

    fn fields<T: JsonSchema>() -> BTreeSet<String> {
        let schema = schemars::schema_for!(T).to_value();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[track_caller]
    fn are<T: JsonSchema>(known: &[&str]) {
        let known = known.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(fields::<T>(), known, "say here how a new field comes into a redacted copy");
    }

    /// `build` makes these anew from the redacted policy and readings, so a name that is not in
    /// those cannot be in these; `redact` puts the kept ones back.
    #[test]
    fn every_field_of_a_report_comes_into_its_copy_in_a_known_way() {
        let made = [
            "schema",
            "verdict",
            "event",
            "authorisation",
            "people",
            "accountable",
            "streams",
            "checks",
            "waivers",
            "not_asked",
            "codes",
            "policy",
            "close_out",
        ];
        let kept = ["golive", "run", "ledger", "again", "revises"];
        are::<Document>(&[&made[..], &kept, &["redacted"]].concat());
        are::<super::super::v1::RunDoc>(&[
            "id",
            "started",
            "finished",
            "interrupted",
            "resumed",
            "platform",
            "vantage",
        ]);
        are::<super::super::AgainDoc>(&["run", "issued", "report_sha256", "measured", "carried", "oldest"]);
        are::<crate::model::Vantage>(&["machine", "network"]);
        are::<super::super::v1::RevisesDoc>(&["report_sha256", "at", "role", "checks"]);
        are::<super::super::Ledger>(&["run", "runs", "head", "apart", "lines"]);
        are::<PolicyDoc>(&["sha256", "layers", "resolved"]);

        let walked = ["measured", "not_measured", "reading"];
        let judged_or_from_the_policy = [
            "id",
            "probe",
            "target",
            "path",
            "enforcement",
            "owner",
            "why",
            "asks",
            "misleads",
            "viewers",
            "limits",
            "outcome",
            "findings",
            "waiver",
            "expires",
            "series",
        ];
        are::<CheckDoc>(&[&walked[..], &judged_or_from_the_policy].concat());
    }
}

//! Puts the document together. Pure: what it says follows from its arguments alone.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::v1::{
    AccountableDoc, CheckDoc, Document, MeasuredDoc, NotAskedDoc, PolicyDoc, RunDoc, SCHEMA, StreamDoc,
    VerdictDoc, WaiverDoc, WaiverState,
};
use crate::evidence::{Evidence, Measured, Measurement};
use crate::judge::{self, Judged, Verdict};
use crate::model::{CheckId, Outcome, text};
use crate::policy::{Accepts, Check, Policy, Waiver};
use crate::probe::Kind;

/// The document of a run: what was asked, seen and judged, and by which policy.
///
/// `verdict` must come from evaluating `policy` and `evidence`; a check that it does not
/// hold is written as unknown.
pub fn build(run: RunDoc, policy: &Policy, evidence: &Evidence, verdict: &Verdict) -> Document {
    let judged: BTreeMap<&CheckId, &Judged> =
        verdict.checks.iter().map(|judged| (&judged.check, judged)).collect();
    let checks: Vec<CheckDoc> = policy
        .checks
        .iter()
        .map(|check| {
            let judged = judged.get(&check.id).copied();
            check_doc(policy, check, evidence.measurements.get(&check.id), judged)
        })
        .collect();
    Document {
        schema: SCHEMA.to_owned(),
        golive: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: VerdictDoc {
            word: verdict.word,
            exit_code: verdict.word.exit_code(),
            reasons: verdict.reasons.clone(),
            evaluated_at: verdict.evaluated_at,
            expires: verdict.expires,
        },
        run: RunDoc { interrupted: run.interrupted || evidence.interrupted, ..run },
        event: policy.event.clone(),
        authorisation: policy.authorisation.clone(),
        people: policy.people.iter().map(|(role, person)| (role.clone(), person.name.clone())).collect(),
        accountable: accountable(policy),
        streams: streams(policy),
        waivers: waivers(policy, verdict),
        not_asked: not_asked(policy),
        codes: codes(&checks),
        checks,
        policy: policy_doc(policy),
        ledger: None,
        close_out: policy.close_out.clone(),
        again: None,
        revises: None,
        redacted: None,
    }
}

fn check_doc(
    policy: &Policy,
    check: &Check,
    measurement: Option<&Measurement>,
    judged: Option<&Judged>,
) -> CheckDoc {
    let kind = check.question.kind();
    let about = kind.about();
    let result = measurement.map(|measurement| &measurement.result);
    let (reading, not_measured) = match result {
        Some(Measured::Reading(reading)) => (Some(reading), None),
        Some(Measured::NotMeasured(not_measured)) => (None, Some(not_measured.clone())),
        None => (None, None),
    };
    let waiver = judged.and_then(|judged| policy.waivers.get(judged.waived?));
    CheckDoc {
        id: check.id.clone(),
        probe: kind.name().to_owned(),
        target: check.question.brief(),
        path: check.path.clone(),
        enforcement: check.enforcement,
        owner: check.owner.clone(),
        why: check.why.clone(),
        asks: about.asks.to_owned(),
        misleads: about.misleads.to_owned(),
        viewers: kind.viewers().to_owned(),
        limits: check.question.limit_rows(),
        outcome: judged.map_or(Outcome::Unknown, |judged| judged.outcome),
        findings: judged.map(|judged| judged.findings.clone()).unwrap_or_default(),
        waiver: waiver.cloned(),
        expires: judged.and_then(|judged| judged.expires),
        measured: measurement.map(|measurement| MeasuredDoc {
            started: measurement.started,
            offset_ms: measurement.offset_ms,
            took_ms: measurement.took_ms,
            source: measurement.source.clone(),
        }),
        not_measured,
        reading: reading.and_then(|reading| serde_json::to_value(reading).ok()),
        series: reading.map(|reading| check.question.series(reading)).unwrap_or_default(),
    }
}

fn accountable(policy: &Policy) -> Vec<AccountableDoc> {
    let doc = |(area, role): (&_, &_)| AccountableDoc {
        area: Clone::clone(area),
        role: Clone::clone(role),
        name: policy.people.get(role).map(|person| person.name.clone()),
    };
    policy.accountable.iter().map(doc).collect()
}

fn streams(policy: &Policy) -> Vec<StreamDoc> {
    let doc = |(name, stream): (&crate::model::StreamName, &crate::policy::Stream)| {
        let need = stream.need();
        StreamDoc {
            name: name.clone(),
            to: stream.to.clone(),
            video_kbps: stream.video_kbps,
            audio_kbps: stream.audio_kbps,
            overhead: need.overhead,
            headroom: need.headroom,
            needed_kbps: need.required_kbps(),
        }
    };
    policy.streams.iter().map(doc).collect()
}

fn waivers(policy: &Policy, verdict: &Verdict) -> Vec<WaiverDoc> {
    let doc = |(index, waiver): (usize, &Waiver)| WaiverDoc {
        waiver: waiver.clone(),
        approver: policy.people.get(&waiver.by).map(|person| person.name.clone()),
        state: waiver_state(index, waiver, verdict),
    };
    policy.waivers.iter().enumerate().map(doc).collect()
}

fn waiver_state(index: usize, waiver: &Waiver, verdict: &Verdict) -> WaiverState {
    let judged = verdict.checks.iter().find(|judged| judged.check == waiver.check);
    if judged.is_some_and(|judged| judged.waived == Some(index)) {
        return WaiverState::InUse;
    }
    let accepted = match waiver.accepts {
        Accepts::Fail => Outcome::Fail,
        Accepts::Unknown => Outcome::Unknown,
    };
    if verdict.evaluated_at >= waiver.expires.at() {
        WaiverState::Expired
    } else if judged.is_some_and(|judged| judged.outcome == accepted) {
        WaiverState::WithoutEffect
    } else {
        WaiverState::NotNeeded
    }
}

fn not_asked(policy: &Policy) -> Vec<NotAskedDoc> {
    let asked = |kind: Kind| policy.checks.iter().any(|check| check.question.kind() == kind);
    let absent = Kind::ALL.iter().copied().filter(|kind| !asked(*kind));
    let doc = |kind: Kind| NotAskedDoc { probe: kind.name().to_owned(), asks: kind.about().asks.to_owned() };
    absent.map(doc).collect()
}

/// Meaning of each code that occurs.
fn codes(checks: &[CheckDoc]) -> BTreeMap<String, String> {
    let known = Kind::ALL.iter().flat_map(|kind| kind.codes()).chain(judge::CODES);
    let known: BTreeMap<&str, &str> = known.map(|code| (code.id, code.means)).collect();
    let used = checks.iter().flat_map(|check| &check.findings);
    used.filter_map(|finding| {
        let means = known.get(finding.code.as_str())?;
        Some((finding.code.clone(), (*means).to_owned()))
    })
    .collect()
}

fn policy_doc(policy: &Policy) -> PolicyDoc {
    let resolved = serde_json::to_value(policy).unwrap_or(Value::Null);
    PolicyDoc { sha256: policy_digest(&resolved), layers: policy.layers.clone(), resolved }
}

/// SHA-256 of a resolved policy as compact JSON, hexadecimal.
pub fn policy_digest(resolved: &Value) -> String {
    text::hex(Sha256::digest(resolved.to_string().as_bytes()))
}

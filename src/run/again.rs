//! Measuring some checks again and carrying the others from an earlier report: what may be carried.
//! Pure; the report has been verified before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::kept;
use crate::evidence::Measurement;
use crate::model::{Answer, CheckId, Vantage};
use crate::policy::Policy;
use crate::report::ledger::Entry;
use crate::report::{AgainDoc, Document, ReadError, judged_from, line, policy_digest};

/// What a run takes over.
#[derive(Debug, Clone)]
pub struct Carried {
    /// What the new report will say of it.
    pub again: AgainDoc,
    /// The readings.
    pub measurements: BTreeMap<CheckId, Measurement>,
    /// The event's ledger so far.
    pub ledger: Vec<Entry>,
}

/// An earlier report, with where it lies in its event.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// The report.
    pub document: &'a Document,
    /// SHA-256 of its file, hexadecimal.
    pub sha256: &'a str,
    /// The ledger that lies beside the runs.
    pub ledger: &'a [Entry],
}

/// Why nothing is carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum AgainError {
    /// No such check.
    #[error("the policy has no check {check}; it has: {known}")]
    UnknownCheck { check: CheckId, known: String },
    /// Nothing is left to carry.
    #[error("these are all checks of the policy: run golive check without --again")]
    All,
    /// A copy for others.
    #[error("this is a redacted copy: name the full report's folder")]
    Redacted,
    /// It never came to its end.
    #[error("run {0} was stopped before it was over: go on with it by `golive resume`")]
    Interrupted(String),
    /// Another policy.
    #[error(
        "the policy is not the one that run {run} was judged by (sha256 {then}…, now {now}…): run golive check"
    )]
    OtherPolicy { run: String, then: String, now: String },
    /// Another golive.
    #[error("run {run} was measured by golive {then}, this is {now}: run golive check")]
    OtherVersion { run: String, then: String, now: &'static str },
    /// It cannot be told where it was measured.
    #[error(
        "{0}, so that nobody can tell whether this is the same machine on the same network: run golive check"
    )]
    NoVantage(&'static str),
    /// Another machine.
    #[error("run {0} was measured on another machine: run golive check")]
    OtherMachine(String),
    /// Another network.
    #[error(
        "run {0} was measured from another network (interface, next router or own address differ): run golive check"
    )]
    OtherNetwork(String),
    /// Nobody keeps count.
    #[error(
        "the runs of this event are not kept count of ({0}), so that measuring again would hide what was: run golive check"
    )]
    NoLedger(String),
    /// There is a later one.
    #[error("run {run} of {at} came after it: name that one, whose word counts, or run golive check")]
    NotNewest { run: String, at: Timestamp },
    /// There is a later version of it.
    #[error("people answered it afterwards: name the folder of that version, such as RUN-v2")]
    Answered,
    /// The file of answers says something newer of what would be carried.
    #[error("what would be carried was answered otherwise since: {}; name these for --again, too", .0.iter().map(CheckId::as_str).collect::<Vec<_>>().join(", "))]
    AnsweredSince(Vec<CheckId>),
    /// Too old, or from before the window.
    #[error("{why}: {}; measure these again, too, or run golive check", .checks.iter().map(CheckId::as_str).collect::<Vec<_>>().join(", "))]
    TooOld { why: String, checks: Vec<CheckId> },
    /// It cannot be judged again.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What a run that measures `checks` again takes over from an earlier report; `vantage` is where this
/// machine stands now.
///
/// # Errors
/// Whatever makes the earlier readings say nothing of this network now: see [`AgainError`].
pub fn carry(
    from: From<'_>,
    policy: &Policy,
    checks: &BTreeSet<CheckId>,
    vantage: Option<&Vantage>,
    now: Timestamp,
) -> Result<Carried, AgainError> {
    if let Some(check) = checks.iter().find(|check| policy.check(check).is_none()) {
        let known: Vec<&str> = policy.checks.iter().map(|check| check.id.as_str()).collect();
        return Err(AgainError::UnknownCheck { check: check.clone(), known: known.join(", ") });
    }
    let document = from.document;
    same(document, policy, vantage)?;
    newest(document, from.ledger)?;
    let (_, evidence) = judged_from(document)?;
    let measurements: BTreeMap<CheckId, Measurement> =
        evidence.measurements.into_iter().filter(|(id, _)| !checks.contains(id)).collect();
    if measurements.is_empty() {
        return Err(AgainError::All);
    }
    young(policy, measurements.values(), now)?;
    let run = |id: &CheckId| {
        let before = document.again.as_ref().and_then(|again| again.carried.get(id));
        before.unwrap_or(&document.run.id).clone()
    };
    let again = AgainDoc {
        run: document.run.id.clone(),
        issued: document.verdict.evaluated_at,
        report_sha256: from.sha256.to_owned(),
        measured: policy
            .checks
            .iter()
            .map(|check| check.id.clone())
            .filter(|id| !measurements.contains_key(id))
            .collect(),
        carried: measurements.keys().map(|id| (id.clone(), run(id))).collect(),
        oldest: measurements.values().map(|measurement| measurement.started).min(),
    };
    Ok(Carried { again, measurements, ledger: from.ledger.to_vec() })
}

impl Carried {
    /// What people say now goes before what they said then.
    ///
    /// # Errors
    /// When an answer that would be carried is no longer the last one.
    pub fn holds_against(&self, answers: &[Answer]) -> Result<(), AgainError> {
        let since: Vec<CheckId> = self
            .measurements
            .iter()
            .filter(|(_, measurement)| kept::overtaken(measurement, answers))
            .map(|(check, _)| check.clone())
            .collect();
        if since.is_empty() { Ok(()) } else { Err(AgainError::AnsweredSince(since)) }
    }
}

/// The same questions, asked by the same golive, from the same place.
fn same(document: &Document, policy: &Policy, vantage: Option<&Vantage>) -> Result<(), AgainError> {
    let run = || line(&document.run.id);
    if document.redacted.is_some() {
        return Err(AgainError::Redacted);
    }
    if document.run.interrupted {
        return Err(AgainError::Interrupted(run()));
    }
    let digest = policy_digest(&serde_json::to_value(policy).unwrap_or_default());
    if document.policy.sha256 != digest {
        let short = |digest: &str| digest.chars().take(12).collect();
        let (then, now) = (short(&document.policy.sha256), short(&digest));
        return Err(AgainError::OtherPolicy { run: run(), then, now });
    }
    let own = env!("CARGO_PKG_VERSION");
    if document.golive != own {
        return Err(AgainError::OtherVersion { run: run(), then: line(&document.golive), now: own });
    }
    let Some(then) = &document.run.vantage else {
        return Err(AgainError::NoVantage("the earlier report does not keep from where it was measured"));
    };
    match vantage {
        None => Err(AgainError::NoVantage("this system does not tell where it stands")),
        Some(here) if here.machine != then.machine => Err(AgainError::OtherMachine(run())),
        Some(here) if here != then => Err(AgainError::OtherNetwork(run())),
        Some(_) => Ok(()),
    }
}

/// Only the last word of an event is gone on with: an older one could hide what came after it.
fn newest(document: &Document, beside: &[Entry]) -> Result<(), AgainError> {
    let none = |why: &str| AgainError::NoLedger(why.to_owned());
    let own = document.ledger.as_ref().ok_or_else(|| none("the earlier report carries no ledger"))?;
    if let Some(apart) = &own.apart {
        return Err(AgainError::NoLedger(line(apart)));
    }
    let later = beside
        .strip_prefix(own.lines.as_slice())
        .ok_or_else(|| none("the ledger beside the runs does not hold the earlier one"))?;
    match later.iter().find(|line| line.step.outcome().is_some()) {
        Some(later) if later.run == document.run.id => Err(AgainError::Answered),
        Some(later) => Err(AgainError::NotNewest { run: line(&later.run), at: later.at }),
        None => Ok(()),
    }
}

/// Readings that are no older than the policy lets them be, and were taken within the window of its
/// authorisation.
///
/// # Errors
/// [`AgainError::TooOld`], with the checks.
pub fn young<'a>(
    policy: &Policy,
    measurements: impl Iterator<Item = &'a Measurement>,
    now: Timestamp,
) -> Result<(), AgainError> {
    let window = policy.authorisation.as_ref().and_then(|given| given.window.as_ref());
    let most = policy.again.oldest();
    let (mut old, mut ahead, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for measurement in measurements {
        let (id, at) = (measurement.check.clone(), measurement.started);
        if now.duration_since(at) > policy.again.span() {
            old.push(id);
        } else if at > now {
            ahead.push(id);
        } else if window.is_some_and(|window| at < window.from.at()) {
            before.push(id);
        }
    }
    let all = [
        (format!("measured more than {most} ago"), old),
        ("measured later than this machine's clock says that it is".to_owned(), ahead),
        ("measured before the window of [authorisation] began".to_owned(), before),
    ];
    match all.into_iter().find(|(_, checks)| !checks.is_empty()) {
        Some((why, checks)) => Err(AgainError::TooOld { why, checks }),
        None => Ok(()),
    }
}

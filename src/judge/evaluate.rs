//! The verdict table of the design, section 7.

use jiff::{SignedDuration, Timestamp};

use super::{EMPTY, FUTURE, Judged, MISMATCH, OTHER_SLOT, Rank, Reason, STALE, Verdict, Word};
use crate::evidence::{Evidence, Measured, Measurement};
use crate::model::{Enforcement, Finding, Outcome};
use crate::policy::{Accepts, Check, Policy, Slot, Waiver};

/// How far a reading may lie ahead of `now` before a clock is called wrong.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

/// Judges a run: worst wins, no averages, first row of the table that holds.
pub fn evaluate(policy: &Policy, evidence: &Evidence, now: Timestamp) -> Verdict {
    let slot = Slot::of(&policy.event);
    let checks: Vec<Judged> = policy
        .checks
        .iter()
        .map(|check| {
            let mut judged = judge_one(check, evidence.measurements.get(&check.id), slot.as_ref(), now);
            judged.waived = waiver(policy, check, &judged, now);
            judged
        })
        .collect();
    let mut reasons: Vec<Reason> = policy
        .checks
        .iter()
        .zip(&checks)
        .filter_map(|(check, judged)| reason(policy, check, judged))
        .collect();
    let evaluated = policy.checks.iter().zip(&checks).any(|(check, judged)| {
        check.enforcement.required()
            && matches!(judged.outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail)
    });
    if !evaluated {
        reasons.push(whole("nothing that the policy requires was measured"));
    }
    if evidence.interrupted {
        reasons.push(whole("the run was stopped before it was over"));
    }
    reasons.sort_by_key(|reason| reason.rank);
    let word = match reasons.first().map(|reason| reason.rank) {
        _ if !evaluated => Word::Inconclusive,
        Some(Rank::Blocks) => Word::NoGo,
        Some(Rank::Unknown) => Word::Inconclusive,
        Some(Rank::Condition) => Word::ConditionalGo,
        None => Word::Go,
    };
    let expires = expiry(policy, &checks);
    Verdict { word, reasons, checks, evaluated_at: now, expires }
}

/// Judges one check's measurement, waivers apart. `None` = never measured; `slot` is the event's,
/// if it has one.
pub fn judge_one(
    check: &Check,
    measurement: Option<&Measurement>,
    slot: Option<&Slot>,
    now: Timestamp,
) -> Judged {
    let unknown = Judged {
        check: check.id.clone(),
        outcome: Outcome::Unknown,
        findings: Vec::new(),
        waived: None,
        expires: None,
    };
    let Some(measurement) = measurement else { return unknown };
    let Measured::Reading(reading) = &measurement.result else { return unknown };
    let Some(mut findings) = check.question.judge(reading) else {
        let seen = reading.kind().name();
        let finding = Finding::unknown(MISMATCH, check.question.kind().name(), seen, "run this check again");
        return Judged { findings: vec![finding], ..unknown };
    };
    if findings.is_empty() {
        findings.push(Finding::unknown(
            EMPTY,
            "something to judge",
            "an empty reading",
            "run this check again",
        ));
    }
    let as_of = reading.as_of().unwrap_or(measurement.started);
    let expires = as_of.saturating_add(check.valid_for()).unwrap_or(Timestamp::MAX);
    let expires = reading.until().map_or(expires, |until| expires.min(until));
    findings.extend(age(as_of, expires, now));
    if check.same_slot {
        findings.extend(other_slot(as_of, slot));
    }
    let outcome =
        findings.iter().map(|finding| Outcome::from(finding.effect)).max().unwrap_or(Outcome::Unknown);
    Judged { outcome, findings, expires: Some(expires), ..unknown }
}

/// Measured at another weekday or hour than the event's: it says little of the event.
fn other_slot(as_of: Timestamp, slot: Option<&Slot>) -> Option<Finding> {
    let remedy = "measure again at the event's weekday and hour";
    let Some(slot) = slot else {
        let expected = "measured at the event's weekday and hour";
        return Some(Finding::warn(OTHER_SLOT, expected, "the event's time is not known", remedy));
    };
    (!slot.holds(as_of)).then(|| {
        let expected = format!("measured on a {}", slot.words());
        Finding::warn(OTHER_SLOT, expected, format!("measured on a {}", slot.shown(as_of)), remedy)
    })
}

/// Too old, or from the future: neither may count as a pass.
fn age(as_of: Timestamp, expires: Timestamp, now: Timestamp) -> Option<Finding> {
    if as_of.duration_since(now) > CLOCK_SLACK {
        let expected = format!("measured before {now}");
        return Some(Finding::unknown(
            FUTURE,
            expected,
            as_of.to_string(),
            "set this machine's clock, then run again",
        ));
    }
    (now > expires).then(|| {
        let expected = format!("measured in time to count until {now}");
        Finding::unknown(
            STALE,
            expected,
            format!("measured {as_of}, counted until {expires}"),
            "run this check again",
        )
    })
}

/// Index of a waiver that covers this outcome now.
fn waiver(policy: &Policy, check: &Check, judged: &Judged, now: Timestamp) -> Option<usize> {
    let accepts = match judged.outcome {
        Outcome::Fail => Accepts::Fail,
        Outcome::Unknown => Accepts::Unknown,
        Outcome::NotApplicable | Outcome::Pass | Outcome::Warn => return None,
    };
    if check.enforcement == Enforcement::Hard {
        return None;
    }
    policy.waivers.iter().position(|waiver| {
        waiver.check == check.id
            && waiver.accepts == accepts
            && within(waiver, judged)
            && now < waiver.expires.at()
            && waiver.granted.as_ref().is_none_or(|granted| now >= granted.at())
            && policy.people.contains_key(&waiver.by)
    })
}

/// True when everything that went wrong is what the waiver accepts. Of what could not be measured
/// at all there is no finding, so that a waiver of some findings does not cover it.
fn within(waiver: &Waiver, judged: &Judged) -> bool {
    let mut wrong =
        judged.findings.iter().filter(|finding| Outcome::from(finding.effect) >= Outcome::Unknown).peekable();
    waiver.scope.is_empty()
        || wrong.peek().is_some() && wrong.all(|finding| waiver.scope.contains(&finding.code))
}

/// How much an outcome weighs against GO; `None` when it does not.
pub const fn weight(enforcement: Enforcement, outcome: Outcome, waived: bool) -> Option<Rank> {
    match outcome {
        Outcome::NotApplicable | Outcome::Pass => None,
        Outcome::Warn => Some(Rank::Condition),
        _ if waived || !enforcement.required() => Some(Rank::Condition),
        Outcome::Fail => Some(Rank::Blocks),
        Outcome::Unknown => Some(Rank::Unknown),
    }
}

/// Why a check keeps the verdict from GO, if it does.
fn reason(policy: &Policy, check: &Check, judged: &Judged) -> Option<Reason> {
    let waiver = judged.waived.and_then(|index| policy.waivers.get(index));
    let rank = weight(check.enforcement, judged.outcome, waiver.is_some())?;
    let id = &check.id;
    let what = if judged.outcome == Outcome::Fail { "failed" } else { "could not be established" };
    let text = match waiver {
        _ if judged.outcome == Outcome::Warn => format!("{id} warns"),
        Some(waiver) => {
            format!("{id} {what}; accepted by {} until {}: {}", waiver.by, waiver.expires, waiver.reason)
        }
        None if !check.enforcement.required() => format!("{id} (advisory) {what}"),
        None => format!("{id} {what}"),
    };
    Some(Reason { rank, check: Some(check.id.clone()), text })
}

fn whole(text: &str) -> Reason {
    Reason { rank: Rank::Unknown, check: None, text: text.to_owned() }
}

/// The earliest expiry of what the verdict rests on: required evidence and waivers in use.
fn expiry(policy: &Policy, checks: &[Judged]) -> Option<Timestamp> {
    let evidence = policy.checks.iter().zip(checks).filter(|(check, _)| check.enforcement.required());
    let waivers = checks
        .iter()
        .filter_map(|judged| policy.waivers.get(judged.waived?))
        .map(|waiver| waiver.expires.at());
    evidence.filter_map(|(_, judged)| judged.expires).chain(waivers).min()
}

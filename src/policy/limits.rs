//! Limits and addresses that nothing can meet.

use url::Url;

use super::{Policy, keyed};
use crate::model::Stakes;
use crate::probe::Question;

/// What is wrong with a question's limits and target: key and why.
pub(super) fn problems(question: &Question, policy: &Policy, stakes: &Stakes) -> Vec<(String, String)> {
    let impossible = question.impossible().into_iter().map(|(field, why)| (field.to_owned(), why));
    let mut problems: Vec<(String, String)> = impossible.collect();
    for row in question.limit_rows() {
        if let Some(why) = out_of_range(&row.field, &row.bound)
            && problems.iter().all(|(field, _)| *field != row.field)
        {
            problems.push((row.field, why.to_owned()));
        }
    }
    problems.extend(keyed::in_target(question));
    let own = question.problems(&policy.far_ends, stakes);
    problems.extend(own.into_iter().map(|problem| (problem.field.to_owned(), problem.what)));
    problems
}

/// The one share that is of a time, not of what is lost: 1 is all the time that there is.
const OF_TIME: &str = "segment_share";

/// Bounds that the unit of a limit rules out; the unit is the end of its key.
fn out_of_range(field: &str, bound: &str) -> Option<&'static str> {
    let (comparison, value) = bound.split_once(' ')?;
    let value: f64 = value.parse().ok()?;
    let unit = field.rsplit('_').next()?;
    match unit {
        "share" if value > 1.0 => Some("is a share, from 0 to 1: write 0.02 for 2 %"),
        "share" if comparison == "≤" && value >= 1.0 && field != OF_TIME => {
            Some("lets all be lost; it is a share, from 0 to 1: write 0.01 for 1 %")
        }
        "percent" if value > 100.0 => Some("is more than 100 %"),
        "ms" if comparison == "≤" && value <= 0.0 && !counts_up_from_zero(field) => {
            Some("of 0 ms: nothing is that fast")
        }
        "kbps" if comparison == "≥" && value > MAX_KBPS => {
            Some("is more than any line carries; the unit is kb/s")
        }
        _ => None,
    }
}

/// Times that can be 0 in a good reading: nothing stalled, nothing varied.
fn counts_up_from_zero(field: &str) -> bool {
    ["stall", "gap", "burst", "jitter", "variation"].iter().any(|word| field.contains(word))
}

/// 1 Tb/s.
const MAX_KBPS: f64 = 1e9;

/// Why a stream cannot be sent to this address, if so. Never repeats the address: it may
/// hold a key.
pub(super) fn bad_destination(to: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(to) else { return Some("this is no address of an ingest") };
    if !matches!(url.scheme(), "rtmp" | "rtmps" | "srt" | "rist" | "http" | "https") {
        return Some("streams go to rtmp, rtmps, srt, rist or https addresses");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Some("the address has no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("the address holds a user name or password, which does not belong in a policy");
    }
    if keyed::in_destination(&url) {
        return Some("the address holds a key, which does not belong in a policy");
    }
    None
}

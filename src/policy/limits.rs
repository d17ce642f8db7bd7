//! Limits and addresses that nothing can meet.

use url::Url;

use super::Policy;
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
    problems.extend(key_in_target(question));
    let own = question.problems(&policy.far_ends, stakes);
    problems.extend(own.into_iter().map(|problem| (problem.field.to_owned(), problem.what)));
    problems
}

/// True when an RTMP address goes on after its application with what looks like a stream
/// key: those of the platforms are long and hold digits.
fn holds_key(url: &Url) -> bool {
    let looks = |segment: &str| segment.len() >= 12 && segment.bytes().any(|c| c.is_ascii_digit());
    url.scheme().starts_with("rtmp") && url.path_segments().is_some_and(|path| path.skip(1).any(looks))
}

/// A stream key in a target's address would end in every report.
fn key_in_target(question: &Question) -> Option<(String, String)> {
    let question = serde_json::to_value(question).ok()?;
    let address = question[question.as_object()?.keys().next()?.as_str()]["target"]["url"].as_str()?;
    let url = Url::parse(address).ok()?;
    let what = "holds what looks like a stream key: leave it out, and name a test key where it is needed";
    holds_key(&url).then(|| ("url".to_owned(), what.to_owned()))
}

/// Bounds that the unit of a limit rules out; the unit is the end of its key.
fn out_of_range(field: &str, bound: &str) -> Option<&'static str> {
    let (comparison, value) = bound.split_once(' ')?;
    let value: f64 = value.parse().ok()?;
    let unit = field.rsplit('_').next()?;
    match unit {
        "share" if value > 1.0 => Some("is a share, from 0 to 1: write 0.02 for 2 %"),
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
    let keyed =
        |(key, _): (std::borrow::Cow<'_, str>, _)| matches!(key.as_ref(), "passphrase" | "streamid" | "key");
    if url.query_pairs().any(keyed) || holds_key(&url) {
        return Some("the address holds a key, which does not belong in a policy");
    }
    None
}

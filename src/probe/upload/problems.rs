//! What cannot be right in a target and its limits.

use std::collections::BTreeMap;

use super::super::Problem;
use super::Ingest;
use super::judge::{Planned, cap_to_show};
use super::target::needed;
use super::{Limits, Over, SHORTEST_GAP_MS, Target, To};
use crate::media::MOST_KBPS;
use crate::model::{FarEnd, FarEndName, Publish, Stakes};
use crate::wire::http::Verb;
use crate::wire::rtmp::address::Address;

/// Shortest and longest test, in seconds.
const SECONDS: std::ops::RangeInclusive<u32> = 5..=3600;
/// Slowest and fastest test, in kb/s. Below, single packets would look like gaps.
const KBPS: std::ops::RangeInclusive<u64> = 300..=100_000_000;
/// Connections at once.
const STREAMS: std::ops::RangeInclusive<u32> = 1..=16;
/// Fastest test stream to an ingest, in kb/s.
const INGEST_KBPS: u64 = MOST_KBPS / 106 * 100;
/// How far the test's cap must lie above what is asked of it: what is paced to a rate
/// arrives a little below it.
const ROOM: f64 = 1.05;

/// Who is asked, how long and how fast.
fn asked(
    target: &Target,
    far_ends: &BTreeMap<FarEndName, FarEnd>,
    say: &mut impl FnMut(&'static str, String),
) {
    match target.to() {
        None => say("far_end", "name exactly one of `far_end`, `iperf3`, `https` and `ingest`".to_owned()),
        Some(To::FarEnd(name)) if !far_ends.contains_key(name) => {
            let known: Vec<&str> = far_ends.keys().map(FarEndName::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            say("far_end", format!("the policy has no [far_end.{name}]; it has: {known}"));
        }
        Some(_) => {}
    }
    if !SECONDS.contains(&target.seconds) {
        let what =
            format!("{} is not within {} to {} seconds", target.seconds, SECONDS.start(), SECONDS.end());
        say("seconds", what);
    }
    if !KBPS.contains(&target.at_most_kbps) {
        let what = format!("{} is not within {} to {} kb/s", target.at_most_kbps, KBPS.start(), KBPS.end());
        say("at_most_kbps", what);
    }
    if let Some(To::Ingest(ingest)) = target.to() {
        of_ingest(target, ingest, say);
    }
    if matches!(target.to(), Some(To::Https(_))) {
        if target.transport == Over::Udp {
            say("transport", "an HTTPS upload is TCP: leave it out".to_owned());
        }
        if target.streams != 1 {
            say("streams", "an HTTPS upload is one connection: leave it out".to_owned());
        }
    } else if target.verb != Verb::Put {
        say("verb", "is of an HTTPS upload only: leave it out".to_owned());
    }
    if !STREAMS.contains(&target.streams) {
        say("streams", format!("{} to {} connections are possible", STREAMS.start(), STREAMS.end()));
    } else if target.transport == Over::Udp && target.streams != 1 {
        say("streams", "datagrams go as one stream: leave it out".to_owned());
    }
}

fn of_ingest(target: &Target, ingest: &Ingest, say: &mut impl FnMut(&'static str, String)) {
    if let Err(why) = Address::parse(&ingest.url) {
        say("ingest", format!("{why}; what an SRT ingest takes, a rehearsal shows"));
    }
    if ingest.publish == Publish::Never {
        let what = "this sends a test stream: say `publish = \"test\"`, and name a test key that no audience \
                    watches";
        say("ingest", what.to_owned());
    }
    if target.transport == Over::Udp {
        say("transport", "RTMP is TCP: leave it out".to_owned());
    } else if target.streams != 1 {
        say("streams", "a test stream is one connection: leave it out".to_owned());
    }
    if target.at_most_kbps > INGEST_KBPS {
        say("at_most_kbps", format!("a test stream has at most {INGEST_KBPS} kb/s"));
    }
}

pub(super) fn problems(
    target: &Target,
    limits: &Limits,
    far_ends: &BTreeMap<FarEndName, FarEnd>,
    stakes: &Stakes,
) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |field, what: String| found.push(Problem { field, what });
    asked(target, far_ends, &mut say);
    planned(target, limits, stakes, &mut say);
    rates(target, limits, stakes, &mut say);
    caps(target, limits, &mut say);
    pauses(target, limits, &mut say);
    if let Some(duration) = limits.duration_s.filter(|duration| duration.0 > target.seconds) {
        let what = format!("a test of {} s cannot last {} s: raise `seconds`", target.seconds, duration.0);
        say("duration_s", what);
    }
    if limits.gap_risk.is_some_and(|risk| !(risk.0 > 0.0 && risk.0 < 1.0)) {
        say("gap_risk", "is a chance between 0 and 1; no time of watching proves 0".to_owned());
    }
    if limits.worst_10s_kbps.is_some() && target.seconds < 12 {
        say(
            "worst_10s_kbps",
            "needs a test of 12 s or more, since the first 2 s are TCP's start-up".to_owned(),
        );
    }
    found
}

/// What is said of the planned stream must not be easier to carry than the stream itself.
fn planned(target: &Target, limits: &Limits, stakes: &Stakes, say: &mut impl FnMut(&'static str, String)) {
    if let Some((said, event)) = limits.stream_s.map(|said| said.0).zip(stakes.event_seconds)
        && said < event
    {
        say("stream_s", format!("{said} s is less than the {event} s that the event lasts; leave it out"));
    }
    let Some(name) = &target.stream else { return };
    let Some(stream) = stakes.streams.get(name) else {
        return say("stream", format!("the policy has no [stream.{name}]"));
    };
    let wire = stream.wire_kbps();
    if let Some(said) = limits.stream_kbps.map(|said| said.0).filter(|said| *said < wire) {
        let what = format!(
            "{said} kb/s is less than the {wire} kb/s that the stream puts on the wire; leave it out"
        );
        say("stream_kbps", what);
    }
    let Some(said) = limits.stream_latency_ms.map(|said| said.0) else { return };
    match stream.latency_ms.map(u64::from) {
        None => {
            say(
                "stream_latency_ms",
                "is SRT's, and the stream does not go over SRT: leave it out".to_owned(),
            );
        }
        Some(planned) if said > planned => {
            let what = format!("{said} ms is more than the {planned} ms that the stream has; leave it out");
            say("stream_latency_ms", what);
        }
        Some(_) => {}
    }
}

fn rates(target: &Target, limits: &Limits, stakes: &Stakes, say: &mut impl FnMut(&'static str, String)) {
    let asked = limits.rate_kbps.map(|rate| rate.0);
    let needed = needed(target, stakes);
    if let (Some(asked), Some(needed)) = (asked, needed)
        && asked < needed
    {
        say(
            "rate_kbps",
            format!("{asked} kb/s is less than the {needed} kb/s that the stream needs; leave it out"),
        );
    }
    if let Some(bare) = target.stop_below_kbps
        && asked.max(needed).is_none_or(|asked| bare > asked)
    {
        let what =
            format!("{bare} kb/s is more than `rate_kbps` asks: a test that may yet pass must not end");
        say("stop_below_kbps", what);
    }
    let others = [limits.worst_10s_kbps, limits.stream_kbps].map(|rate| rate.map(|rate| rate.0));
    let most = others.into_iter().fold(asked.max(needed), Option::max);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bit rates are far below 2^52 and positive"
    )]
    let least_cap = most.map(|most| (most as f64 * ROOM).ceil() as u64);
    if let Some(least) = least_cap.filter(|least| target.at_most_kbps < *least) {
        let what = format!(
            "a test of at most {} kb/s cannot show the {} kb/s that it is held against: allow {least} or more",
            target.at_most_kbps,
            most.unwrap_or_default()
        );
        say("at_most_kbps", what);
    }
}

/// Whether the test may send enough to show a keyframe pass.
fn caps(target: &Target, limits: &Limits, say: &mut impl FnMut(&'static str, String)) {
    let hidden = Planned::of(limits).filter(|planned| !planned.fits(target.at_most_kbps));
    if let Some((planned, least)) = hidden.and_then(|planned| Some((planned, planned.least_kbps()?))) {
        let what = format!(
            "a test of at most {} kb/s cannot show that a keyframe passes within {} ms of SRT's latency: allow {} \
             or more, or plan more latency",
            target.at_most_kbps,
            planned.latency_ms,
            cap_to_show(least)
        );
        say("at_most_kbps", what);
    }
}

fn pauses(target: &Target, limits: &Limits, say: &mut impl FnMut(&'static str, String)) {
    if let Some(stall) = limits.stall_ms.filter(|stall| stall.0 < SHORTEST_GAP_MS) {
        let what =
            format!("{} ms cannot be seen: pauses shorter than {SHORTEST_GAP_MS} ms are not kept", stall.0);
        say("stall_ms", what);
    }
    let gaps = [limits.stall_ms, limits.gaps_over_200ms, limits.gaps_over_700ms, limits.gaps_over_2s];
    if target.stream.is_none() && limits.stream_kbps.is_none() && gaps.iter().all(Option::is_none) {
        let what = "name the stream that is planned, or set `stall_ms`: else no gap would count, and gaps kill streams";
        say("stream", what.to_owned());
    }
}

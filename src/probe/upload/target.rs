//! What to send, where, and what cannot be right in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Problem;
use super::judge::{Planned, cap_to_show};
use super::{HttpsUrl, Limits, Over};
use crate::media::MOST_KBPS;
use crate::model::{
    AtLeast, AtMost, FarEnd, FarEndName, HostPort, Publish, SecretSource, Stakes, StreamName, text,
};
use crate::net::congestion::Congestion;
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

/// An RTMP ingest, and what it may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    /// `rtmp://` or `rtmps://`, with its application and without a key.
    pub url: String,
    /// Whether it may be sent a test stream: `test`, or nothing is sent.
    #[serde(default)]
    pub publish: Publish,
    /// The stream key to publish under: one that no audience watches.
    pub test_key: SecretSource,
}

/// What to send, and where: exactly one of `far_end`, `iperf3`, `https` and `ingest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The far end that counts, every 100 ms: the best witness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarEndName>,
    /// `host:port` of an iperf3 server (3.1 or later). It tells its sum at the end only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iperf3: Option<HostPort>,
    /// `https://…` that takes uploads (nginx with `dav_methods PUT`, a speed test's sink). It
    /// answers at the end only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<HttpsUrl>,
    /// The stream's own ingest: takes a test stream of `at_most_kbps`, as fast as the line does. It counts
    /// nothing back. What an SRT ingest takes, a rehearsal shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingest: Option<Box<Ingest>>,
    /// How to upload over HTTPS: `put` (also when left out) or `post`.
    #[serde(default, skip_serializing_if = "is_put")]
    pub verb: Verb,
    /// How long to send, in seconds (5 to 3600): a minute at least, ten before a show.
    #[schemars(range(min = 5, max = 3600))]
    pub seconds: u32,
    /// Sends no faster than this, in kb/s: what others on the line are spared. Datagrams are sent
    /// at exactly this rate.
    pub at_most_kbps: u64,
    /// `tcp` (also when left out) or `udp`.
    #[serde(default, skip_serializing_if = "is_tcp")]
    pub transport: Over,
    /// TCP connections at once (1 to 16); 1 when left out, as an encoder has.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 16))]
    pub streams: u32,
    /// The congestion control to send with; encoders have CUBIC.
    #[serde(default)]
    pub congestion: Congestion,
    /// The stream whose need the limit `rate_kbps` is derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
    /// A rate in kb/s without which the stream cannot live: three quarters of its own bit rate, without
    /// protocol overhead or headroom, when left out. A test that can no longer show it ends early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_below_kbps: Option<u64>,
}

pub(super) const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(super) const fn is_one(streams: &u32) -> bool {
    *streams == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_put(verb: &Verb) -> bool {
    matches!(verb, Verb::Put)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(super) const fn is_tcp(over: &Over) -> bool {
    matches!(over, Over::Tcp)
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<'a> {
    /// A far end of the policy.
    FarEnd(&'a FarEndName),
    /// An iperf3 server.
    Iperf3(&'a HostPort),
    /// An address that takes uploads.
    Https(&'a HttpsUrl),
    /// An ingest that may be sent a test stream.
    Ingest(&'a Ingest),
}

impl Target {
    /// One connection to nobody yet, as an encoder would.
    const fn bare(seconds: u32, at_most_kbps: u64) -> Self {
        Self {
            far_end: None,
            iperf3: None,
            https: None,
            ingest: None,
            verb: Verb::Put,
            seconds,
            at_most_kbps,
            transport: Over::Tcp,
            streams: 1,
            congestion: Congestion::Cubic,
            stream: None,
            stop_below_kbps: None,
        }
    }

    /// One connection to a far end, as an encoder would: for tests and tools.
    pub fn to_far_end(far_end: FarEndName, seconds: u32, at_most_kbps: u64) -> Self {
        Self { far_end: Some(far_end), ..Self::bare(seconds, at_most_kbps) }
    }

    /// The same to an iperf3 server.
    pub fn to_iperf3(server: HostPort, seconds: u32, at_most_kbps: u64) -> Self {
        Self { iperf3: Some(server), ..Self::bare(seconds, at_most_kbps) }
    }

    /// The same to an address that takes uploads.
    pub fn to_https(url: HttpsUrl, seconds: u32, at_most_kbps: u64) -> Self {
        Self { https: Some(url), ..Self::bare(seconds, at_most_kbps) }
    }

    /// The same to an ingest.
    pub fn to_ingest(ingest: Ingest, seconds: u32, at_most_kbps: u64) -> Self {
        Self { ingest: Some(Box::new(ingest)), ..Self::bare(seconds, at_most_kbps) }
    }

    /// Who is asked; `None` when the target names none or several.
    pub fn to(&self) -> Option<To<'_>> {
        match (&self.far_end, &self.iperf3, &self.https, &self.ingest) {
            (Some(far_end), None, None, None) => Some(To::FarEnd(far_end)),
            (None, Some(server), None, None) => Some(To::Iperf3(server)),
            (None, None, Some(url), None) => Some(To::Https(url)),
            (None, None, None, Some(ingest)) => Some(To::Ingest(ingest)),
            _ => None,
        }
    }

    /// Host and port that data goes to.
    pub(super) fn place(&self, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Option<(String, u16)> {
        match self.to()? {
            To::FarEnd(name) => {
                let (host, port) = far_ends.get(name)?.host_port()?;
                Some((host.to_owned(), port))
            }
            To::Iperf3(server) => Some((server.host.clone(), server.port)),
            To::Https(url) => Some((url.host().to_owned(), url.port())),
            To::Ingest(ingest) => {
                Address::parse(&ingest.url).ok().map(|address| (address.host, address.port))
            }
        }
    }

    /// The other side, for people.
    pub(super) fn peer(&self) -> String {
        match self.to() {
            Some(To::FarEnd(name)) => name.to_string(),
            Some(To::Iperf3(server)) => format!("iperf3 {server}"),
            Some(To::Https(url)) => url.to_string(),
            Some(To::Ingest(ingest)) => text::escape(&ingest.url).into_owned(),
            None => "nobody".to_owned(),
        }
    }
}

pub(super) fn needed(target: &Target, stakes: &Stakes) -> Option<u64> {
    let stream = stakes.streams.get(target.stream.as_ref()?)?;
    Some(stream.required_kbps())
}

/// What the planned stream is, where the policy leaves it open.
pub(super) fn derive_stream(target: &Target, limits: &mut Limits, stakes: &Stakes) {
    let Some(stream) = target.stream.as_ref().and_then(|name| stakes.streams.get(name)) else { return };
    limits.stream_kbps = limits.stream_kbps.or(Some(AtLeast(stream.wire_kbps())));
    let latency = stream.latency_ms.map(|ms| AtMost(u64::from(ms)));
    limits.stream_latency_ms = limits.stream_latency_ms.or(latency);
    limits.stream_s = limits.stream_s.or(stakes.event_seconds.map(AtLeast));
}

/// A rate with which the stream cannot live: a line that carries less falls behind by a second in four, which
/// no queue and no latency hides until a test ends early.
pub(super) fn hopeless(target: &Target, stakes: &Stakes) -> Option<u64> {
    Some(stakes.streams.get(target.stream.as_ref()?)?.media_kbps / 4 * 3)
}

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
    if let Some(stream) = target.stream.as_ref().filter(|stream| !stakes.streams.contains_key(*stream)) {
        say("stream", format!("the policy has no [stream.{stream}]"));
    }
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
    let most = asked.max(needed).max(limits.worst_10s_kbps.map(|rate| rate.0));
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
    let keyframe = Planned::of(limits).filter(|planned| !planned.fits(target.at_most_kbps));
    if let Some((planned, least)) = keyframe.and_then(|planned| Some((planned, planned.least_kbps()?))) {
        let what = format!(
            "a test of at most {} kb/s cannot show that a keyframe passes within {} ms of SRT's latency: allow {} \
             or more, or plan more latency",
            target.at_most_kbps,
            planned.latency_ms,
            cap_to_show(least)
        );
        say("at_most_kbps", what);
    }
    if let Some(duration) = limits.duration_s.filter(|duration| duration.0 > target.seconds) {
        let what = format!("a test of {} s cannot last {} s: raise `seconds`", target.seconds, duration.0);
        say("duration_s", what);
    }
    let gaps = [limits.stall_ms, limits.gaps_over_200ms, limits.gaps_over_700ms, limits.gaps_over_2s];
    if target.stream.is_none() && limits.stream_kbps.is_none() && gaps.iter().all(Option::is_none) {
        let what = "name the stream that is planned, or set `stall_ms`: else no gap would count, and gaps kill streams";
        say("stream", what.to_owned());
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

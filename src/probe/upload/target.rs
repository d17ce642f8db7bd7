//! What to send, and where.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HttpsUrl, Limits, Over};
use crate::model::{
    AtLeast, AtMost, FarEnd, FarEndName, HostPort, Publish, SecretSource, Stakes, StreamName, text,
};
use crate::net::congestion::Congestion;
use crate::wire::http::Verb;
use crate::wire::rtmp::address::Address;

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
    if let Some(stream) = target.stream.as_ref().and_then(|name| stakes.streams.get(name)) {
        limits.stream_kbps = limits.stream_kbps.or(Some(AtLeast(stream.wire_kbps())));
        let latency = stream.latency_ms.map(|ms| AtMost(u64::from(ms)));
        limits.stream_latency_ms = limits.stream_latency_ms.or(latency);
    }
    if limits.stream_kbps.is_some() {
        limits.stream_s = limits.stream_s.or(stakes.event_seconds.map(AtLeast));
    }
}

/// A rate with which the stream cannot live: a line that carries less falls behind by a second in four, which
/// no queue and no latency hides until a test ends early.
pub(super) fn hopeless(target: &Target, stakes: &Stakes) -> Option<u64> {
    Some(stakes.streams.get(target.stream.as_ref()?)?.media_kbps / 4 * 3)
}

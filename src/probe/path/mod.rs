//! `path`: delay, jitter, loss, bursts, order, at the packet rate and size of the stream.
//!
//! # Asks
//! What happens to a steady stream of packets there and back: STAMP (RFC 8762) over UDP to a
//! far end or to a router's own reflector, or ICMP echo.
//! # Why it matters
//! Loss and jitter decide which latency SRT needs and whether RTMP keeps up; averages hide the
//! bursts that break a picture.
//! # How it can mislead
//! Seconds of measuring miss what happens once an hour: gaps need minutes, at the event's hour.
//! ICMP is often slowed down or answered by something nearer. A router's reflector says nothing
//! about the way behind it. Loss of 0 in n packets means no more than "below 1 in n".
//! # Needs
//! A far end for STAMP with a session of its own (no privilege); for ICMP a group in
//! `net.ipv4.ping_group_range` or `CAP_NET_RAW`.

mod findings;
mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Probe, Problem};
use crate::model::{
    AtMost, Code, Contact, Demand, Endpoint, Failure, FarEnd, FarEndName, Finding, HostPort, Lane,
    NotMeasured, Series, Stakes, Transport, WireText,
};
use crate::wire::stamp::{BASE_BYTES, MAX_BYTES, MAX_PACKETS};

/// Fastest ICMP: more is load on hosts that answer it in their slow path.
const MAX_PING_RATE: u32 = 50;
const MAX_RATE: u32 = 5000;
/// IPv6 and UDP headers.
const HEADERS: u64 = 48;
/// Control connection to a far end: TLS handshake, proof, replies.
const CONTROL_BYTES: u64 = 32_000;

/// The probe.
#[derive(Debug)]
pub struct Path;

/// What answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum To {
    /// A far end of this policy: a STAMP session of its own, opened with the token.
    FarEnd(FarEndName),
    /// `host:port` of any other STAMP reflector that takes packets without a session, such as
    /// a router's (port 862).
    Reflector(HostPort),
    /// A host that answers ICMP echo.
    Ping(String),
}

/// What to send, and to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `{ far_end = "cloud" }`, `{ reflector = "router.example:862" }` or `{ ping = "host" }`.
    pub to: To,
    /// Packets per second; absent: 100, of ICMP 10. A 6 Mb/s stream over SRT has about 580.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_per_s: Option<u32>,
    /// Payload of UDP or ICMP, in bytes; absent: 1332 (seven transport stream packets in SRT:
    /// 1360 bytes of IPv4), of ICMP 56.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u16>,
    /// How long, in seconds, for each address family; absent: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u16>,
}

impl Target {
    fn is_ping(&self) -> bool {
        matches!(self.to, To::Ping(_))
    }

    /// Packets per second.
    pub fn rate(&self) -> u32 {
        self.packets_per_s.unwrap_or(if self.is_ping() { 10 } else { 100 })
    }

    /// Payload, in bytes.
    pub fn payload(&self) -> u16 {
        self.payload_bytes.unwrap_or(if self.is_ping() { 56 } else { 1332 })
    }

    /// Duration, in seconds.
    pub fn seconds(&self) -> u16 {
        self.seconds.unwrap_or(10)
    }

    /// Packets for each address family.
    pub fn packets(&self) -> u32 {
        self.rate().saturating_mul(self.seconds().into())
    }

    /// Host and port; port 0 for ICMP. `None` for a far end that the policy does not have.
    fn place(&self, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Option<(String, u16)> {
        match &self.to {
            To::FarEnd(name) => {
                let (host, port) = far_ends.get(name)?.host_port()?;
                Some((host.to_owned(), port))
            }
            To::Reflector(place) => Some((place.host.clone(), place.port)),
            To::Ping(host) => Some((host.trim_start_matches('[').trim_end_matches(']').to_owned(), 0)),
        }
    }
}

crate::limits! {
    /// What a steady stream of packets may suffer. Each address family is held against all of them.
    pub struct Limits {
        /// Packets lost there and back, in percent.
        pub loss_percent: AtMost<f64>,
        /// Longest time in which every packet was lost, ms.
        pub longest_burst_ms: AtMost<f64>,
        /// Highest value of the running jitter estimate (RFC 3550), ms.
        pub jitter_ms: AtMost<f64>,
        /// Median round trip, ms.
        pub round_trip_p50_ms: AtMost<f64>,
        /// 95th percentile of the round trips, ms.
        pub round_trip_p95_ms: AtMost<f64>,
        /// 99th percentile of the round trips, ms.
        pub round_trip_p99_ms: AtMost<f64>,
        /// Packets that came back after a later one (RFC 4737), in percent.
        pub reordered_percent: AtMost<f64>,
        /// Packets that came back more than once, in percent.
        pub duplicated_percent: AtMost<f64>,
    }
}

/// How the packets went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// STAMP over UDP (RFC 8762, unauthenticated) to a far end's session.
    StampSession,
    /// STAMP over UDP to a reflector without a session.
    Stamp,
    /// ICMP echo over a datagram socket.
    IcmpDatagram,
    /// ICMP echo over a raw socket.
    IcmpRaw,
}

impl Method {
    /// For a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StampSession | Self::Stamp => "STAMP over UDP",
            Self::IcmpDatagram | Self::IcmpRaw => "ICMP echo",
        }
    }
}

/// What was seen, each address family apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Host, as the policy names it.
    pub host: String,
    /// UDP port; 0 for ICMP.
    pub port: u16,
    /// Packets per second asked for.
    pub packets_per_s: u32,
    /// Payload of each, in bytes.
    pub payload_bytes: u16,
    /// Why the name gave no address.
    pub lookup: Option<Failure>,
    /// One for each address family.
    pub flows: Vec<Flow>,
    /// Addresses of a family about which nothing could be asked, beside another that answered.
    pub unasked: Vec<Unasked>,
}

/// An address about which nothing could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unasked {
    /// The address.
    pub remote: SocketAddr,
    /// Why.
    pub why: WireText,
}

/// Packets to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    /// How.
    pub method: Method,
    /// Addresses and times.
    pub contact: Contact,
    /// Packets planned.
    pub planned: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets that this machine refused to send.
    pub not_sent: u64,
    /// Packets answered, each counted once.
    pub received: u64,
    /// Further answers to packets already answered.
    pub duplicates: u64,
    /// Answers that came after the answer to a later packet.
    pub reordered: u64,
    /// Answers to nothing that was sent.
    pub strays: u64,
    /// Packets that the far end counted; absent where nobody counts them.
    pub arrived: Option<u64>,
    /// Packets that reached the far end from another address than the control connection's,
    /// which it does not answer.
    pub arrived_from_elsewhere: Option<u64>,
    /// Most packets lost in a row.
    pub longest_burst: u64,
    /// How long that was, or another row that lasted longer, in ms.
    pub longest_burst_ms: f64,
    /// Round trips; absent when nothing came back.
    pub round_trip: Option<RoundTrip>,
    /// Highest value of the running jitter estimate (RFC 3550), of the round trip, in ms.
    pub jitter_ms: f64,
    /// The same of the way out alone, in ms, where the reflector gives its times.
    pub jitter_out_ms: Option<f64>,
    /// The same of the way back alone, in ms.
    pub jitter_back_ms: Option<f64>,
    /// How late packets left this machine: 99th percentile, in ms.
    pub late_p99_ms: f64,
    /// The latest, in ms.
    pub late_max_ms: f64,
    /// What the network or the system said, if anything.
    pub trouble: Option<Trouble>,
    /// Milliseconds from one packet to the next.
    pub step_ms: f64,
    /// Round trip of each packet in the order of sending, in µs; `null` where none came back.
    pub round_trips_us: Vec<Option<u32>>,
}

/// What the network or the system said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    /// How it failed.
    pub failure: Failure,
    /// In its own words.
    pub detail: WireText,
}

/// Percentiles of round trips, in ms, the reflector's own delay taken off where it says it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoundTrip {
    /// Shortest.
    pub min_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Longest.
    pub max_ms: f64,
}

impl Probe for Path {
    const NAME: &'static str = "path";
    const LANE: Lane = Lane::Delay;
    const ABOUT: About = About {
        asks: "Delay, jitter, loss and bursts there and back, at the packet rate and size of the stream",
        why: "loss and jitter decide which latency SRT needs and whether RTMP keeps up; averages hide the bursts that break a picture",
        misleads: "seconds miss what happens once an hour; ICMP is often slowed down; a router's reflector says nothing about the way behind it",
        needs: "a far end (no privilege), a STAMP reflector, or for ICMP `net.ipv4.ping_group_range` or CAP_NET_RAW",
    };
    const VIEWERS: &'static str = "Picture and sound stutter, freeze or break up.";
    const CODES: &'static [Code] = findings::CODES;
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let Some((host, port)) = target.place(far_ends) else { return Demand::default() };
        let families: u32 = if host.parse::<IpAddr>().is_ok() { 1 } else { 2 };
        let packets = u64::from(families) * u64::from(target.packets());
        let bytes = packets * (u64::from(target.payload()) + HEADERS);
        let udp = Endpoint::new(&host, port, Transport::Udp);
        let (endpoints, control, connecting) = match target.to {
            To::FarEnd(_) => (
                vec![Endpoint::new(&host, port, Transport::Tcp), udp],
                CONTROL_BYTES * u64::from(families),
                run::CONTROL_S,
            ),
            To::Reflector(_) => (vec![udp], 0, 0),
            To::Ping(_) => (vec![Endpoint::new(&host, 0, Transport::Icmp)], 0, 0),
        };
        let seconds = f64::from(target.seconds());
        Demand {
            endpoints,
            bytes_up: bytes + control,
            bytes_down: bytes + control,
            packets,
            seconds: f64::from(families) * (seconds + 0.5),
            // The sender may stretch by half when this machine stalls; then it waits for answers.
            seconds_max: f64::from(run::LOOKUP_S)
                + f64::from(families) * (seconds * 1.5 + 1.0 + run::PATIENCE_S + f64::from(connecting)),
        }
    }

    fn brief(target: &Target) -> String {
        let to = match &target.to {
            To::FarEnd(name) => format!("far end {name}"),
            To::Reflector(place) => String::from(place.clone()),
            To::Ping(host) => format!("ping {host}"),
        };
        let (rate, payload, seconds) = (target.rate(), target.payload(), target.seconds());
        format!("{to}, {rate} packets/s of {payload} bytes for {seconds} s")
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        problems(target, limits, far_ends)
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }

    fn series(limits: &Limits, reading: &Reading) -> Vec<Series> {
        judge::series(limits, reading)
    }
}

fn problems(target: &Target, limits: &Limits, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |field, what: String| problems.push(Problem { field, what });
    if target.place(far_ends).is_none() {
        let To::FarEnd(name) = &target.to else { return problems };
        problem("to", format!("there is no far end `{name}` with an address host:port in this policy"));
    }
    let (ping, rate, payload) = (target.is_ping(), target.rate(), usize::from(target.payload()));
    let top = if ping { MAX_PING_RATE } else { MAX_RATE };
    if !(1..=top).contains(&rate) {
        problem("packets_per_s", format!("1 to {top} packets per second are possible here"));
    }
    let least = if ping { 8 } else { BASE_BYTES };
    if !(least..=MAX_BYTES).contains(&payload) {
        problem("payload_bytes", format!("{least} to {MAX_BYTES} bytes are possible here"));
    }
    let packets = target.packets();
    if packets == 0 || packets as usize > MAX_PACKETS {
        problem("seconds", format!("that makes {packets} packets; 1 to {MAX_PACKETS} are possible"));
    }
    if let Some(AtMost(limit)) = limits.loss_percent
        && limit > 0.0
        && f64::from(packets) * limit < 100.0
    {
        let needed = (100.0 / limit).ceil();
        let what = format!(
            "one lost packet of {packets} is more than {limit} % already: send at least {needed} packets"
        );
        problem("loss_percent", what);
    }
    problems
}

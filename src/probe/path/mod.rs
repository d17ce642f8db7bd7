//! `path`: delay, jitter, loss, bursts, order, at the packet rate and size of the stream.
//!
//! # Asks
//! What happens to a steady stream of packets there and back: STAMP (RFC 8762) over UDP to a
//! far end or to a router's own reflector, ICMP echo, or TCP handshakes; with STAMP also which
//! size of packet passes whole, and what becomes of the class of service (DSCP).
//! # Why it matters
//! Loss and jitter decide which latency SRT needs and whether RTMP keeps up; averages hide the
//! bursts that break a picture.
//! # How it can mislead
//! Seconds of measuring miss what happens once an hour: gaps need minutes, at the event's hour.
//! ICMP is often slowed down or answered by something nearer. A router's reflector says nothing
//! about the way behind it. Loss of 0 in n packets means no more than "below 1 in n". TCP
//! handshakes may be answered by a proxy nearer by; they tell delay, and loss only roughly.
//! # Needs
//! A far end for STAMP with a session of its own (no privilege); for ICMP a group in
//! `net.ipv4.ping_group_range` or `CAP_NET_RAW`.

mod findings;
mod judge;
mod reading;
mod run;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reading::{
    Flow, InsteadOf, LostOn, Marked, Method, PathMtu, Reading, RoundTrip, Seen, Timestamps, TooBig, Trouble,
    Unasked,
};
pub use target::{Target, To};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    AtLeast, AtMost, Code, Demand, Endpoint, Exactly, FarEnd, FarEndName, Finding, Lane, NotMeasured, Series,
    Stakes, Transport,
};

/// IPv6 and UDP headers.
const HEADERS: u64 = 48;
/// Control connection to a far end: TLS handshake, proof, replies.
const CONTROL_BYTES: u64 = 32_000;
/// A handshake and its end: six packets without content.
const HANDSHAKE_BYTES: u64 = 6 * 80;

/// The probe.
#[derive(Debug)]
pub struct Path;

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
        /// Largest IP packet that passes whole, in bytes: 1360 for SRT's packets of 1316 bytes.
        pub mtu_bytes: AtLeast<u32>,
        /// What must become of the class of service that the target sends with.
        pub dscp: Exactly<Fate>,
    }
}

/// What must become of a class of service.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It arrives as it was sent.
    Kept,
}

impl fmt::Debug for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kept")
    }
}

impl Probe for Path {
    const NAME: &'static str = "path";
    const LANE: Lane = Lane::Delay;
    const ABOUT: About = About {
        asks: "Delay, jitter, loss and bursts there and back, at the packet rate and size of the stream; the largest packet that passes; whether its DSCP is kept",
        why: "loss and jitter decide which latency SRT needs and whether RTMP keeps up; averages hide the bursts that break a picture",
        misleads: "seconds miss what happens once an hour; ICMP is often slowed down; a router's reflector says nothing about the way behind it; TCP handshakes may be a proxy's, and tell no bursts, order or sizes",
        needs: "a far end (no privilege), a STAMP or TWAMP-light reflector, a TCP server, or for ICMP `net.ipv4.ping_group_range` or CAP_NET_RAW; Linux for path MTU and DSCP",
    };
    const VIEWERS: &'static str = "Picture and sound stutter, freeze or break up.";
    const CODES: &'static [Code] = findings::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    /// Few and small packets: delay and loss show, and the line is not loaded.
    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        let mut ask = target.clone();
        ask.packets_per_s = Some(target.rate().min(target::LIGHT_RATE));
        ask.payload_bytes = Some(target.payload().min(target::LIGHT_PAYLOAD));
        ask.seconds = Some(target.seconds().min(target::LIGHT_S));
        Ok(Light::any_time(ask))
    }

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let Some((host, port)) = target.place(far_ends) else { return Demand::default() };
        let families: u32 = if host.parse::<IpAddr>().is_ok() { 1 } else { 2 };
        let packets = u64::from(families) * u64::from(target.packets());
        let bytes = packets * (u64::from(target.payload()) + HEADERS);
        let udp = Endpoint::new(&host, port, Transport::Udp);
        let (mut endpoints, control, connecting) = match target.to {
            To::FarEnd(_) => {
                (vec![Endpoint::new(&host, port, Transport::Tcp), udp], CONTROL_BYTES, run::CONTROL_S)
            }
            To::Reflector(_) => (vec![udp], 0, 0),
            To::Ping(_) => (vec![Endpoint::new(&host, 0, Transport::Icmp)], 0, 0),
            To::Tcp(_) => (
                vec![Endpoint::new(&host, port, Transport::Tcp)],
                HANDSHAKE_BYTES * u64::from(target.packets()),
                0,
            ),
        };
        let (mtu_packets, mtu_s) = if target.is_stamp() { run::MTU_SEARCH } else { (0, 0.0) };
        let mut bytes = bytes + u64::from(families) * (control + mtu_packets * 1500);
        let seconds = f64::from(target.seconds());
        let mut longest = seconds * 1.5 + 1.0 + run::PATIENCE_S + f64::from(connecting) + mtu_s;
        if let Some(port) = target.tcp_port {
            let handshakes = u64::from(target.handshake_rate()) * u64::from(target.seconds());
            endpoints.push(Endpoint::new(&host, port, Transport::Tcp));
            bytes += u64::from(families) * handshakes * HANDSHAKE_BYTES;
            longest += run::handshakes_take(target);
        }
        Demand {
            endpoints,
            bytes_up: bytes,
            bytes_down: bytes,
            packets: packets + u64::from(families) * mtu_packets,
            seconds: f64::from(families) * (seconds + 0.8),
            // The sender may stretch by half when this machine stalls; then it waits for answers.
            seconds_max: f64::from(run::LOOKUP_S) + f64::from(families) * longest,
        }
    }

    fn brief(target: &Target) -> String {
        let to = match &target.to {
            To::FarEnd(name) => format!("far end {name}"),
            To::Reflector(place) => String::from(place.clone()),
            To::Ping(host) => format!("ping {host}"),
            To::Tcp(place) => {
                return format!("TCP {place}, {} handshakes/s for {} s", target.rate(), target.seconds());
            }
        };
        let (rate, payload, seconds) = (target.rate(), target.payload(), target.seconds());
        let mark = target.dscp.map_or_else(String::new, |dscp| format!(", sent as {dscp}"));
        format!("{to}, {rate} packets/s of {payload} bytes for {seconds} s{mark}")
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        target::problems(target, limits, far_ends)
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

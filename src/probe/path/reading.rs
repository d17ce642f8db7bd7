//! What was seen.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Contact, Dscp, Failure, WireText};

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
    /// TCP handshakes, timed.
    Tcp,
}

impl Method {
    /// For a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StampSession | Self::Stamp => "STAMP over UDP",
            Self::IcmpDatagram => "ICMP echo (datagram socket)",
            Self::IcmpRaw => "ICMP echo (raw socket)",
            Self::Tcp => "TCP handshakes",
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
    /// Whose clock the times are; absent in reports of before it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<Timestamps>,
    /// Another method came first and got nothing: which, and what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
    /// Largest packets that pass; absent where the method cannot ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_mtu: Option<PathMtu>,
    /// What became of the class of service; absent where none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<Marked>,
    /// Milliseconds from one packet to the next.
    pub step_ms: f64,
    /// Round trip of each packet in the order of sending, in µs; `null` where none came back.
    pub round_trips_us: Vec<Option<u32>>,
}

/// Whose clock times are taken by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// The kernel noted when packets left and came.
    Kernel,
    /// This program did, after the system had handed them over.
    User,
}

/// A method that came first and got nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InsteadOf {
    /// Which: `STAMP over UDP`, `ICMP echo`.
    pub method: WireText,
    /// What became of it.
    pub why: WireText,
}

/// Largest IP packets that pass without being cut, found by sending such.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathMtu {
    /// Largest IP packet that was answered, in bytes; absent when not even a small one was.
    pub bytes: Option<u16>,
    /// Largest that this machine's interface let out, in bytes; never more than 1500 are asked.
    pub asked_bytes: u16,
    /// The router that said that a packet was too large (ICMP "fragmentation needed").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<TooBig>,
    /// Where the larger ones were lost; absent when none were, or nobody counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostOn>,
    /// Sizes passed and failed consistently.
    pub steady: bool,
    /// The answer to the largest was as large: the figure holds for the way back, too.
    pub both_ways: bool,
}

/// A router said that a packet was too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TooBig {
    /// Who.
    pub from: IpAddr,
    /// The MTU that it told, in bytes; 0 when it told none.
    pub mtu_bytes: u32,
}

/// Which way large packets are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LostOn {
    /// They do not reach the far end.
    WayOut,
    /// They reach the far end, and its answers of that size are lost.
    WayBack,
    /// Some here, some there.
    BothWays,
}

/// What became of the class of service that packets were sent with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marked {
    /// Asked for.
    pub sent: Dscp,
    /// With which they came to the far end, and how many; empty when it does not say.
    pub out: Vec<Seen>,
    /// With which answers came here that were sent with the same; empty when it cannot be told.
    pub back: Vec<Seen>,
}

/// Packets that came with one class of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Which.
    pub dscp: Dscp,
    /// How many.
    pub packets: u64,
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

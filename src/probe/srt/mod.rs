//! `srt`: does the ingest take us over SRT?
//!
//! # Asks
//! Induction (version 5, magic number, cookie), then conclusion (stream id, passphrase, latency,
//! packet size) of each address of the ingest, and the listener's own reason when it refuses.
//! # Why it matters
//! SRT is UDP on an odd port: the kind of traffic that company firewalls drop without a word.
//! # How it can mislead
//! Nothing coming back is no answer: blocked, or nothing listens, or the wrong port. An
//! accepted handshake says nothing about throughput. No media is sent.
//! # Needs
//! No privilege. Induction alone needs no credential and proves that UDP passes both ways.
//! AES-192 is not possible (see [`crate::wire::srt`]); a listener that advertises it is called
//! with AES-128.

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    AtLeast, AtMost, Code, Contact, Demand, Endpoint, Exactly, Failure, FarEnd, FarEndName, Finding,
    IcmpError, Lane, NotMeasured, SecretSource, Stakes, Transport, WireText,
};
use crate::net::resolve::MAX_PER_FAMILY;
use crate::net::unreached::Unreached;
use crate::wire::firewall::Told;
use crate::wire::srt::{LIVE_PAYLOAD, MAX_PAYLOAD};

/// How long each phase may take: libsrt's connection time-out.
const PHASE_S: u8 = 3;
/// How long an accepted connection is held: some services accept first and hang up then.
const HOLD_MS: u16 = 500;
/// Handshake packets of one attempt at most, one every 250 ms, and what a held connection needs.
const PACKETS_PER_ATTEMPT: u64 = 2 * PHASE_S as u64 * 4 + 8;
/// Largest handshake: headers of IPv6 and UDP, SRT header, handshake, its extensions with a
/// stream id of 512 bytes and key material for two keys.
const BYTES_PER_PACKET: u64 = 48 + 16 + 48 + 16 + 516 + 108;

/// The probe.
#[derive(Debug)]
pub struct Srt;

/// `srt://host:port`, without a query: what SRT URLs carry there has keys of its own here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct SrtUrl {
    text: String,
    host: String,
    port: u16,
}

impl SrtUrl {
    /// Host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// UDP port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl TryFrom<String> for SrtUrl {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        const FORM: &str = "an SRT ingest is `srt://host:port`";
        let url = Url::parse(&text).map_err(|_| FORM)?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err("give stream id, passphrase and latency by keys of their own, not in the URL: \
                        a secret has no place there");
        }
        let host = url.host_str().unwrap_or_default();
        let port = url.port().filter(|port| *port != 0).ok_or(FORM)?;
        if url.scheme() != "srt" || host.is_empty() || !matches!(url.path(), "" | "/") {
            return Err(FORM);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { text: url.into(), host, port })
    }
}

impl From<SrtUrl> for String {
    fn from(url: SrtUrl) -> Self {
        url.text
    }
}

/// How far the handshake goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// First exchange only: no credential leaves this machine, the ingest is not occupied.
    Induction,
    /// The whole handshake. The ingest sees a caller connect and leave; no media is sent.
    Conclusion,
}

/// Which ingest, and how to call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `srt://host:port`.
    pub url: SrtUrl,
    /// How far to go; absent: to conclusion when a stream id or passphrase is named, else
    /// to induction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Stream id. Many services put the stream key there; SRT sends it in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<SecretSource>,
    /// Passphrase, 10 to 79 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretSource>,
    /// AES key length, 128 or 256; absent: what the listener advertises, else 128.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<u16>,
    /// Latency that the encoder will ask for, in ms; absent: 120, libsrt's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u16>,
    /// Payload of one packet, in bytes; absent: 1316 (seven transport stream packets).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u16>,
}

impl Target {
    /// How far the handshake goes.
    pub fn until(&self) -> Until {
        let named = self.stream_id.is_some() || self.passphrase.is_some();
        self.until.unwrap_or(if named { Until::Conclusion } else { Until::Induction })
    }

    fn latency_ms(&self) -> u16 {
        self.latency_ms.unwrap_or(120)
    }

    fn payload_bytes(&self) -> usize {
        self.payload_bytes.map_or(LIVE_PAYLOAD, usize::from)
    }
}

crate::limits! {
    /// What the handshake must be like.
    pub struct Limits {
        /// Longest time of the whole handshake (of induction, when it ends there), ms.
        pub handshake_ms: AtMost<f64>,
        /// Largest latency that may be agreed, ms: what viewers wait longer.
        pub latency_ms: AtMost<u64>,
        /// Least agreed latency as a multiple of the round trip, which the quicker of the handshake's
        /// two exchanges shows: 3 up to 1 % loss, 4 up to 3 %, 6 up to 10 %.
        pub latency_round_trips: AtLeast<f64>,
        /// Whether the media must be encrypted.
        pub encrypted: Exactly<bool>,
    }
}

/// What came of each address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The method, by name.
    pub method: String,
    /// Host, as the policy names it.
    pub host: String,
    /// UDP port.
    pub port: u16,
    /// How far the handshake was to go.
    pub until: Until,
    /// True when a passphrase was used.
    pub with_passphrase: bool,
    /// Latency asked for, in ms.
    pub asked_latency_ms: u16,
    /// Payload of one packet, in bytes.
    pub payload_bytes: u32,
    /// Why the name gave no address.
    pub lookup: Option<Failure>,
    /// One for each address, in the order tried.
    pub attempts: Vec<Attempt>,
}

/// One call to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times.
    pub contact: Contact,
    /// Answer to induction.
    pub induction: Option<Induction>,
    /// Answer to conclusion.
    pub conclusion: Option<Conclusion>,
    /// What this machine's own rules do with it, when the machine itself forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rules: Option<Told>,
    /// How it ended.
    pub end: End,
}

/// The listener's answer to induction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Induction {
    /// From the first packet to the answer, in ms: a round trip, when one packet was enough.
    pub took_ms: f64,
    /// Packets sent until the answer.
    pub packets: u32,
    /// Answers that came in all: as many as packets when none was lost.
    #[serde(default)]
    pub answers: u32,
    /// Handshake version: 5 for SRT.
    pub version: u32,
    /// True with SRT's magic number (0x4A17).
    pub magic: bool,
    /// Key length that the listener advertises, in bits.
    pub advertised_key_bits: Option<u16>,
    /// Largest packet that it takes, in bytes with headers.
    pub mtu_bytes: u32,
}

/// The listener's answer to conclusion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conclusion {
    /// From the first packet of the phase to the answer, in ms.
    pub took_ms: f64,
    /// Packets sent until the answer.
    pub packets: u32,
    /// The listener's SRT version.
    pub version: String,
    /// Latency agreed, in ms.
    pub latency_ms: u64,
    /// True when the media would be encrypted.
    pub encrypted: bool,
}

/// Phase of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// First exchange.
    Induction,
    /// Second exchange.
    Conclusion,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It got as far as it was to go, and an open connection stayed open while it was held.
    Reached,
    /// Nothing came back in this phase.
    Silent(Phase),
    /// The listener refused: the code of SRT's API, and its name.
    Rejected {
        /// Below 1000 SRT's own, below 2000 predefined for services, from 2000 the service's.
        code: u32,
        /// Its name, where one is defined.
        name: Option<String>,
    },
    /// The listener let the handshake pass and refused the key material.
    KeyRefused {
        /// Why: `no secret`, `bad secret`, …
        state: String,
    },
    /// The answer cannot be used by a live caller.
    Unusable {
        /// Why.
        why: String,
    },
    /// The listener accepted and hung up.
    HungUp {
        /// After so many ms.
        after_ms: f64,
    },
    /// Something came back that is not SRT.
    NotSrt {
        /// How it begins.
        said: WireText,
        /// Datagrams that came.
        datagrams: u64,
    },
    /// The system or the network said that the address cannot be reached.
    Unreached {
        /// How.
        failure: Failure,
        /// The ICMP error that said so; none when this machine found out by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icmp: Option<IcmpError>,
        /// In its own words.
        detail: WireText,
    },
}

impl From<Unreached> for End {
    fn from(Unreached { failure, icmp, detail }: Unreached) -> Self {
        Self::Unreached { failure, icmp, detail }
    }
}

impl Probe for Srt {
    const NAME: &'static str = "srt";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether the SRT ingest answers and takes us, phase by phase, at each of its addresses",
        why: "SRT is UDP on an odd port, which company firewalls drop without a word",
        misleads: "silence is no answer: blocked, or nothing listens there; a handshake says nothing about throughput; no media is sent",
        needs: "no privilege; for the whole handshake the stream id and passphrase, from a secret",
    };
    const VIEWERS: &'static str = "The encoder cannot reach the platform: the stream does not start.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    /// Induction only: a second caller with the stream's own id may take its place.
    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        let until = Some(Until::Induction);
        Ok(Light::any_time(Target { until, stream_id: None, passphrase: None, ..target.clone() }))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let literal = target.url.host().parse::<std::net::IpAddr>().is_ok();
        let attempts = if literal { 1 } else { 2 * MAX_PER_FAMILY as u64 };
        let packets = attempts * PACKETS_PER_ATTEMPT;
        let each = f64::from(HOLD_MS) / 1000.0 + 2.0 * f64::from(PHASE_S);
        Demand {
            endpoints: vec![Endpoint::new(target.url.host(), target.url.port(), Transport::Udp)],
            bytes_up: packets * BYTES_PER_PACKET,
            bytes_down: packets * BYTES_PER_PACKET,
            packets,
            seconds: 1.0,
            seconds_max: f64::from(run::LOOKUP_S) + f64::from(u32::try_from(attempts).unwrap_or(4)) * each,
        }
    }

    fn brief(target: &Target) -> String {
        String::from(target.url.clone())
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if target.key_bits.is_some_and(|bits| !matches!(bits, 128 | 256)) {
            problem("key_bits", "this build encrypts with 128 or 256 bits (AES-192 is not possible)");
        }
        if target.latency_ms == Some(0) {
            problem("latency_ms", "SRT's latency is at least 1 ms");
        }
        if !(1..=MAX_PAYLOAD).contains(&target.payload_bytes()) {
            problem("payload_bytes", "an SRT payload has 1 to 1456 bytes; encoders send 1316");
        }
        if target.until() == Until::Induction {
            const NEEDS: &str = "is known only after the whole handshake: set `until = \"conclusion\"`";
            if target.passphrase.is_some() || target.stream_id.is_some() {
                problem("until", "`induction` uses neither stream id nor passphrase: leave them out");
            }
            if limits.latency_ms.is_some() {
                problem("latency_ms", NEEDS);
            }
            if limits.latency_round_trips.is_some() {
                problem("latency_round_trips", NEEDS);
            }
            if limits.encrypted.is_some() {
                problem("encrypted", NEEDS);
            }
        }
        problems
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

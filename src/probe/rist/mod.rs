//! `rist`: does a RIST receiver answer from here?
//!
//! # Asks
//! Each address of the receiver for an echo, as a sender introduces itself (RTCP; simple profile on the
//! port after the media's, main profile through its one port, encrypted where a secret is named).
//! # Why it matters
//! RIST is UDP on odd ports: the kind of traffic that company firewalls drop without a word.
//! # How it can mislead
//! Nothing coming back is no answer: blocked, or nothing listens, or another profile or secret, about
//! which receivers keep silent. No media is sent: in the simple profile the media's own port is not tried.
//! # Needs
//! No privilege. The receiver sees a sender come and go.

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Probe, Problem};
use crate::model::{
    AtMost, Code, Contact, Demand, Endpoint, Failure, FarEnd, FarEndName, Finding, IcmpError, Lane,
    NotMeasured, SecretSource, Stakes, Transport, WireText,
};
use crate::net::resolve::MAX_PER_FAMILY;
use crate::net::unreached::Unreached;
use crate::wire::firewall::Told;
use crate::wire::rist::Profile;

/// How long an answer is waited for: librist answers within the second.
const PATIENCE_S: u8 = 3;
/// Requests of one attempt at most, one every 250 ms.
const PACKETS_PER_ATTEMPT: u64 = PATIENCE_S as u64 * 4;
/// Headers of IPv6, UDP and the tunnel, report, name and echo.
const BYTES_PER_PACKET: u64 = 48 + 16 + 64;

/// The probe.
#[derive(Debug)]
pub struct Rist;

/// Which receiver, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// UDP port of the media; even in the simple profile, whose RTCP goes to the next one.
    pub port: u16,
    /// The receiver's profile; absent: `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The shared secret (main profile).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSource>,
    /// AES key length, 128 or 256; absent: 128.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<u16>,
}

impl Target {
    fn profile(&self) -> Profile {
        self.profile.unwrap_or_default()
    }

    /// Where RTCP goes.
    fn control_port(&self) -> u16 {
        if self.profile() == Profile::Simple { self.port.saturating_add(1) } else { self.port }
    }
}

crate::limits! {
    /// What the answer must be like.
    pub struct Limits {
        /// Longest round trip of an echo, ms. RIST repairs a loss in one round trip or more.
        pub round_trip_ms: AtMost<f64>,
    }
}

/// What came of each address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The method, by name.
    pub method: String,
    /// Host, as the policy names it.
    pub host: String,
    /// UDP port of the media.
    pub port: u16,
    /// Profile that was spoken.
    pub profile: Profile,
    /// True when a secret was used.
    pub with_secret: bool,
    /// Why the name gave no address.
    pub lookup: Option<Failure>,
    /// One for each address, in the order tried.
    pub attempts: Vec<Attempt>,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times; the port is that of RTCP.
    pub contact: Contact,
    /// Requests sent.
    pub packets: u32,
    /// What this machine's own rules do with it, when the machine itself forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rules: Option<Told>,
    /// How it ended.
    pub end: End,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The receiver answered.
    Answered {
        /// Round trip of an echo, in ms, less what the receiver kept it; absent where it gave none back.
        round_trip_ms: Option<f64>,
        /// What it calls itself.
        names_itself: WireText,
    },
    /// Nothing came back.
    Silent,
    /// RIST came back that our secret, or having none, does not open.
    OtherSecret,
    /// Something came back that is not RIST.
    NotRist {
        /// How it begins.
        said: WireText,
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

impl Probe for Rist {
    const NAME: &'static str = "rist";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether a RIST receiver answers a sender's introduction and echo, at each of its addresses",
        why: "RIST is UDP on odd ports, which company firewalls drop without a word",
        misleads: "silence is no answer: blocked, nothing listens, or another profile or secret; no media is sent, so in the simple profile the media's own port is not tried",
        needs: "no privilege; the shared secret where the receiver has one",
    };
    const VIEWERS: &'static str = "The encoder cannot reach the receiver: the stream does not start.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let literal = target.host.parse::<std::net::IpAddr>().is_ok();
        let attempts = if literal { 1 } else { 2 * MAX_PER_FAMILY as u64 };
        let packets = attempts * PACKETS_PER_ATTEMPT;
        let each = f64::from(u32::try_from(attempts).unwrap_or(4)) * f64::from(PATIENCE_S);
        Demand {
            endpoints: vec![Endpoint::new(&*target.host, target.control_port(), Transport::Udp)],
            bytes_up: packets * BYTES_PER_PACKET,
            // A receiver reports ten times a second until it finds the sender gone.
            bytes_down: packets * 4 * BYTES_PER_PACKET,
            packets,
            seconds: 1.0,
            seconds_max: f64::from(run::LOOKUP_S) + each,
        }
    }

    fn brief(target: &Target) -> String {
        crate::model::text::escape(&format!("rist://{}:{}", target.host, target.port)).into_owned()
    }

    fn problems(target: &Target, _: &Limits, _: &BTreeMap<FarEndName, FarEnd>, _: &Stakes) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        let simple = target.profile() == Profile::Simple;
        if !Endpoint::may_be_host(&target.host) {
            problem("host", "a host name or an address, without scheme and port");
        }
        if target.port == 0 || simple && !target.port.is_multiple_of(2) {
            problem("port", "the UDP port of the media; in the simple profile an even one");
        }
        if simple && target.secret.is_some() {
            problem("secret", "the simple profile does not encrypt: leave it out, or use `main`");
        }
        if target.key_bits.is_some_and(|bits| !matches!(bits, 128 | 256))
            || simple && target.key_bits.is_some()
        {
            problem("key_bits", "128 or 256, in the main profile");
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

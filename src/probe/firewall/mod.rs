//! `firewall`: does this machine's own packet filter let the stream out, and if not, by which rule?
//!
//! # Asks
//! The rules of this machine (nftables, iptables; pf; Windows Firewall) for what leaves to one host and
//! port: whether one of them stops it, and which; table, chain and rule named.
//! # Why it matters
//! A laptop's own firewall looks from outside like the building's. Whoever opens the wrong one loses
//! the morning.
//! # How it can mislead
//! It reads the rules of this machine alone, for the first packet that leaves. What a rule tests and
//! golive does not know (a user, a mark, a rate) leaves the answer unsure, with the rule's name.
//! Security software that does not use the kernel's filter is not seen: that is for `port` to show.
//! # Needs
//! Linux with nft or iptables-save, macOS or a BSD with pf, and root; or Windows.

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    Code, Demand, Exactly, Failure, FarEnd, FarEndName, Finding, Lane, NotMeasured, Stakes, Transport,
};
use crate::wire::firewall::Outcome;

/// The probe.
#[derive(Debug)]
pub struct Firewall;

/// For which traffic the rules are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Host name or literal address that the stream goes to.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `tcp` (also when left out) or `udp`.
    #[serde(default = "tcp")]
    pub transport: Transport,
}

const fn tcp() -> Transport {
    Transport::Tcp
}

/// What the rules are expected to do.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Let it out.
    Allowed,
    /// Stop it.
    Blocked,
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Allowed { "allowed" } else { "blocked" })
    }
}

/// As in a policy: `"allowed"`.
impl fmt::Debug for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

crate::limits! {
    /// What this machine's rules must do.
    pub struct Limits {
        /// `allowed` or `blocked`.
        pub expect: Exactly<Treatment>,
    }
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The tools that told the rules.
    pub tools: Vec<String>,
    /// Rules that were read.
    pub rules: u64,
    /// The host, as asked.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Its transport.
    pub transport: Transport,
    /// Why the name gave no address, if so.
    pub lookup: Option<Failure>,
    /// Each address that the name gave, at most two of each family.
    pub addresses: Vec<Address>,
}

/// What becomes of packets to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// What the rules do.
    pub outcome: Outcome,
}

impl Probe for Firewall {
    const NAME: &'static str = "firewall";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "This machine's own packet filter for one host and port: does a rule stop what leaves, and which",
        why: "a laptop's own firewall looks from outside like the building's, and whoever opens the wrong one loses the morning",
        misleads: "it sees the kernel's filter alone; a rule that tests what golive does not know (a user, a mark, a rate) leaves the answer unsure and is named; where netsh stands in for Windows' registry nothing is ever called allowed",
        needs: "Linux with nft or iptables-save, or macOS (pf), and root or `CAP_NET_ADMIN`; or Windows",
    };
    const VIEWERS: &'static str = "the stream would never leave this machine, so there would be no picture";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    /// Nothing is sent but the question for the name.
    fn demand(_: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        Demand { seconds: 0.5, seconds_max: 30.0, ..Demand::default() }
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut problem = |field, what: &str| found.push(Problem { field, what: what.to_owned() });
        if target.port == 0 {
            problem("port", "0 is no port");
        }
        if target.transport == Transport::Icmp {
            problem("transport", "ICMP has no ports: use `tcp` or `udp`");
        }
        if limits.expect.is_none() {
            problem("expect", "say `expect = \"allowed\"` or `expect = \"blocked\"` in limits");
        }
        found
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

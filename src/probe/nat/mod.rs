//! `nat`: how this network's addresses look from outside, and what its translators do.
//!
//! # Asks
//! STUN servers (RFC 8489) where our packets come from, over IPv4 and IPv6 apart; with a server of two
//! addresses how a translator maps and filters (RFC 5780); with a far end how long an idle UDP flow
//! stays open from outside; on request the default gateway which address it has outside (NAT-PMP, PCP).
//! # Why it matters
//! Who must be called from outside (an SRT listener, a return feed) needs an address that leads here.
//! Behind a carrier's translator, or behind two, nobody can forward a port. WHIP and other WebRTC need
//! a mapping that all peers share.
//! # How it can mislead
//! A second translator shows only when the router's own address is known (`router`, or what the gateway
//! itself says) or is a carrier's. A router with two ways out names one of them.
//! A STUN server inside the network sees inside addresses. A stream that flows keeps its state alive:
//! a short lifetime harms what is idle only.
//! # Needs
//! A STUN server or a far end; a STUN server with two addresses for mapping and filtering; a far end for
//! lifetimes.

mod findings;
mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    AtLeast, Code, Contact, Demand, Endpoint, Exactly, Failure, Family, FarEnd, FarEndName, Finding,
    HostPort, Lane, NotMeasured, Stakes, Transport, WireText,
};
use crate::wire::control::hold::SLOTS;
use crate::wire::pcp;

/// Servers at most.
const MAX_SERVERS: usize = 4;
/// Port of STUN.
const STUN: u16 = 3478;
/// Longest idle time that is asked about, s.
const MAX_IDLE_S: u32 = 600;

/// The probe.
#[derive(Debug)]
pub struct Nat;

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// STUN servers, `host` or `host:port` (at most 4); two show whether each destination sees another
    /// port. May be left out where a far end is named: it sees an address, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stun: Vec<String>,
    /// `host:port` of the first server's other address and port, where it has any: mapping and filtering
    /// are asked then (RFC 5780).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<HostPort>,
    /// The address that the venue's own router has outside, as its status page says: another one seen
    /// from outside shows a second translator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<IpAddr>,
    /// Also ask the default gateway, which is inside the network, for the address that it has outside (NAT-PMP,
    /// PCP). No port is opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gateway: bool,
    /// The far end that sends to idle flows, and says where they come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarEndName>,
    /// How long flows are idle, in seconds, each by itself and all at once (1 to 600); 30, 60 and 120 when
    /// left out. RFC 4787 (REQ-5) asks translators for at least 120.
    #[serde(default = "idle_s", skip_serializing_if = "is_idle_s")]
    pub idle_s: Vec<u32>,
}

fn idle_s() -> Vec<u32> {
    vec![30, 60, 120]
}

fn is_idle_s(times: &[u32]) -> bool {
    times == idle_s()
}

impl Target {
    fn longest_idle_s(&self) -> u32 {
        self.idle_s.iter().copied().max().filter(|_| self.far_end.is_some()).unwrap_or(0)
    }
}

crate::limits! {
    /// What the way in must allow. What is left out is told and not judged.
    pub struct Limits {
        /// `possible`: somebody outside must be able to call in, if need be by a port that the venue's
        /// own router forwards.
        pub inbound: Exactly<Inbound>,
        /// `endpoint_independent`: every peer must see the same address and port.
        pub mapping: Exactly<Dependence>,
        /// How long an idle UDP flow must stay open from outside, s.
        pub lifetime_s: AtLeast<u32>,
    }
}

/// What must be possible from outside.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inbound {
    /// Calling in.
    Possible,
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("possible")
    }
}

/// On what a translator's mapping or filter depends (RFC 4787, sections 4.1 and 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dependence {
    /// On nothing of the other side.
    EndpointIndependent,
    /// On its address.
    AddressDependent,
    /// On its address and port.
    AddressAndPortDependent,
}

impl Dependence {
    const fn words(self) -> &'static str {
        match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address- and port-dependent",
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// STUN servers, in the policy's order.
    pub servers: Vec<Server>,
    /// How translators map and filter, of each family; empty where it was not asked.
    pub behaviour: Vec<Behaviour>,
    /// How long idle flows stayed open, of each family; empty where it was not asked.
    pub lifetimes: Vec<Lifetime>,
    /// Why the far end could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_lifetimes: Option<WireText>,
    /// The address that the venue's router has outside, as the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<IpAddr>,
    /// What the default gateway says of itself, when that was asked and there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
}

/// The default gateway, asked over NAT-PMP (RFC 6886) and PCP (RFC 6887) at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gateway {
    /// Addresses and times.
    pub contact: Contact,
    /// Its answer over NAT-PMP; absent where it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat_pmp: Option<NatPmp>,
    /// The result code of its answer to PCP's ANNOUNCE (RFC 6887, 7.4), 0 for success; absent where it gave
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcp: Option<u8>,
}

/// What a router answers over NAT-PMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NatPmp {
    /// The address that it has outside.
    Outside(Ipv4Addr),
    /// Its result code instead (RFC 6886, 3.5).
    Refused(u16),
}

/// One STUN server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// As the policy names it.
    pub named: String,
    /// Why its name gave no address.
    pub lookup: Option<Failure>,
    /// Each address asked: one of each family, all servers from the same socket of the family.
    pub asked: Vec<Asked>,
}

/// One address of a STUN server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Addresses and times.
    pub contact: Contact,
    /// What came back.
    pub outcome: Outcome,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Where our packets come from, as the server sees it.
    Mapped(Mapped),
    /// Nothing, or the system says why not.
    Failed(Failure),
    /// Something of no use, and why.
    Nonsense(WireText),
}

/// Where our packets come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mapped {
    /// Address and port as the server sees them.
    pub seen_as: SocketAddr,
    /// What the server calls itself.
    pub software: WireText,
}

/// How the translators of one family map and filter (RFC 5780).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Behaviour {
    /// Family.
    pub family: Family,
    /// Mapping; absent where it could not be told.
    pub mapping: Option<Dependence>,
    /// Filtering; absent where it could not be told.
    pub filtering: Option<Dependence>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<WireText>,
}

/// How long idle flows of one family stayed open from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lifetime {
    /// Family.
    pub family: Family,
    /// Where the first flow came from, as the far end sees it; absent where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_as: Option<SocketAddr>,
    /// Each time asked about.
    pub tried: Vec<Idle>,
}

/// One flow that was idle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// How long, s.
    pub idle_s: u32,
    /// Addresses and times.
    pub contact: Contact,
    /// Why it could not be tried: the flow did not come about, or what the far end sent did not come
    /// through even at once.
    pub failure: Option<Failure>,
    /// Whether what the far end then sent came through.
    pub passed: bool,
    /// Whether it went on when this side sent again.
    pub revived: bool,
}

impl Probe for Nat {
    const NAME: &'static str = "nat";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "How this network looks from outside (STUN): its public addresses, carrier's or second translators, how they map and filter, how long an idle UDP flow stays open, and on request what the gateway says of itself (NAT-PMP, PCP)",
        why: "who must be called from outside needs an address that leads here, and WebRTC a mapping that all peers share",
        misleads: "a second translator shows only when the router's own address is known; a STUN server inside sees inside addresses; a short lifetime harms only what is idle",
        needs: "a STUN server or a far end; a STUN server with two addresses for mapping and filtering; a far end for lifetimes",
    };
    const VIEWERS: &'static str =
        "Nothing, if the stream is sent from here; a feed that is called from outside does not come.";
    const CODES: &'static [Code] = findings::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    /// How the network looks from outside; how long an idle flow lives takes minutes to ask.
    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        if target.far_end.is_some() {
            return Err("it holds flows idle for minutes");
        }
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let udp = |(host, port): (String, u16)| Endpoint::new(host, port, Transport::Udp);
        let mut endpoints: Vec<Endpoint> =
            target.stun.iter().map(|named| udp(Endpoint::host_port_or(named, STUN))).collect();
        if let (Some(other), Some(first)) = (&target.other, target.stun.first()) {
            // Mapping is asked at the other address with both ports; filtering at none but the first.
            let (_, port) = Endpoint::host_port_or(first, STUN);
            endpoints.extend([port, other.port].map(|port| udp((other.host.clone(), port))));
        }
        let far_end = target.far_end.as_ref().and_then(|name| far_ends.get(name)?.host_port());
        if let Some((host, port)) = far_end {
            endpoints.extend([Transport::Tcp, Transport::Udp].map(|way| Endpoint::new(host, port, way)));
        }
        if target.gateway {
            let gateway = Endpoint::new("default gateway", pcp::PORT, Transport::Udp);
            endpoints.push(Endpoint { implied: true, ..gateway });
        }
        let (bytes, packets) = run::cost(target);
        Demand {
            endpoints,
            bytes_up: bytes,
            bytes_down: bytes,
            packets,
            seconds: f64::from(target.longest_idle_s()) + 2.0,
            seconds_max: run::longest_s(target),
        }
    }

    fn brief(target: &Target) -> String {
        let mut all = target.stun.clone();
        if let Some(name) = &target.far_end {
            let times: Vec<String> = target.idle_s.iter().map(|time| format!("{time} s")).collect();
            all.push(format!("far end {name}, idle for {}", times.join(", ")));
        }
        if target.gateway {
            all.push("the gateway".to_owned());
        }
        all.join("; ")
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: String| problems.push(Problem { field, what });
        let fewest = usize::from(target.far_end.is_none());
        if !(fewest..=MAX_SERVERS).contains(&target.stun.len()) {
            problem("stun", format!("name 1 to {MAX_SERVERS} STUN servers, or a `far_end`"));
        }
        for named in target.stun.iter().filter(|named| !Endpoint::may_be_host(named)) {
            problem("stun", format!("`{named}` is neither a host nor host:port, such as stun.example:3478"));
        }
        let known = |name: &FarEndName| far_ends.get(name).and_then(FarEnd::host_port).is_some();
        if let Some(name) = target.far_end.as_ref().filter(|name| !known(name)) {
            problem(
                "far_end",
                format!("there is no far end `{name}` with an address host:port in this policy"),
            );
        }
        let times = &target.idle_s;
        if times.is_empty()
            || times.len() > usize::from(SLOTS)
            || times.iter().any(|time| !(1..=MAX_IDLE_S).contains(time))
        {
            problem("idle_s", format!("name 1 to {SLOTS} times of 1 to {MAX_IDLE_S} s"));
        }
        if limits.lifetime_s.is_some_and(|AtLeast(limit)| limit > target.longest_idle_s()) {
            problem("lifetime_s", "name a `far_end`, and a time as long in `idle_s`".to_owned());
        }
        if limits.mapping.is_some() && target.other.is_none() && target.stun.len() < 2 {
            problem("mapping", "name the server's `other` address, or a second server in `stun`".to_owned());
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

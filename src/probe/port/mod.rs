//! `port`: does the firewall let this port through?
//!
//! # Asks
//! One TCP or UDP port on each address of a host: the smallest question of the protocol that is
//! expected there, and whether an answer comes back. What does not answer is told apart: refused,
//! prohibited (and by whom), dropped without a word, accepted and then cut.
//! # Why it matters
//! The port of the ingest is what companies block most often. And what had to be opened for the
//! event must be shut again after it: the same question proves both.
//! # How it can mislead
//! A firewall, proxy or antivirus can accept in the server's place: a bare handshake is no proof,
//! unless a `decoy`, where surely nothing listens, is not accepted too. A server that is down looks
//! like a firewall that drops: a port counts as blocked only beside a `control` on the same host
//! that answers. Silence of UDP says nothing at all. An open port is no working ingest: that is
//! for `rtmp` and `srt` to tell.
//! Where packets stop is the last router that still speaks, as packets with a growing TTL show it;
//! a firewall that does so without counting itself as a router is one hop farther. Where handshakes get
//! through, the question itself goes out with a growing TTL: who cuts or swallows it stands between the
//! last router that it gets to and the next, which handshakes reach. What a router keeps to itself, and a
//! proxy that accepts in the host's place, leave that untold.
//! # Needs
//! Nothing; Linux 5.10 to know who prohibits and where packets stop; a far end for what UDP's silence
//! means.

mod judge;
mod run;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use state::State;

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    Blame, Code, Contact, Demand, Endpoint, Exactly, Failure, Family, FarEnd, FarEndName, Finding, IcmpError,
    Lane, NotMeasured, Stakes, Transport, Walk, WireText,
};
use crate::wire::firewall::Told;
use crate::wire::knock::Protocol;

/// The probe.
#[derive(Debug)]
pub struct Port;

/// Which port to ask, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Host name or literal address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `tcp` (also when left out) or `udp`.
    #[serde(default = "tcp")]
    pub transport: Transport,
    /// The protocol to ask in. Left out: the usual one of the port; where there is none, TCP only
    /// listens whether the server speaks first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Protocol>,
    /// `host:port` (TCP) that must answer in the same minute for a block to count; best another
    /// port of the same host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// `host:port` (TCP) where surely nothing listens: what is accepted there is not the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoy: Option<String>,
    /// UDP: a far end on this very host. It listens on the port meanwhile, sends back what arrives,
    /// and tells how much that was: so silence gets a meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarEndName>,
}

const fn tcp() -> Transport {
    Transport::Tcp
}

impl Target {
    fn asked(&self) -> Option<Protocol> {
        self.ask.or_else(|| Protocol::usual(self.transport, self.port))
    }
}

/// What a port is expected to be.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Something answers on it.
    Open,
    /// Nothing gets through to it.
    Blocked,
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Blocked => "blocked",
        })
    }
}

/// As in a policy: `"open"`.
impl fmt::Debug for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

crate::limits! {
    /// What the port must be.
    pub struct Limits {
        /// `open` or `blocked`.
        pub expect: Exactly<Expect>,
    }
}

/// What each address showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The host, as asked.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Its transport.
    pub transport: Transport,
    /// The protocol asked in; none when only listening.
    pub asked: Option<Protocol>,
    /// Why the name gave no address, if so.
    pub lookup: Option<Failure>,
    /// Each address that the name gave, at most two of each family.
    pub addresses: Vec<Address>,
}

/// One address of the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// Its family.
    pub family: Family,
    /// Attempts in order, at most two: a lost packet is not a firewall. The last one counts.
    pub attempts: Vec<Attempt>,
    /// The positive control, measured when the port did not let us in.
    pub control: Option<Witness>,
    /// The decoy, measured when the port was accepted without an answer in the protocol asked in.
    pub decoy: Option<Witness>,
    /// How far packets to it get, when it did not let us in, or questions when it did not answer (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// What this machine's own rules do with it, when the machine itself forbids it or packets do not get
    /// to the first router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rules: Option<Told>,
    /// What the far end saw arrive, when the target names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarEndSaw>,
}

impl Address {
    /// One of which nothing is known yet.
    const fn of(family: Family) -> Self {
        Self {
            family,
            attempts: Vec::new(),
            control: None,
            decoy: None,
            walk: None,
            own_rules: None,
            far_end: None,
        }
    }

    /// Who stops packets to it, where its walk tells.
    pub fn blame(&self) -> Option<Blame> {
        self.walk.as_ref()?.blame(self.attempts.last()?.state.stop()?)
    }

    /// Whether this machine itself forbids it, or no packet to it gets to the first router.
    fn may_be_stopped_here(&self) -> bool {
        let forbidden = self.attempts.last().is_some_and(|attempt| attempt.state == State::LocalPolicy);
        forbidden || self.blame().is_some_and(|blame| blame.last.0 == 0)
    }
}

/// What a far end saw of the datagrams to its port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FarEndSaw {
    /// Which.
    pub far_end: FarEndName,
    /// Datagrams that arrived from the address that its control connection came from; none when it
    /// could not tell.
    pub arrived: Option<u64>,
    /// Datagrams that arrived from other addresses: anybody's, or ours by another way.
    pub from_elsewhere: u64,
    /// Why it could not tell; an old one does not know the question.
    pub trouble: WireText,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times; of TCP `took_ms` is the handshake, of UDP the whole attempt.
    pub contact: Contact,
    /// What it came to.
    pub state: State,
    /// From the question to the first byte of an answer, ms.
    pub answer_ms: Option<f64>,
    /// The ICMP error that ended it.
    pub icmp: Option<IcmpError>,
    /// The first line or so of what the server said, when it is not the protocol asked in.
    pub said: WireText,
    /// The protocol that this looks like: `http`, `ssh`, … (`wire::banner`).
    pub looks_like: Option<String>,
    /// The system's words for a failure.
    pub detail: WireText,
}

/// Another port, asked for comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Witness {
    /// `host:port`, as the policy names it.
    pub named: String,
    /// Addresses and times of the handshake, when it got that far.
    pub contact: Option<Contact>,
    /// Why it did not accept; none when it did.
    pub failure: Option<Failure>,
}

impl Probe for Port {
    const NAME: &'static str = "port";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "One TCP or UDP port on each address of a host: does it answer, and if not, who stops it",
        why: "the ingest's port is what companies block most often; and what was opened for the event must be shut after it",
        misleads: "a firewall or proxy can accept in the server's place, a server that is down looks like a silent firewall, and silence of UDP says nothing: hence the protocol's own question, `control`, `decoy` and `far_end`",
        needs: "nothing; Linux 5.10 to name who prohibits and at which hop packets stop; a far end to give UDP's silence a meaning",
    };
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target, far_ends)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut found = problems(target, limits);
        found.extend(far_end_problem(target, far_ends));
        found
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

/// The far end must be there, be the host that is asked, and is for UDP.
fn far_end_problem(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Option<Problem> {
    let name = target.far_end.as_ref()?;
    let host = |far_end: &FarEnd| far_end.host_port().map(|(host, _)| host.to_owned());
    let what = match far_ends.get(name) {
        None => return None, // every unknown name is found elsewhere
        Some(_) if target.transport != Transport::Udp => "a far end listens for UDP only".to_owned(),
        Some(far_end) => {
            let there = host(far_end).unwrap_or_default();
            let same = there.eq_ignore_ascii_case(target.host.trim_matches(['[', ']']));
            (!same).then(|| format!("the far end {name} is on {there}: say `host = \"{there}\"`"))?
        }
    };
    Some(Problem { field: "far_end", what })
}

fn problems(target: &Target, limits: &Limits) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut problem = |field, what: String| found.push(Problem { field, what });
    if target.port == 0 {
        problem("port", "0 is no port".to_owned());
    }
    if limits.expect.is_none() {
        problem("expect", "say `expect = \"open\"` or `expect = \"blocked\"` in limits".to_owned());
    }
    match (target.transport, target.asked()) {
        (Transport::Icmp, _) => problem("transport", "ICMP has no ports: use `tcp` or `udp`".to_owned()),
        (Transport::Udp, None) => problem(
            "ask",
            "a UDP port that is asked nothing answers nothing: say `ask` (dns, ntp, stun, srt, quic)"
                .to_owned(),
        ),
        (transport, Some(asked)) if asked.transport() != transport => {
            problem(
                "ask",
                format!("{} does not run over this transport here: see `transport`", asked.word()),
            );
        }
        _ => {}
    }
    for (field, named) in [("control", &target.control), ("decoy", &target.decoy)] {
        if named.as_deref().is_some_and(|named| Endpoint::split(named).is_none()) {
            problem(field, "write it as \"host:port\"".to_owned());
        }
    }
    found
}

//! `session`: how long the network lets a connection live.
//!
//! # Asks
//! A TCP connection and a UDP flow to the far end, each once idle and once busy, held for the time of
//! the policy: does each live, and if not, when was it ended, how, and by whom?
//! # Why it matters
//! A stream is one connection that lasts for the whole event. Firewalls and proxies forget connections
//! that are idle, or end those that are old or large, and a test of some seconds sees none of it.
//! # How it can mislead
//! It tells nothing of longer times than it was given. A rule may spare the far end's port and not the
//! ingest's. That an idle UDP flow is forgotten harms no stream that flows.
//! # Needs
//! A far end of this version; no privilege.

mod findings;
mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    AtLeast, Code, Contact, Demand, Endpoint, Failure, FarEnd, FarEndName, Finding, Lane, NotMeasured,
    Stakes, Transport, WireText,
};

/// Longest time: as long as a far end holds a session by its default caps, less its opening.
const MAX_SECONDS: u32 = 3600;
/// Fastest busy session, kb/s: more loads the line, which is another probe's matter.
const MAX_KBPS: u32 = 2000;

/// The probe.
#[derive(Debug)]
pub struct Session;

/// A kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A TCP connection that says nothing meanwhile.
    TcpIdle,
    /// A TCP connection that sends all the while.
    TcpBusy,
    /// A UDP flow that says nothing meanwhile; the far end speaks first afterwards.
    UdpIdle,
    /// A UDP flow that sends all the while.
    UdpBusy,
}

impl Kind {
    const ALL: [Self; 4] = [Self::TcpIdle, Self::TcpBusy, Self::UdpIdle, Self::UdpBusy];

    /// For a sentence.
    const fn words(self) -> &'static str {
        match self {
            Self::TcpIdle => "an idle TCP connection",
            Self::TcpBusy => "a busy TCP connection",
            Self::UdpIdle => "an idle UDP flow",
            Self::UdpBusy => "a busy UDP flow",
        }
    }

    /// Its slot at the far end.
    const fn slot(self) -> u8 {
        self as u8
    }
}

/// What to hold, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The far end that holds the other side.
    pub far_end: FarEndName,
    /// How long, in seconds (2 to 3600): as long as the event, where there is time for it.
    #[schemars(range(min = 2, max = 3600))]
    pub seconds: u32,
    /// Which: `tcp_idle`, `tcp_busy`, `udp_idle`, `udp_busy`; all four when left out.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub kinds: Vec<Kind>,
    /// What the busy TCP connection sends, in kb/s (1 to 2000), and gets back; 64 when left out.
    #[serde(default = "kbps", skip_serializing_if = "is_kbps")]
    #[schemars(range(min = 1, max = 2000))]
    pub kbps: u32,
}

fn all() -> Vec<Kind> {
    Kind::ALL.into()
}

fn is_all(kinds: &[Kind]) -> bool {
    kinds == Kind::ALL
}

const fn kbps() -> u32 {
    64
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_kbps(rate: &u32) -> bool {
    *rate == kbps()
}

crate::limits! {
    /// How long sessions must live at least. What is left out is told and not judged.
    pub struct Limits {
        /// A TCP connection that says nothing, s.
        pub tcp_idle_s: AtLeast<u32>,
        /// A TCP connection that sends, s.
        pub tcp_busy_s: AtLeast<u32>,
        /// A UDP flow that says nothing, s.
        pub udp_idle_s: AtLeast<u32>,
        /// A UDP flow that sends, s.
        pub udp_busy_s: AtLeast<u32>,
    }
}

impl Limits {
    fn of(&self, kind: Kind) -> Option<u32> {
        let limit = match kind {
            Kind::TcpIdle => self.tcp_idle_s,
            Kind::TcpBusy => self.tcp_busy_s,
            Kind::UdpIdle => self.udp_idle_s,
            Kind::UdpBusy => self.udp_busy_s,
        };
        limit.map(|AtLeast(seconds)| seconds)
    }

    const fn field(kind: Kind) -> &'static str {
        match kind {
            Kind::TcpIdle => "tcp_idle_s",
            Kind::TcpBusy => "tcp_busy_s",
            Kind::UdpIdle => "udp_idle_s",
            Kind::UdpBusy => "udp_busy_s",
        }
    }
}

/// What became of the sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The far end's host, as the policy names it.
    pub host: String,
    /// How long they were to be held, s.
    pub asked_s: u32,
    /// Why the far end's name gave no address.
    pub lookup: Option<Failure>,
    /// Each session, of each address family.
    pub sessions: Vec<Held>,
    /// Addresses about which nothing could be asked, beside another that answered.
    pub unasked: Vec<Unasked>,
}

/// An address about which nothing could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unasked {
    /// The address.
    pub remote: std::net::SocketAddr,
    /// Why.
    pub why: WireText,
}

/// What became of one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// Which kind.
    pub kind: Kind,
    /// Addresses and times.
    pub contact: Contact,
    /// Why it did not begin.
    pub failure: Option<Failure>,
    /// Last sign of life, ms after it began; of an idle session its whole time, or 0.
    pub alive_ms: f64,
    /// How it ended before its time; absent when it was alive to the end.
    pub cut: Option<Cut>,
    /// Of UDP: it went on when this side sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revived: Option<bool>,
    /// What the far end saw of it; absent where it could no longer be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarSide>,
}

/// How a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cut {
    /// ms after it began; of silence the last sign of life before it.
    pub at_ms: f64,
    /// How it looked from here.
    pub how: How,
}

/// How an end looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A reset (RST).
    Reset,
    /// An orderly close (FIN).
    Closed,
    /// Nothing came through any more.
    Silence,
}

/// What the far end saw of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FarSide {
    /// Our address as it sees it.
    pub seen_as: std::net::SocketAddr,
    /// Bytes that arrived.
    pub bytes: u64,
    /// ms after the session began here when the last of them arrived there.
    pub last_ms: f64,
    /// How the connection ended there; absent while it took it for open, and for UDP.
    pub ended: Option<FarEndSaw>,
    /// ms after the session began here when it ended there.
    pub ended_ms: Option<f64>,
}

/// How a connection ended at the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FarEndSaw {
    /// A reset came there.
    Reset,
    /// An orderly close came there.
    Closed,
    /// It ended it itself: its caps, or it was stopped.
    OwnDoing,
}

impl Probe for Session {
    const NAME: &'static str = "session";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "How long the network lets a TCP connection and a UDP flow to the far end live, idle and busy; when a cut came, how, and who made it",
        why: "a stream is one connection for the whole event, and firewalls forget idle ones and end old or large ones",
        misleads: "nothing is told of longer times than it was given; a rule may spare the far end's port and not the ingest's; an idle UDP flow that is forgotten harms no stream that flows",
        needs: "a far end of this version; no privilege",
    };
    const VIEWERS: &'static str = "The stream stops in the middle of the event, for all viewers at once.";
    const CODES: &'static [Code] = findings::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(_: &Target) -> Result<Light<Target>, &'static str> {
        Err("it holds connections for as long as a stream lives")
    }

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let Some((host, port)) = far_ends.get(&target.far_end).and_then(FarEnd::host_port) else {
            return Demand::default();
        };
        let families: u32 = if host.parse::<std::net::IpAddr>().is_ok() { 1 } else { 2 };
        let endpoint = |transport| Endpoint::new(host, port, transport);
        let udp = target.kinds.iter().any(|kind| matches!(kind, Kind::UdpIdle | Kind::UdpBusy));
        let (bytes, packets) = run::cost(target);
        Demand {
            endpoints: [endpoint(Transport::Tcp)]
                .into_iter()
                .chain(udp.then(|| endpoint(Transport::Udp)))
                .collect(),
            bytes_up: u64::from(families) * bytes,
            bytes_down: u64::from(families) * bytes,
            packets: u64::from(families) * packets,
            seconds: f64::from(target.seconds) + 1.0,
            seconds_max: run::longest_s(target), // families are asked side by side
        }
    }

    fn brief(target: &Target) -> String {
        let kinds: Vec<&str> = target.kinds.iter().map(|kind| kind.words()).collect();
        let kinds =
            if is_all(&target.kinds) { "TCP and UDP, idle and busy".to_owned() } else { kinds.join(", ") };
        format!("{kinds}, to {} for {} s", target.far_end, target.seconds)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: String| problems.push(Problem { field, what });
        if far_ends.get(&target.far_end).and_then(FarEnd::host_port).is_none() {
            let name = &target.far_end;
            problem(
                "far_end",
                format!("there is no far end `{name}` with an address host:port in this policy"),
            );
        }
        if !(2..=MAX_SECONDS).contains(&target.seconds) {
            problem("seconds", format!("2 to {MAX_SECONDS} seconds are possible"));
        }
        if !(1..=MAX_KBPS).contains(&target.kbps) {
            problem("kbps", format!("1 to {MAX_KBPS} kb/s are possible"));
        }
        if target.kinds.is_empty() || Kind::ALL.iter().any(|kind| count(target, *kind) > 1) {
            problem("kinds", "name each kind once, at least one".to_owned());
        }
        for kind in Kind::ALL {
            match limits.of(kind) {
                Some(_) if count(target, kind) == 0 => {
                    problem(Limits::field(kind), "this kind is not among the target's `kinds`".to_owned());
                }
                Some(limit) if limit > target.seconds => {
                    problem(Limits::field(kind), format!("the target holds for {} s only", target.seconds));
                }
                _ => {}
            }
        }
        problems
    }

    /// Who holds a stream's kind of session wants it to live: the time of the target, where the policy
    /// says nothing else.
    fn derive(target: &mut Target, limits: &mut Limits, _: &Stakes) {
        let busy = |kind| target.kinds.contains(&kind).then_some(AtLeast(target.seconds));
        limits.tcp_busy_s = limits.tcp_busy_s.or(busy(Kind::TcpBusy));
        limits.udp_busy_s = limits.udp_busy_s.or(busy(Kind::UdpBusy));
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

fn count(target: &Target, kind: Kind) -> usize {
    target.kinds.iter().filter(|have| **have == kind).count()
}

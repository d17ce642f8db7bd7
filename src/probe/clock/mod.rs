//! `clock`: how far this machine's clock is off, and whether anything keeps it right.
//!
//! # Asks
//! Several time servers by NTP (SNTP, RFC 5905), at an address of each family; where none answers,
//! a web server by HTTPS for its date; and this system's kernel whether its clock is kept.
//! # Why it matters
//! Certificates are held against this machine's clock: far off, no TLS comes about. And what encoder,
//! platform and firewall logged can only be put side by side when their clocks agree.
//! # How it can mislead
//! NTP is not signed: who stands in between can tell any time, so several servers are asked and must
//! agree. A web server's date has whole seconds. A clock that is right now and that nobody keeps is
//! wrong on the day of the event: hence the kernel's word.
//! # Needs
//! Nothing; Linux for the kernel's word.

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
    AtMost, Code, Contact, Demand, Endpoint, Exactly, Failure, FarEnd, FarEndName, Finding, Lane,
    NotMeasured, Stakes, Transport, WireText,
};
use crate::net::kernel_clock::KernelClock;
use crate::wire::ntp;

/// Servers at most: more are no better witness, and load on people who give the time away.
const MAX_SERVERS: usize = 8;
/// Port of NTP.
const NTP: u16 = 123;

/// The probe.
#[derive(Debug)]
pub struct Clock;

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Time servers, `host` or `host:port` (1 to 8): those that this machine should use, three or more
    /// so that one that is wrong is outvoted.
    pub servers: Vec<String>,
    /// A web server, `host` or `host:port`, whose date is asked by HTTPS where no time server answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_date: Option<String>,
}

crate::limits! {
    /// How right the clock must be.
    pub struct Limits {
        /// Furthest that this machine's clock may be off, either way, ms. Held with the measurement's
        /// own error: what cannot be told apart is unknown.
        pub offset_ms: AtMost<f64>,
        /// Whether the kernel must say that its clock is kept by something.
        pub synchronised: Exactly<bool>,
    }
}

/// What was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Time servers, in the policy's order.
    pub servers: Vec<Server>,
    /// The web server; absent where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<Web>,
    /// What the kernel says of its clock; absent where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelClock>,
}

/// One time server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// As the policy names it.
    pub named: String,
    /// Why its name gave no address.
    pub lookup: Option<Failure>,
    /// Each address asked: one of each family.
    pub asked: Vec<Asked>,
}

/// One address of a time server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Addresses and times.
    pub contact: Contact,
    /// What it told.
    pub outcome: Outcome,
}

/// What an address told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The time.
    Told(Told),
    /// Nothing came back, or the system says why not.
    Failed(Failure),
    /// A kiss-o'-death: it refuses, by this word (RFC 5905, 7.4).
    Kiss(WireText),
    /// What came back is worth nothing, and why.
    Nonsense(WireText),
}

/// What a time server told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// What must be added to this machine's clock to agree with the server, ms.
    pub offset_ms: f64,
    /// How long the packets were on their way, ms: the offset is known to half of it.
    pub delay_ms: f64,
    /// How far the server itself may be from a reference clock, by its own account, ms.
    pub root_distance_ms: f64,
    /// Servers between it and a reference clock, itself included.
    pub stratum: u8,
    /// Its own source.
    pub reference: WireText,
}

impl Told {
    /// Furthest that the truth may lie from [`Told::offset_ms`], ms.
    fn error_ms(&self) -> f64 {
        self.delay_ms / 2.0 + self.root_distance_ms
    }
}

/// The web server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Web {
    /// As the policy names it.
    pub named: String,
    /// Why its name gave no address.
    pub lookup: Option<Failure>,
    /// Addresses and times of the last attempt.
    pub contact: Option<Contact>,
    /// Why it told no date.
    pub failure: Option<Failure>,
    /// Its date.
    pub told: Option<Dated>,
}

/// A date by HTTPS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dated {
    /// What must be added to this machine's clock to agree with it, ms.
    pub offset_ms: f64,
    /// Half of the second that a date leaves open, and half the round trip, ms.
    pub error_ms: f64,
    /// It came out of a cache, so it is of the past.
    pub cached: bool,
    /// Somebody told it who holds a certificate for the name from an authority trusted here.
    pub vouched: bool,
}

impl Probe for Clock {
    const NAME: &'static str = "clock";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "How far this machine's clock is off by several time servers (NTP), else by a web server's date; whether anything keeps it right",
        why: "certificates are held against this clock, and logs of encoder, platform and firewall are put side by side by it",
        misleads: "NTP is not signed, so several servers must agree; a web server's date has whole seconds; a clock that nobody keeps is right today and wrong at the event",
        needs: "nothing; Linux for the kernel's word on its clock",
    };
    const VIEWERS: &'static str =
        "The stream may not start at all: a clock that is far off trusts no certificate.";
    const CODES: &'static [Code] = findings::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    /// Every 64 s is as often as NTP's clients ask unless they are told otherwise (`minpoll 6`).
    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light { ask: target.clone(), at_least_s: 64 })
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let servers = target.servers.len() as u64;
        let packets = servers * 2 * u64::from(run::REQUESTS);
        let ntp = target.servers.iter().map(|named| (Endpoint::host_port_or(named, NTP), Transport::Udp));
        let web = target.https_date.iter().map(|named| (Endpoint::host_port_or(named, 443), Transport::Tcp));
        let (ntp_s, web_s) = run::longest_s();
        let (web_bytes, web_s) = if target.https_date.is_some() { (140_000, web_s) } else { (0, 0.0) };
        Demand {
            endpoints: ntp
                .chain(web)
                .map(|((host, port), transport)| Endpoint::new(host, port, transport))
                .collect(),
            bytes_up: packets * (ntp::BYTES as u64 + 48) + web_bytes / 10,
            bytes_down: packets * (ntp::BYTES as u64 + 48) + web_bytes,
            packets: packets + web_bytes / 1000,
            seconds: 1.0,
            seconds_max: ntp_s + web_s,
        }
    }

    fn brief(target: &Target) -> String {
        let web = target.https_date.iter().map(|named| format!("else the date of {named}"));
        let all: Vec<String> = target.servers.iter().cloned().chain(web).collect();
        all.join(", ")
    }

    fn problems(target: &Target, _: &Limits, _: &BTreeMap<FarEndName, FarEnd>, _: &Stakes) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_SERVERS).contains(&target.servers.len()) {
            problems
                .push(Problem { field: "servers", what: format!("name 1 to {MAX_SERVERS} time servers") });
        }
        let servers = target.servers.iter().map(|named| ("servers", named));
        let all = servers.chain(target.https_date.iter().map(|named| ("https_date", named)));
        problems.extend(all.filter(|(_, named)| !Endpoint::may_be_host(named)).map(|(field, named)| {
            Problem {
                field,
                what: format!("`{named}` is neither a host nor host:port, such as time.example:123"),
            }
        }));
        problems
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

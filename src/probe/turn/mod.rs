//! `turn`: does a TURN server relay for us, over UDP, over TCP, over TLS on 443?
//!
//! # Asks
//! Each address of each URL by itself: is it reached, does it give out a relay (Allocate, with the
//! credential), and does what is sent through the relay come back? For that a second relay of the same
//! server is the peer: datagrams leave through one and come back through the other.
//! # Why it matters
//! WebRTC (WHIP, contribution from browsers, talk-back) leaves a company that drops UDP only through a
//! relay, and often only over TLS on 443.
//! # How it can mislead
//! Both relays are the same server's: nothing says that it reaches the event's peers. A server may forbid
//! relays among themselves (`turn.unproven`). TURN over DTLS is not asked, and no proxy is used, though
//! browsers do. A server that hides its errors, and a firewall, look alike over UDP.
//! # Needs
//! No privilege; user name and credential, where the server wants them. Credentials that expire (TURN REST)
//! must be fresh when the check runs.

mod codes;
mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Probe, Problem};
use crate::model::{
    AtMost, Code, Contact, Demand, Failure, FarEnd, FarEndName, Finding, Lane, NotMeasured, SecretSource,
    Stakes,
};
use crate::net::tls::Session;
use crate::net::turn::{Allocation, Carried, Stopped};
use crate::wire::turn::TurnUrl;

/// URLs at most.
const MAX_URLS: usize = 6;

/// The probe.
#[derive(Debug)]
pub struct Turn;

/// Which server, as an `RTCIceServer` of WebRTC names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `turn:host:3478?transport=udp`, `turn:host:443?transport=tcp`, `turns:host:443` (RFC 7065): each is
    /// asked and told by itself, and one that relays is enough. At most 6.
    pub urls: Vec<TurnUrl>,
    /// User name; absent: the server asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's credential. It never leaves this machine: the server gets a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<SecretSource>,
}

crate::limits! {
    /// What the best way through the relay must be like.
    pub struct Limits {
        /// Longest time from sending a datagram to receiving it, there through one relay and back through
        /// the other, ms: the median of the fastest URL.
        pub round_trip_ms: AtMost<f64>,
        /// Most of 20 datagrams that may be lost, percent, of the URL that loses least.
        pub loss_percent: AtMost<f64>,
    }
}

/// What came of each URL and address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// URLs whose name gave no address.
    pub unresolved: Vec<Unresolved>,
    /// One for each URL and address, in the order tried.
    pub attempts: Vec<Attempt>,
}

/// A URL whose name gave no address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unresolved {
    /// The URL.
    pub url: TurnUrl,
    /// Why.
    pub failure: Failure,
}

/// One address of one URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The URL.
    pub url: TurnUrl,
    /// Addresses and times of the first connection; over TCP `took_ms` is its handshake, over UDP 0.
    pub contact: Contact,
    /// What was agreed in TLS.
    pub session: Option<Session>,
    /// The relay that was given out.
    pub allocation: Option<Allocation>,
    /// What came through it and a second one.
    pub carried: Option<Carried>,
    /// What stopped it: without `allocation` the relay, else the proof that it carries.
    pub stopped: Option<Stopped>,
}

impl Probe for Turn {
    const NAME: &'static str = "turn";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether a TURN server gives out a relay over UDP, TCP or TLS (443), and whether datagrams come through it",
        why: "where UDP is dropped, WebRTC (WHIP, browsers, talk-back) leaves only through a relay, often only over TLS on 443",
        misleads: "two relays of the same server send to one another, so nothing says that it reaches the event's peers; no proxy is used, though browsers do",
        needs: "no privilege; the server's user name and credential",
    };
    const VIEWERS: &'static str =
        "Speakers or encoders that send by WebRTC do not get through: their picture is missing.";
    const CODES: &'static [Code] = codes::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn brief(target: &Target) -> String {
        let urls: Vec<String> = target.urls.iter().map(TurnUrl::to_string).collect();
        crate::model::text::escape(&urls.join(", ")).into_owned()
    }

    fn problems(target: &Target, _: &Limits, _: &BTreeMap<FarEndName, FarEnd>, _: &Stakes) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if target.urls.is_empty() || target.urls.len() > MAX_URLS {
            problem("urls", "from 1 to 6 URLs, such as `turns:turn.example.com:443`");
        }
        if target
            .urls
            .iter()
            .enumerate()
            .any(|(at, url)| target.urls.iter().take(at).any(|other| other == url))
        {
            problem("urls", "the same URL stands there twice");
        }
        if target.username.is_some() != target.credential.is_some() {
            problem("credential", "name both `username` and `credential`, or neither");
        }
        // RFC 8489, 14.3: fewer than 509 bytes.
        if target.username.as_ref().is_some_and(|name| name.is_empty() || name.len() > 508) {
            problem("username", "from 1 to 508 bytes");
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

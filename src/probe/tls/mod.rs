//! `tls`: who answers a TLS handshake, and is somebody in between?
//!
//! # Asks
//! One handshake with each address of a host. The chain that it shows is held against Mozilla's
//! roots and against this machine's own store, each by itself; then version, ALPN, name,
//! dates, pins and certificate transparency stamps. With a far end (`far_end`) also which key it sees at
//! the same host, and whether a TLS connection to it arrives there as it left here.
//! # Why it matters
//! An inspecting proxy reads the stream key, ends long connections and often cannot pass on
//! RTMPS at all. A certificate that runs out during the event ends it for every viewer.
//! # How it can mislead
//! A proxy may spare this name today and not tomorrow. A chain that only this machine trusts
//! may be a company's own server: the policy says so with `roots = "machine"` or a pin.
//! Large services show different keys at different places: with another public key outside, nobody is
//! accused unless the policy asks for the same one. Revocation is not asked. Stamps sent beside the certificate are not seen.
//! # Needs
//! Nothing; for the view from outside, a far end that was started with `--notary` and this host.

mod interceptor;
mod judge;
pub mod outside;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::limit::Bound;
use crate::model::{
    AtLeast, AtMost, Code, Contact, Demand, Endpoint, Failure, FarEnd, FarEndName, Finding, Lane,
    NotMeasured, OneOf, Pin, Stakes, Stop, Transport, Walk, WireText,
};
use crate::net::tls::{Identity, Session, Version};
use outside::Outside;

/// The probe.
#[derive(Debug)]
pub struct Tls;

/// Where to shake hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Host name or literal address to connect to.
    pub host: String,
    /// TCP port (default: 443).
    #[serde(default = "https")]
    pub port: u16,
    /// Name to ask for, when it is not the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Protocols to offer in ALPN, in order (default: none).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
    /// A far end that looks at the host from outside, and at which TLS must arrive as it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarEndName>,
}

const fn https() -> u16 {
    443
}

impl Target {
    fn name(&self) -> &str {
        self.server_name.as_deref().unwrap_or(&self.host)
    }
}

/// Whose word is enough for a chain. Ordered from the least to the most that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RootSet {
    /// Nobody's, as long as the key is one of the policy's pins.
    Pinned,
    /// This machine's store: an inspecting proxy passes, too.
    Machine,
    /// Mozilla's roots.
    Public,
}

impl fmt::Display for RootSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pinned => "pinned",
            Self::Machine => "machine",
            Self::Public => "public",
        })
    }
}

/// How alike the host must be, here and seen from the far end. Ordered from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Both chains are public: large services have many keys.
    Public,
    /// The key is the same.
    SameKey,
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Public => "public",
            Self::SameKey => "same_key",
        })
    }
}

impl Bound for Likeness {}
impl Bound for RootSet {}
impl Bound for Version {}

crate::limits! {
    /// What the server must show.
    pub struct Limits {
        /// Whose word is enough: `public` (also when left out), `machine` or `pinned`.
        pub roots: AtLeast<RootSet>,
        /// Keys that the server may show (SHA-256 of the public key info).
        pub pins: OneOf<Pin>,
        /// Oldest TLS version: `1.2` or `1.3`.
        pub version: AtLeast<Version>,
        /// Protocols that the server may choose in ALPN.
        pub alpn: OneOf<String>,
        /// Until when the chain must be valid, at least (left out: the end of the event).
        pub valid_until: AtLeast<jiff::Timestamp>,
        /// Certificate transparency stamps in the certificate.
        pub scts: AtLeast<u32>,
        /// How alike the host must be, seen from the far end: `public` (also when left out) or
        /// `same_key`.
        pub outside: AtLeast<Likeness>,
        /// Longest handshake, ms.
        pub handshake_ms: AtMost<f64>,
    }
}

/// What each address answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The host, as asked.
    pub host: String,
    /// The name asked for.
    pub server_name: String,
    /// Why the host has no address, if so.
    pub lookup: Option<Failure>,
    /// One handshake with each address.
    pub attempts: Vec<Attempt>,
    /// What the far end knows of it, if the policy names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Box<Outside>>,
}

/// One handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The TCP connection beneath.
    pub contact: Contact,
    /// What came of it.
    pub answer: Answer,
    /// How far the first message gets on connections that stand, when it gets no answer (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
}

impl Attempt {
    /// How the first message was stopped, when a connection stood and nothing came back on it.
    fn stop(&self) -> Option<Stop> {
        match &self.answer {
            Answer::Failed { failure, stranger: None, identity: None, .. } => match failure {
                Failure::Reset | Failure::Closed => Some(Stop::Cut),
                Failure::TimedOut => Some(Stop::Swallow),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// No TCP connection.
    NotConnected {
        /// Why.
        failure: Failure,
        /// The system's words.
        detail: WireText,
    },
    /// A TCP connection, but no handshake.
    Failed {
        /// How it ended.
        failure: Failure,
        /// Alert or error in words.
        detail: WireText,
        /// What answered, when it was not TLS.
        stranger: Option<Stranger>,
        /// Who the server showed itself to be, when it got so far.
        identity: Option<Box<Identity>>,
        /// How long it took, in milliseconds.
        took_ms: f64,
    },
    /// A handshake.
    Session(Box<Session>),
}

/// What answered where TLS was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stranger {
    /// The protocol that it looks like: `http`, `ssh`, `rtmp`, …
    pub protocol: String,
    /// Its first bytes.
    pub said: WireText,
}

impl Probe for Tls {
    const NAME: &'static str = "tls";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Who answers a TLS handshake, and does somebody in between sign in the server's name",
        why: "an inspecting proxy reads the stream key and often cannot pass the stream on; a certificate that runs out during the event ends it",
        misleads: "a proxy may spare this name today and not tomorrow; a company's own server looks intercepted until the policy names its key or allows this machine's roots; revocation is not asked",
        needs: "nothing; for the view from outside, a far end started with `--notary` and this host",
    };
    const VIEWERS: &'static str =
        "A device in between refuses or cuts the stream: viewers see nothing, or the picture freezes.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let far_end = target.far_end.as_ref().and_then(|name| far_ends.get(name)?.host_port());
        let far_end = far_end.map(|(host, port)| Endpoint::new(host, port, Transport::Tcp));
        run::demand(Endpoint::new(target.host.clone(), target.port, Transport::Tcp), far_end)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        let is_host = |name: &str| ServerName::try_from(bare(name)).is_ok();
        if !is_host(&target.host) {
            problem(
                "host",
                "is not a host name or an address: write `live.example.com`, without scheme or port",
            );
        }
        if target.server_name.as_deref().is_some_and(|name| !is_host(name)) {
            problem("server_name", "is not a host name that a certificate can be made out to");
        }
        if target.port == 0 {
            problem("port", "0 is not a port: 443 is usual");
        }
        if target.alpn.iter().any(|name| name.is_empty() || name.len() > 255) {
            problem("alpn", "a protocol's name has 1 to 255 bytes (RFC 7301)");
        }
        if limits.alpn.is_some() && target.alpn.is_empty() {
            problem("alpn", "nothing is offered: list the protocols in the target's `alpn`, too");
        }
        if let Some(name) = target.far_end.as_ref().filter(|name| !far_ends.contains_key(*name)) {
            problem("far_end", &format!("the policy has no [far_end.{name}]"));
        }
        if limits.outside.is_some() && target.far_end.is_none() {
            problem("outside", "nobody looks from there: name a `far_end` in the target, too");
        }
        if limits.roots == Some(AtLeast(RootSet::Pinned)) && limits.pins.is_none() {
            problem("roots", "`pinned` needs `pins`: without one, any certificate would do");
        }
        problems
    }

    fn derive(_: &mut Target, limits: &mut Limits, stakes: &Stakes) {
        if limits.valid_until.is_none() {
            limits.valid_until = stakes.event_ends.map(AtLeast);
        }
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

/// A literal IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

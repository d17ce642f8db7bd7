//! `rtmp`: whether an RTMP or RTMPS ingest takes a stream from here.
//!
//! # Asks
//! An ingest, the way an encoder does: name, TCP, TLS (`rtmps://`), handshake, `connect`; with
//! `publish = "test"` also `publish` under a named test key, and some seconds of a test card. Every
//! address family by itself, every phase timed.
//! # Why it matters
//! It is the stream's own way in. A port that opens proves little: a middlebox may kill the protocol
//! behind it, something else may answer there, and the server may know neither application nor key.
//! # How it can mislead
//! Without `publish` nothing says that the key works or that the account may go live. A server may
//! accept a stream and end it after longer than the test lasts. A firewall that inspects and a server
//! that ends strangers' connections look alike from here, unless the first message, sent with a growing
//! TTL, is cut before it gets to the host (Linux).
//! # Needs
//! Nothing; for `publish = "test"` a stream key that no audience watches.

mod codes;
mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    AtMost, Code, Contact, Demand, Failure, FarEnd, FarEndName, Finding, IcmpError, Lane, NotMeasured,
    Publish, SecretSource, Stakes, Stop, Walk, WireText,
};
use crate::net::tls::{Identity, Session};
use crate::wire::banner::Protocol;
use crate::wire::firewall::Told;
use crate::wire::rtmp::address::Address;
use crate::wire::rtmp::client::Phase;

/// Longest test stream, in seconds. Longer ones are rehearsals.
pub const MAX_MEDIA_SECONDS: u32 = 60;

/// The probe.
#[derive(Debug)]
pub struct Rtmp;

/// Which ingest, and whether to publish to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `rtmp://host:port/app` or `rtmps://host:port/app`, without a stream key.
    pub url: String,
    /// Whether to publish.
    #[serde(default)]
    pub publish: Publish,
    /// Where the test key is, when something is published. Never the key of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_key: Option<SecretSource>,
    /// How many seconds of test card are published (default 5).
    #[serde(default = "default_media_seconds")]
    pub media_seconds: u32,
}

/// Some servers accept a stream and end it within the first seconds.
const fn default_media_seconds() -> u32 {
    5
}

crate::limits! {
    /// How long each phase may take, in milliseconds. The slowest address counts.
    pub struct Limits {
        /// TCP handshake.
        pub tcp_ms: AtMost<f64>,
        /// TLS handshake (`rtmps://` only).
        pub tls_ms: AtMost<f64>,
        /// RTMP handshake, from C0 to S2.
        pub handshake_ms: AtMost<f64>,
        /// From `connect` to its answer.
        pub connect_ms: AtMost<f64>,
        /// From asking to publish to the server's consent.
        pub publish_ms: AtMost<f64>,
    }
}

/// What an ingest did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The URL that was asked.
    pub url: String,
    /// Whether publishing was asked for.
    pub publish: Publish,
    /// How it was asked.
    pub method: String,
    /// How long the name took, in milliseconds.
    pub resolve_ms: f64,
    /// Why the name gave no address, if it did not.
    pub unresolved: Option<Failure>,
    /// Each address, in the order tried.
    pub attempts: Vec<Attempt>,
}

/// What one address did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Address and TCP handshake.
    pub contact: Contact,
    /// What TLS agreed on, and who the server showed itself to be.
    pub tls: Option<Session>,
    /// RTMP handshake, in milliseconds.
    pub handshake_ms: Option<f64>,
    /// Whether the server gave our handshake packet back unchanged.
    pub echoed: Option<bool>,
    /// From `connect` to its answer, in milliseconds.
    pub connect_ms: Option<f64>,
    /// What the server calls itself.
    pub server: Option<WireText>,
    /// From asking to publish to the server's consent, in milliseconds.
    pub publish_ms: Option<f64>,
    /// What was sent of the test card, if it came to that.
    pub media: Option<Media>,
    /// What this machine's own rules do with it, when the machine itself forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_rules: Option<Told>,
    /// How far the first message gets on connections that stand, when it gets no answer (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// How it ended.
    pub end: End,
}

impl Attempt {
    /// How the first message was stopped, when a connection stood and nothing came back on it.
    fn stop(&self) -> Option<Stop> {
        match &self.end {
            End::Closed { phase: Phase::Handshake, received_bytes: 0, .. }
            | End::NotSecured { failure: Failure::Closed | Failure::Reset, answered: None, .. } => {
                Some(Stop::Cut)
            }
            End::Silent { phase: Phase::Handshake, received_bytes: 0, .. }
            | End::NotSecured { failure: Failure::TimedOut, answered: None, .. } => Some(Stop::Swallow),
            _ => None,
        }
    }
}

/// What was sent of the test card.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// For how long, in milliseconds.
    pub took_ms: f64,
    /// Pictures.
    pub video_frames: u64,
    /// Bytes of media.
    pub sent_bytes: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It came as far as was asked.
    Accepted,
    /// No TCP connection.
    NotConnected {
        /// Why.
        failure: Failure,
        /// The ICMP error that said so, where the system tells.
        icmp: Option<IcmpError>,
        /// The system's words.
        detail: WireText,
    },
    /// No TLS.
    NotSecured {
        /// Why.
        failure: Failure,
        /// The alert or error in words.
        detail: WireText,
        /// What answered, when it was not TLS.
        answered: Option<Answered>,
        /// Who the server showed itself to be, when it got so far.
        identity: Option<Box<Identity>>,
    },
    /// Something answered, and it is no RTMP server.
    NotRtmp(Answered),
    /// The server said no.
    Refused {
        /// When.
        phase: Phase,
        /// Its own code, such as `NetStream.Publish.BadName`.
        code: WireText,
        /// Its own description.
        description: WireText,
    },
    /// The connection ended without a word.
    Closed {
        /// When.
        phase: Phase,
        /// By a reset, not in an orderly way.
        reset: bool,
        /// Bytes received before.
        received_bytes: u64,
        /// Since the phase began, in milliseconds.
        after_ms: f64,
    },
    /// Nothing more came; of media: nothing more got there.
    Silent {
        /// When.
        phase: Phase,
        /// Bytes received before.
        received_bytes: u64,
        /// How long was waited, in milliseconds; of media: for how long it got there.
        after_ms: f64,
    },
    /// The server broke RTMP's rules.
    Malformed {
        /// When.
        phase: Phase,
        /// How.
        problem: String,
    },
}

/// What answered in place of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// What it looks like.
    pub protocol: Protocol,
    /// Its first bytes, or what it did.
    pub first: WireText,
}

impl Probe for Rtmp {
    const NAME: &'static str = "rtmp";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether an RTMP or RTMPS ingest takes a stream from here, phase by phase, up to test media",
        why: "it is the stream's own way in; a port that opens may still have the protocol killed behind it, or another service on it",
        misleads: "without `publish = \"test\"` nothing says that the key works; a firewall that inspects and a server that ends strangers' connections look alike from here",
        needs: "nothing; to publish, a test key that no audience watches",
    };
    const VIEWERS: &'static str = "The stream would not start, or would end within seconds: an empty player.";
    const CODES: &'static [Code] = codes::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    /// Handshake and `connect`, without publishing: a stream that is live stays alone on its key.
    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(Target { publish: Publish::Never, test_key: None, ..target.clone() }))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn brief(target: &Target) -> String {
        let publish = if target.publish == Publish::Test { ", publishing a test" } else { "" };
        format!("{}{publish}", crate::model::text::escape(&target.url))
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        let address = Address::parse(&target.url);
        if let Err(why) = &address {
            problem("url", &why.to_string());
        }
        match (target.publish, &target.test_key) {
            (Publish::Test, None) => problem("test_key", "publishing needs a test key: `{ env = \"NAME\" }`"),
            (Publish::Never, Some(_)) => {
                problem("test_key", "nothing is published: add `publish = \"test\"` or leave the key out");
            }
            _ => {}
        }
        if !(1..=MAX_MEDIA_SECONDS).contains(&target.media_seconds) {
            problem("media_seconds", "from 1 to 60 seconds; a longer test is a rehearsal");
        }
        if limits.publish_ms.is_some() && target.publish == Publish::Never {
            problem("publish_ms", "nothing is published, so that nothing can meet this limit");
        }
        if limits.tls_ms.is_some() && address.is_ok_and(|address| !address.tls) {
            problem("tls_ms", "rtmp:// has no TLS, so that nothing can meet this limit");
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

//! `portal`: does a captive portal hold this machine?
//!
//! # Asks
//! A small page over plain HTTP whose answer is known, from each address of its host: a portal answers
//! in its place, or sends elsewhere. And the network's captive portal API (RFC 8908), where the policy,
//! DHCP or a router advertisement (RFC 8910) names it: held or free, for how long, for how many bytes.
//! # Why it matters
//! Behind a portal nothing leaves but what the portal takes: an encoder cannot press "I agree". And a
//! session that ends during the event ends the stream.
//! # How it can mislead
//! A portal may know this page and let it alone. Without the API nobody says when a session ends. Who
//! has agreed on one machine has not on another: run it on the machine that will stream, or behind the
//! same address. What DHCP said can only be read where its client's notes are open to all.
//! # Needs
//! A page that answers the same to everybody, such as one of your own with `204 No Content`.

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::model::text::MAX_WIRE_TEXT;
use crate::model::{
    AtLeast, Code, Contact, Demand, Exactly, Failure, FarEnd, FarEndName, Finding, Lane, NotMeasured, Stakes,
    StreamNeed, WireText,
};
use crate::wire::captive::State;
use crate::wire::http::WebUrl;

/// The probe.
#[derive(Debug)]
pub struct Portal;

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `http://host/path` of a page that answers the same to everybody.
    pub url: WebUrl,
    /// `https://` address of the captive portal's API (RFC 8908). Left out: what DHCP or a router
    /// advertisement said (RFC 8910), where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<WebUrl>,
}

crate::limits! {
    /// What must come back.
    pub struct Limits {
        /// What the page holds, blanks around it aside. Left out: nothing, under the status 204.
        pub body: Exactly<String>,
        /// Until when the portal must let us be, at least (left out: the end of the event).
        pub session_until: AtLeast<Timestamp>,
        /// Bytes that the portal must still let pass, both ways together (left out: what the event's
        /// streams will send).
        pub bytes_remaining: AtLeast<u64>,
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The page, as asked.
    pub url: WebUrl,
    /// When the answers came.
    pub at: Timestamp,
    /// Why its host has no address, if so.
    pub lookup: Option<Failure>,
    /// One request to each address.
    pub attempts: Vec<Attempt>,
    /// The captive portal's API.
    pub api: Api,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times; `took_ms` ends with the answer.
    pub contact: Contact,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// No page.
    None {
        /// How it ended.
        failure: Failure,
        /// The system's or the protocol's words.
        detail: WireText,
        /// True when there was a connection.
        connected: bool,
    },
    /// A page.
    Page(Page),
}

/// A page, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// HTTP's status.
    pub status: u16,
    /// Where it sends us, without its query: portals put tokens and our own address there.
    pub location: Option<WireText>,
    /// True when that is on the same host.
    pub same_host: bool,
    /// What it says of its content's kind.
    pub content_type: Option<WireText>,
    /// Its beginning, blanks around it aside.
    pub body: WireText,
    /// Bytes that were read of it.
    pub body_bytes: usize,
    /// True when that is all of it.
    pub whole: bool,
}

/// What is known of the captive portal's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// Nobody named one. `dhcp_readable` is false where DHCP's word could not be read: it may have.
    Unnamed {
        /// Whether some DHCP client's notes could be read.
        dhcp_readable: bool,
    },
    /// The network says that it has no captive portal (RFC 8910, 2).
    Unrestricted,
    /// It was asked.
    Asked {
        /// Who named it.
        by: Teller,
        /// Its address without its query.
        url: WireText,
        /// What it answered.
        answer: ApiAnswer,
    },
}

/// Who named the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// The policy.
    Policy,
    /// The network, by DHCP or router advertisement (RFC 8910).
    Network,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiAnswer {
    /// Nothing that counts.
    None {
        /// How it ended: also a certificate that is not trusted, which RFC 8908 (4.1) forbids to pass over.
        failure: Failure,
        /// What came instead, or the system's words.
        detail: WireText,
    },
    /// Its words.
    State(State),
}

impl Probe for Portal {
    const NAME: &'static str = "portal";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether a captive portal holds this machine, and until when it lets it go",
        why: "behind a portal nothing leaves but what it takes, and a session that ends during the event ends the stream",
        misleads: "a portal may know this page and let it alone; without its API (RFC 8908) nobody says when a session ends; who agreed on one machine has not on another",
        needs: "a page over plain HTTP that answers the same to everybody; to learn of the API from DHCP, a client whose notes are open to all (systemd-networkd, dhclient)",
    };
    const VIEWERS: &'static str = "The venue's network waits for somebody to accept its terms: the stream never starts, or ends when the session does.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if target.url.is_tls() {
            problem("url", "name an `http://` page: what a portal cannot read it can only drop");
        }
        if target.api.as_ref().is_some_and(|api| !api.is_tls()) {
            problem("api", "the API is an `https://` address (RFC 8908, 4.1)");
        }
        if limits.body.as_ref().is_some_and(|body| body.0.trim().chars().count() >= MAX_WIRE_TEXT) {
            problem("body", "at most 399 characters are compared: name a smaller page");
        }
        problems
    }

    fn derive(_: &mut Target, limits: &mut Limits, stakes: &Stakes) {
        if limits.session_until.is_none() {
            limits.session_until = stakes.event_ends.map(AtLeast);
        }
        if limits.bytes_remaining.is_none()
            && let Some(seconds) = stakes.event_seconds
        {
            let kbps: u64 = stakes.streams.values().map(StreamNeed::wire_kbps).sum();
            let bytes = kbps.saturating_mul(125).saturating_mul(seconds);
            limits.bytes_remaining = (bytes > 0).then_some(AtLeast(bytes));
        }
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

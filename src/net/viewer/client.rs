//! One browser: what it asks, over connections that it keeps.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lines::{self, Lines, Question};
use super::way::Chosen;
use crate::model::{Contact, Failure, NotMeasured, Secret, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::proxy::{self, Connect};
use crate::net::tls::{Accept, Roots, Session};
use crate::wire::http::{Browse, Page, Pages};

/// Longest time for an answer with its body.
const ANSWER: Duration = Duration::from_secs(20);

/// Longest time for one exchange, s.
pub const LONGEST: f64 = lines::LONGEST + 20.0;

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// Bytes of the body that are kept.
    pub keep: usize,
    /// Read the body to its end, though no more is kept.
    pub whole: bool,
}

/// How an exchange ended without a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The host's name gave no address.
    NoAddress {
        /// Why.
        failure: Failure,
    },
    /// No connection to any address.
    NotConnected {
        /// Why.
        failure: Failure,
        /// The system's words.
        detail: WireText,
    },
    /// The proxy made no way there.
    Proxy(Connect),
    /// A connection, but no TLS.
    Tls {
        /// How it ended.
        failure: Failure,
        /// Alert or error in words.
        detail: WireText,
        /// Whether the same address answers a handshake that names no host; absent when nobody asked.
        nameless: Option<bool>,
    },
    /// The request was sent, and no answer came that is HTTP.
    Unanswered {
        /// How it ended.
        failure: Failure,
        /// What came instead, or the system's words.
        detail: WireText,
    },
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failure, detail) = match self {
            Self::NoAddress { failure } => return failure.fmt(f),
            Self::Proxy(Connect::NotAsked { why }) => return write!(f, "the proxy was not asked: {why}"),
            Self::Proxy(Connect::Answered { status, reason, .. }) => {
                return write!(f, "the proxy says {status} {reason}");
            }
            Self::Proxy(Connect::None { failure, detail, .. }) => {
                f.write_str("the proxy: ")?;
                (failure, detail)
            }
            Self::NotConnected { failure, detail }
            | Self::Tls { failure, detail, .. }
            | Self::Unanswered { failure, detail } => (failure, detail),
        };
        if detail.is_empty() { failure.fmt(f) } else { write!(f, "{failure} ({detail})") }
    }
}

/// One request and what came of it.
#[derive(Debug)]
pub struct Exchange {
    /// Milliseconds since the check started.
    pub offset_ms: f64,
    /// The connection: to the host, or to the proxy.
    pub contact: Option<Contact>,
    /// Whether it was there before.
    pub kept: bool,
    /// What was agreed in TLS.
    pub session: Option<Session>,
    /// From the beginning to a connection through which the request could be sent, ms; 0 for a kept one.
    pub connected_ms: f64,
    /// From the beginning to the first byte of the answer, ms.
    pub answered_ms: Option<f64>,
    /// From the beginning to the end, ms.
    pub took_ms: f64,
    /// The page.
    pub outcome: Result<Page, Ended>,
}

/// One browser.
pub struct Viewer<'a> {
    chosen: &'a Chosen,
    lines: Lines<'a>,
}

impl<'a> Viewer<'a> {
    /// A new one, without connections. Certificates of all kinds are let through and told: nothing secret
    /// is sent.
    pub const fn new(
        chosen: &'a Chosen,
        source: &'a SourceAddress,
        roots: &'a Roots,
        origin: &'a Origin,
    ) -> Self {
        Self { chosen, lines: Lines::new(chosen, Accept::Any, source, roots, origin) }
    }

    /// Asks, and takes what comes. `heard` is told of every piece that comes, how many bytes it has.
    pub async fn get(
        &mut self,
        ask: &Browse<'_>,
        want: Want,
        heard: impl FnMut(usize) + Send,
    ) -> Result<Exchange, NotMeasured> {
        let request = if self.chosen.proxy().is_some() && !ask.url.is_tls() {
            let proof = self.chosen.credentials.as_ref().map(proxy::Credentials::proof);
            ask.head_for_proxy(proof.as_ref())
        } else {
            Secret::from(ask.head())
        };
        let pages = || if want.whole { Pages::to_the_end(want.keep) } else { Pages::new(want.keep) };
        let bytes = request.reveal().as_bytes();
        let question = Question { url: ask.url, bytes, limit: ANSWER, again: true };
        self.lines.exchange(question, pages, heard).await
    }
}

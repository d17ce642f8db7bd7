//! The story of a watch: its journal, its log and its JSON lines are made of these.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Wish;
use crate::evidence::Measurement;
use crate::judge::watch::{Alert, Look};
use crate::model::{CheckId, Outcome, PathName};
use crate::policy::Policy;
use crate::report::{LeftOutDoc, WatchedDoc};
use crate::run::journal::Line;

/// Version of the stream, in [`WatchStarted::format`].
pub const FORMAT: &str = "golive-watch-events/1";

/// What happened. One JSON object a line, tagged by `event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WatchEvent {
    /// First of every watch.
    WatchStarted(Box<WatchStarted>),
    /// A watch that had died goes on.
    WatchResumed {
        /// When.
        at: Timestamp,
        /// Looks that the journal holds.
        looks: u64,
    },
    /// A check was looked at.
    Looked {
        /// The check.
        check: CheckId,
        /// What it came to.
        look: Look,
        /// The whole measurement, where it came to something else than the look before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        measurement: Option<Box<Measurement>>,
    },
    /// A check is in another state than it was.
    Alert {
        /// What to tell.
        alert: Alert,
    },
    /// The webhook took a message.
    Delivered {
        /// The alert's number.
        alert: u64,
        /// Attempts that it took.
        attempts: u32,
    },
    /// The webhook did not.
    Undelivered {
        /// The alert's number.
        alert: u64,
        /// Why, without its address.
        why: String,
    },
    /// How it stands, now and then: for the eye only.
    Status {
        /// When.
        at: Timestamp,
        /// Checks by state: not decided, pass (or not applicable), warn, unknown, fail.
        counts: [usize; 5],
        /// Those that are not well, in the policy's order.
        unwell: Vec<CheckId>,
        /// Looks so far.
        looks: u64,
    },
    /// Last of every watch that ended.
    WatchFinished {
        /// When.
        at: Timestamp,
        /// By what: `the event's end`, `SIGINT`.
        by: String,
        /// The worst state that was.
        worst: Outcome,
        /// The exit code that goes with it.
        exit_code: u8,
        /// Where the report was written, as shown to the user.
        report: Option<String>,
    },
}

impl Line for WatchEvent {
    fn is_kept(&self) -> bool {
        !matches!(self, Self::Status { .. })
    }
}

/// How a watch begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchStarted {
    /// [`FORMAT`].
    pub format: String,
    /// The watch's id.
    pub watch: String,
    /// golive's version.
    pub golive: String,
    /// When, UTC.
    pub at: Timestamp,
    /// When it is to end, and by what; until it is stopped when absent.
    pub ends: Option<(Timestamp, String)>,
    /// The policy of the watch, secrets left out.
    pub policy: Policy,
    /// Policy file to load again on resume.
    pub policy_source: String,
    /// SHA-256 of the whole policy, as in a report of the same policy.
    pub policy_sha256: String,
    /// How the user wants it, to plan the same again.
    pub wish: WishDoc,
    /// Each check that is looked at, before the first look.
    pub checks: Vec<WatchedDoc>,
    /// What is left out.
    pub left_out: Vec<LeftOutDoc>,
    /// Bits per second that all looks send at most.
    pub most_sent_bps: u64,
    /// Bits per second that they take at most, were every answer as long as golive reads.
    pub most_received_bps: u64,
    /// Intervals had to grow to keep to the budget.
    pub stretched: bool,
    /// Host of the webhook.
    pub webhook: Option<String>,
    /// Where Prometheus finds the metrics.
    pub metrics: Option<SocketAddr>,
}

/// How the user wants it, as the journal holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WishDoc {
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// The budget of what is sent, in bits per second.
    pub most_sent_bps: u64,
    /// Paths that were named.
    pub paths: Vec<PathName>,
}

impl From<&WishDoc> for Wish {
    fn from(wish: &WishDoc) -> Self {
        let every = Duration::from_millis(wish.every_ms);
        Self { every, most_sent_bps: wish.most_sent_bps, paths: wish.paths.clone() }
    }
}

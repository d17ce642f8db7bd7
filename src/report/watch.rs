//! `golive-watch/1`: what a watch saw while the event ran, as it is stored.
//!
//! A document of its own and no part of `golive-report/1`: a report holds a verdict that people sign,
//! and `golive verify` computes it again from its readings. A watch asks only what is light, gives no
//! verdict, and keeps periods and not every reading; a report with such a part in it would say more
//! than anybody can check.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::write::{WriteError, at, write_whole};
use super::{inert, watch_html, watch_markdown, watch_pdf};
use crate::judge::watch::{Alert, Timeline};
use crate::model::{Area, CheckId, Enforcement, Outcome, PathName, Role};
use crate::policy::{Event, Layer};

/// Value of [`WatchDoc::schema`].
pub const WATCH_SCHEMA: &str = "golive-watch/1";
/// The stored document's name in a watch's folder.
pub const WATCH_FILE: &str = "watch.json";
/// Largest document that is read, in bytes: 200 periods of hundreds of checks.
const MAX_BYTES: usize = 32 << 20;

/// A whole watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchDoc {
    /// [`WATCH_SCHEMA`].
    pub schema: String,
    /// golive's version.
    pub golive: String,
    /// Its id.
    pub watch: String,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// By what it ended: `the event's end`, `SIGINT`.
    pub ended_by: String,
    /// How often it died and was resumed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumed: u32,
    /// The event, as the policy has it.
    pub event: Event,
    /// The files that the policy was made from.
    pub layers: Vec<Layer>,
    /// SHA-256 of the policy, as in a report of the same policy.
    pub policy_sha256: String,
    /// How often each check was to be looked at, in seconds, unless its kind asks for more time.
    pub every_s: f64,
    /// Bits per second that all looks sent at most.
    pub most_sent_bps: u64,
    /// Bits per second that they took at most, had every answer been as long as golive reads.
    pub most_received_bps: u64,
    /// The worst state of the watch: what is advisory counts as a warning at most.
    pub worst: Outcome,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// Each check that was looked at, in the policy's order.
    pub checks: Vec<WatchedDoc>,
    /// What of the policy was not looked at, and why.
    pub left_out: Vec<LeftOutDoc>,
    /// The newest 500 alerts, oldest first.
    pub alerts: Vec<Alert>,
    /// Alerts in all.
    pub alerts_in_all: u64,
    /// What became of the webhook's messages; none where there was no webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookDoc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// One check that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchedDoc {
    /// Its id.
    pub check: CheckId,
    /// Which probe.
    pub probe: String,
    /// What was asked, in short.
    pub target: String,
    /// The way out.
    pub path: Option<PathName>,
    /// How binding it is.
    pub enforcement: Enforcement,
    /// The area that owns the remedy.
    pub owner: Area,
    /// The role accountable for that area, if the policy names one.
    pub accountable: Option<Role>,
    /// How often it was looked at, in seconds.
    pub every_s: f64,
    /// How many times.
    pub looks: u64,
    /// Its last state; `None` when it was looked at less than twice.
    pub state: Option<Outcome>,
    /// The worst state that it was in.
    pub worst: Option<Outcome>,
    /// What it was, when.
    pub timeline: Timeline,
}

/// A check that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOutDoc {
    /// The check.
    pub check: CheckId,
    /// Which probe.
    pub probe: String,
    /// Why.
    pub why: String,
}

/// What became of the webhook's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDoc {
    /// The host; its address may be a secret.
    pub host: String,
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that were not.
    pub lost: u64,
    /// Why the last of these was not.
    pub trouble: Option<String>,
}

/// Why bytes are no watch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no {WATCH_SCHEMA} document: {0}")]
pub struct BadWatch(String);

impl WatchDoc {
    /// From bytes, which are hostile.
    ///
    /// # Errors
    /// Too large, no JSON, or another schema.
    pub fn read(bytes: &[u8]) -> Result<Self, BadWatch> {
        if bytes.len() > MAX_BYTES {
            return Err(BadWatch(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
        }
        let said = |error: serde_json::Error| {
            BadWatch(crate::model::text::escape(&error.to_string()).chars().take(300).collect())
        };
        let document: Self = serde_json::from_slice(bytes).map_err(said)?;
        if document.schema == WATCH_SCHEMA {
            Ok(document)
        } else {
            Err(BadWatch("its schema is another one".to_owned()))
        }
    }

    /// The first instant and the last.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (self.started, self.finished.max(self.started))
    }

    /// As it is stored.
    ///
    /// # Errors
    /// None that a watch can cause.
    pub fn to_json(&self) -> serde_json::Result<String> {
        inert(self)
    }
}

/// Writes `watch.json`, `watch.html`, `watch.md` and `watch.pdf` into `dir`, each whole or not at all; the path of the
/// page.
///
/// # Errors
/// The disk.
pub fn write_watch(dir: &Path, document: &WatchDoc) -> Result<PathBuf, WriteError> {
    let json = dir.join(WATCH_FILE);
    let stored = document.to_json().map_err(|error| at(&json, error.into()))?;
    write_whole(&json, stored.as_bytes())?;
    let page = dir.join("watch.html");
    write_whole(&page, watch_html(document).as_bytes())?;
    write_whole(&dir.join("watch.md"), watch_markdown(document).as_bytes())?;
    let paper = dir.join("watch.pdf");
    let bytes =
        watch_pdf(document, stored.as_bytes()).map_err(|error| at(&paper, std::io::Error::other(error)))?;
    write_whole(&paper, &bytes)?;
    Ok(page)
}

//! Looking again and again at what is light, while the event runs.

mod courier;
mod document;
mod event;
mod metrics;
mod plan;
mod recorded;
mod round;
#[cfg(test)]
mod tests;

pub use document::heads;
pub use event::{FORMAT, WatchEvent, WatchStarted, WishDoc};
pub use metrics::Metrics;
pub use plan::{BACKUP, LeftOut, WatchPlan, Watched, Wish};
pub use recorded::Recorded;
pub use round::{Ended, resume, watch};

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use super::Stop;
use crate::net::exposition::Exposition;
use crate::net::webhook::Webhook;
use crate::policy::Policy;

/// What to watch.
#[derive(Debug)]
pub struct WatchJob {
    /// The whole policy.
    pub policy: Policy,
    /// Where it came from, for resume.
    pub policy_source: String,
    /// How the user wants it.
    pub wish: Wish,
    /// For how long, if not until the event's end.
    pub lasting: Option<SignedDuration>,
    /// Folder of journal and report.
    pub folder: PathBuf,
    /// Who hears of alerts.
    pub webhook: Option<Webhook>,
    /// Where Prometheus may ask.
    pub metrics: Option<Exposition>,
    /// How often the log says how it stands.
    pub status: Duration,
    /// Asked to stop, and by what.
    pub stop: Stop,
}

//! How fast media comes: one segment again and again, over several connections, as several viewers would
//! have it, bounded in time and volume.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client::{Exchange, Viewer, Want};
use super::way::Chosen;
use crate::model::{NotMeasured, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::tls::Roots;
use crate::wire::http::Browse;

/// Length of a window, ms: shorter ones show the pauses between segments.
const WINDOW_MS: f64 = 1000.0;
/// Windows at the beginning that are left out: connections are made, and TCP starts slowly.
const LEFT_OUT: usize = 1;

/// How much to load the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// For how long, seconds: 4 to 60.
    pub seconds: u64,
    /// Connections side by side, 1 to 16 (default: 4).
    #[serde(default = "four")]
    pub connections: u32,
    /// Megabytes at most (default: 500).
    #[serde(default = "half_a_gigabyte")]
    pub at_most_mb: u64,
}

const fn four() -> u32 {
    4
}

const fn half_a_gigabyte() -> u64 {
    500
}

/// What came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Download {
    /// Connections side by side.
    pub connections: u32,
    /// How long it took, ms.
    pub took_ms: f64,
    /// Bytes that came.
    pub bytes: u64,
    /// kb/s of each whole second after the first.
    pub kbps: Vec<f64>,
    /// What ended it.
    pub ended: Stopped,
}

/// What ended a download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Its time was over.
    Time,
    /// Its volume was used up.
    Volume,
    /// No more came.
    Trouble {
        /// How it ended.
        detail: WireText,
    },
}

/// What all connections share.
struct Shared<'a> {
    origin: &'a Origin,
    began_ms: f64,
    bytes: AtomicU64,
    most: u64,
    windows: Mutex<Vec<u64>>,
}

impl Shared<'_> {
    fn heard(&self, length: usize) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 60 windows")]
        let window = ((self.origin.ms() - self.began_ms) / WINDOW_MS) as usize;
        self.bytes.fetch_add(length as u64, Relaxed);
        if let Ok(mut windows) = self.windows.lock()
            && let Some(bytes) = windows.get_mut(window)
        {
            *bytes += length as u64;
        }
    }

    fn is_used_up(&self) -> bool {
        self.bytes.load(Relaxed) >= self.most
    }
}

/// Downloads what `ask` asks for, again and again.
pub async fn download(
    ask: &Browse<'_>,
    load: &Load,
    chosen: &Chosen,
    (source, roots, origin): (&SourceAddress, &Roots, &Origin),
) -> Result<Download, NotMeasured> {
    let windows = usize::try_from(load.seconds).unwrap_or(60);
    let shared = Shared {
        origin,
        began_ms: origin.ms(),
        bytes: AtomicU64::new(0),
        most: load.at_most_mb.saturating_mul(1_000_000),
        windows: Mutex::new(vec![0; windows]),
    };
    let lines = (0..load.connections).map(|_| one(ask, &shared, chosen, (source, roots, origin)));
    let all = futures::future::try_join_all(lines);
    let ended = match tokio::time::timeout(Duration::from_secs(load.seconds), all).await {
        Err(_) => Stopped::Time,
        Ok(troubles) => match troubles?.into_iter().flatten().next() {
            Some(detail) => Stopped::Trouble { detail },
            None => Stopped::Volume,
        },
    };
    let took_ms = origin.ms() - shared.began_ms;
    let windows = shared.windows.into_inner().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 60 windows")]
    let whole = ((took_ms / WINDOW_MS) as usize).min(windows.len());
    #[expect(clippy::cast_precision_loss, reason = "bytes of a second")]
    let kbps = windows.iter().take(whole).skip(LEFT_OUT).map(|bytes| *bytes as f64 * 8.0 / WINDOW_MS);
    let (connections, bytes) = (load.connections, shared.bytes.into_inner());
    Ok(Download { connections, took_ms, bytes, kbps: kbps.collect(), ended })
}

/// One connection: goes on until the volume is used up, or says what stopped it.
async fn one(
    ask: &Browse<'_>,
    shared: &Shared<'_>,
    chosen: &Chosen,
    (source, roots, origin): (&SourceAddress, &Roots, &Origin),
) -> Result<Option<WireText>, NotMeasured> {
    let mut viewer = Viewer::new(chosen, source, roots, origin);
    let want = Want { keep: 0, whole: true };
    while !shared.is_used_up() {
        let Exchange { outcome, .. } = viewer.get(ask, want, |length| shared.heard(length)).await?;
        match outcome {
            Ok(page) if page.response.is_success() && page.length > 0 => {}
            Ok(page) => {
                return Ok(Some(WireText::from(format!("HTTP {}", page.response.status))));
            }
            Err(ended) => return Ok(Some(WireText::from(ended.to_string()))),
        }
    }
    Ok(None)
}

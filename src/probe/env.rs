//! What a probe is given to work with. Never a limit.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::model::{Answer, CheckId, FarEnd, FarEndName, SourceAddress};
use crate::net::clock::Origin;
use crate::net::tls::Roots;

/// One point of a live series, for the eye while a probe runs. The reading holds the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Series, such as `upload_kbps` or `rtt_ms`.
    pub series: String,
    /// Milliseconds since the check started.
    pub offset_ms: f64,
    /// Value in the unit that the series' name ends in.
    pub value: f64,
}

type Sink = dyn Fn(Sample) + Send + Sync;

/// Where a probe reports samples while it runs. Cheap to clone; never blocks.
#[derive(Clone)]
pub struct Progress(Arc<Sink>);

impl Progress {
    /// Samples go to `sink`.
    pub fn to(sink: impl Fn(Sample) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Samples go nowhere.
    pub fn none() -> Self {
        Self::to(|_| {})
    }

    /// Reports one point.
    pub fn sample(&self, series: &str, offset_ms: f64, value: f64) {
        (self.0)(Sample { series: series.to_owned(), offset_ms, value });
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

/// What a probe is given.
#[derive(Debug, Clone)]
pub struct Env {
    /// The check on whose behalf it asks.
    pub check: CheckId,
    /// The way out to use; sockets are bound to it.
    pub source: SourceAddress,
    /// Far ends that the policy names.
    pub far_ends: Arc<BTreeMap<FarEndName, FarEnd>>,
    /// People's answers.
    pub answers: Arc<Vec<Answer>>,
    /// What certificate chains are held against: [`Roots::system`] but in tests.
    pub roots: Roots,
    /// Live samples.
    pub progress: Progress,
    /// Set when the run is being stopped: return what there is, soon.
    pub cancel: CancellationToken,
    /// Start of this check; offsets count from here.
    pub origin: Origin,
}

impl Env {
    /// An environment with the system's default way out and nothing else: for tests and tools.
    pub fn bare(check: CheckId) -> Self {
        Self {
            check,
            source: SourceAddress::default(),
            far_ends: Arc::default(),
            answers: Arc::default(),
            roots: Roots::system(),
            progress: Progress::none(),
            cancel: CancellationToken::new(),
            origin: Origin::start(),
        }
    }
}

//! An encoder in golive's own hands: the test stream, paced on a thread of its own, through a send queue
//! with OBS' drop rule, over RTMP or SRT. It sees what an encoder would see, and writes it down.
//!
//! Little lies unsent in the kernel (`TCP_NOTSENT_LOWAT`), so that a stall shows in the queue at once, as
//! with OBS on Windows; elsewhere the kernel's own buffer would hide the first one to two seconds of it.

mod admit;
mod connection;
mod fill;
mod pipe;
mod rtmp;
mod session;
mod srt;
mod tally;

pub use admit::{Asked, Way, admit};
pub use connection::Ready;
pub use fill::{Filled, fill};
pub use rtmp::publish;
pub use srt::{Accepted, Called, SrtCounts, call};
pub use tally::{STALL_MS, Second, Stall};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::WireText;

/// Most that waits unsent in the kernel: 20 ms at 6 Mb/s.
pub const UNSENT: u32 = 16 * 1024;
/// An encoder gives up when the network takes nothing for so long: OBS' send time-out.
pub const SEND_LIMIT: Duration = Duration::from_secs(15);
/// Looks at the connection at least this often.
const LOOK: Duration = Duration::from_millis(20);

/// What to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Pictures and sound, kb/s.
    pub kbps: u64,
    /// For how long.
    pub length: Duration,
    /// Most bytes that may be sent, repeats included (SRT): then it ends.
    pub most_bytes: u64,
}

/// How the stream ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It was played to its end.
    Complete,
    /// The run was stopped.
    Cancelled,
    /// For twelve seconds a fourth of the stream or more was lost, in each four of them: no viewer would call
    /// that a stream. The one reason to end early, since no later second makes it good.
    Collapsed,
    /// The network took nothing for 15 s, which is when OBS gives up.
    SendTimedOut,
    /// The ingest, or something in between, ended the connection.
    Closed {
        /// By a reset, not in an orderly way.
        reset: bool,
    },
    /// The ingest said no.
    Refused {
        /// Its code.
        code: WireText,
        /// Its words.
        description: WireText,
    },
    /// Nothing came back for 5 s (SRT).
    Silent,
    /// It broke the protocol's rules, or the system failed.
    Broken {
        /// How.
        problem: WireText,
    },
}

/// What was seen of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Take {
    /// Second by second; the last one may be cut short and is left out.
    pub seconds: Vec<Second>,
    /// Times without any progress of 200 ms and more.
    pub stalls: Vec<Stall>,
    /// Stalls beyond those kept, none of them longer.
    pub stalls_left_out: u64,
    /// How long it was played, in milliseconds.
    pub took_ms: f64,
    /// Bytes handed to the network.
    pub sent_bytes: u64,
    /// Shortest round trip, in milliseconds, where it is known.
    pub round_trip_ms: Option<f64>,
    /// 99 of 100 pieces left the encoder no later than this after their time, in milliseconds.
    pub late_p99_ms: f64,
    /// The latest one.
    pub late_max_ms: f64,
    /// Processor time of the sending thread, in milliseconds, where it is known.
    pub cpu_ms: Option<f64>,
    /// How it ended.
    pub end: End,
}

/// Shows what happens while it does: a series by name, milliseconds since the stream's start, a value.
pub type Watch = Arc<dyn Fn(&'static str, f64, f64) + Send + Sync>;

/// Tells the thread to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Stops it within some 20 ms.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stops the thread when nobody waits for it any more.
struct OnDrop(Stop);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Runs `work` on a thread of its own; `None` when it broke. When `cancelled` comes, the thread is told to
/// stop and still gives what it has.
pub async fn on_thread<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> T + Send + 'static,
    cancelled: impl Future<Output = ()>,
) -> Option<T> {
    let stop = Stop::default();
    let _guard = OnDrop(stop.clone());
    let (done, mut result) = tokio::sync::oneshot::channel();
    let theirs = stop.clone();
    let thread = std::thread::Builder::new().name("rehearsal".to_owned());
    thread.spawn(move || done.send(work(&theirs)).ok()).ok()?;
    tokio::select! {
        result = &mut result => return result.ok(),
        () = cancelled => stop.set(),
    }
    result.await.ok()
}

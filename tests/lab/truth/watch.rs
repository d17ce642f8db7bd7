//! Whether this machine was able to keep time while a stream ran.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How late a thread may wake. Above it a stall may be the machine's and not the line's.
pub const LATE: Duration = Duration::from_millis(150);

/// A thread that only sleeps, and notes how late it woke.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Watch {
    pub fn start() -> Self {
        const STEP: Duration = Duration::from_millis(10);
        let stop = Arc::<AtomicBool>::default();
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !seen.load(Ordering::Relaxed) {
                let before = Instant::now();
                std::thread::sleep(STEP);
                worst = worst.max(before.elapsed().saturating_sub(STEP));
            }
            worst
        });
        Self { stop, thread }
    }

    /// How late it woke at worst.
    pub fn worst(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(Duration::MAX)
    }
}

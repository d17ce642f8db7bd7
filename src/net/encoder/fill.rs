//! The test stream as fast as the line takes it, up to its bit rate, and nothing of it dropped: what the way
//! to an ingest carries, where [`super::publish`] tells what a stream would lose on it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::connection::{Connection, Ready, ended};
use super::{End, LOOK, Plan, SEND_LIMIT, Stop};
use crate::media::Padded;
use crate::net::ready;
use crate::net::tcp_info::{self, TcpInfo};

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// Bytes that the kernel took.
    pub written_bytes: u64,
    /// Latest that the connection was looked at after it should have been, in milliseconds: how much this
    /// machine was busy.
    pub late_ms: f64,
    /// How long it sent, in milliseconds.
    pub took_ms: f64,
    /// For how long the kernel had taken nothing at the end, in milliseconds.
    pub silent_ms: f64,
    /// How it ended; `Complete` also when `look` wanted no more.
    pub end: End,
}

/// Fills the connection. `look` gets the kernel's figures some fifty times a second, with milliseconds since
/// the start. Call it on a thread of its own.
pub fn fill(
    ready: Ready,
    plan: &Plan,
    stop: &Stop,
    look: impl FnMut(f64, Option<TcpInfo>) -> ControlFlow<()>,
) -> Filled {
    let broken = |problem: String| Filled {
        written_bytes: 0,
        late_ms: 0.0,
        took_ms: 0.0,
        silent_ms: 0.0,
        end: End::Broken { problem: problem.into() },
    };
    let pieces = match Padded::test_card(plan.kbps) {
        Ok(pieces) => pieces,
        Err(error) => return broken(error.to_string()),
    };
    let ingest = match Connection::new(ready) {
        Ok(ingest) => ingest,
        Err(error) => return broken(error.to_string()),
    };
    let now = Instant::now();
    let mut filler = Filler { ingest, look, start: now, taken_at: now, looked_at: now, late: Duration::ZERO };
    let end = filler.run(pieces, plan, stop);
    filler.finish(end)
}

struct Filler<F> {
    ingest: Connection,
    look: F,
    start: Instant,
    /// When the kernel last took something, or had taken everything.
    taken_at: Instant,
    looked_at: Instant,
    late: Duration,
}

impl<F: FnMut(f64, Option<TcpInfo>) -> ControlFlow<()>> Filler<F> {
    fn run(&mut self, pieces: Padded, plan: &Plan, stop: &Stop) -> End {
        let mut pieces = pieces.peekable();
        let end = self.start + plan.length;
        if self.see().is_break() {
            return End::Complete;
        }
        loop {
            let now = Instant::now();
            if stop.is_set() {
                return End::Cancelled;
            } else if now >= end {
                return End::Complete;
            } else if self.taken_at.elapsed() >= SEND_LIMIT {
                return End::SendTimedOut;
            }
            if let Err(ended) = self.send(&mut pieces).and_then(|()| self.ingest.hear()) {
                return ended;
            }
            if self.looked_at.elapsed() >= LOOK && self.see().is_break() {
                return End::Complete;
            }
            // A piece that is due goes as soon as the kernel takes it; one to come is waited for.
            let next = pieces.peek().map_or(end, |piece| self.due(piece.due_ms)).min(end);
            let waits = !self.ingest.pipe.is_empty();
            let limit = if waits { LOOK } else { next.saturating_duration_since(Instant::now()).min(LOOK) };
            ready::wait(&self.ingest.pipe.socket(), waits, limit);
        }
    }

    fn due(&self, due_ms: u64) -> Instant {
        self.start + Duration::from_millis(due_ms)
    }

    /// Gives the kernel what is due and what it takes, a piece at a time.
    fn send(&mut self, pieces: &mut std::iter::Peekable<Padded>) -> Result<(), End> {
        loop {
            let before = self.ingest.pipe.taken;
            self.ingest.pipe.flush().map_err(|error| ended(&error))?;
            if self.ingest.pipe.taken > before || self.ingest.pipe.is_empty() {
                self.taken_at = Instant::now();
            }
            // Looks must not wait for a fast line to be full.
            if !self.ingest.pipe.is_empty() || self.looked_at.elapsed() >= LOOK {
                return Ok(());
            }
            let now = Instant::now();
            let Some(piece) = pieces.next_if(|piece| self.due(piece.due_ms) <= now) else { return Ok(()) };
            self.ingest.put(&piece)?;
        }
    }

    /// Looks at the kernel's figures.
    fn see(&mut self) -> ControlFlow<()> {
        let now = Instant::now();
        self.late = self.late.max(now.saturating_duration_since(self.looked_at).saturating_sub(LOOK));
        self.looked_at = now;
        let info = tcp_info::read_socket(&self.ingest.pipe.socket());
        (self.look)(now.saturating_duration_since(self.start).as_secs_f64() * 1000.0, info)
    }

    fn finish(mut self, end: End) -> Filled {
        let _ = self.see();
        let filled = Filled {
            written_bytes: self.ingest.pipe.taken,
            late_ms: self.late.as_secs_f64() * 1000.0,
            took_ms: self.start.elapsed().as_secs_f64() * 1000.0,
            silent_ms: self.taken_at.elapsed().as_secs_f64() * 1000.0,
            end,
        };
        if matches!(filled.end, End::Complete | End::Cancelled) {
            self.ingest.take_leave();
        }
        // What lies unsent goes with the connection: the line is free from here on.
        let _ = self.ingest.pipe.socket().set_linger(Some(Duration::ZERO));
        filled
    }
}

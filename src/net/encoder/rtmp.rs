//! The stream over RTMP, once the ingest has consented to it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::connection::{Connection, Ready, ended};
use super::tally::{Look, Tally};
use super::{End, LOOK, Plan, SEND_LIMIT, Stop, Take, Watch};
use crate::media::{Padded, Piece, SendQueue, Waiting};
use crate::net::{ready, tcp_info};

/// What took something within this time is not dead: a dead line is waited for as long as an encoder does.
const FLOWING: Duration = Duration::from_secs(2);

/// Plays the stream. Call it on a thread of its own.
pub fn publish(ready: Ready, plan: &Plan, stop: &Stop, watch: Watch) -> Take {
    let knows_lag = ready::held(&SockRef::from(&ready.stream)).is_some();
    let broken = |tally: Tally, problem: String| tally.close(0.0, 0, End::Broken { problem: problem.into() });
    let pieces = match Padded::test_card(plan.kbps) {
        Ok(pieces) => pieces,
        Err(error) => return broken(Tally::new(watch, knows_lag), error.to_string()),
    };
    let ingest = match Connection::new(ready) {
        Ok(ingest) => ingest,
        Err(error) => return broken(Tally::new(watch, knows_lag), error.to_string()),
    };
    let mut sender = Sender {
        ingest,
        queue: SendQueue::default(),
        tally: Tally::new(watch, knows_lag),
        start: Instant::now(),
        under_way: VecDeque::new(),
        taken_at: Instant::now(),
    };
    let end = sender.play(pieces, plan, stop);
    sender.finish(end)
}

struct Sender {
    ingest: Connection,
    queue: SendQueue<Piece>,
    tally: Tally,
    start: Instant,
    /// Pieces that were given to the kernel: when each was due, and where it ends among the bytes sent.
    under_way: VecDeque<(u64, u64)>,
    /// When the kernel last took something, or had taken everything.
    taken_at: Instant,
}

impl Sender {
    fn play(&mut self, pieces: Padded, plan: &Plan, stop: &Stop) -> End {
        let mut pieces = pieces.peekable();
        let end = self.start + plan.length;
        loop {
            let now = Instant::now();
            while let Some(piece) = pieces.next_if(|piece| self.due(piece.due_ms) <= now.min(end)) {
                self.encoded(piece, now);
            }
            if let Err(ended) = self.send().and_then(|()| self.ingest.hear()) {
                return ended;
            }
            self.look();
            let next = pieces.peek().map_or(end, |piece| self.due(piece.due_ms)).min(end);
            if stop.is_set() {
                return End::Cancelled;
            } else if now >= end {
                return End::Complete;
            } else if self.taken_at.elapsed() >= SEND_LIMIT {
                return End::SendTimedOut;
            } else if self.taken_at.elapsed() < FLOWING && self.tally.has_collapsed() {
                return End::Collapsed;
            }
            let limit = next.saturating_duration_since(Instant::now()).min(LOOK);
            ready::wait(&self.ingest.pipe.socket(), !self.ingest.pipe.is_empty(), limit);
        }
    }

    fn due(&self, due_ms: u64) -> Instant {
        self.start + Duration::from_millis(due_ms)
    }

    /// The encoder hands a piece over.
    fn encoded(&mut self, piece: Piece, now: Instant) {
        let late = now.saturating_duration_since(self.due(piece.due_ms));
        let picture = piece.picture.then_some(piece.priority);
        let dropped = self.queue.offer(Waiting { due_ms: piece.due_ms, picture, piece });
        self.tally.piece(picture.is_some(), late.as_secs_f64() * 1000.0, dropped);
    }

    /// Gives the kernel what it takes, a piece at a time.
    fn send(&mut self) -> Result<(), End> {
        loop {
            let before = self.ingest.pipe.taken;
            self.ingest.pipe.flush().map_err(|error| ended(&error))?;
            if self.ingest.pipe.taken > before || self.ingest.pipe.is_empty() {
                self.taken_at = Instant::now();
            }
            if !self.ingest.pipe.is_empty() {
                return Ok(());
            }
            if let Some((_, last)) = self.under_way.back_mut().filter(|(_, last)| *last == u64::MAX) {
                *last = self.ingest.pipe.taken;
            }
            let Some(Waiting { due_ms, piece, .. }) = self.queue.take() else { return Ok(()) };
            self.ingest.put(&piece)?;
            self.under_way.push_back((due_ms, u64::MAX));
        }
    }

    fn look(&mut self) {
        let held = ready::held(&self.ingest.pipe.socket());
        let through = self.ingest.pipe.taken.saturating_sub(held.unwrap_or(0));
        while self.under_way.front().is_some_and(|(_, last)| *last <= through) {
            self.under_way.pop_front();
        }
        let oldest_due_ms = self.under_way.front().map(|(due_ms, _)| *due_ms).or(self.queue.oldest_ms());
        let look = Look {
            queue_ms: self.queue.holds_ms(),
            oldest_due_ms,
            waits: !self.ingest.pipe.is_empty(),
            through,
            ..Look::default()
        };
        self.tally.look(self.start.elapsed().as_secs_f64() * 1000.0, look);
    }

    fn finish(mut self, end: End) -> Take {
        let took_ms = self.start.elapsed().as_secs_f64() * 1000.0;
        let info = tcp_info::read_socket(&self.ingest.pipe.socket());
        let taken = self.ingest.pipe.taken;
        if matches!(end, End::Complete | End::Cancelled | End::Collapsed) {
            self.ingest.take_leave();
        }
        // What lies unsent goes with the connection: the line is free from here on.
        if !matches!(end, End::Complete) {
            let _ = self.ingest.pipe.socket().set_linger(Some(Duration::ZERO));
        }
        let mut take = self.tally.close(took_ms, taken, end);
        take.round_trip_ms = info.and_then(|info| info.min_rtt_ms);
        take.cpu_ms = ready::thread_cpu_ms();
        take
    }
}

//! The stream over RTMP, once the ingest has consented to it.

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use socket2::SockRef;

use super::pipe::Pipe;
use super::tally::{Look, Tally};
use super::{End, LOOK, Plan, SEND_LIMIT, Stop, Take, Watch};
use crate::media::flv::TagKind;
use crate::media::{Padded, Piece, SendQueue, Waiting};
use crate::model::{Failure, WireText};
use crate::net::failure::classify;
use crate::net::{ready, tcp_info};
use crate::wire::rtmp::chunk::Kind;
use crate::wire::rtmp::client::{self, Client, Step};

/// Most that is read from one ingest: an acknowledgement now and then for an hour, generously.
const MOST_READ: usize = 8 << 20;
/// What took something within this time is not dead: a dead line is waited for as long as an encoder does.
const FLOWING: Duration = Duration::from_secs(2);
/// How long an ingest may take to hear our farewell.
const FAREWELL: Duration = Duration::from_millis(500);

/// A publisher that may send media.
pub struct Ready {
    /// Its connection.
    pub stream: TcpStream,
    /// TLS upon it, for `rtmps://`.
    pub tls: Option<Box<ClientConnection>>,
    /// The publisher.
    pub client: Client,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Plays the stream. Call it on a thread of its own.
pub fn publish(ready: Ready, plan: &Plan, stop: &Stop, watch: Watch) -> Take {
    let knows_lag = ready::held(&SockRef::from(&ready.stream)).is_some();
    let broken = |tally: Tally, problem: String| tally.close(0.0, 0, End::Broken { problem: problem.into() });
    let pieces = match Padded::test_card(plan.kbps) {
        Ok(pieces) => pieces,
        Err(error) => return broken(Tally::new(watch, knows_lag), error.to_string()),
    };
    let pipe = match Pipe::new(ready.stream, ready.tls) {
        Ok(pipe) => pipe,
        Err(error) => return broken(Tally::new(watch, knows_lag), error.to_string()),
    };
    let mut sender = Sender {
        pipe,
        client: ready.client,
        queue: SendQueue::default(),
        tally: Tally::new(watch, knows_lag),
        start: Instant::now(),
        under_way: VecDeque::new(),
        taken_at: Instant::now(),
        read: 0,
        buffer: vec![0; 16 * 1024],
    };
    let end = sender.play(pieces, plan, stop);
    sender.finish(end)
}

struct Sender {
    pipe: Pipe,
    client: Client,
    queue: SendQueue<Piece>,
    tally: Tally,
    start: Instant,
    /// Pieces that were given to the kernel: when each was due, and where it ends among the bytes sent.
    under_way: VecDeque<(u64, u64)>,
    /// When the kernel last took something, or had taken everything.
    taken_at: Instant,
    read: usize,
    buffer: Vec<u8>,
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
            if let Err(ended) = self.send().and_then(|()| self.hear()) {
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
            ready::wait(&self.pipe.socket(), !self.pipe.is_empty(), limit);
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
            let before = self.pipe.taken;
            self.pipe.flush().map_err(|error| ended(&error))?;
            if self.pipe.taken > before || self.pipe.is_empty() {
                self.taken_at = Instant::now();
            }
            if !self.pipe.is_empty() {
                return Ok(());
            }
            if let Some((_, last)) = self.under_way.back_mut().filter(|(_, last)| *last == u64::MAX) {
                *last = self.pipe.taken;
            }
            let Some(Waiting { due_ms, piece, .. }) = self.queue.take() else { return Ok(()) };
            let kind = match piece.kind {
                TagKind::Audio => Kind::Audio,
                TagKind::Video => Kind::Video,
                TagKind::Script => Kind::Data,
            };
            self.client.send_media(kind, piece.timestamp(), &piece.body);
            self.pipe.push(&self.client.outgoing()).map_err(|error| ended(&error))?;
            self.under_way.push_back((due_ms, u64::MAX));
        }
    }

    /// Takes in what the ingest says.
    fn hear(&mut self) -> Result<(), End> {
        while let Some(length) = self.pipe.read(&mut self.buffer).map_err(|error| self.last_words(&error))? {
            if length == 0 {
                self.client.end();
            } else {
                self.read += length;
                self.client.receive(self.buffer.get(..length).unwrap_or_default());
                if self.read > MOST_READ {
                    self.client.overwhelmed();
                }
            }
            self.said()?;
            self.pipe.push(&self.client.outgoing()).map_err(|error| ended(&error))?;
        }
        Ok(())
    }

    /// What the ingest said before the connection broke counts more than how it broke.
    fn last_words(&mut self, error: &io::Error) -> End {
        self.said().err().unwrap_or_else(|| ended(error))
    }

    fn said(&mut self) -> Result<(), End> {
        while let Some(step) = self.client.step() {
            if let Step::Failed(failure) = step {
                return Err(match failure {
                    client::Failure::Refused { status, .. } => {
                        End::Refused { code: status.code.into(), description: status.description.into() }
                    }
                    client::Failure::Closed { .. } => End::Closed { reset: false },
                    other => End::Broken { problem: WireText::from(other.to_string()) },
                });
            }
        }
        Ok(())
    }

    fn look(&mut self) {
        let held = ready::held(&self.pipe.socket());
        let through = self.pipe.taken.saturating_sub(held.unwrap_or(0));
        while self.under_way.front().is_some_and(|(_, last)| *last <= through) {
            self.under_way.pop_front();
        }
        let oldest_due_ms = self.under_way.front().map(|(due_ms, _)| *due_ms).or(self.queue.oldest_ms());
        let look = Look {
            queue_ms: self.queue.holds_ms(),
            oldest_due_ms,
            waits: !self.pipe.is_empty(),
            through,
            ..Look::default()
        };
        self.tally.look(self.start.elapsed().as_secs_f64() * 1000.0, look);
    }

    fn finish(mut self, end: End) -> Take {
        let took_ms = self.start.elapsed().as_secs_f64() * 1000.0;
        let info = tcp_info::read_socket(&self.pipe.socket());
        let taken = self.pipe.taken;
        if matches!(end, End::Complete | End::Cancelled | End::Collapsed) {
            self.take_leave();
        }
        // What lies unsent goes with the connection: the line is free from here on.
        if !matches!(end, End::Complete) {
            let _ = self.pipe.socket().set_linger(Some(Duration::ZERO));
        }
        let mut take = self.tally.close(took_ms, taken, end);
        take.round_trip_ms = info.and_then(|info| info.min_rtt_ms);
        take.cpu_ms = ready::thread_cpu_ms();
        take
    }

    /// Takes leave, so that the ingest frees the key at once.
    fn take_leave(&mut self) {
        let deadline = Instant::now() + FAREWELL;
        self.client.unpublish();
        if self.pipe.push(&self.client.outgoing()).is_err() {
            return;
        }
        while Instant::now() < deadline && self.pipe.flush().is_ok() && !self.pipe.is_empty() {
            ready::wait(&self.pipe.socket(), true, LOOK);
        }
        let _ = self.pipe.socket().shutdown(std::net::Shutdown::Write);
        while Instant::now() < deadline && matches!(self.pipe.read(&mut self.buffer), Ok(None | Some(1..))) {
            ready::wait(&self.pipe.socket(), false, LOOK);
        }
    }
}

fn ended(error: &io::Error) -> End {
    match classify(error) {
        Failure::Reset => End::Closed { reset: true },
        Failure::Closed => End::Closed { reset: false },
        _ => End::Broken { problem: WireText::from(error.to_string()) },
    }
}

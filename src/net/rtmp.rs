//! Drives an RTMP publisher ([`crate::wire::rtmp::client`]) over a stream, phase by phase, each timed.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::failure::classify;
use crate::media::{Rehearsal, flv::TagKind};
use crate::model::{Failure as NetFailure, Secret};
use crate::wire::rtmp::address::Address;
use crate::wire::rtmp::chunk::Kind;
use crate::wire::rtmp::client::{Client, Failure, Step};
use crate::wire::rtmp::command::Status;

/// Most bytes that are read from one server. Answers to a publisher take a few kilobytes.
pub const MAX_RECEIVED: usize = 128 * 1024;

/// A publisher on a stream.
#[derive(Debug)]
pub struct Publisher<S> {
    stream: S,
    client: Client,
    buffer: Vec<u8>,
    received: usize,
    broke: Option<NetFailure>,
}

/// A publisher that came no further.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    /// Why, as RTMP sees it.
    pub failure: Failure,
    /// How the stream broke, if it did: [`NetFailure::Reset`] is another hint than an orderly end.
    pub broke: Option<NetFailure>,
    /// From the start of the phase, in milliseconds.
    pub after_ms: f64,
}

/// A phase that came to its good end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The server's own words.
    pub status: Status,
    /// What it calls itself.
    pub server: String,
}

/// What was sent of the test stream.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sent {
    /// How long it was sent, in milliseconds.
    pub took_ms: f64,
    /// Pictures.
    pub video_frames: u64,
    /// Bytes of video, audio and data, without RTMP's own.
    pub bytes: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Publisher<S> {
    /// Starts on a fresh stream. `seed` must differ between connections; it need not be secret.
    pub fn new(stream: S, address: Address, seed: u64) -> Self {
        let client = Client::new(address, seed);
        Self { stream, client, buffer: vec![0; 4096], received: 0, broke: None }
    }

    /// Goes through the handshake: whether the server gave our packet back unchanged, and milliseconds.
    pub async fn handshake(&mut self, limit: Duration) -> Result<(bool, f64), Stopped> {
        let wanted = |step| if let Step::Handshaken { echoed } = step { Some(echoed) } else { None };
        self.until(wanted, limit).await
    }

    /// Waits for the answer to `connect`, and milliseconds.
    pub async fn connect(&mut self, limit: Duration) -> Result<(Connected, f64), Stopped> {
        let wanted = |step| match step {
            Step::Connected { status, server } => Some(Connected { status, server }),
            _ => None,
        };
        self.until(wanted, limit).await
    }

    /// Asks to publish under a key: the server's own words, and milliseconds.
    pub async fn publish(&mut self, key: Secret, limit: Duration) -> Result<(Status, f64), Stopped> {
        self.client.publish(key);
        let wanted = |step| if let Step::Published { status } = step { Some(status) } else { None };
        self.until(wanted, limit).await
    }

    /// Sends the test stream at its own pace for so long. What was sent comes back also when the server
    /// ends it; `patience` is how far sending may fall behind.
    pub async fn send(&mut self, length: Duration, patience: Duration) -> (Sent, Option<Stopped>) {
        let start = Instant::now();
        let mut sent = Sent::default();
        // The loop is built in and a test reads it.
        let Ok(frames) = Rehearsal::test_card() else { return (sent, None) };
        let end = start + length;
        for frame in frames {
            let due = start + Duration::from_millis(frame.due_ms);
            if let Err(stopped) = self.idle(due.min(end), start).await {
                sent.took_ms = ms_since(start);
                return (sent, Some(stopped));
            }
            if due >= end {
                break;
            }
            let kind = match frame.kind {
                TagKind::Audio => Kind::Audio,
                TagKind::Video => Kind::Video,
                TagKind::Script => Kind::Data,
            };
            self.client.send_media(kind, frame.timestamp(), frame.body);
            sent.video_frames += u64::from(frame.is_picture());
            sent.bytes += u64::try_from(frame.body.len()).unwrap_or(u64::MAX);
            self.flush(end + patience).await;
        }
        sent.took_ms = ms_since(start);
        (sent, None)
    }

    /// Gives stream and publisher to somebody else, who sends the media.
    pub fn into_parts(self) -> (S, Client) {
        (self.stream, self.client)
    }

    /// Takes leave, if there is something to leave, and closes.
    pub async fn close(mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        self.client.unpublish();
        self.flush(deadline).await;
        let _ = timeout_at(deadline, self.stream.shutdown()).await;
    }

    /// Goes on until a step is wanted.
    async fn until<T>(
        &mut self,
        wanted: impl Fn(Step) -> Option<T>,
        limit: Duration,
    ) -> Result<(T, f64), Stopped> {
        let start = Instant::now();
        let deadline = start + limit;
        loop {
            while let Some(step) = self.client.step() {
                match step {
                    Step::Failed(failure) => return Err(self.stopped(failure, start)),
                    step => {
                        if let Some(found) = wanted(step) {
                            return Ok((found, ms_since(start)));
                        }
                    }
                }
            }
            self.flush(deadline).await;
            self.read(deadline).await;
        }
    }

    /// Reads what comes until `due`, while media are sent; an error when it is over.
    async fn idle(&mut self, due: Instant, start: Instant) -> Result<(), Stopped> {
        loop {
            while let Some(step) = self.client.step() {
                if let Step::Failed(failure) = step {
                    return Err(self.stopped(failure, start));
                }
            }
            tokio::select! {
                read = self.stream.read(&mut self.buffer) => self.take(read),
                () = sleep_until(due) => return Ok(()),
            }
        }
    }

    /// Sends what waits. An error shows when reading: what the server said before comes first.
    async fn flush(&mut self, deadline: Instant) {
        let bytes = self.client.outgoing();
        if bytes.is_empty() {
            return;
        }
        let write = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        match timeout_at(deadline, write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.broke = Some(classify(&error)),
            Err(_) => self.client.give_up(),
        }
    }

    async fn read(&mut self, deadline: Instant) {
        match timeout_at(deadline, self.stream.read(&mut self.buffer)).await {
            Ok(read) => self.take(read),
            Err(_) => self.client.give_up(),
        }
    }

    fn take(&mut self, read: std::io::Result<usize>) {
        match read {
            Ok(0) => self.client.end(),
            Ok(length) => {
                self.received += length;
                self.client.receive(self.buffer.get(..length).unwrap_or_default());
                if self.received > MAX_RECEIVED {
                    self.client.overwhelmed();
                }
            }
            Err(error) => {
                self.broke = Some(classify(&error));
                self.client.end();
            }
        }
    }

    fn stopped(&self, failure: Failure, start: Instant) -> Stopped {
        Stopped { failure, broke: self.broke, after_ms: ms_since(start) }
    }
}

fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

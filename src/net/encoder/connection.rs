//! A publisher's connection to an ingest that has consented.

use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::ClientConnection;

use super::pipe::Pipe;
use super::{End, LOOK};
use crate::media::Piece;
use crate::media::flv::TagKind;
use crate::model::{Failure, WireText};
use crate::net::failure::classify;
use crate::net::ready;
use crate::wire::rtmp::chunk::Kind;
use crate::wire::rtmp::client::{self, Client, Step};

/// Most that is read from one ingest: an acknowledgement now and then for an hour, generously.
const MOST_READ: usize = 8 << 20;
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

/// The connection.
pub(super) struct Connection {
    pub(super) pipe: Pipe,
    client: Client,
    read: usize,
    buffer: Vec<u8>,
}

impl Connection {
    /// Takes over a connection.
    pub(super) fn new(ready: Ready) -> io::Result<Self> {
        let pipe = Pipe::new(ready.stream, ready.tls)?;
        Ok(Self { pipe, client: ready.client, read: 0, buffer: vec![0; 16 * 1024] })
    }

    /// Puts a piece behind what waits, and gives the kernel nothing yet.
    pub(super) fn put(&mut self, piece: &Piece) -> Result<(), End> {
        let kind = match piece.kind {
            TagKind::Audio => Kind::Audio,
            TagKind::Video => Kind::Video,
            TagKind::Script => Kind::Data,
        };
        self.client.send_media(kind, piece.timestamp(), &piece.body);
        self.pipe.push(&self.client.outgoing()).map_err(|error| ended(&error))
    }

    /// Takes in what the ingest says.
    pub(super) fn hear(&mut self) -> Result<(), End> {
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

    /// Takes leave, so that the ingest frees the key at once.
    pub(super) fn take_leave(&mut self) {
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

/// How a stream ends that the network broke.
pub(super) fn ended(error: &io::Error) -> End {
    match classify(error) {
        Failure::Reset => End::Closed { reset: true },
        Failure::Closed => End::Closed { reset: false },
        _ => End::Broken { problem: WireText::from(error.to_string()) },
    }
}

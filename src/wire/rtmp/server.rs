//! The ingest of our far end: answers a publisher, and counts what it sends.

use std::collections::VecDeque;
use std::fmt;

use thiserror::Error;

use super::amf0::Value;
use super::chunk::{Kind, Message};
use super::command::{Command, Status};
use super::handshake::Role;
use super::link::{Broken, Event, Link};
use super::{Malformed, clean};
use crate::model::Secret;
use crate::wire::banner::{self, Protocol};

/// The one message stream that is given out.
const STREAM: u32 = 1;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The handshake is done.
    Handshaken,
    /// The peer asks for an application: answer with [`Server::accept`] or [`Server::refuse`].
    Connect {
        /// The application, at most [`super::MAX_TEXT`] characters. Hostile.
        app: String,
    },
    /// The peer asks to publish: answer with [`Server::accept`] or [`Server::refuse`].
    Publish {
        /// The stream key that it gave.
        key: Secret,
    },
    /// It takes leave.
    Unpublished,
    /// It is over. Always the last step.
    Failed(Failure),
}

/// Why a server came no further.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// What called is no RTMP client.
    #[error("what called does not speak RTMP but {0}")]
    NotRtmp(Protocol),
    /// The client broke RTMP's rules.
    #[error("the client broke RTMP: {0}")]
    Malformed(#[from] Malformed),
}

/// What was published so far. Lengths are those of message payloads, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaCount {
    /// Video messages, sequence headers among them.
    pub video_messages: u64,
    /// Bytes of them.
    pub video_bytes: u64,
    /// Video messages that start with a keyframe.
    pub keyframes: u64,
    /// Audio messages.
    pub audio_messages: u64,
    /// Bytes of them.
    pub audio_bytes: u64,
    /// Bytes of data and aggregate messages.
    pub other_bytes: u64,
    /// Time of the last audio or video message, in milliseconds.
    pub timestamp_ms: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Handshake,
    Waiting,
    Asked { transaction: f64 },
    Connected,
    AskedToPublish { stream: u32 },
    Publishing,
    Over,
}

/// A server for one connection. Give it the bytes that arrive, send what it hands out, take its steps
/// and answer those that ask.
pub struct Server {
    link: Link,
    state: State,
    media: MediaCount,
    steps: VecDeque<Step>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("state", &self.state)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// A server that is locked: until [`Server::unlock`] it never hands out more bytes than it has
    /// received, so that nobody can turn it against others. Publishers that wait for S2 before they
    /// send C2 (ffmpeg does) need an unlocked server. `seed` must differ between connections.
    pub fn new(seed: u64) -> Self {
        let link = Link::new(Role::Server, seed, true);
        Self { link, state: State::Handshake, media: MediaCount::default(), steps: VecDeque::new() }
    }

    /// Lifts the lock: the caller knows who is calling.
    pub fn unlock(&mut self) {
        self.link.unlock();
    }

    /// The next step taken, oldest first.
    pub fn step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Takes the bytes that may be sent now.
    pub fn outgoing(&mut self) -> Vec<u8> {
        self.link.take()
    }

    /// What was published so far.
    pub fn media(&self) -> MediaCount {
        self.media
    }

    /// Whether a publisher was accepted and has not taken leave.
    pub fn is_publishing(&self) -> bool {
        self.state == State::Publishing
    }

    /// Takes in bytes from the client.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.state == State::Over {
            return;
        }
        match self.advance(bytes) {
            Ok(()) => {}
            Err(Broken::Malformed(problem)) => self.fail(problem.into()),
            Err(Broken::NotRtmp) => self.fail(Failure::NotRtmp(banner::guess(self.link.first()))),
        }
    }

    /// Accepts what was last asked. Does nothing when nothing was.
    pub fn accept(&mut self) {
        match self.state {
            State::Asked { transaction } => {
                self.state = State::Connected;
                let status = status("status", "NetConnection.Connect.Success", "");
                self.answer("_result", transaction, &status, 0);
            }
            State::AskedToPublish { stream } => {
                self.state = State::Publishing;
                self.answer("onStatus", 0.0, &status("status", "NetStream.Publish.Start", ""), stream);
            }
            _ => {}
        }
    }

    /// Refuses what was last asked, in these words. Does nothing when nothing was.
    pub fn refuse(&mut self, code: &str, description: &str) {
        let status = status("error", code, description);
        match self.state {
            State::Asked { transaction } => {
                self.state = State::Waiting;
                self.answer("_error", transaction, &status, 0);
            }
            State::AskedToPublish { stream } => {
                self.state = State::Connected;
                self.answer("onStatus", 0.0, &status, stream);
            }
            _ => {}
        }
    }

    /// Ends what is being published, in these words. Does nothing when nothing is.
    pub fn end(&mut self, code: &str, description: &str) {
        if self.state == State::Publishing {
            self.state = State::Connected;
            self.answer("onStatus", 0.0, &status("error", code, description), STREAM);
        }
    }

    fn answer(&mut self, name: &str, transaction: f64, status: &Status, stream: u32) {
        let command = Command::new(name, transaction, vec![Value::Null, status.object()]);
        if let Err(flood) = self.link.reply(&command.message(stream)) {
            self.fail(flood.into());
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.state = State::Over;
        self.steps.push_back(Step::Failed(failure));
    }

    fn advance(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.link.arrived(bytes.len())?;
        let mut input = bytes;
        while let Some(event) = self.link.next(&mut input)? {
            match event {
                Event::Handshaken { .. } => {
                    self.state = State::Waiting;
                    self.steps.push_back(Step::Handshaken);
                }
                Event::Message(message) => match message.kind {
                    Kind::Audio | Kind::Video | Kind::Data | Kind::Aggregate => self.count(&message),
                    _ => self.command(&message)?,
                },
            }
        }
        Ok(())
    }

    fn command(&mut self, message: &Message) -> Result<(), Malformed> {
        let Some(command) = Command::from_message(message)? else { return Ok(()) };
        let Command { transaction, .. } = command;
        match (command.name.as_str(), self.state) {
            ("connect", State::Waiting) => {
                let app = command.arguments.first().and_then(|properties| properties.get("app")?.as_text());
                self.state = State::Asked { transaction };
                self.steps.push_back(Step::Connect { app: clean(app.unwrap_or_default(), &[]) });
            }
            ("createStream", State::Connected) => {
                let arguments = vec![Value::Null, Value::Number(f64::from(STREAM))];
                self.link.reply(&Command::new("_result", transaction, arguments).message(0))?;
            }
            ("publish", State::Connected) => {
                let key = Secret::from(command.text(1).unwrap_or_default().to_owned());
                self.state = State::AskedToPublish { stream: message.stream };
                self.steps.push_back(Step::Publish { key });
            }
            ("deleteStream" | "closeStream", State::Publishing) => {
                self.state = State::Connected;
                self.steps.push_back(Step::Unpublished);
            }
            _ => {} // releaseStream, FCPublish and whatever else: nobody waits for an answer
        }
        Ok(())
    }

    fn count(&mut self, message: &Message) {
        if self.state != State::Publishing {
            return;
        }
        let bytes = u64::from(message.length);
        match message.kind {
            Kind::Video => {
                self.media.video_messages += 1;
                self.media.video_bytes += bytes;
                self.media.keyframes += u64::from(is_keyframe(&message.body));
            }
            Kind::Audio => {
                self.media.audio_messages += 1;
                self.media.audio_bytes += bytes;
            }
            _ => {
                self.media.other_bytes += bytes;
                return;
            }
        }
        self.media.timestamp_ms = message.timestamp;
    }
}

fn status(level: &str, code: &str, description: &str) -> Status {
    Status { level: level.into(), code: code.into(), description: description.into() }
}

/// Whether an FLV video tag body starts with a keyframe (FLV 10.1, annex E.4.3.1): frame type 1, and no
/// sequence header (AVC packet type 0). Enhanced RTMP sets the top bit and packs the packet type below.
fn is_keyframe(body: &[u8]) -> bool {
    match body {
        [first, ..] if first & 0x80 != 0 => first & 0x70 == 0x10 && first & 0x0F != 0,
        [0x17, packet, ..] => *packet == 1,
        [first, ..] => first >> 4 == 1,
        [] => false,
    }
}

#[cfg(test)]
impl Server {
    pub(super) fn held(&self) -> usize {
        self.link.held() + self.steps.len()
    }
}

//! The publisher: handshake → `connect` → (`createStream` → `publish` → media).

mod step;

pub use step::{Failure, Phase, Step};

use std::collections::VecDeque;
use std::fmt;

use super::address::Address;
use super::amf0::Value;
use super::chunk::{Kind, Message};
use super::command::{Command, Status};
use super::control;
use super::handshake::Role;
use super::link::{Broken, Event, Link};
use super::{MAX_STEPS, Malformed, clean};
use crate::model::Secret;
use crate::wire::banner::{self, Protocol};

/// Chunk size that we send with while publishing, in bytes.
const CHUNK_SIZE: u32 = 4096;

/// Chunk streams of media.
const DATA: u32 = 5;
const AUDIO: u32 = 4;
const VIDEO: u32 = 6;

/// Transaction numbers of our requests.
const CONNECT: f64 = 1.0;
const RELEASE_STREAM: f64 = 2.0;
const FC_PUBLISH: f64 = 3.0;
const CREATE_STREAM: f64 = 4.0;
const PUBLISH: f64 = 5.0;

/// A publisher. Give it the bytes that arrive, send what it hands out, and take its steps.
pub struct Client {
    link: Link,
    address: Address,
    phase: Phase,
    over: bool,
    stream: u32,
    key: Option<Secret>,
    steps: VecDeque<Step>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("phase", &self.phase).field("over", &self.over).finish_non_exhaustive()
    }
}

impl Client {
    /// Starts the handshake. `seed` must differ between connections; it need not be secret.
    pub fn new(address: Address, seed: u64) -> Self {
        let link = Link::new(Role::Client, seed, false);
        let steps = VecDeque::new();
        Self { link, address, phase: Phase::Handshake, over: false, stream: 0, key: None, steps }
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The next step taken, oldest first.
    pub fn step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Takes the bytes that are to be sent.
    pub fn outgoing(&mut self) -> Vec<u8> {
        self.link.take()
    }

    /// Takes in bytes from the server.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.over {
            return;
        }
        if let Err(broken) = self.advance(bytes) {
            self.fail_on(broken);
        }
    }

    /// The connection ended, or was reset.
    pub fn end(&mut self) {
        self.stop(|phase, received| Failure::Closed { phase, received });
    }

    /// The caller's time for the present phase is over.
    pub fn give_up(&mut self) {
        self.stop(|phase, received| Failure::Silent { phase, received });
    }

    /// The server sends more than the caller is ready to read.
    pub fn overwhelmed(&mut self) {
        self.fail_on(Malformed::Flood.into());
    }

    /// Asks to publish live under a stream key. Does nothing unless [`Phase::Connected`].
    pub fn publish(&mut self, key: Secret) {
        if self.over || self.phase != Phase::Connected {
            return;
        }
        self.link.send(&control::message(Kind::SetChunkSize, CHUNK_SIZE));
        // The first two clear a stale stream of that name on older servers; nobody has to answer them.
        let named = |name, transaction| {
            Command::new(name, transaction, vec![Value::Null, Value::text(key.reveal())]).message(0)
        };
        self.link.send(&named("releaseStream", RELEASE_STREAM));
        self.link.send(&named("FCPublish", FC_PUBLISH));
        self.link.send(&Command::new("createStream", CREATE_STREAM, vec![Value::Null]).message(0));
        self.key = Some(key);
        self.phase = Phase::CreateStream;
    }

    /// Sends one FLV tag body (audio, video, or data such as `onMetaData`) at a time in milliseconds.
    /// Does nothing unless [`Phase::Media`].
    pub fn send_media(&mut self, kind: Kind, timestamp: u32, body: &[u8]) {
        if self.over || self.phase != Phase::Media {
            return;
        }
        let message = (kind, self.stream, timestamp);
        match kind {
            Kind::Audio => self.link.send_media(AUDIO, message, body),
            Kind::Data => {
                let mut data = Vec::new();
                Value::text("@setDataFrame").encode(&mut data);
                data.extend(body);
                self.link.send_media(DATA, message, &data);
            }
            _ => self.link.send_media(VIDEO, message, body),
        }
    }

    /// Takes leave of a stream that is published, so that the server frees its name at once.
    pub fn unpublish(&mut self) {
        if self.over || self.phase != Phase::Media {
            return;
        }
        let key = self.key.as_ref().map(Secret::reveal).unwrap_or_default();
        self.link.send(&Command::new("FCUnpublish", 0.0, vec![Value::Null, Value::text(key)]).message(0));
        let stream = Value::Number(f64::from(self.stream));
        self.link.send(&Command::new("deleteStream", 0.0, vec![Value::Null, stream]).message(0));
        self.phase = Phase::Connected;
    }

    fn advance(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.link.arrived(bytes.len())?;
        let mut input = bytes;
        while let Some(event) = self.link.next(&mut input)? {
            match event {
                Event::Handshaken { echoed } => {
                    self.link.send(&self.connect().message(0));
                    self.reach(Phase::Connect, Step::Handshaken { echoed });
                }
                Event::Message(message) => self.message(&message)?,
            }
            if self.over {
                break;
            }
        }
        Ok(())
    }

    /// The `connect` request (§7.2.1.1), with what encoders usually say.
    fn connect(&self) -> Command {
        let properties = [
            ("app", self.address.app.as_str()),
            ("type", "nonprivate"),
            ("flashVer", "FMLE/3.0 (compatible; golive)"),
            ("tcUrl", self.address.tc_url.as_str()),
        ];
        let properties = properties.map(|(name, text)| (name.to_owned(), Value::text(text)));
        Command::new("connect", CONNECT, vec![Value::Object(properties.into())])
    }

    fn message(&mut self, message: &Message) -> Result<(), Malformed> {
        let Some(command) = Command::from_message(message)? else { return Ok(()) };
        match command.name.as_str() {
            "_result" => self.result(&command),
            "_error" if self.awaits(command.transaction) => self.refuse(&command),
            "onStatus" => self.status(&command),
            "close" => self.stop(|phase, received| Failure::Closed { phase, received }),
            _ => {}
        }
        Ok(())
    }

    /// Whether the phase waits for the answer to that transaction.
    fn awaits(&self, transaction: f64) -> bool {
        let awaited = match self.phase {
            Phase::Connect => CONNECT,
            Phase::CreateStream => CREATE_STREAM,
            Phase::Publish => PUBLISH,
            _ => return false,
        };
        transaction.to_bits() == awaited.to_bits()
    }

    fn result(&mut self, command: &Command) {
        if !self.awaits(command.transaction) {
            return;
        }
        match self.phase {
            Phase::Connect => {
                let server = command.arguments.first().and_then(|properties| properties.get("fmsVer"));
                let server = clean(server.and_then(Value::as_text).unwrap_or_default(), &[]);
                let status = self.words(command);
                self.reach(Phase::Connected, Step::Connected { status, server });
            }
            Phase::CreateStream => match command.arguments.get(1).and_then(Value::as_number) {
                Some(stream) => self.created(stream),
                None => self.fail_on(Malformed::NotACommand.into()),
            },
            _ => {}
        }
    }

    /// The message stream is there: publish on it (§7.2.2.6).
    fn created(&mut self, stream: f64) {
        // A stream id is a 32-bit number that AMF0 can only write as a float.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, NaN is 0")]
        let stream = stream as u32;
        self.stream = stream;
        self.phase = Phase::Publish;
        let key = self.key.as_ref().map(Secret::reveal).unwrap_or_default();
        let arguments = vec![Value::Null, Value::text(key), Value::text("live")];
        self.link.send(&Command::new("publish", PUBLISH, arguments).message(stream));
    }

    fn status(&mut self, command: &Command) {
        let status = self.words(command);
        if status.is_error() {
            self.fail(Failure::Refused { phase: self.phase, status });
        } else if self.phase == Phase::Publish && status.code == "NetStream.Publish.Start" {
            self.reach(Phase::Media, Step::Published { status });
        } else if self.steps.len() < MAX_STEPS {
            self.steps.push_back(Step::Notice(status));
        }
    }

    fn refuse(&mut self, command: &Command) {
        let status = self.words(command);
        self.fail(Failure::Refused { phase: self.phase, status });
    }

    /// The server's own words, the key cut out of them.
    fn words(&self, command: &Command) -> Status {
        let key = self.key.as_ref().map(Secret::reveal).unwrap_or_default();
        let name = key.split('?').next().unwrap_or_default();
        let clean = |text: &str| clean(text, &[key, name]);
        let status = command.status().unwrap_or_default();
        Status {
            level: clean(&status.level),
            code: clean(&status.code),
            description: clean(&status.description),
        }
    }

    fn reach(&mut self, phase: Phase, step: Step) {
        self.phase = phase;
        self.steps.push_back(step);
    }

    fn fail(&mut self, failure: Failure) {
        if !self.over {
            self.over = true;
            self.steps.push_back(Step::Failed(failure));
        }
    }

    fn fail_on(&mut self, broken: Broken) {
        match broken {
            Broken::Malformed(problem) => self.fail(Failure::Malformed { phase: self.phase, problem }),
            Broken::NotRtmp if banner::is_conclusive(self.link.first()) => self.fail_as_stranger(),
            Broken::NotRtmp => {} // its next bytes, the end or the caller's patience will tell
        }
    }

    fn fail_as_stranger(&mut self) {
        let first = self.link.first().to_vec();
        self.fail(Failure::NotRtmp { protocol: banner::guess(&first), first });
    }

    /// Ends with `failure`, or with what answered if that was a stranger. A stranger whose first byte
    /// happens to be RTMP's version is one too if it is known by more.
    fn stop(&mut self, failure: impl Fn(Phase, u64) -> Failure) {
        let first = self.link.first();
        let stranger = first.first().is_some_and(|version| *version != super::handshake::VERSION)
            || banner::guess(first) == Protocol::Rdp;
        if stranger {
            self.fail_as_stranger();
        } else {
            self.fail(failure(self.phase, self.link.received()));
        }
    }
}

#[cfg(test)]
impl Client {
    pub(super) fn held(&self) -> usize {
        self.link.held() + self.steps.len()
    }
}

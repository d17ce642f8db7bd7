//! Commands (§7.2): a name, a transaction number, and values.

use super::Malformed;
use super::amf0::{self, Value};
use super::chunk::{Kind, Message};

/// Chunk stream on which we send commands.
pub const CHUNK_STREAM: u32 = 3;

/// A command, or the answer to one (`_result`, `_error`, `onStatus`).
#[derive(Clone, PartialEq)]
pub struct Command {
    /// `connect`, `publish`, `_result` …
    pub name: String,
    /// Number that an answer repeats; 0 where none is expected.
    pub transaction: f64,
    /// What follows; the first is the command object or null.
    pub arguments: Vec<Value>,
}

/// Without its arguments: they may hold a stream key.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command")
            .field("name", &self.name)
            .field("transaction", &self.transaction)
            .finish_non_exhaustive()
    }
}

/// The server's own words about a request: the information object of §7.2.2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// `status`, `warning` or `error`; empty if it was not said.
    pub level: String,
    /// Such as `NetStream.Publish.BadName`; empty if it was not said.
    pub code: String,
    /// For people; empty if it was not said. Hostile text.
    pub description: String,
}

impl Status {
    /// Whether it tells of a failure.
    pub fn is_error(&self) -> bool {
        self.level == "error"
    }

    /// The object that says it.
    pub fn object(&self) -> Value {
        Value::Object(vec![
            ("level".into(), Value::text(&self.level)),
            ("code".into(), Value::text(&self.code)),
            ("description".into(), Value::text(&self.description)),
        ])
    }
}

impl Command {
    /// A command.
    pub fn new(name: &str, transaction: f64, arguments: Vec<Value>) -> Self {
        Self { name: name.to_owned(), transaction, arguments }
    }

    /// The message that carries it, on a message stream.
    pub fn message(&self, stream: u32) -> Message {
        let mut body = Vec::new();
        Value::text(&self.name).encode(&mut body);
        Value::Number(self.transaction).encode(&mut body);
        for value in &self.arguments {
            value.encode(&mut body);
        }
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        Message { chunk_stream: CHUNK_STREAM, stream, timestamp: 0, kind: Kind::Command, length, body }
    }

    /// Reads a command message; `None` if the message is of another kind.
    pub fn from_message(message: &Message) -> Result<Option<Self>, Malformed> {
        match (message.kind, message.body.as_slice()) {
            (Kind::Command, body) | (Kind::CommandAmf3, [0, body @ ..]) => Self::decode(body).map(Some),
            (Kind::CommandAmf3, _) => Err(Malformed::NotACommand),
            _ => Ok(None),
        }
    }

    /// Reads the body of a command message.
    pub fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut values = amf0::decode(body)?.into_iter();
        match (values.next(), values.next()) {
            (Some(Value::String(name)), Some(Value::Number(transaction))) => {
                Ok(Self { name, transaction, arguments: values.collect() })
            }
            // ffmpeg answers FCPublish with a bare name.
            (Some(Value::String(name)), None) => Ok(Self { name, transaction: 0.0, arguments: Vec::new() }),
            _ => Err(Malformed::NotACommand),
        }
    }

    /// The information object, if there is one: the last argument that has a code.
    pub fn status(&self) -> Option<Status> {
        let information = self.arguments.iter().rev().find(|value| value.get("code").is_some())?;
        let text = |name| information.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
        Some(Status { level: text("level"), code: text("code"), description: text("description") })
    }

    /// The text of an argument, counted from the command object, which is 0.
    pub fn text(&self, index: usize) -> Option<&str> {
        self.arguments.get(index)?.as_text()
    }
}

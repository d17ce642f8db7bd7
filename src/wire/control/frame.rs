//! Frames: a 4-byte big-endian length and that much JSON.

use serde::{Serialize, de::DeserializeOwned};

use crate::model::WireText;

/// Longest frame body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// Longest frame body that is taken from a caller that has proved nothing.
pub const MAX_UNPROVED: usize = 4 * 1024;
const HEAD: usize = 4;

/// Bytes that are no frame. The connection is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// The length is beyond the bound.
    #[error("a frame of {0} bytes: more than the protocol allows")]
    TooLong(u32),
    /// The body is not the JSON of a message.
    #[error("not a control message: {0}")]
    NotAMessage(WireText),
}

/// A message as the bytes of one frame.
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, BadFrame> {
    let mut bytes = vec![0; HEAD];
    serde_json::to_writer(&mut bytes, message).map_err(|error| not_a_message(&error))?;
    let length = bytes.len() - HEAD;
    let head = u32::try_from(length).unwrap_or(u32::MAX);
    if length > MAX_BODY {
        return Err(BadFrame::TooLong(head));
    }
    bytes[..HEAD].copy_from_slice(&head.to_be_bytes());
    Ok(bytes)
}

fn not_a_message(error: &serde_json::Error) -> BadFrame {
    BadFrame::NotAMessage(WireText::from(error.to_string()))
}

/// Takes bytes as they come and gives messages. Holds at most one frame of its bound and
/// what one [`Frames::feed`] brought.
#[derive(Debug)]
pub struct Frames {
    held: Vec<u8>,
    max: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { held: Vec::new(), max: MAX_BODY }
    }
}

impl Frames {
    /// Takes frame bodies of at most `max` bytes.
    pub const fn up_to(max: usize) -> Self {
        Self { held: Vec::new(), max }
    }

    /// Sets the bound for frames to come.
    pub const fn allow(&mut self, max: usize) {
        self.max = max;
    }

    /// Takes bytes from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Bytes held that are no whole frame yet.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// The next whole message, if there is one.
    pub fn take<M: DeserializeOwned>(&mut self) -> Result<Option<M>, BadFrame> {
        let Some((head, rest)) = self.held.split_first_chunk::<HEAD>() else { return Ok(None) };
        let announced = u32::from_be_bytes(*head);
        let length = usize::try_from(announced).unwrap_or(usize::MAX);
        if length > self.max {
            return Err(BadFrame::TooLong(announced));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let message = serde_json::from_slice(body).map_err(|error| not_a_message(&error));
        self.held.drain(..HEAD + length);
        message.map(Some)
    }
}

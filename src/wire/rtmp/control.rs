//! Protocol control (§5.4) and user control messages (§7.1.7).

use super::Malformed;
use super::chunk::{Kind, MAX_CHUNK_SIZE, Message};

/// Chunk stream of control messages (§5.4).
pub const CHUNK_STREAM: u32 = 2;

/// User control event: the peer wants its own timestamp back (§7.1.7, type 6).
const PING_REQUEST: [u8; 2] = [0, 6];

/// User control event: an answer to a ping (type 7).
const PING_RESPONSE: [u8; 2] = [0, 7];

/// A control message with one 32-bit number.
pub fn message(kind: Kind, number: u32) -> Message {
    raw(kind, number.to_be_bytes().to_vec())
}

/// `SetPeerBandwidth` with limit type 2, dynamic (§5.4.5).
pub fn set_peer_bandwidth(window: u32) -> Message {
    let mut body = window.to_be_bytes().to_vec();
    body.push(2);
    raw(Kind::SetPeerBandwidth, body)
}

/// The number of a control message that has one.
pub fn number(kind: Kind, body: &[u8]) -> Result<u32, Malformed> {
    let number = body.try_into().map_err(|_| Malformed::BadControl(kind.id()))?;
    Ok(u32::from_be_bytes(number))
}

/// The size that a `SetChunkSize` message sets, at most [`MAX_CHUNK_SIZE`].
pub fn chunk_size(body: &[u8]) -> Result<u32, Malformed> {
    match number(Kind::SetChunkSize, body)? {
        size if size == 0 || size > u32::MAX >> 1 => Err(Malformed::ChunkSize(size)),
        size => Ok(size.min(MAX_CHUNK_SIZE)),
    }
}

/// The answer to a user control message, if it is a ping request.
pub fn pong(body: &[u8]) -> Option<Message> {
    let (event, time) = body.split_first_chunk::<2>()?;
    let time: [u8; 4] = time.try_into().ok()?;
    (*event == PING_REQUEST).then(|| raw(Kind::UserControl, [&PING_RESPONSE[..], &time].concat()))
}

/// A ping request with a time of the sender's.
pub fn ping(time: u32) -> Message {
    raw(Kind::UserControl, [&PING_REQUEST[..], &time.to_be_bytes()].concat())
}

fn raw(kind: Kind, body: Vec<u8>) -> Message {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    Message { chunk_stream: CHUNK_STREAM, stream: 0, timestamp: 0, kind, length, body }
}

/// Says when an `Acknowledgement` is due: after each window of bytes that the peer asked for (§5.4.3).
#[derive(Debug, Default)]
pub struct Acknowledger {
    window: Option<u32>,
    received: u32,
    acknowledged: u32,
}

impl Acknowledger {
    /// Sets the window, from a `WindowAcknowledgementSize` message. A window of 0 asks for nothing.
    pub fn set_window(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let window = number(Kind::WindowAcknowledgementSize, body)?;
        self.window = (window > 0).then_some(window);
        Ok(())
    }

    /// Counts received bytes (wrapping, as the field does); the message that is due, if any.
    pub fn received(&mut self, bytes: usize) -> Option<Message> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.received = self.received.wrapping_add(bytes);
        let due = self.received.wrapping_sub(self.acknowledged) >= self.window?;
        due.then(|| {
            self.acknowledged = self.received;
            message(Kind::Acknowledgement, self.received)
        })
    }
}

//! Messages out of a stream (RFC 8489, 6.2.2): they follow one another without anything between.

use crate::wire::banner::MAX_FIRST_BYTES;
use crate::wire::stun::MAX;
use crate::wire::stun::message::{COOKIE, HEADER};

/// A stream that holds something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no STUN message")]
pub struct NotFramed {
    /// Its first bytes.
    pub first: Vec<u8>,
}

/// Bytes of a stream so far.
#[derive(Debug, Default)]
pub struct Frames(Vec<u8>);

impl Frames {
    /// Adds what came.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// The next message, once all of it is there. Data of a channel is passed over: none is bound here.
    ///
    /// # Errors
    /// It is not STUN, or longer than any of ours can be.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, NotFramed> {
        loop {
            let Some(kind) = self.0.first().map(|byte| byte >> 6) else { return Ok(None) };
            let cookie = self.0.get(4..self.0.len().min(8)).unwrap_or_default();
            if kind > 1 || kind == 0 && !COOKIE.to_be_bytes().starts_with(cookie) {
                return Err(self.stranger());
            }
            let Some(&[_, _, high, low]) = self.0.first_chunk() else { return Ok(None) };
            let length = usize::from(u16::from_be_bytes([high, low]));
            // Data of a channel is padded in a stream (RFC 8656, 12.5).
            let whole = if kind == 0 { HEADER + length } else { 4 + length.next_multiple_of(4) };
            if whole > MAX + HEADER {
                return Err(self.stranger());
            }
            if self.0.len() < whole {
                return Ok(None);
            }
            let message: Vec<u8> = self.0.drain(..whole).collect();
            if kind == 0 {
                return Ok(Some(message));
            }
        }
    }

    /// What came and is no whole message.
    pub fn first_bytes(&self) -> &[u8] {
        self.0.get(..self.0.len().min(MAX_FIRST_BYTES)).unwrap_or_default()
    }

    fn stranger(&self) -> NotFramed {
        NotFramed { first: self.first_bytes().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::turn::send;

    #[test]
    fn messages_are_found_however_they_come_in_pieces() {
        let peer = "192.0.2.1:5".parse().unwrap();
        let messages = [b"one".as_slice(), b"another"].map(|data| send(peer, data, &[1; 12]));
        let channel = b"\x40\x00\x00\x05hello\0\0\0".to_vec();
        let stream = [messages[0].clone(), channel, messages[1].clone()].concat();
        for size in 1..stream.len() {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            for piece in stream.chunks(size) {
                frames.receive(piece);
                while let Some(message) = frames.take().unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found, messages, "in pieces of {size}");
        }
    }

    #[test]
    fn another_protocol_shows_as_soon_as_it_can() {
        for first in
            [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x46", b"SSH-2.0-x", b"\xff"]
        {
            let mut frames = Frames::default();
            frames.receive(first);
            let taken = frames.take();
            // A letter's first bits may be those of a channel: then its length says so.
            assert!(taken == Err(NotFramed { first: first.to_vec() }), "{taken:?}");
        }
    }
}

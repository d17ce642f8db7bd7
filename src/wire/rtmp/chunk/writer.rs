//! Messages into chunks.

use std::collections::BTreeMap;

use super::{DEFAULT_CHUNK_SIZE, EXTENDED, Kind, MAX_CHUNK_SIZE, Message};

/// Cuts messages into chunks. It chooses the shortest header that the last message on the same chunk
/// stream allows; but a message starts with a type 3 chunk only after a header with a delta, because
/// servers disagree on what type 3 means after a full header.
#[derive(Debug)]
pub struct Writer {
    chunk_size: u32,
    last: BTreeMap<u32, Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    stream: u32,
    timestamp: u32,
    delta: Option<u32>,
    kind: Kind,
    length: u32,
}

impl Default for Writer {
    fn default() -> Self {
        Self { chunk_size: DEFAULT_CHUNK_SIZE, last: BTreeMap::new() }
    }
}

/// A message to be written.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Chunk stream, 2 to 65,599.
    pub chunk_stream: u32,
    /// Message stream.
    pub stream: u32,
    /// Milliseconds, wrapping.
    pub timestamp: u32,
    /// What it is.
    pub kind: Kind,
    /// Whole payload; only its first 2^24 - 1 bytes can be sent.
    pub body: &'a [u8],
}

impl Writer {
    /// Appends a message to `out`.
    pub fn write(&mut self, message: &Message, out: &mut Vec<u8>) {
        self.put(
            Outgoing {
                chunk_stream: message.chunk_stream,
                stream: message.stream,
                timestamp: message.timestamp,
                kind: message.kind,
                body: &message.body,
            },
            out,
        );
    }

    /// Appends a message to `out`, its payload borrowed.
    pub fn put(&mut self, message: Outgoing<'_>, out: &mut Vec<u8>) {
        let length = u32::try_from(message.body.len()).unwrap_or(u32::MAX).min(MAX_CHUNK_SIZE);
        let body = message.body.get(..usize::try_from(length).unwrap_or(0)).unwrap_or(message.body);
        let (format, time, last) = self.choose(&message, length);

        put_basic(format, message.chunk_stream, out);
        let field = time.min(EXTENDED);
        if format <= 2 {
            out.extend(field.to_be_bytes().iter().skip(1));
        }
        if format <= 1 {
            out.extend(length.to_be_bytes().iter().skip(1));
            out.push(message.kind.id());
        }
        if format == 0 {
            out.extend(message.stream.to_le_bytes());
        }
        let extended = (field == EXTENDED).then_some(time.to_be_bytes());
        out.extend(extended.iter().flatten());

        let chunk_size = usize::try_from(self.chunk_size).unwrap_or(usize::MAX);
        for (index, chunk) in body.chunks(chunk_size).enumerate() {
            if index > 0 {
                put_basic(3, message.chunk_stream, out);
                out.extend(extended.iter().flatten());
            }
            out.extend(chunk);
        }
        self.last.insert(message.chunk_stream, last);
        if message.kind == Kind::SetChunkSize
            && let Ok(size) = super::super::control::chunk_size(message.body)
        {
            self.chunk_size = size;
        }
    }

    /// Chunk type, timestamp or delta to write, and what to remember (§5.3.1.2).
    fn choose(&self, message: &Outgoing<'_>, length: u32) -> (u8, u32, Last) {
        let Outgoing { stream, timestamp, kind, .. } = *message;
        let mut last = Last { stream, timestamp, delta: None, kind, length };
        let Some(before) = self.last.get(&message.chunk_stream).filter(|before| before.stream == stream)
        else {
            return (0, timestamp, last);
        };
        let delta = timestamp.wrapping_sub(before.timestamp);
        if delta >= EXTENDED {
            return (0, timestamp, last); // backwards in time, or so far on that a delta saves nothing
        }
        last.delta = Some(delta);
        let format = if (before.kind, before.length) != (kind, length) {
            1
        } else if before.delta != Some(delta) {
            2
        } else {
            3
        };
        (format, delta, last)
    }
}

/// The basic header (§5.3.1.1).
fn put_basic(format: u8, chunk_stream: u32, out: &mut Vec<u8>) {
    let top = format << 6;
    let [.., high, low] = chunk_stream.saturating_sub(64).to_be_bytes();
    match chunk_stream {
        0..=63 => out.push(top | chunk_stream.to_be_bytes()[3]),
        64..=319 => out.extend([top, low]),
        _ => out.extend([top | 1, low, high]),
    }
}

//! Chunks into messages.

use std::collections::BTreeMap;

use super::super::{Malformed, control};
use super::{DEFAULT_CHUNK_SIZE, EXTENDED, Kind, MAX_CHUNK_STREAMS, MAX_HELD, MEDIA_HEAD, Message};

/// Longest chunk header: 3 bytes basic, 11 message, 4 extended timestamp.
const MAX_HEADER: usize = 18;

/// Bytes of a message header by chunk type (§5.3.1.2).
const MESSAGE_HEADER: [usize; 4] = [11, 7, 3, 0];

/// Puts messages together. It obeys `SetChunkSize` and `Abort` itself; they are handed on all the same.
#[derive(Debug)]
pub struct Reader {
    chunk_size: u32,
    streams: BTreeMap<u32, Track>,
    header: Vec<u8>,
    chunk: Option<Chunk>,
    held: usize,
}

/// The chunk whose payload is being read.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    stream: u32,
    left: u32,
}

/// What is remembered of a chunk stream.
#[derive(Debug)]
struct Track {
    timestamp: u32,
    delta: u32,
    extended: bool,
    length: u32,
    kind: Kind,
    message_stream: u32,
    received: u32,
    unfinished: bool,
    body: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            chunk_size: DEFAULT_CHUNK_SIZE,
            streams: BTreeMap::new(),
            header: Vec::with_capacity(MAX_HEADER),
            chunk: None,
            held: 0,
        }
    }
}

impl Reader {
    /// Bytes of unfinished messages held now; never more than [`MAX_HELD`], media heads apart.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes bytes from the front of `input` until a message is whole; `None` when they run out first.
    /// After an error the stream cannot be followed any more.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Malformed> {
        loop {
            if self.chunk.is_none() {
                if !self.gather_header(input) {
                    return Ok(None);
                }
                self.start_chunk()?;
            }
            if !self.take_payload(input)? {
                return Ok(None);
            }
            if let Some(message) = self.finish_chunk()? {
                return Ok(Some(message));
            }
        }
    }

    /// Whether the header is whole.
    fn gather_header(&mut self, input: &mut &[u8]) -> bool {
        loop {
            let missing = self.header_length() - self.header.len();
            if missing == 0 {
                return true;
            }
            let (taken, rest) = input.split_at(missing.min(input.len()));
            self.header.extend(taken);
            *input = rest;
            if taken.len() < missing {
                return false;
            }
        }
    }

    /// Length of the header as far as the bytes so far tell.
    fn header_length(&self) -> usize {
        let Some((format, basic)) = self.format() else { return 1 };
        let plain = basic + MESSAGE_HEADER[format];
        if self.header.len() < plain {
            // The chunk stream's id must be whole before anything else is asked of it.
            return if self.header.len() < basic { basic } else { plain };
        }
        let extended = if format == 3 {
            self.streams.get(&self.chunk_stream(basic)).is_some_and(|stream| stream.extended)
        } else {
            self.number(basic, 3) == EXTENDED
        };
        plain + if extended { 4 } else { 0 }
    }

    /// Chunk type and length of the basic header (§5.3.1.1).
    fn format(&self) -> Option<(usize, usize)> {
        let first = *self.header.first()?;
        let basic = match first & 0x3F {
            0 => 2,
            1 => 3,
            _ => 1,
        };
        Some((usize::from(first >> 6), basic))
    }

    fn chunk_stream(&self, basic: usize) -> u32 {
        let byte = |at: usize| u32::from(self.header.get(at).copied().unwrap_or(0));
        match basic {
            1 => byte(0) & 0x3F,
            2 => 64 + byte(1),
            _ => 64 + byte(1) + 256 * byte(2),
        }
    }

    /// The big-endian number of `length` bytes at `start` of the header.
    fn number(&self, start: usize, length: usize) -> u32 {
        self.header.iter().skip(start).take(length).fold(0, |number, byte| (number << 8) | u32::from(*byte))
    }

    /// Reads the gathered header (§5.3.1.2).
    fn start_chunk(&mut self) -> Result<(), Malformed> {
        let Some((format, basic)) = self.format() else { return Ok(()) };
        let id = self.chunk_stream(basic);
        let plain = basic + MESSAGE_HEADER[format];
        let field = self.number(basic, 3);
        let extended = self.header.len() > plain;
        let time = if extended { self.number(plain, 4) } else { field };
        let (length, kind) =
            (self.number(basic + 3, 3), Kind::from_id(self.header.get(basic + 6).copied().unwrap_or(0)));
        let message_stream = self.number(basic + 7, 4).swap_bytes(); // little-endian, alone in RTMP
        self.header.clear();

        let known = self.streams.contains_key(&id);
        if !known && format >= 2 {
            return Err(Malformed::NoHeader(id));
        }
        if !known && self.streams.len() >= MAX_CHUNK_STREAMS {
            return Err(Malformed::TooManyChunkStreams);
        }
        let stream = self.streams.entry(id).or_insert_with(Track::new);
        if stream.unfinished && format != 3 {
            return Err(Malformed::Interrupted(id));
        }
        if format == 0 {
            stream.message_stream = message_stream;
            stream.timestamp = 0;
        }
        if format <= 1 {
            (stream.length, stream.kind) = (length, kind);
        }
        if format <= 2 {
            (stream.delta, stream.extended) = (time, extended);
        }
        if !stream.unfinished {
            stream.begin(self.held)?;
        }
        let left = (stream.length - stream.received).min(self.chunk_size);
        self.chunk = Some(Chunk { stream: id, left });
        Ok(())
    }

    /// Takes payload of the chunk at hand; `true` when it is whole.
    fn take_payload(&mut self, input: &mut &[u8]) -> Result<bool, Malformed> {
        let Some(chunk) = &mut self.chunk else { return Ok(false) };
        let Some(stream) = self.streams.get_mut(&chunk.stream) else { return Ok(false) };
        let wanted = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(input.len());
        let (taken, rest) = input.split_at(wanted);
        *input = rest;
        if stream.kind.is_kept() {
            if self.held + taken.len() > MAX_HELD {
                return Err(Malformed::TooLong { kind: stream.kind.id(), length: stream.length });
            }
            self.held += taken.len();
            stream.body.extend(taken);
        } else {
            let room = MEDIA_HEAD - stream.body.len();
            stream.body.extend(taken.iter().take(room));
        }
        let taken = u32::try_from(taken.len()).unwrap_or(chunk.left);
        chunk.left -= taken;
        stream.received += taken;
        Ok(chunk.left == 0)
    }

    /// Ends the chunk at hand; its message if that is whole too.
    fn finish_chunk(&mut self) -> Result<Option<Message>, Malformed> {
        let Some(id) = self.chunk.take().map(|chunk| chunk.stream) else { return Ok(None) };
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(None) };
        if stream.received < stream.length {
            return Ok(None);
        }
        let message = stream.finish(id);
        if message.kind.is_kept() {
            self.held -= message.body.len();
        }
        match message.kind {
            Kind::SetChunkSize => self.chunk_size = control::chunk_size(&message.body)?,
            Kind::Abort => self.abort(control::number(Kind::Abort, &message.body)?),
            _ => {}
        }
        Ok(Some(message))
    }

    /// Drops the unfinished message of a chunk stream (§5.4.2).
    fn abort(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id)
            && stream.unfinished
        {
            let dropped = stream.finish(id);
            if dropped.kind.is_kept() {
                self.held -= dropped.body.len();
            }
        }
    }
}

impl Track {
    fn new() -> Self {
        Self {
            timestamp: 0,
            delta: 0,
            extended: false,
            length: 0,
            kind: Kind::Other(0),
            message_stream: 0,
            received: 0,
            unfinished: false,
            body: Vec::new(),
        }
    }

    /// Starts the message that the header just read announces. After a full header the delta is the
    /// timestamp itself (§5.3.1.2.4), so time 0 plus delta is right for it too.
    fn begin(&mut self, held: usize) -> Result<(), Malformed> {
        let room = MAX_HELD - held;
        if self.kind.is_kept() && usize::try_from(self.length).is_ok_and(|length| length > room) {
            return Err(Malformed::TooLong { kind: self.kind.id(), length: self.length });
        }
        self.timestamp = self.timestamp.wrapping_add(self.delta);
        self.received = 0;
        self.unfinished = true;
        Ok(())
    }

    fn finish(&mut self, chunk_stream: u32) -> Message {
        self.unfinished = false;
        Message {
            chunk_stream,
            stream: self.message_stream,
            timestamp: self.timestamp,
            kind: self.kind,
            length: self.length,
            body: std::mem::take(&mut self.body),
        }
    }
}

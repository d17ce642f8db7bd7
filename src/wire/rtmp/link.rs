//! What both sides share: handshake, chunk streams, acknowledgements, pings, and bytes waiting to be sent.

use super::chunk::{Kind, Message, Reader, Writer};
use super::control::{self, Acknowledger};
use super::handshake::{Handshake, Progress, Role};
use super::{MAX_REPLIES, Malformed};

/// One end of a connection. Without `Debug`: what waits to be sent may hold a stream key.
pub(super) struct Link {
    handshake: Option<Handshake>,
    reader: Reader,
    writer: Writer,
    acknowledger: Acknowledger,
    out: Vec<u8>,
    replies: usize,
    received: u64,
    sent: u64,
    locked: bool,
}

/// What came.
pub(super) enum Event {
    /// The handshake is done.
    Handshaken { echoed: bool },
    /// A message. Acknowledgements and pings have been seen to.
    Message(Message),
}

/// Why nothing more can come.
pub(super) enum Broken {
    /// The peer speaks something else; [`Link::first`] has what it sent.
    NotRtmp,
    /// It broke RTMP's rules.
    Malformed(Malformed),
}

impl From<Malformed> for Broken {
    fn from(problem: Malformed) -> Self {
        Self::Malformed(problem)
    }
}

impl Link {
    /// A locked link never hands out more bytes than it has received.
    pub fn new(role: Role, seed: u64, locked: bool) -> Self {
        let mut out = Vec::new();
        let handshake = Some(Handshake::new(role, seed, &mut out));
        Self {
            handshake,
            reader: Reader::default(),
            writer: Writer::default(),
            acknowledger: Acknowledger::default(),
            out,
            replies: 0,
            received: 0,
            sent: 0,
            locked,
        }
    }

    pub fn unlock(&mut self) {
        self.locked = false;
    }

    /// Bytes received in all.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Counts bytes that arrived, before [`Link::next`] is asked what they are.
    pub fn arrived(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.received = self.received.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        match self.acknowledger.received(bytes) {
            Some(acknowledgement) => self.reply(&acknowledgement),
            None => Ok(()),
        }
    }

    /// What the front of `input` says; `None` when it runs out.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Broken> {
        if let Some(handshake) = &mut self.handshake {
            return match handshake.receive(input, &mut self.out) {
                Progress::Going => Ok(None),
                Progress::NotRtmp => Err(Broken::NotRtmp),
                Progress::Done { echoed } => {
                    self.handshake = None;
                    Ok(Some(Event::Handshaken { echoed }))
                }
            };
        }
        let Some(message) = self.reader.read(input)? else { return Ok(None) };
        match message.kind {
            Kind::WindowAcknowledgementSize => self.acknowledger.set_window(&message.body)?,
            Kind::UserControl => {
                if let Some(pong) = control::pong(&message.body) {
                    self.reply(&pong)?;
                }
            }
            _ => {}
        }
        Ok(Some(Event::Message(message)))
    }

    /// First bytes that came, while the handshake lasts.
    pub fn first(&self) -> &[u8] {
        self.handshake.as_ref().map(Handshake::first).unwrap_or_default()
    }

    /// Sends what was asked for by nobody but our caller.
    pub fn send(&mut self, message: &Message) {
        self.writer.write(message, &mut self.out);
    }

    /// Sends media without copying it first.
    pub fn send_media(&mut self, chunk_stream: u32, message: (Kind, u32, u32), body: &[u8]) {
        let (kind, stream, timestamp) = message;
        let message = super::chunk::Outgoing { chunk_stream, stream, timestamp, kind, body };
        self.writer.put(message, &mut self.out);
    }

    /// Sends what the peer's bytes asked for; such replies are bounded.
    pub fn reply(&mut self, message: &Message) -> Result<(), Malformed> {
        let before = self.out.len();
        self.writer.write(message, &mut self.out);
        self.replies += self.out.len() - before;
        if self.replies > MAX_REPLIES { Err(Malformed::Flood) } else { Ok(()) }
    }

    /// Takes the bytes that may be sent now.
    pub fn take(&mut self) -> Vec<u8> {
        let allowed = if self.locked { self.received.saturating_sub(self.sent) } else { u64::MAX };
        let allowed = usize::try_from(allowed).unwrap_or(usize::MAX).min(self.out.len());
        let rest = self.out.split_off(allowed);
        let taken = std::mem::replace(&mut self.out, rest);
        self.replies = self.replies.min(self.out.len());
        self.sent = self.sent.saturating_add(u64::try_from(taken.len()).unwrap_or(u64::MAX));
        taken
    }

    /// Bytes of unfinished messages and replies held now.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.reader.held() + self.replies
    }
}

//! The two packets of unauthenticated STAMP: RFC 8762 figures 2 and 5, with the session
//! identifier of RFC 8972 figures 1 and 2. Both are 44 bytes; a longer packet is padded.

use super::{ErrorEstimate, Ntp, tlv};

/// Both packets without padding (RFC 8762 sections 4.2.1 and 4.3.1).
pub const BASE_BYTES: usize = 44;
/// Largest packet that is built or reflected: an Ethernet frame's UDP payload over IPv4.
pub const MAX_BYTES: usize = 1472;

/// A datagram of this size is no STAMP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a STAMP packet has {BASE_BYTES} to {MAX_BYTES} bytes, not {0}")]
pub struct Malformed(pub usize);

/// What a session sender sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderPacket {
    /// Counts from 0 for each session.
    pub sequence: u32,
    /// When it was sent (T1).
    pub sent: Ntp,
    /// Of the sender's clock.
    pub error: ErrorEstimate,
    /// Session identifier; 0 means none (RFC 8972 section 3).
    pub ssid: u16,
}

/// What a reflector knows of a request beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// When it came (T2).
    pub received: Ntp,
    /// The TTL or hop limit that it came with, where the system tells.
    pub ttl: Option<u8>,
    /// The DS field that it came with (DSCP and ECN), where the system tells.
    pub field: Option<u8>,
}

/// An answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// As large as its request.
    pub bytes: Vec<u8>,
    /// The DSCP that it is wanted with.
    pub dscp: Option<u8>,
}

/// What a session reflector answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReflectorPacket {
    /// The reflector's own count (stateful), or a copy of the sender's (stateless).
    pub sequence: u32,
    /// When it was reflected (T3).
    pub reflected: Ntp,
    /// Of the reflector's clock.
    pub error: ErrorEstimate,
    /// Session identifier, copied.
    pub ssid: u16,
    /// When the sender's packet arrived (T2).
    pub received: Ntp,
    /// The sender's sequence number, copied.
    pub sender_sequence: u32,
    /// The sender's timestamp, copied (T1).
    pub sender_sent: Ntp,
    /// The sender's error estimate, copied.
    pub sender_error: ErrorEstimate,
    /// TTL or hop limit with which the sender's packet arrived; 255 where it cannot be read.
    pub sender_ttl: u8,
}

impl SenderPacket {
    /// The packet, padded to `size` bytes ([`BASE_BYTES`] to [`MAX_BYTES`]; what lies outside
    /// is clamped). Padding is one Extra Padding TLV where its header fits, so that reflectors
    /// that know RFC 8972 do not take zeros for a malformed TLV.
    pub fn encode(&self, size: usize) -> Vec<u8> {
        self.encode_asking(size, None)
    }

    /// The same with a Class of Service TLV before the padding, where `size` has room for it: it
    /// asks the reflector to say with which DSCP the packet came, and to answer with `dscp`.
    pub fn encode_asking(&self, size: usize, dscp: Option<u8>) -> Vec<u8> {
        let size = size.clamp(BASE_BYTES, MAX_BYTES);
        let mut out = Vec::with_capacity(size);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.sent.bits().to_be_bytes());
        out.extend(self.error.bits().to_be_bytes());
        out.extend(self.ssid.to_be_bytes());
        out.resize(BASE_BYTES, 0);
        if let Some(dscp) = dscp.filter(|_| size >= BASE_BYTES + tlv::CLASS_OF_SERVICE_BYTES) {
            out.extend(tlv::ask_for_class(dscp));
        }
        if let Some(padding) = size.checked_sub(out.len() + tlv::HEADER) {
            out.extend([tlv::UNRECOGNISED, tlv::EXTRA_PADDING]);
            out.extend(u16::try_from(padding).unwrap_or_default().to_be_bytes());
        }
        out.resize(size, 0);
        out
    }

    /// Reads a packet; padding is ignored.
    pub fn parse(datagram: &[u8]) -> Result<Self, Malformed> {
        let base = base(datagram)?;
        Ok(Self {
            sequence: u32::from_be_bytes(field(base, 0)),
            sent: Ntp::from_bits(u64::from_be_bytes(field(base, 4))),
            error: ErrorEstimate::from_bits(u16::from_be_bytes(field(base, 12))),
            ssid: u16::from_be_bytes(field(base, 14)),
        })
    }
}

impl ReflectorPacket {
    /// The answer to `request`, of exactly its size (RFC 8762 section 4.3: symmetrical), its
    /// padding copied. `sequence` is the reflector's own count; `received` and `reflected`
    /// are the reflector's times T2 and T3. Fails when `request` is no STAMP packet, or
    /// larger than [`MAX_BYTES`].
    pub fn answer(
        request: &[u8],
        sequence: u32,
        received: Ntp,
        reflected: Ntp,
    ) -> Result<Vec<u8>, Malformed> {
        let receipt = Receipt { received, ttl: None, field: None };
        Self::answer_to(request, sequence, receipt, reflected).map(|answer| answer.bytes)
    }

    /// The same, with what the system told of the request's receipt.
    pub fn answer_to(
        request: &[u8],
        sequence: u32,
        receipt: Receipt,
        reflected: Ntp,
    ) -> Result<Answer, Malformed> {
        let sender = SenderPacket::parse(request)?;
        if request.len() > MAX_BYTES {
            return Err(Malformed(request.len()));
        }
        let answer = Self {
            sequence,
            reflected,
            error: ErrorEstimate::UNSYNCHRONISED,
            ssid: sender.ssid,
            received: receipt.received,
            sender_sequence: sender.sequence,
            sender_sent: sender.sent,
            sender_error: sender.error,
            sender_ttl: receipt.ttl.unwrap_or(u8::MAX),
        };
        let mut bytes = answer.encode();
        bytes.extend(request.iter().skip(BASE_BYTES));
        let dscp = tlv::reflect(&mut bytes, receipt.field);
        Ok(Answer { bytes, dscp })
    }

    /// The packet without padding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BASE_BYTES);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.reflected.bits().to_be_bytes());
        out.extend(self.error.bits().to_be_bytes());
        out.extend(self.ssid.to_be_bytes());
        out.extend(self.received.bits().to_be_bytes());
        out.extend(self.sender_sequence.to_be_bytes());
        out.extend(self.sender_sent.bits().to_be_bytes());
        out.extend(self.sender_error.bits().to_be_bytes());
        out.extend([0, 0, self.sender_ttl, 0, 0, 0]);
        out
    }

    /// Reads a packet; padding is ignored.
    pub fn parse(datagram: &[u8]) -> Result<Self, Malformed> {
        let base = base(datagram)?;
        let ntp = |at| Ntp::from_bits(u64::from_be_bytes(field(base, at)));
        let error = ErrorEstimate::from_bits(u16::from_be_bytes(field(base, 12)));
        // The Z bit says of the reflector's own timestamps which of two formats they are in.
        let own = |at| if error.ptp() { Ntp::from_ptp(u64::from_be_bytes(field(base, at))) } else { ntp(at) };
        Ok(Self {
            sequence: u32::from_be_bytes(field(base, 0)),
            reflected: own(4),
            error,
            ssid: u16::from_be_bytes(field(base, 14)),
            received: own(16),
            sender_sequence: u32::from_be_bytes(field(base, 24)),
            sender_sent: ntp(28),
            sender_error: ErrorEstimate::from_bits(u16::from_be_bytes(field(base, 36))),
            sender_ttl: base[40],
        })
    }
}

fn base(datagram: &[u8]) -> Result<&[u8; BASE_BYTES], Malformed> {
    datagram.first_chunk().ok_or(Malformed(datagram.len()))
}

/// The `N` bytes at `at`; only called with constants inside [`BASE_BYTES`].
fn field<const N: usize>(base: &[u8; BASE_BYTES], at: usize) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(base.iter().skip(at)) {
        *to = *from;
    }
    out
}

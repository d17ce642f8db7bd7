//! The two packets of unauthenticated STAMP: RFC 8762 figures 2 and 5, with the session
//! identifier of RFC 8972 figures 1 and 2. Both are 44 bytes; a longer packet is padded.

use super::{ErrorEstimate, Ntp};

/// Both packets without padding (RFC 8762 sections 4.2.1 and 4.3.1).
pub const BASE_BYTES: usize = 44;
/// Largest packet that is built or reflected: an Ethernet frame's UDP payload over IPv4.
pub const MAX_BYTES: usize = 1472;

/// TLV header: flags, type, length (RFC 8972 section 4).
const TLV_HEADER: usize = 4;
/// A sender sets the U flag (RFC 8972 section 4).
const TLV_UNRECOGNISED: u8 = 0x80;
/// Extra Padding (RFC 8972 section 4.1).
const TLV_EXTRA_PADDING: u8 = 1;

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
        let size = size.clamp(BASE_BYTES, MAX_BYTES);
        let mut out = Vec::with_capacity(size);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.sent.bits().to_be_bytes());
        out.extend(self.error.bits().to_be_bytes());
        out.extend(self.ssid.to_be_bytes());
        out.resize(BASE_BYTES, 0);
        if let Some(padding) = size.checked_sub(BASE_BYTES + TLV_HEADER) {
            out.extend([TLV_UNRECOGNISED, TLV_EXTRA_PADDING]);
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
        let sender = SenderPacket::parse(request)?;
        if request.len() > MAX_BYTES {
            return Err(Malformed(request.len()));
        }
        let answer = Self {
            sequence,
            reflected,
            error: ErrorEstimate::UNSYNCHRONISED,
            ssid: sender.ssid,
            received,
            sender_sequence: sender.sequence,
            sender_sent: sender.sent,
            sender_error: sender.error,
            sender_ttl: u8::MAX,
        };
        let mut out = answer.encode();
        out.extend(request.iter().skip(BASE_BYTES));
        // This reflector understands Extra Padding, so it clears the flag (RFC 8972 section 4).
        if let Some([flags, TLV_EXTRA_PADDING]) = out.get_mut(BASE_BYTES..BASE_BYTES + 2) {
            *flags &= !TLV_UNRECOGNISED;
        }
        Ok(out)
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
        Ok(Self {
            sequence: u32::from_be_bytes(field(base, 0)),
            reflected: ntp(4),
            error: ErrorEstimate::from_bits(u16::from_be_bytes(field(base, 12))),
            ssid: u16::from_be_bytes(field(base, 14)),
            received: ntp(16),
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

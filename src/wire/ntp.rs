//! NTP as a client that only asks (SNTP, RFC 5905 sections 7.3 and 14): one request, one answer,
//! and what makes an answer worth nothing.

use super::stamp::Ntp;
use crate::model::{WireText, text};

/// Length of a packet without extensions (RFC 5905, figure 8).
pub const BYTES: usize = 48;
/// Furthest from its own source that a server may claim to be (`MAXDISP`, RFC 5905, 7.2), ms.
const MAX_DISTANCE_MS: f64 = 16_000.0;
const NANOS_PER_MS: f64 = 1e6;

/// A request. Its transmit time is a cookie and no time: a server only gives it back, and so nobody
/// can answer who has not seen it, and nobody learns this machine's clock
/// (draft-ietf-ntp-data-minimization).
pub fn request(cookie: u64) -> [u8; BYTES] {
    let mut packet = [0; BYTES];
    packet[0] = (4 << 3) | 3; // version 4, client
    packet[40..].copy_from_slice(&cookie.to_be_bytes());
    packet
}

/// What a server says of itself: leap indicator, stratum and reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// 3 is an alarm: not synchronised.
    pub leap: u8,
    /// Servers between it and a reference clock; 0 refuses (kiss-o'-death).
    pub stratum: u8,
    /// Reference clock, or the reason of a refusal.
    pub reference: [u8; 4],
}

/// A clock that nobody sets (RFC 5905, figure 12).
pub const LOCAL_CLOCK: Claim = Claim { leap: 0, stratum: 1, reference: *b"LOCL" };

/// The answer to a client's request, received and sent at one moment; as long as the request must be.
/// `None` when it is no request.
pub fn answer(request: &[u8], claim: Claim, now: Ntp) -> Option<[u8; BYTES]> {
    let request: &[u8; BYTES] = request.first_chunk()?;
    if request[0] & 7 != 3 {
        return None;
    }
    let mut packet = [0; BYTES];
    packet[0] = (claim.leap << 6) | (request[0] & 0x38) | 4;
    packet[1] = claim.stratum;
    packet[12..16].copy_from_slice(&claim.reference);
    packet[24..32].copy_from_slice(&request[40..]);
    for at in [16, 32, 40] {
        packet[at..at + 8].copy_from_slice(&now.bits().to_be_bytes());
    }
    Some(packet)
}

/// What a server says of the time.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Servers between it and a reference clock, itself included: 1 to 15.
    pub stratum: u8,
    /// Its own source: a word for a reference clock (`GPS`), else an identifier.
    pub reference: WireText,
    /// How far it may be from the reference clock by its own account (root distance without the
    /// way to us), ms.
    pub root_distance_ms: f64,
    /// When the request came, by its clock.
    pub received: Ntp,
    /// When the answer left, by its clock.
    pub sent: Ntp,
}

/// Our side of an exchange: when the request left and the answer came, by this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The request left.
    pub sent: Ntp,
    /// The answer came.
    pub received: Ntp,
}

/// Why an answer is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// Shorter than a packet.
    #[error("{0} bytes, where a packet has 48")]
    Short(usize),
    /// No server's answer, or of another version.
    #[error("no server's answer (mode {mode}, version {version})")]
    NotAnAnswer {
        /// Mode.
        mode: u8,
        /// Version.
        version: u8,
    },
    /// It answers another question than ours: late, or forged by somebody who has not seen it.
    #[error("it answers another question than ours")]
    OtherQuestion,
    /// A kiss-o'-death: it refuses to tell the time (RFC 5905, 7.4).
    #[error("it refuses to tell the time: {0}")]
    Kiss(WireText),
    /// Its own clock is not synchronised.
    #[error("its own clock is not synchronised (leap indicator {leap}, stratum {stratum})")]
    Unsynchronised {
        /// Leap indicator; 3 is an alarm.
        leap: u8,
        /// Stratum; 16 is unsynchronised.
        stratum: u8,
    },
    /// It claims to be further from its source than any clock may be.
    #[error("it claims to be {0} ms or more from its source")]
    TooFar(u32),
    /// Its times are absent, or its answer left before the request came.
    #[error("its times make no sense")]
    NoTime,
}

/// Reads an answer to the request with this cookie.
///
/// # Errors
/// Why it is worth nothing. [`Bad::OtherQuestion`] and before it must not end the wait: anybody can
/// send such a packet.
pub fn parse(packet: &[u8], cookie: u64) -> Result<Answer, Bad> {
    let packet: &[u8; BYTES] = packet.first_chunk().ok_or(Bad::Short(packet.len()))?;
    let (leap, version, mode) = (packet[0] >> 6, (packet[0] >> 3) & 7, packet[0] & 7);
    if mode != 4 || !(3..=4).contains(&version) {
        return Err(Bad::NotAnAnswer { mode, version });
    }
    if time(packet, 24).bits() != cookie {
        return Err(Bad::OtherQuestion);
    }
    let stratum = packet[1];
    let reference = &packet[12..16];
    if stratum == 0 {
        return Err(Bad::Kiss(word(reference)));
    }
    if leap == 3 || stratum >= 16 {
        return Err(Bad::Unsynchronised { leap, stratum });
    }
    let root_distance_ms = short_ms(packet, 4) / 2.0 + short_ms(packet, 8);
    if root_distance_ms >= MAX_DISTANCE_MS {
        return Err(Bad::TooFar(16_000));
    }
    let (received, sent) = (time(packet, 32), time(packet, 40));
    if received.bits() == 0 || sent.bits() == 0 || sent.since_ns(received) < 0 {
        return Err(Bad::NoTime);
    }
    let reference = if stratum == 1 { word(reference) } else { WireText::from(text::hex(reference)) };
    Ok(Answer { stratum, reference, root_distance_ms, received, sent })
}

impl Answer {
    /// How far this machine's clock is behind the server's, ms (RFC 5905, section 8): negative when
    /// it is ahead.
    #[expect(clippy::cast_precision_loss, reason = "a double holds 2^32 s to the microsecond")]
    pub fn offset_ms(&self, ours: Exchange) -> f64 {
        let (out, back) = (self.received.since_ns(ours.sent), self.sent.since_ns(ours.received));
        f64::midpoint(out as f64, back as f64) / NANOS_PER_MS
    }

    /// How long the packets were on their way, ms; the offset is known to half of it.
    #[expect(clippy::cast_precision_loss, reason = "a double holds 2^32 s to the microsecond")]
    pub fn delay_ms(&self, ours: Exchange) -> f64 {
        let way = ours.received.since_ns(ours.sent) as f64 - self.sent.since_ns(self.received) as f64;
        (way / NANOS_PER_MS).max(0.0)
    }
}

fn time(packet: &[u8; BYTES], at: usize) -> Ntp {
    let bits = packet.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    Ntp::from_bits(u64::from_be_bytes(bits))
}

/// NTP's short format: 16 bits of seconds, 16 of fraction.
fn short_ms(packet: &[u8; BYTES], at: usize) -> f64 {
    let bits = packet.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    f64::from(u32::from_be_bytes(bits)) * 1000.0 / 65_536.0
}

/// Four letters, padded with zeros.
fn word(bytes: &[u8]) -> WireText {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    WireText::from_bytes(bytes.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: u64 = 0x0123_4567_89ab_cdef;

    fn answer(change: impl FnOnce(&mut [u8; BYTES])) -> [u8; BYTES] {
        let mut packet = [0; BYTES];
        packet[0] = (4 << 3) | 4;
        packet[1] = 1;
        packet[4..8].copy_from_slice(&0x0000_8000_u32.to_be_bytes()); // root delay 0.5 s
        packet[8..12].copy_from_slice(&0x0000_4000_u32.to_be_bytes()); // dispersion 0.25 s
        packet[12..16].copy_from_slice(b"GPS\0");
        packet[24..32].copy_from_slice(&COOKIE.to_be_bytes());
        packet[32..40].copy_from_slice(&Ntp::from_unix_ns(5_000_000_000).bits().to_be_bytes());
        packet[40..].copy_from_slice(&Ntp::from_unix_ns(5_001_000_000).bits().to_be_bytes());
        change(&mut packet);
        packet
    }

    #[test]
    fn offset_and_delay_are_those_of_the_rfc() {
        let answer = parse(&answer(|_| {}), COOKIE).unwrap();
        assert_eq!((answer.stratum, answer.reference.as_str(), answer.root_distance_ms), (1, "GPS", 500.0));
        // We are 2 s behind; the packets took 30 ms out and 9 ms back.
        let ours =
            Exchange { sent: Ntp::from_unix_ns(2_970_000_000), received: Ntp::from_unix_ns(3_010_000_000) };
        assert!((answer.delay_ms(ours) - 39.0).abs() < 1e-3);
        assert!((answer.offset_ms(ours) - 2010.5).abs() < 1e-3, "{}", answer.offset_ms(ours));
        // The truth, 2 s, lies within half the delay.
        assert!((answer.offset_ms(ours) - 2000.0).abs() <= answer.delay_ms(ours) / 2.0);
    }

    #[test]
    fn what_is_worth_nothing_is_refused_by_its_reason() {
        let bad = |change: fn(&mut [u8; BYTES])| parse(&answer(change), COOKIE).unwrap_err();
        assert_eq!(bad(|p| p[0] = (4 << 3) | 3), Bad::NotAnAnswer { mode: 3, version: 4 });
        assert_eq!(bad(|p| p[0] = 4), Bad::NotAnAnswer { mode: 4, version: 0 });
        assert_eq!(bad(|p| p[24] = 9), Bad::OtherQuestion);
        let kiss = bad(|p| {
            p[1] = 0;
            p[12..16].copy_from_slice(b"RATE");
        });
        assert_eq!(kiss, Bad::Kiss(WireText::from("RATE")));
        assert_eq!(bad(|p| p[0] |= 0xc0), Bad::Unsynchronised { leap: 3, stratum: 1 });
        assert_eq!(bad(|p| p[1] = 16), Bad::Unsynchronised { leap: 0, stratum: 16 });
        assert_eq!(bad(|p| p[8] = 0xff), Bad::TooFar(16_000));
        assert_eq!(bad(|p| p[40..].fill(0)), Bad::NoTime);
        let early = |p: &mut [u8; BYTES]| {
            p[40..].copy_from_slice(&Ntp::from_unix_ns(4_000_000_000).bits().to_be_bytes());
        };
        assert_eq!(bad(early), Bad::NoTime, "it left before it came");
    }

    #[test]
    fn every_truncation_is_short() {
        let whole = answer(|_| {});
        for length in 0..BYTES {
            assert_eq!(parse(&whole[..length], COOKIE), Err(Bad::Short(length)));
        }
        let longer = [&whole[..], &[0; 20]].concat();
        assert!(parse(&longer, COOKIE).is_ok(), "extensions and a digest may follow");
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        proptest::proptest!(|(bytes: [u8; BYTES], cookie: u64)| {
            let ours = Exchange { sent: Ntp::from_bits(cookie), received: Ntp::from_bits(!cookie) };
            if let Ok(answer) = parse(&bytes, u64::from_be_bytes(*bytes[24..].first_chunk().unwrap())) {
                proptest::prop_assert!(answer.offset_ms(ours).is_finite() && answer.delay_ms(ours) >= 0.0);
            }
        });
    }

    #[test]
    fn an_answer_of_our_own_is_read_and_no_answer_is_given_to_an_answer() {
        let now = Ntp::from_unix_ns(5_000_000_000);
        let packet = super::answer(&request(COOKIE), LOCAL_CLOCK, now).unwrap();
        let answer = parse(&packet, COOKIE).unwrap();
        assert_eq!((answer.reference.as_str(), answer.received, answer.sent), ("LOCL", now, now));
        assert_eq!(super::answer(&packet, LOCAL_CLOCK, now), None);
        assert_eq!(super::answer(&packet[..BYTES - 1], LOCAL_CLOCK, now), None);
    }

    #[test]
    fn a_request_tells_no_time() {
        let packet = request(COOKIE);
        assert_eq!((packet[0], &packet[40..]), (0x23, &COOKIE.to_be_bytes()[..]));
        assert!(packet[1..40].iter().all(|byte| *byte == 0));
    }
}

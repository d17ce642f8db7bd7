//! Questions over UDP. Each answer repeats something of ours, so that a stray datagram is none.

use super::Salt;

fn at<const N: usize>(bytes: &[u8], start: usize) -> Option<[u8; N]> {
    bytes.get(start..start + N)?.try_into().ok()
}

/// The salt's first `N` bytes, not all zero.
fn chance<const N: usize>(salt: &Salt) -> [u8; N] {
    let mut out = [0; N];
    for (out, salt) in out.iter_mut().zip(salt) {
        *out = *salt;
    }
    if let Some(first) = out.first_mut() {
        *first |= 1;
    }
    out
}

/// A recursive query `. NS IN` (RFC 1035, 4.1).
pub(super) fn root_servers(salt: &Salt) -> Vec<u8> {
    let mut out = chance::<2>(salt).to_vec();
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    out.extend([0, 0, 2, 0, 1]);
    out
}

/// A DNS header with our id and QR set: a refusal answers too.
pub(super) fn is_response(bytes: &[u8], salt: &Salt) -> bool {
    bytes.len() >= 12 && at(bytes, 0) == Some(chance::<2>(salt)) && bytes[2] & 0x80 != 0
}

/// NTP version 4, mode 3 (client), our chance as transmit time stamp (RFC 5905, 7.3).
pub(super) fn time_request(salt: &Salt) -> Vec<u8> {
    let mut out = vec![0x23];
    out.resize(40, 0);
    out.extend(chance::<8>(salt));
    out
}

/// Mode 4 (server) with our transmit time stamp as origin.
pub(super) fn is_time_reply(bytes: &[u8], salt: &Salt) -> bool {
    bytes.len() >= 48 && bytes[0] & 7 == 4 && at(bytes, 24) == Some(chance::<8>(salt))
}

const STUN_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();

/// A binding request without attributes (RFC 8489, 5).
pub(super) fn binding(salt: &Salt) -> Vec<u8> {
    let mut out = vec![0, 1, 0, 0];
    out.extend(STUN_COOKIE);
    out.extend(chance::<12>(salt));
    out
}

/// A success or an error response with our transaction id.
pub(super) fn is_binding_reply(bytes: &[u8], salt: &Salt) -> bool {
    matches!(at(bytes, 0), Some([1, 1 | 0x11]))
        && at(bytes, 4) == Some(STUN_COOKIE)
        && at(bytes, 8) == Some(chance::<12>(salt))
}

/// A control packet of type handshake: version 4, extension field 2, induction (1), our socket id.
pub(super) fn induction(salt: &Salt) -> Vec<u8> {
    let mut out = vec![0x80, 0];
    out.resize(16, 0); // subtype, type-specific information, time stamp, peer's socket id
    let words: [u32; 5] = [4, 2, 0x0102_0304, 1500, 8192];
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    out.extend(1_u32.to_be_bytes());
    out.extend(chance::<4>(salt));
    out.resize(64, 0); // cookie and peer address
    out
}

/// A handshake to our socket id with version 5 and SRT's magic as extension field.
pub(super) fn is_induction_reply(bytes: &[u8], salt: &Salt) -> bool {
    bytes.len() >= 64
        && at(bytes, 0) == Some([0x80, 0])
        && at(bytes, 12) == Some(chance::<4>(salt))
        && at(bytes, 16) == Some(5_u32.to_be_bytes())
        && at(bytes, 22) == Some([0x4a, 0x17])
}

/// A long header with a version that forces negotiation, padded to 1200 bytes, less than which a
/// server ignores (RFC 9000, 14.1 and 15).
pub(super) fn reserved_version(salt: &Salt) -> Vec<u8> {
    let ids = chance::<16>(salt);
    let mut out = vec![0xc0];
    out.extend(0x1a2a_3a4a_u32.to_be_bytes());
    for id in ids.chunks(8) {
        out.push(8);
        out.extend(id);
    }
    out.resize(1200, 0);
    out
}

/// Version 0 with our two connection ids, swapped (RFC 9000, 17.2.1).
pub(super) fn is_version_negotiation(bytes: &[u8], salt: &Salt) -> bool {
    let ids = chance::<16>(salt);
    let (ours, theirs) = ids.split_at(8);
    bytes.first().is_some_and(|first| first & 0x80 != 0)
        && at(bytes, 1) == Some([0; 4])
        && bytes.get(5) == Some(&8)
        && bytes.get(6..14) == Some(theirs)
        && bytes.get(14) == Some(&8)
        && bytes.get(15..23) == Some(ours)
}

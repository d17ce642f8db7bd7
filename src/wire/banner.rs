//! Guesses which protocol sent some first bytes, when they are not those that were expected.
//!
//! A guess is for a person to read in a finding; nothing is decided by it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most first bytes of a stranger that are kept, in bytes.
pub const MAX_FIRST_BYTES: usize = 512;

/// A protocol that may answer on a port where another was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1: a status line, or the bare error page that some servers send (RFC 9112 §4).
    Http,
    /// TLS: an alert or handshake record (RFC 8446 §5.1).
    Tls,
    /// SSH: an identification string (RFC 4253 §4.2).
    Ssh,
    /// RTSP: a status line (RFC 7826 §8).
    Rtsp,
    /// A greeting with a three-digit code: SMTP, FTP and their kin (RFC 5321 §4.2).
    Greeting,
    /// RTMP: a version byte and much that follows (RTMP 1.0 §5.2).
    Rtmp,
    /// Remote desktop: a TPKT header (RFC 1006 §6).
    Rdp,
    /// Lines of text of an unknown kind.
    Text,
    /// Bytes of an unknown kind.
    Unknown,
}

impl Protocol {
    /// Stable word, as in readings: `http`, `tls`, `ssh`, `rtsp`, `greeting`, `rtmp`, `rdp`, `text`, `unknown`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Ssh => "ssh",
            Self::Rtsp => "rtsp",
            Self::Greeting => "greeting",
            Self::Rtmp => "rtmp",
            Self::Rdp => "rdp",
            Self::Text => "text",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
            Self::Ssh => "SSH",
            Self::Rtsp => "RTSP",
            Self::Greeting => "a mail or file transfer greeting",
            Self::Rtmp => "RTMP",
            Self::Rdp => "remote desktop",
            Self::Text => "text of an unknown protocol",
            Self::Unknown => "an unknown protocol",
        })
    }
}

/// The protocol that the first bytes of an answer look like.
pub fn guess(first: &[u8]) -> Protocol {
    let lower = first.get(..first.len().min(64)).unwrap_or_default().to_ascii_lowercase();
    let text = lower.trim_ascii_start();
    if text.starts_with(b"http/") || text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
        Protocol::Http
    } else if first.starts_with(b"SSH-") {
        Protocol::Ssh
    } else if first.starts_with(b"RTSP/") {
        Protocol::Rtsp
    } else if matches!(first, [0x14..=0x17, 3, 0..=4, ..]) {
        Protocol::Tls
    } else if matches!(first, [3, 0, 0, 7..=64, ..]) {
        Protocol::Rdp
    } else if matches!(first, [3, rest @ ..] if rest.len() > MAX_FIRST_BYTES / 2) {
        Protocol::Rtmp
    } else if is_greeting(first) {
        Protocol::Greeting
    } else if !first.is_empty() && first.iter().all(|b| is_text(*b)) {
        Protocol::Text
    } else {
        Protocol::Unknown
    }
}

/// Whether more bytes of the same stranger would hardly change the guess: a line is complete,
/// a TLS record is seen, or [`MAX_FIRST_BYTES`] are there.
pub fn is_conclusive(first: &[u8]) -> bool {
    first.len() >= MAX_FIRST_BYTES
        || match guess(first) {
            Protocol::Tls => first.len() >= 7,
            Protocol::Unknown => false,
            _ => first.contains(&b'\n'),
        }
}

fn is_greeting(first: &[u8]) -> bool {
    matches!(first, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..])
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_strangers_are_named() {
        let cases: [(&[u8], Protocol); 12] = [
            (&[3; 512], Protocol::Rtmp),
            (b"HTTP/1.1 400 Bad Request\r\n", Protocol::Http),
            (b"<!DOCTYPE HTML>\n<html lang=\"en\">", Protocol::Http),
            (b"\r\n<html><head>", Protocol::Http),
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", Protocol::Ssh),
            (b"RTSP/1.0 400 Bad Request\r\n", Protocol::Rtsp),
            (&[0x15, 3, 1, 0, 2, 2, 70], Protocol::Tls),
            (b"220 mail.example ESMTP\r\n", Protocol::Greeting),
            (&[3, 0, 0, 11, 6, 0xD0, 0], Protocol::Rdp),
            (b"-ERR unknown command\r\n", Protocol::Text),
            (&[0, 1, 2, 3], Protocol::Unknown),
            (b"", Protocol::Unknown),
        ];
        for (first, expected) in cases {
            assert_eq!(guess(first), expected, "{first:?}");
        }
    }

    #[test]
    fn a_guess_waits_for_the_end_of_a_line() {
        assert!(!is_conclusive(b"HTTP/1.1 400 Ba"));
        assert!(is_conclusive(b"HTTP/1.1 400 Bad Request\r\n"));
        assert!(!is_conclusive(&[0x15, 3, 1]));
        assert!(is_conclusive(&[0x15, 3, 1, 0, 2, 2, 70]));
        assert!(!is_conclusive(&[0; 511]));
        assert!(is_conclusive(&[0; 512]));
    }
}

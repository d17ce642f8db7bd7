//! The smallest question of a protocol that gets an answer, and whether what came back is one.
//!
//! It proves that a port is open for that protocol: a TCP handshake can come from a firewall,
//! and of UDP only an answer says anything at all.

mod datagram;
mod stream;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Transport;

/// Bytes of an answer that are looked at, at most.
pub const ANSWER_MAX: usize = 1024;

/// A protocol that can be knocked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// A `ClientHello` (RFC 5246, RFC 8446); a server hello or an alert answers.
    Tls,
    /// `HEAD /` (RFC 9112); a status line answers.
    Http,
    /// C0 and C1 (Adobe's RTMP 1.0, 5.2); S0 answers.
    Rtmp,
    /// A query for the root's name servers (RFC 1035); any response answers.
    Dns,
    /// A client request (RFC 5905); a server reply with our time stamp answers.
    Ntp,
    /// A binding request (RFC 8489); a success or error with our transaction id answers.
    Stun,
    /// A handshake of induction (draft-sharabayko-srt-01, 4.3.1); version 5 with SRT's magic answers.
    Srt,
    /// A long header of a reserved version (RFC 9000, 6.1); version negotiation answers.
    Quic,
}

/// What came back, held against the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Too little to tell.
    More,
    /// An answer of the protocol.
    Yes,
    /// Something else.
    No,
}

/// Chance that ties an answer to its question. The caller draws it anew for each.
pub type Salt = [u8; 32];

impl Protocol {
    /// The transport that it runs over here.
    pub const fn transport(self) -> Transport {
        match self {
            Self::Tls | Self::Http | Self::Rtmp => Transport::Tcp,
            Self::Dns | Self::Ntp | Self::Stun | Self::Srt | Self::Quic => Transport::Udp,
        }
    }

    /// The protocol that IANA registers for this port, or that live streaming uses there.
    pub const fn usual(transport: Transport, port: u16) -> Option<Self> {
        match (transport, port) {
            (Transport::Tcp, 443) => Some(Self::Tls),
            (Transport::Tcp, 80) => Some(Self::Http),
            (Transport::Tcp, 1935) => Some(Self::Rtmp),
            (Transport::Udp, 53) => Some(Self::Dns),
            (Transport::Udp, 123) => Some(Self::Ntp),
            (Transport::Udp, 443) => Some(Self::Quic),
            (Transport::Udp, 3478) => Some(Self::Stun),
            _ => None,
        }
    }

    /// Its name among people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Http => "HTTP",
            Self::Rtmp => "RTMP",
            Self::Dns => "DNS",
            Self::Ntp => "NTP",
            Self::Stun => "STUN",
            Self::Srt => "SRT",
            Self::Quic => "QUIC",
        }
    }

    /// The question, at most 2 kB. `host` is the name that the server is asked by.
    pub fn question(self, host: &str, salt: &Salt) -> Vec<u8> {
        match self {
            Self::Tls => stream::client_hello(host, salt),
            Self::Http => stream::head(host),
            Self::Rtmp => stream::c0_c1(salt),
            Self::Dns => datagram::root_servers(salt),
            Self::Ntp => datagram::time_request(salt),
            Self::Stun => datagram::binding(salt),
            Self::Srt => datagram::induction(salt),
            Self::Quic => datagram::reserved_version(salt),
        }
    }

    /// Whether `bytes` answer the question asked with this salt. Of UDP it is one datagram.
    pub fn answers(self, bytes: &[u8], salt: &Salt) -> Answer {
        let whole = |yes: bool| if yes { Answer::Yes } else { Answer::No };
        match self {
            Self::Tls => stream::is_record(bytes),
            Self::Http => stream::is_status_line(bytes),
            Self::Rtmp => stream::is_s0(bytes),
            Self::Dns => whole(datagram::is_response(bytes, salt)),
            Self::Ntp => whole(datagram::is_time_reply(bytes, salt)),
            Self::Stun => whole(datagram::is_binding_reply(bytes, salt)),
            Self::Srt => whole(datagram::is_induction_reply(bytes, salt)),
            Self::Quic => whole(datagram::is_version_negotiation(bytes, salt)),
        }
    }
}

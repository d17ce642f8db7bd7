//! Messages. One control connection has at most one session open at a time; when the
//! connection ends, so does the session. Only a held session ([`super::hold`]) outlives it.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::hold::Slot;
use super::{Proof, Refusal, Sight, VERSION};
use crate::model::{WireText, text};
use crate::wire::client_hello::ClientHello;

/// Length of `hello`'s padding, in bytes: more than any refusal.
pub const PADDING: usize = 1024;

/// What the probing side says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// First on every connection: proves the token.
    Hello {
        /// [`VERSION`] of the caller.
        version: u32,
        /// Proof of the token on this connection.
        proof: Proof,
        /// Makes the request larger than any refusal.
        padding: String,
    },
    /// Asks for an upload of at most so many seconds and bytes.
    OpenUpload {
        /// Seconds.
        seconds: u32,
        /// Bytes.
        bytes: u64,
        /// Data connections; left out when it is one, as before there could be more.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        streams: u32,
    },
    /// Asks for an upload over UDP of at most so many seconds, bytes and datagrams. Answered as
    /// [`Request::OpenUpload`] is; the datagrams begin with a [`super::datagram::header`].
    OpenDatagrams {
        /// Seconds.
        seconds: u32,
        /// Bytes.
        bytes: u64,
        /// Datagrams.
        packets: u64,
    },
    /// Asks for STAMP reflection of at most so many seconds and packets.
    OpenStamp {
        /// Seconds.
        seconds: u32,
        /// Packets.
        packets: u64,
    },
    /// Asks to listen on a UDP port for so many seconds and datagrams: what comes from the caller's
    /// address is counted and sent back, the rest only counted. A far end that does not know this
    /// says that it is a bad request.
    OpenListen {
        /// The port.
        port: u16,
        /// Seconds.
        seconds: u32,
        /// Datagrams.
        packets: u64,
    },
    /// Asks for a `pong`, to time the round trip.
    Ping {
        /// Comes back.
        n: u32,
    },
    /// Asks which key the far end sees at a host: [`Reply::Seen`].
    Notary {
        /// Host to connect to.
        host: String,
        /// TCP port.
        port: u16,
        /// Name to ask for.
        server_name: String,
    },
    /// In the place of `hello`: asks which `ClientHello` arrived. Needs no token.
    Echo {
        /// Makes the request larger than its answer.
        padding: String,
    },
    /// Ends the open session.
    Close {},
    /// Asks for a session that is held for at most so many seconds and bytes ([`super::hold`]). A far
    /// end from before this was added refuses it as a bad request.
    OpenHold {
        /// Seconds.
        seconds: u32,
        /// Bytes that arrive, all slots together.
        bytes: u64,
    },
    /// Asks for one datagram to where the last one of this slot came from.
    Push {
        /// Whose.
        ticket: Ticket,
        /// Which flow.
        slot: u8,
    },
    /// Ends a held session and asks what was seen of it.
    Release {
        /// Which.
        ticket: Ticket,
    },
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_one(streams: &u32) -> bool {
    *streams == 1
}

impl Request {
    /// `hello` with its padding.
    pub fn hello(proof: Proof) -> Self {
        Self::Hello { version: VERSION, proof, padding: "-".repeat(PADDING) }
    }

    /// `echo` with its padding.
    pub fn echo() -> Self {
        Self::Echo { padding: "-".repeat(PADDING) }
    }
}

/// What the far end says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// The token is proved.
    Welcome {
        /// The caller's address as the far end sees it.
        seen: SocketAddr,
        /// Most that one session may use.
        cap: Grant,
        /// Port of the RTMP listener, if there is one.
        rtmp: Option<u16>,
        /// Port of the SRT listener, if there is one.
        srt: Option<u16>,
    },
    /// No. The far end closes the connection after it, unless the token was proved.
    Refuse {
        /// Why.
        why: Refusal,
        /// More, for a person; may be empty.
        detail: WireText,
    },
    /// The upload may begin: its data connections to the same port, each with [`super::DATA_MAGIC`], the ticket.
    Upload {
        /// What admits the data connection.
        ticket: Ticket,
        /// What it may use.
        grant: Grant,
    },
    /// Reflection may begin: UDP to the same port.
    Stamp {
        /// Session id to send (SSID, RFC 8972 section 3).
        ssid: u16,
        /// What it may use.
        grant: Grant,
    },
    /// It listens.
    Listening {
        /// What the caller may use.
        grant: Grant,
    },
    /// The upload's data connection is there; slots count from this moment.
    Attached {
        /// Its address as the far end sees it.
        from: SocketAddr,
    },
    /// What arrived in slots of [`super::SLOT_MS`] that are over. Every slot is reported once, in order.
    Arrivals {
        /// Number of the first slot in `bytes`.
        first: u32,
        /// Bytes that arrived in each slot.
        bytes: Vec<u64>,
        /// Gaps that ended since the last report.
        gaps: Vec<Gap>,
    },
    /// The session is held: connections and datagrams to the same port.
    Hold {
        /// What admits them.
        ticket: Ticket,
        /// What it may use.
        grant: Grant,
    },
    /// To `push`.
    Pushed {
        /// False when no datagram has come in this slot, or the system would not send.
        sent: bool,
    },
    /// To `release`.
    Released {
        /// What was seen of each slot.
        slots: Vec<Slot>,
        /// Datagrams that came from another address than the control connection's, and were not
        /// answered.
        foreign: u64,
    },
    /// What the far end sees at the host that it was asked about: each of its addresses.
    Seen {
        /// At most two of each family.
        sights: Vec<Sight>,
    },
    /// The `ClientHello` that arrived on this connection.
    Echo {
        /// It; absent when it was no whole one in one record.
        hello: Option<ClientHello>,
    },
    /// To `ping`.
    Pong {
        /// As asked.
        n: u32,
    },
    /// The session is over.
    Ended {
        /// Why.
        how: Ended,
        /// Bytes that arrived in it.
        bytes: u64,
        /// Packets, or reads of a stream, that arrived in it.
        packets: u64,
        /// Packets with its id that came from another address and were not answered.
        foreign: u64,
        /// Milliseconds that it lasted.
        took_ms: u64,
        /// Latest that the far end's own 100 ms timer fired, in milliseconds: how much its
        /// figures can be trusted.
        late_ms: u64,
    },
}

/// What a session may use; 0 where it does not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Seconds from its opening.
    pub seconds: u32,
    /// Bytes that it may send to the far end.
    pub bytes: u64,
    /// Packets (or reads of a stream) that it may send to the far end.
    pub packets: u64,
}

/// Nothing arrived for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// When it began, in milliseconds since the data connection came.
    pub at_ms: u64,
    /// How long it was, in milliseconds.
    pub ms: u64,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The probing side said `close`.
    Closed,
    /// Its data connection was closed in an orderly way.
    DataClosed,
    /// Its data connection was reset.
    DataReset,
    /// A cap, or the far end was stopped.
    Refused(Refusal),
}

/// Ticket of an upload.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticket(pub [u8; 16]);

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        text::hex(ticket.0)
    }
}

impl TryFrom<String> for Ticket {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        from_hex(&text).map(Self).ok_or("a ticket is 32 hexadecimal digits")
    }
}

pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N * 2 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

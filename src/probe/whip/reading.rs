//! What came of an endpoint and of a session.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Contact, Failure, IcmpError, Publish, WireText};
use crate::net::tls::{Identity, Session};
use crate::net::turn::{Allocation, Stopped};
use crate::net::unreached::Unreached;
use crate::wire::turn::TurnUrl;
use crate::wire::webrtc;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The method, by name.
    pub method: String,
    /// The endpoint, without its query.
    pub url: WireText,
    /// Whether publishing was asked for.
    pub publish: Publish,
    /// Why the name gave no address.
    pub lookup: Option<Failure>,
    /// Requests in order: each address until one answers, and each place that it sends us to.
    pub attempts: Vec<Attempt>,
    /// The session, when the endpoint gave an answer to the offer.
    pub call: Option<Call>,
    /// The same once more through the policy's TURN server, where no media address answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relayed: Option<Relayed>,
}

/// What came of it through a TURN server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relayed {
    /// The TURN server.
    pub url: TurnUrl,
    /// Address and TCP handshake of the last one tried.
    pub contact: Option<Contact>,
    /// The address that it lent.
    pub allocation: Option<Allocation>,
    /// How it ended without one.
    pub stopped: Option<Stopped>,
    /// The session through it, when the endpoint gave an answer to the offer.
    pub call: Option<Call>,
}

/// One request to one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Where, without query: the endpoint, or where it sent us to.
    pub location: WireText,
    /// Address and TCP handshake.
    pub contact: Contact,
    /// What TLS agreed on, and who the server showed itself to be.
    pub tls: Option<Session>,
    /// From sending the request to the end of the answer, ms.
    pub answered_ms: Option<f64>,
    /// How it ended.
    pub end: End,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// No TCP connection.
    NotConnected {
        /// Why.
        failure: Failure,
        /// The ICMP error that said so, where the system tells.
        icmp: Option<IcmpError>,
        /// The system's words.
        detail: WireText,
    },
    /// No TLS.
    NotSecured {
        /// Why.
        failure: Failure,
        /// The alert or error in words, or what answered in its place.
        detail: WireText,
        /// Who the server showed itself to be, when it got so far.
        identity: Option<Box<Identity>>,
    },
    /// The request was sent, and no answer came that is HTTP.
    Unanswered {
        /// Why.
        failure: Failure,
        /// What came instead, or the system's words.
        detail: WireText,
    },
    /// An answer.
    Answered(Answered),
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// Status code.
    pub status: u16,
    /// The server's words for it.
    pub reason: WireText,
    /// Media type of the body.
    pub content_type: Option<WireText>,
    /// Where a redirection leads, without query.
    pub location: Option<WireText>,
    /// Whether the offer was brought there: only if the policy names the host, and the status keeps verb and
    /// body (307, 308).
    pub followed: bool,
    /// Whether it says that it takes offers (`Accept-Post`); absent when it says nothing of it.
    pub takes_offers: Option<bool>,
    /// Whether it names a session (`Location`), without which nothing can be ended.
    pub names_session: bool,
    /// The filter or portal whose page this looks like.
    pub product: Option<String>,
    /// How the body begins, where it is no SDP.
    pub body: WireText,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// The server's candidates that were asked, over UDP.
    pub candidates: Vec<Candidate>,
    /// Candidates over TCP, which are not asked.
    pub tcp_candidates: u32,
    /// Others that were not asked: names, addresses that are no host's, or too many.
    pub passed_over: u32,
    /// STUN and TURN servers that the endpoint names, without credentials; none is asked.
    pub servers: Vec<WireText>,
    /// The pair of addresses that ICE found.
    pub pair: Option<Pair>,
    /// From the offer to the pair, ms.
    pub ice_ms: Option<f64>,
    /// From the offer to the end of the DTLS handshake, when media may flow, ms.
    pub connected_ms: Option<f64>,
    /// What was sent of the test stream.
    pub media: Option<Media>,
    /// How it ended.
    pub end: CallEnd,
    /// How the session was ended.
    pub deleted: Deleted,
}

/// A place where the server takes media by its own account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Its address.
    pub address: SocketAddr,
    /// Its kind.
    pub kind: webrtc::Kind,
    /// Datagrams sent there.
    pub sent: u64,
    /// Datagrams that came from there.
    pub received: u64,
    /// Why nothing can be sent there, or what the network said of it.
    pub unreached: Option<Barred>,
}

/// Why an address cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Barred {
    /// In one word.
    pub failure: Failure,
    /// The ICMP error that said so; none when this machine found out by itself.
    pub icmp: Option<IcmpError>,
    /// In its own words.
    pub detail: WireText,
}

impl From<Unreached> for Barred {
    fn from(Unreached { failure, icmp, detail }: Unreached) -> Self {
        Self { failure, icmp, detail }
    }
}

/// Addresses between which media flows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// Ours.
    pub local: SocketAddr,
    /// The server's.
    pub remote: SocketAddr,
    /// Round trip of the last connectivity check, ms.
    pub round_trip_ms: Option<f64>,
}

/// What was sent of the test stream.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// For how long, ms.
    pub took_ms: f64,
    /// H.264 pictures.
    pub pictures: Flow,
    /// Opus.
    pub sound: Flow,
}

/// One RTP stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    /// Packets sent.
    pub packets: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// The receiver's last report on it.
    pub report: Option<Report>,
}

/// A receiver's report (RFC 3550, 6.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Packets that it misses.
    pub lost_packets: u64,
    /// Round trip by the times in the reports, ms.
    pub round_trip_ms: Option<f64>,
    /// When what it has last rose, ms after the first media was sent.
    pub moved_ms: f64,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// Media was sent for as long as it was to be.
    Sent,
    /// The answer is of no use.
    BadAnswer {
        /// Why.
        problem: WireText,
    },
    /// The server takes no H.264 or no Opus.
    NoCodec {
        /// Which it does not take.
        codec: WireText,
    },
    /// The answer names no address that could be asked.
    NoCandidate,
    /// No candidate answered.
    NotConnected,
    /// A candidate answered, and the DTLS handshake did not come to its end.
    NotSecured {
        /// Why; empty when it took too long.
        detail: WireText,
    },
    /// Media was sent, and then the session broke off.
    Cut {
        /// How.
        how: Cut,
        /// What broke; empty when there are no words for it.
        detail: WireText,
    },
}

/// How a session broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The server ended it.
    Closed,
    /// The server's address stopped answering.
    Silent,
    /// It broke here.
    Broken,
}

/// How a session was ended (DELETE, RFC 9725, 4.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// The server ended it at our request.
    Done,
    /// The endpoint named no session, so that nothing could be asked.
    Unnamed,
    /// The session is at a host that the policy does not name: it was not asked.
    Elsewhere,
    /// The server answered with this status.
    Refused {
        /// Status code.
        status: u16,
    },
    /// No answer.
    Unanswered {
        /// Why.
        failure: Failure,
    },
}

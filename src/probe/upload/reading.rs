//! What was seen.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::packets::{self, Packets};
use super::responsiveness::Responsiveness;
use super::series;
use super::target::one;
use crate::model::{Contact, Failure, FarEndName, WireText};
use crate::net::congestion::Congestion;

/// What carries the bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// TCP, with the congestion control of an encoder.
    #[default]
    Tcp,
    /// UDP, paced at `at_most_kbps`.
    Udp,
}

/// Who was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A golive far end.
    #[default]
    FarEnd,
    /// An iperf3 server.
    Iperf3,
    /// An HTTPS address that takes uploads.
    Https,
    /// An RTMP ingest, with a test stream.
    Ingest,
}

impl Way {
    /// For a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FarEnd => "the far end",
            Self::Iperf3 => "the iperf3 server",
            Self::Https => "the HTTPS server",
            Self::Ingest => "the ingest",
        }
    }
}

/// Whose count the series is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vantage {
    /// The receiver's, slot by slot.
    #[default]
    Receiver,
    /// This machine's: what its TCP saw acknowledged (`TCP_INFO`, `bytes_acked`). Delivered, not
    /// only sent; but a middlebox that acknowledges in the receiver's place would flatter.
    Acknowledged,
}

/// Nothing arrived for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// When it began, in milliseconds since the data connection came to the far end.
    pub at_ms: u64,
    /// How long it was, in milliseconds.
    pub ms: u64,
}

/// A try to connect to the far end's control port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times.
    pub contact: Contact,
    /// Why it failed; none for the one that was used.
    pub failure: Option<Failure>,
}

/// The worst round trip of about a second, as the kernel sees it while sending.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadedRtt {
    /// Milliseconds since the data connection was there.
    pub offset_ms: f64,
    /// Round trip, in milliseconds.
    pub rtt_ms: f64,
}

/// What the kernel sent in about a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SentSecond {
    /// Milliseconds since the data connection was there, at its beginning.
    pub offset_ms: f64,
    /// Bytes sent, resent ones too.
    pub sent_bytes: u64,
    /// Bytes sent again.
    pub resent_bytes: u64,
}

/// What the sending kernel counted; a figure is absent where the system does not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sender {
    /// Bytes handed to the kernel.
    pub written_bytes: u64,
    /// Bytes sent, resent ones too.
    pub sent_bytes: Option<u64>,
    /// Bytes sent again.
    pub resent_bytes: Option<u64>,
    /// Milliseconds with data to send.
    pub busy_ms: Option<f64>,
    /// Of those, milliseconds in which the far end's receive window held it up.
    pub receiver_limited_ms: Option<f64>,
    /// Of those, milliseconds in which our own send buffer held it up.
    #[serde(default)]
    pub buffer_limited_ms: Option<f64>,
    /// Latest that our own 100 ms timer fired, in milliseconds: how much the machine was busy.
    pub late_ms: f64,
    /// True when the kernel paced the connection (`SO_MAX_PACING_RATE`).
    pub paced: bool,
    /// What was sent and sent again in each second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seconds: Vec<SentSecond>,
}

/// What the other side counted in all, where it tells no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Total {
    /// Bytes that it read.
    pub received_bytes: u64,
    /// Bytes that this machine saw acknowledged by then; of UDP, bytes sent.
    pub acknowledged_bytes: u64,
}

/// What a web server answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its words.
    pub reason: WireText,
    /// Milliseconds from the last acknowledgement to the answer.
    pub after_ms: f64,
}

/// What became of the datagrams of a test over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Datagrams {
    /// Payload of each, in bytes.
    pub payload_bytes: u32,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams that the receiver expected: up to the highest number that it saw.
    pub expected: u64,
    /// Of those, datagrams that did not arrive.
    pub lost: u64,
    /// Jitter (RFC 3550) as the receiver saw it, in milliseconds.
    pub jitter_ms: Option<f64>,
}

/// How the test ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As planned.
    Complete,
    /// The run was stopped.
    Cancelled,
    /// The far end ended it: one of its caps, or it was stopped.
    FarEndEnded {
        /// Its reason.
        why: WireText,
    },
    /// The far end went away: it closed, and refuses new connections.
    FarEndLost {
        /// What happened.
        detail: WireText,
    },
    /// It was ended early: no three seconds carried a rate without which the stream cannot live, and too few
    /// were left for it to matter ([`series::is_out_of_reach`]).
    TooThin {
        /// That rate, in kb/s.
        below_kbps: u64,
    },
    /// Something cut the connection, or it went dead, while the far end was still there and
    /// admitted us on a new connection.
    Cut {
        /// What happened.
        detail: WireText,
    },
    /// Nothing came back any more, nor on a new connection.
    LineDead {
        /// Milliseconds since the last sign of life.
        silent_ms: f64,
        /// What happened.
        detail: WireText,
    },
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// Who was asked.
    #[serde(default)]
    pub way: Way,
    /// The far end that counted, when it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_end: Option<FarEndName>,
    /// The other side as the policy names it, when it was no far end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// What carried the bytes.
    #[serde(default)]
    pub transport: Over,
    /// Connections at once.
    #[serde(default = "one")]
    pub streams: u32,
    /// Whose count the series is.
    #[serde(default)]
    pub vantage: Vantage,
    /// Connecting to its control port: the last one was used.
    pub attempts: Vec<Attempt>,
    /// The data connection; of several, the first.
    pub data: Contact,
    /// Our address of the data connection as the far end saw it.
    pub seen_as: Option<SocketAddr>,
    /// Seconds that were asked for.
    pub asked_seconds: u32,
    /// The test's own cap, kb/s.
    pub at_most_kbps: u64,
    /// Congestion control that was asked for.
    pub congestion_asked: Congestion,
    /// Congestion control that the kernel really used, by its name.
    pub congestion: Option<String>,
    /// Length of a slot, in milliseconds.
    pub slot_ms: u32,
    /// Bytes that arrived in each slot, as told by `vantage`; only slots that it reported.
    pub arrived_bytes: Vec<u64>,
    /// The same as IP packets, with what was sent beside them; to a far end over TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<Packets>,
    /// Gaps of 200 ms and more, as told by `vantage`.
    pub gaps: Vec<Gap>,
    /// Gaps beyond those kept.
    pub gaps_left_out: u64,
    /// Round trips before the load, in milliseconds, over the control connection.
    pub idle_rtt_ms: Vec<f64>,
    /// Round trips under load.
    pub loaded_rtt: Vec<LoadedRtt>,
    /// How the line answered under load, where the other side answers meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsiveness: Option<Responsiveness>,
    /// What the sending kernel counted.
    pub sender: Sender,
    /// What the other side counted in all, where it tells no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
    /// Of a test over UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datagrams: Option<Datagrams>,
    /// Of an HTTPS upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Latest that the far end's own timer fired, in milliseconds, if it came to say so.
    pub far_end_late_ms: Option<u64>,
    /// How it ended.
    pub ending: Ending,
}

impl Reading {
    /// The other side, for a sentence.
    pub fn peer(&self) -> String {
        self.far_end
            .as_ref()
            .map_or_else(|| crate::model::text::escape(&self.server).into_owned(), ToString::to_string)
    }

    /// How long was measured, in milliseconds: what was reported.
    pub fn measured_ms(&self) -> u64 {
        self.arrived_bytes.len() as u64 * u64::from(self.slot_ms)
    }

    /// Bytes that arrived in that time.
    pub fn arrived(&self) -> u64 {
        series::total(&self.arrived_bytes)
    }

    /// What the line carried of IP packets in its usual seconds, kb/s; `None` where the system does not tell
    /// enough, or when it was too short. The line's own limit only where nothing else held the load up.
    pub fn capacity_kbps(&self) -> Option<f64> {
        packets::capacity_kbps(&self.arrived_bytes, self.slot_ms, self.packets.as_ref()?)
    }

    /// Rates of its windows; `None` when it was too short.
    pub fn rates(&self) -> Option<series::Rates> {
        series::rates(&self.arrived_bytes, self.slot_ms)
    }
}

//! The event, its people, its ways out and its streams.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Role, SourceAddress, StreamNeed, When};

/// What is planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its title.
    pub title: String,
    /// When it starts.
    pub starts: Option<When>,
    /// When it ends.
    pub ends: Option<When>,
    /// The time zone of the place, such as `Europe/Berlin`; the offset of `starts`, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Where it takes place.
    pub venue: Option<String>,
    /// Marketing's objective, in one sentence.
    pub objective: Option<String>,
    /// The change request that the report belongs to.
    pub change: Option<String>,
    /// The way back: who stops the stream, and how.
    pub way_back: Option<String>,
}

/// Somebody who signs or answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Public key, OpenSSH format.
    pub key: Option<String>,
    /// Until when that key may sign; for ever, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_until: Option<When>,
}

/// Who allowed the traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorisation {
    /// The role.
    pub by: Role,
    /// When probing is allowed; always, when absent.
    pub window: Option<Window>,
    /// Ticket or mail that says so.
    pub reference: Option<String>,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First instant.
    pub from: When,
    /// Last instant.
    pub to: When,
}

/// A way out of the building.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Interface to bind to.
    pub interface: Option<String>,
    /// Source address to bind to.
    pub source: Option<IpAddr>,
}

impl Route {
    /// As probes take it.
    pub fn source_address(&self) -> SourceAddress {
        SourceAddress { interface: self.interface.clone(), address: self.source }
    }
}

/// A stream that will be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Where to, without a key: `rtmps://…`.
    pub to: String,
    /// Video bit rate, kb/s.
    pub video_kbps: u64,
    /// Audio bit rate, kb/s.
    pub audio_kbps: u64,
    /// Factor on top of bit rate and protocol overhead, ≥ 1.
    pub headroom: f64,
    /// SRT's latency, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u16>,
    /// Most video that the ingest takes, kb/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_at_most_kbps: Option<u64>,
    /// Most audio that the ingest takes, kb/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_at_most_kbps: Option<u64>,
}

/// SRT's latency when the policy names none, ms: libsrt's default (`SRTO_LATENCY`).
const SRT_LATENCY_MS: u16 = 120;

impl Stream {
    /// What it needs on the wire. Overheads: RTMP 1.03, SRT 1.08 times the media rate (measured).
    pub fn need(&self) -> StreamNeed {
        let srt = self.to.starts_with("srt:");
        StreamNeed {
            media_kbps: self.video_kbps.saturating_add(self.audio_kbps),
            headroom: self.headroom,
            overhead: if srt { 0.08 } else { 0.03 },
            latency_ms: srt.then(|| self.latency_ms.unwrap_or(SRT_LATENCY_MS)),
        }
    }
}

//! Results: JSON that both sides exchange at the end.

use serde::Deserialize;
use serde_json::{Value, json};

use super::output::{self, Interval};

/// Streams of which a server may tell.
const MAX_STREAMS: usize = 128;

/// What a server counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Each data stream.
    pub streams: Vec<StreamResult>,
    /// Each second, of what it printed; empty when it did not tell.
    pub intervals: Vec<Interval>,
}

/// What a server counted of one data stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct StreamResult {
    /// Bytes that it read.
    #[serde(default)]
    pub bytes: u64,
    /// Datagrams up to the highest number that arrived; 0 of TCP.
    #[serde(default)]
    pub packets: u64,
    /// Of those, datagrams that did not arrive. Negative when some arrived twice.
    #[serde(default)]
    pub errors: i64,
    /// Jitter (RFC 3550), in seconds.
    #[serde(default)]
    pub jitter: f64,
}

#[derive(Deserialize)]
struct Sent {
    streams: Vec<StreamResult>,
    #[serde(default)]
    server_output_text: Option<String>,
    #[serde(default)]
    server_output_json: Option<Value>,
}

impl Results {
    /// Reads a server's JSON.
    ///
    /// # Errors
    /// It is not the JSON of results.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        let sent: Sent = serde_json::from_slice(body)?;
        let mut intervals = sent.server_output_text.as_deref().map(output::of_text).unwrap_or_default();
        if let Some(json) = &sent.server_output_json {
            intervals = output::of_json(json);
        }
        let mut streams = sent.streams;
        streams.truncate(MAX_STREAMS);
        Ok(Self { streams, intervals })
    }

    /// Bytes of all streams.
    pub fn bytes(&self) -> u64 {
        self.streams.iter().fold(0, |sum, stream| sum.saturating_add(stream.bytes))
    }
}

/// Our own results, which a server wants before it gives its own. It numbers streams 1, 3, 4, 5 …
pub(super) fn ours(bytes_of_streams: &[u64], seconds: f64) -> Vec<u8> {
    let streams: Vec<Value> = bytes_of_streams
        .iter()
        .enumerate()
        .map(|(n, bytes)| {
            json!({
                "id": if n == 0 { 1 } else { n + 2 }, "bytes": bytes, "retransmits": -1, "jitter": 0, "errors": 0,
                "packets": 0, "start_time": 0, "end_time": seconds,
            })
        })
        .collect();
    let results = json!({
        "cpu_util_total": 0, "cpu_util_user": 0, "cpu_util_system": 0, "sender_has_retransmits": -1,
        "streams": streams,
    });
    results.to_string().into_bytes()
}

//! The control protocol of iperf3 servers (esnet's iperf 3.1 and later), as their client speaks
//! it: no document describes it, so this follows what iperf 3.12 does.
//!
//! Over one TCP connection: the client sends a cookie; then the server leads by single bytes
//! ([`state`]): exchange of parameters (a 4-byte big-endian length and that much JSON), opening
//! of data streams (each begins with the cookie), start, end (the client's word), exchange of
//! results (JSON again), good-bye. In place of any of them the server may refuse, by a code.
//!
//! What arrived is known at the end only: the sum of each stream, and, when asked for, what the
//! server printed ([`output`]).

mod client;
pub mod datagram;
pub mod output;
mod refusal;
mod results;
#[cfg(test)]
mod tests;

pub use client::{BadAnswer, Client, Phase, Step};
pub use refusal::Refusal;
pub use results::{Results, StreamResult};

use serde::Serialize;

/// Port that servers listen on by themselves.
pub const PORT: u16 = 5201;

/// Length of a cookie, its NUL included.
pub const COOKIE: usize = 37;

/// Bytes that name a state; the server says them, the last two of the test the client.
pub mod state {
    /// The test begins.
    pub const TEST_START: i8 = 1;
    /// Data may be sent.
    pub const TEST_RUNNING: i8 = 2;
    /// The client has sent all.
    pub const TEST_END: i8 = 4;
    /// Parameters, please.
    pub const PARAM_EXCHANGE: i8 = 9;
    /// Open the data streams.
    pub const CREATE_STREAMS: i8 = 10;
    /// The server gives up.
    pub const SERVER_TERMINATE: i8 = 11;
    /// The client gives up.
    pub const CLIENT_TERMINATE: i8 = 12;
    /// Results, please.
    pub const EXCHANGE_RESULTS: i8 = 13;
    /// Results are exchanged.
    pub const DISPLAY_RESULTS: i8 = 14;
    /// Good-bye.
    pub const IPERF_DONE: i8 = 16;
    /// The server is busy with another test.
    pub const ACCESS_DENIED: i8 = -1;
    /// A code and an errno follow.
    pub const SERVER_ERROR: i8 = -2;
}

/// What a test is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp: Option<bool>,
    omit: u32,
    time: u32,
    num: u64,
    blockcount: u64,
    parallel: u32,
    len: u32,
    bandwidth: u64,
    pacing_timer: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    get_server_output: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp_counters_64bit: Option<u8>,
    client_version: &'static str,
}

impl Parameters {
    /// Streams of TCP; `kbps` is the most that all of them will send together.
    pub fn tcp(seconds: u32, streams: u32, kbps: u64) -> Self {
        Self {
            tcp: Some(true),
            udp: None,
            omit: 0,
            time: seconds,
            num: 0,
            blockcount: 0,
            parallel: streams,
            len: 128 * 1024,
            bandwidth: (kbps / u64::from(streams.max(1))).saturating_mul(1000),
            pacing_timer: 1000,
            get_server_output: None,
            udp_counters_64bit: None,
            client_version: "3.12",
        }
    }

    /// One stream of UDP datagrams with `payload` bytes each, at so many kb/s of payload. The
    /// server is asked for what it prints: it counts each second, and tells nobody else.
    pub fn udp(seconds: u32, payload: u16, kbps: u64) -> Self {
        Self {
            tcp: None,
            udp: Some(true),
            len: payload.into(),
            get_server_output: Some(1),
            udp_counters_64bit: Some(1),
            ..Self::tcp(seconds, 1, kbps)
        }
    }

    /// Data streams that the client opens.
    pub const fn streams(&self) -> u32 {
        self.parallel
    }
}

/// A cookie of 16 random bytes.
pub fn cookie(random: [u8; 16]) -> [u8; COOKIE] {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut cookie = [b'g'; COOKIE];
    let halves = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (place, half) in cookie.iter_mut().zip(halves) {
        *place = LETTERS[usize::from(half)];
    }
    cookie[COOKIE - 1] = 0;
    cookie
}

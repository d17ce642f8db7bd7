//! What a call is made with, and whether it can be.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sapflow_srt::caller::ConfigError;
use sapflow_srt::crypto::CryptoConfig;
use sapflow_srt::seq::Seq;
use sapflow_srt::{CallerConfig, SendConfig};

use super::{KeyLength, LIVE_PAYLOAD, MAX_PAYLOAD};
use crate::model::Secret;

/// Most media held until acknowledged.
const MAX_HELD_BYTES: usize = 16 << 20;
/// The engine does not drop media that is too late: it closes the session over any older
/// than this.
const MAX_AGE_US: u64 = 15_000_000;

/// What to call with.
#[derive(Debug, Clone)]
pub struct CallerOptions {
    /// Stream id, at most 512 bytes. A secret, since many services put the stream key there,
    /// although SRT sends it in clear.
    pub stream_id: Option<Secret>,
    /// Passphrase, 10 to 79 bytes.
    pub passphrase: Option<Secret>,
    /// Key length; `None` takes the one that the listener advertises, else AES-128.
    pub key: Option<KeyLength>,
    /// Receiver latency to ask for, 1 to 65535 ms.
    pub latency: Duration,
    /// Payload of one packet, 1 to [`MAX_PAYLOAD`] bytes.
    pub payload_bytes: usize,
    /// Ceiling for media and repeats, bytes per second with headers: twice the stream's rate.
    pub bandwidth: u64,
    /// How long each phase may take, 250 ms to 60 s.
    pub phase_limit: Duration,
    /// End after induction: no stream id and no passphrase leave this machine.
    pub induction_only: bool,
}

impl Default for CallerOptions {
    fn default() -> Self {
        Self {
            stream_id: None,
            passphrase: None,
            key: None,
            latency: Duration::from_millis(120),
            payload_bytes: LIVE_PAYLOAD,
            bandwidth: 1_250_000,
            phase_limit: Duration::from_secs(3),
            induction_only: false,
        }
    }
}

/// Options that no call can be made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadOptions {
    /// Stream id.
    #[error("a stream id has at most 512 bytes and no NUL")]
    StreamId,
    /// Passphrase.
    #[error("an SRT passphrase has 10 to 79 bytes and no NUL")]
    Passphrase,
    /// Key length.
    #[error("this build encrypts SRT with AES-128 or AES-256, not AES-192")]
    KeyLength,
    /// A number out of range.
    #[error("latency is 1 to 65535 ms, payload 1 to 1456 bytes, a phase 250 ms to 60 s")]
    Range,
    /// Peer address.
    #[error("the peer needs a unicast address and a port")]
    Peer,
}

/// Refuses options that no call can be made with.
pub(super) fn check(options: &CallerOptions, peer: SocketAddr, now: Instant) -> Result<(), BadOptions> {
    if options.key == Some(KeyLength::Aes192) {
        return Err(BadOptions::KeyLength);
    }
    if let Some(passphrase) = &options.passphrase {
        let bytes = passphrase.reveal().as_bytes();
        if !(10..=79).contains(&bytes.len()) || bytes.contains(&0) {
            return Err(BadOptions::Passphrase);
        }
    }
    if !(Duration::from_millis(250)..=Duration::from_mins(1)).contains(&options.phase_limit)
        || !(1..=MAX_PAYLOAD).contains(&options.payload_bytes)
    {
        return Err(BadOptions::Range);
    }
    // The engine judges the rest as it would in earnest.
    match sapflow_srt::Caller::with_ids(engine_config(options, None), peer, 1, Seq::new(0), now) {
        Ok(_) => Ok(()),
        Err(ConfigError::StreamId) => Err(BadOptions::StreamId),
        Err(ConfigError::Peer) => Err(BadOptions::Peer),
        Err(_) => Err(BadOptions::Range),
    }
}

/// The same for the engine.
pub(super) fn engine_config(options: &CallerOptions, crypto: Option<CryptoConfig>) -> CallerConfig {
    CallerConfig {
        stream_id: options.stream_id.as_ref().map(|id| id.reveal().to_owned()).unwrap_or_default(),
        latency: options.latency,
        connect_timeout: options.phase_limit,
        max_handshake_packets: 1024,
        send: SendConfig {
            max_packets: 16_384,
            max_bytes: MAX_HELD_BYTES,
            max_age_us: MAX_AGE_US,
            max_payload: options.payload_bytes,
            bandwidth: options.bandwidth,
            ..SendConfig::default()
        },
        crypto,
        ..CallerConfig::default()
    }
}

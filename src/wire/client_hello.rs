//! A TLS client's first message, in short: enough to tell whether what arrives is what was sent.
//!
//! Whoever opens TLS on the way and begins it anew must send a hello of his own: it holds the key
//! share with which he will read along (RFC 8446, 4.2.8). So two equal hellos on both ends of a line mean
//! that nobody did.

use rustls::server::Acceptor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::text;

/// Most bytes of a hello that are looked at: those with keys for the time after quantum computers
/// have about 1,800.
pub const MAX: usize = 4096;

/// Cipher suites kept of one hello.
const MAX_CIPHERS: usize = 64;

/// A record's header: type, version, length (RFC 8446, 5.1).
const HEADER: usize = 5;
const HANDSHAKE: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;

/// A `ClientHello` (RFC 8446, 4.1.2), in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientHello {
    /// SHA-256 of the message, in hexadecimal: its random number and key share are in it, so no two
    /// are alike.
    pub digest: String,
    /// Its length in bytes.
    pub length: usize,
    /// The cipher suites that it offers, by number (IANA's registry), at most 64: programs differ in
    /// them.
    pub ciphers: Vec<u16>,
}

impl ClientHello {
    /// Reads the first bytes of a TLS connection. `None` when they are no whole hello in one record.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let [kind, _, _, high, low] = *header;
        let message = rest.get(..usize::from(u16::from_be_bytes([high, low])))?;
        if kind != HANDSHAKE || message.first() != Some(&CLIENT_HELLO) {
            return None;
        }
        let mut record = bytes.get(..HEADER + message.len())?;
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut record).ok()?;
        let accepted = acceptor.accept().ok()??;
        let hello = accepted.client_hello();
        Some(Self {
            digest: text::hex(Sha256::digest(message)),
            length: message.len(),
            ciphers: hello.cipher_suites().iter().take(MAX_CIPHERS).map(|&suite| suite.into()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    /// What rustls sends first.
    fn hello() -> Vec<u8> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let name = "far-end.example".try_into().unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_hello_is_told_from_the_next_one_and_what_follows_it_does_not_count() {
        let bytes = hello();
        let read = ClientHello::read(&bytes).unwrap();
        assert_eq!(read.digest.len(), 64);
        assert!(read.ciphers.contains(&0x1301), "{read:?}");
        assert_eq!(ClientHello::read(&[&bytes[..], b"more"].concat()).unwrap(), read);
        assert_ne!(ClientHello::read(&hello()).unwrap().digest, read.digest);
    }

    #[test]
    fn every_truncation_is_none() {
        let bytes = hello();
        for cut in 0..bytes.len() {
            assert_eq!(ClientHello::read(&bytes[..cut]), None, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = ClientHello::read(&bytes);
            let _ = ClientHello::read(&[&[0x16, 3, 1, 2, 0, 1][..], &bytes].concat());
        }

        #[test]
        fn an_altered_hello_is_another_or_none(at in 5usize..400, by in 1u8..) {
            let bytes = hello();
            let mut altered = bytes.clone();
            let at = at % bytes.len();
            altered[at] ^= by;
            if let Some(read) = ClientHello::read(&altered) {
                prop_assert!(at < 5 || read.digest != ClientHello::read(&bytes).unwrap().digest);
            }
        }
    }
}

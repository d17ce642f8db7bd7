//! How a policy names a far end: a `golive far-end` that IT runs elsewhere.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Endpoint, SecretSource};

/// A far end: where it listens, which key proves it, which token admits us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FarEnd {
    /// `host:port` of its control and upload service (TCP) and STAMP reflector (UDP).
    pub address: String,
    /// Pin of its key, as `golive far-end` prints it.
    pub pin: Pin,
    /// Token that admits us, as `golive far-end` prints it.
    pub token: SecretSource,
}

impl FarEnd {
    /// Host and port of [`FarEnd::address`]; `None` when it is not `host:port`.
    pub fn host_port(&self) -> Option<(&str, u16)> {
        Endpoint::split(&self.address)
    }
}

/// `sha256:` and 64 hexadecimal digits: SHA-256 of a certificate's subject public key
/// info (the form of RFC 7469, in hex).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^sha256:[0-9a-fA-F]{64}$"))]
pub struct Pin([u8; 32]);

/// A pin that is not `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a pin is `sha256:` and 64 hexadecimal digits, as `golive far-end` prints it")]
pub struct BadPin;

impl Pin {
    /// From the digest itself.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for Pin {
    type Error = BadPin;
    fn try_from(text: String) -> Result<Self, BadPin> {
        let hex = text.strip_prefix("sha256:").ok_or(BadPin)?.as_bytes();
        let mut digest = [0; 32];
        if hex.len() != 64 {
            return Err(BadPin);
        }
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| BadPin)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| BadPin)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> Self {
        pin.to_string()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

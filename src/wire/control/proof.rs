//! Proof of the token that is bound to one TLS connection: the token itself is never sent,
//! and a proof seen on one connection is worth nothing on another.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::message::from_hex;
use crate::model::{Secret, text};

/// Label of the TLS exporter whose value the proof covers (RFC 8446 section 7.5).
pub const EXPORTER: &[u8] = b"EXPORTER-golive-control-1";
/// Length of that value.
pub const EXPORTED: usize = 32;

/// HMAC-SHA-256 (RFC 2104) under the token over the connection's exported value.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Proof([u8; 32]);

impl Proof {
    /// Proves `token` on the connection that exported `binding`.
    pub fn make(token: &Secret, binding: &[u8; EXPORTED]) -> Self {
        Self(hmac(token.reveal().as_bytes(), binding))
    }

    /// True when the other side holds the same token; takes the same time for any proof.
    pub fn holds(&self, token: &Secret, binding: &[u8; EXPORTED]) -> bool {
        self.0.ct_eq(&Self::make(token, binding).0).into()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}

impl From<Proof> for String {
    fn from(proof: Proof) -> Self {
        text::hex(proof.0)
    }
}

impl TryFrom<String> for Proof {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        from_hex(&text).map(Self).ok_or("a proof is 64 hexadecimal digits")
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new_with_prefix(pad(0x36)).chain_update(message).finalize();
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_gives_the_values_of_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, digest) in cases {
            assert_eq!(text::hex(hmac(key, message)), digest);
        }
    }

    #[test]
    fn a_proof_holds_for_its_token_and_connection_only() {
        let token = Secret::from("right".to_owned());
        let proof = Proof::make(&token, &[1; EXPORTED]);
        assert!(proof.holds(&token, &[1; EXPORTED]));
        assert!(!proof.holds(&token, &[2; EXPORTED]));
        assert!(!proof.holds(&Secret::from("wrong".to_owned()), &[1; EXPORTED]));
    }
}

//! What a far end sees of a TLS server: the notary's answer.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Failure, Pin, WireText};

/// One address of a host, as the far end sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// The address.
    pub address: SocketAddr,
    /// Why there was no handshake, if so.
    pub failure: Option<Failure>,
    /// SHA-256 of the public key that it shows.
    pub key: Option<Pin>,
    /// To whom its certificate is made out.
    pub subject: WireText,
    /// Who signed it.
    pub issuer: WireText,
    /// Mozilla's roots trust it for the name asked for.
    pub public: bool,
}

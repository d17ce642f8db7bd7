//! What the far end knows: the same host seen from outside, and whether TLS arrives there as it left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Contact, FarEndName, NotMeasured};
use crate::net::tls::Identity;
use crate::wire::client_hello::ClientHello;
use crate::wire::control::Sight;

/// The far end's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outside {
    /// Which far end.
    pub far_end: FarEndName,
    /// The host as it sees it.
    pub notary: Notary,
    /// TLS to the far end itself.
    pub echo: Echo,
}

/// The far end as a second pair of eyes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notary {
    /// It looked: each address of the host as it knows them; none when it found none.
    Saw(Vec<Sight>),
    /// It could not be asked, or does not say.
    Silent(NotMeasured),
}

/// The hello of a TLS connection to the far end, at both ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Echo {
    /// A connection came about.
    Met(Box<Met>),
    /// None did.
    Silent(NotMeasured),
}

/// A TLS connection to the far end as both ends saw it begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Met {
    /// Addresses and time of the TCP connection.
    pub contact: Contact,
    /// Who answered in the far end's name.
    pub identity: Identity,
    /// It has the key that the policy pins.
    pub pinned: bool,
    /// The hello that this machine sent.
    pub sent: ClientHello,
    /// The hello that arrived.
    pub arrived: Arrived,
}

/// What arrived at the far end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrived {
    /// This hello.
    Hello(ClientHello),
    /// Something that the far end could not read as one.
    Unreadable,
    /// Nobody said.
    Unsaid(NotMeasured),
}

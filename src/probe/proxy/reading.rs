//! What is said of proxies, and what was reached with and without them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Contact, Failure, WireText};
use crate::net::proxy::{self, Connect};
use crate::net::tls::Identity;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The ingest, as asked.
    pub url: String,
    /// What is said of proxies here, by whom.
    pub said: Vec<Said>,
    /// Proxy scripts that were fetched and run.
    pub scripts: Vec<Script>,
    /// Without any proxy.
    pub direct: Direct,
    /// Through each proxy.
    pub through: Vec<Through>,
}

/// Who says something of proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Teller {
    /// The policy.
    Policy,
    /// An environment variable.
    Environment,
    /// The machine's or desktop's settings.
    Machine,
    /// The network, by DHCP option 252.
    Dhcp,
    /// The network, by the name `wpad`.
    Dns,
    /// A proxy script.
    Script,
}

/// One thing that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    /// By whom.
    pub teller: Teller,
    /// Where: a variable's name, a script's address.
    pub place: WireText,
    /// What.
    pub says: Says,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Use this proxy. `secret` is true where a name and password stand beside it, which are kept nowhere.
    Proxy {
        /// The proxy.
        url: proxy::Proxy,
        /// Whether credentials stand beside it.
        secret: bool,
    },
    /// None for the ingest.
    Direct,
    /// Ask a script.
    Script,
    /// Look for a script on the network.
    Discover,
    /// Something that cannot be read, or that cannot be asked here.
    Unreadable {
        /// Why.
        why: WireText,
    },
}

/// A proxy script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Script {
    /// Who named it.
    pub teller: Teller,
    /// Its address without its query.
    pub url: WireText,
    /// What came of it.
    pub answer: ScriptAnswer,
}

/// What came of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScriptAnswer {
    /// It could not be fetched.
    NotFetched {
        /// How it ended.
        failure: Failure,
        /// What came instead, or the system's words.
        detail: WireText,
    },
    /// It gave no answer.
    Failed {
        /// Why.
        why: WireText,
    },
    /// The ways that it names for the ingest, best first: `DIRECT` or a proxy.
    Ways(Vec<WireText>),
}

/// What was reached without a proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Direct {
    /// Why the ingest's name gave no address, if so.
    pub lookup: Option<Failure>,
    /// One attempt at each address.
    pub attempts: Vec<Reach>,
}

/// One attempt at the ingest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// Addresses and times of the TCP connection.
    pub contact: Contact,
    /// What was reached.
    pub reached: Reached,
}

/// What answered where the ingest should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// No connection.
    NotConnected {
        /// Why.
        failure: Failure,
        /// The system's words.
        detail: WireText,
    },
    /// An RTMP server: its handshake was completed.
    Rtmp {
        /// How long the handshake took, ms.
        handshake_ms: f64,
    },
    /// A TLS server, and who it showed itself to be.
    Tls(Box<Identity>),
    /// Something else.
    Stranger {
        /// The protocol that it looks like: `http`, `tls`, …
        protocol: String,
        /// Its first bytes.
        said: WireText,
    },
    /// A connection, and then nothing that counts.
    Cut {
        /// How it ended.
        failure: Failure,
        /// Alert or error in words.
        detail: WireText,
    },
}

/// What was reached through a proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Through {
    /// The proxy.
    pub url: proxy::Proxy,
    /// Whether a name and password were shown to it, those that stand beside it in the environment or settings.
    pub credentials: bool,
    /// The connection to it.
    pub contact: Option<Contact>,
    /// Its answer to `CONNECT` to the ingest.
    pub connect: Connect,
    /// The program that its answer gives away: a hint.
    pub product: Option<String>,
    /// Its answer to `CONNECT` to the ingest's host on port 443, where it refused another port.
    pub on_443: Option<Connect>,
    /// What was reached through it.
    pub reached: Option<Reached>,
}

//! How an exchange on the network failed: stable words that readings carry.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a name, a connection or an exchange failed. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists but has no address of the family asked for.
    NoAddress,
    /// The resolver did not answer or answered with an error.
    ResolverFailed,
    /// TCP reset to a SYN, or ICMP port unreachable.
    Refused,
    /// ICMP said that policy forbids it (RFC 1812 codes 9, 10, 13; RFC 4443 codes 1, 5, 6).
    Prohibited,
    /// ICMP host unreachable, or no answer from the next hop.
    HostUnreachable,
    /// No route to the network.
    NetUnreachable,
    /// This machine's own rules forbid it (`EPERM`, `EACCES`).
    LocalPolicy,
    /// Nothing came back in time.
    TimedOut,
    /// The connection was reset after it had been set up.
    Reset,
    /// The peer closed in an orderly way before the exchange was over.
    Closed,
    /// What came back is not the protocol that was asked for.
    WrongProtocol,
    /// A TLS server ended the handshake with an alert (RFC 8446, 6.2).
    TlsAlert,
    /// The certificate is not trusted here, or is made out to another name.
    Untrusted,
    /// Anything else; the reading carries the system's words.
    Other,
}

impl Failure {
    /// For a sentence: "connection refused".
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoSuchName => "the name does not exist",
            Self::NoAddress => "the name has no such address",
            Self::ResolverFailed => "the name could not be looked up",
            Self::Refused => "refused",
            Self::Prohibited => "prohibited by a firewall that says so (ICMP)",
            Self::HostUnreachable => "host unreachable",
            Self::NetUnreachable => "network unreachable",
            Self::LocalPolicy => "forbidden by this machine's own rules",
            Self::TimedOut => "no answer",
            Self::Reset => "reset",
            Self::Closed => "closed by the other side",
            Self::WrongProtocol => "answered in another protocol",
            Self::TlsAlert => "ended by a TLS alert",
            Self::Untrusted => "showed a certificate that is not trusted for the name",
            Self::Other => "failed",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

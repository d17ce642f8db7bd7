//! What an attempt came to, in the words of a firewall rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Contact, Failure, IcmpError, Stop, Transport};

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// An answer in the protocol asked in, or, when only listening, anything said.
    Answered,
    /// An answer in another protocol.
    OtherProtocol,
    /// TCP: a handshake, and nothing more in time.
    Accepted,
    /// TCP: a handshake, then closed in an orderly way without a word.
    Closed,
    /// TCP: a handshake, then reset without a word.
    ResetAfterData,
    /// TCP: a reset at once. UDP: port unreachable, from the host itself.
    Refused,
    /// An ICMP error that only a filter sends.
    Prohibited,
    /// An ICMP error that a router sends which finds no way on.
    Unreachable,
    /// This machine has no route for this family or network.
    NoRoute,
    /// This machine's own rules forbid it.
    LocalPolicy,
    /// TCP: nothing came back.
    Filtered,
    /// UDP: nothing came back, which says nothing.
    Silent,
    /// Anything else; see the detail.
    Failed,
}

impl State {
    /// How somebody on the way may have stopped it, so that a TTL walk can tell who.
    pub const fn stop(self) -> Option<Stop> {
        match self {
            Self::Filtered | Self::Silent => Some(Stop::Drop),
            Self::Prohibited | Self::Unreachable => Some(Stop::Deny),
            Self::Refused => Some(Stop::Reset),
            Self::Accepted => Some(Stop::Swallow),
            Self::Closed | Self::ResetAfterData => Some(Stop::Cut),
            _ => None,
        }
    }

    /// Whether a TCP handshake was completed.
    pub(super) const fn handshaken(self) -> bool {
        matches!(
            self,
            Self::Answered | Self::OtherProtocol | Self::Accepted | Self::Closed | Self::ResetAfterData
        )
    }

    /// What a failure before any answer means for a port.
    pub(super) fn of(
        failure: Failure,
        icmp: Option<IcmpError>,
        contact: &Contact,
        transport: Transport,
    ) -> Self {
        // A host resets a TCP connection to a closed port; "port unreachable" to TCP is a filter's,
        // and to UDP too when another than the host says so.
        let by_filter = |icmp: IcmpError| {
            icmp.is_port_unreachable() && (transport == Transport::Tcp || icmp.from != contact.remote.ip())
        };
        // What this machine tells itself to be prohibited is its own firewall's doing.
        let own = icmp.is_some_and(|icmp| icmp.is_from(contact.local));
        let by_filter = |icmp: IcmpError| by_filter(icmp) || failure == Failure::Prohibited;
        match failure {
            _ if icmp.is_some_and(by_filter) && own => Self::LocalPolicy,
            _ if icmp.is_some_and(by_filter) => Self::Prohibited,
            Failure::Refused | Failure::Reset => Self::Refused,
            Failure::Prohibited => Self::Prohibited,
            Failure::NetUnreachable if icmp.is_none() => Self::NoRoute,
            Failure::HostUnreachable | Failure::NetUnreachable => Self::Unreachable,
            Failure::LocalPolicy => Self::LocalPolicy,
            Failure::TimedOut if transport == Transport::Udp => Self::Silent,
            Failure::TimedOut => Self::Filtered,
            _ if icmp.is_some() => Self::Unreachable,
            _ => Self::Failed,
        }
    }
}

//! What an error of a connected UDP socket means, and when "port unreachable" is to be believed.

use std::io;

use tokio::net::UdpSocket;

use super::{failure, icmp_error};
use crate::model::{Failure, IcmpError, WireText};

/// "Port unreachable" counts when the port says so again: one may be a leftover of a service
/// that is just starting.
const REFUSALS: u32 = 2;

/// Why nothing reached the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// In one word.
    pub failure: Failure,
    /// What the network said, where the system tells.
    pub icmp: Option<IcmpError>,
    /// In the words of either.
    pub detail: WireText,
}

impl Unreached {
    /// By ICMP where the system kept it, else by the system's own error.
    pub fn of(socket: &UdpSocket, error: &io::Error) -> Self {
        let icmp = icmp_error::take(socket);
        let failure = icmp.map_or_else(|| failure::classify(error), |icmp| icmp.failure());
        let detail = icmp.map_or_else(|| error.to_string(), |icmp| icmp.to_string());
        Self { failure, icmp, detail: detail.into() }
    }
}

/// Errors of one socket so far.
#[derive(Debug, Default)]
pub struct Refusals(u32);

impl Refusals {
    /// What an error of the socket means; `None` for a "port unreachable" that came first.
    pub fn believe(&mut self, socket: &UdpSocket, error: &io::Error) -> Option<Unreached> {
        let unreached = Unreached::of(socket, error);
        self.0 += 1;
        (unreached.failure != Failure::Refused || self.0 >= REFUSALS).then_some(unreached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_port_unreachable_passes_and_anything_else_does_not() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let mut refusals = Refusals::default();
        assert_eq!(refusals.believe(&socket, &refused), None);
        assert_eq!(refusals.believe(&socket, &refused).unwrap().failure, Failure::Refused);
        let gone = io::Error::from(io::ErrorKind::NetworkUnreachable);
        assert_eq!(Refusals::default().believe(&socket, &gone).unwrap().failure, Failure::NetUnreachable);
    }
}

//! Which of this machine's own rules kept a packet back, asked when the system itself forbids it.

use std::net::SocketAddr;

use tokio::sync::Semaphore;

use super::local_rules;
use crate::model::{Contact, Failure, IcmpError, SourceAddress, Transport};
use crate::wire::firewall::{Packet, Told, decide};

/// Readings of the rules at a time: each starts the system's tools, and many ports may ask at once.
static READERS: Semaphore = Semaphore::const_new(2);

/// What this machine's own rules do with what leaves for `remote`.
pub async fn ask(remote: SocketAddr, transport: Transport, source: &SourceAddress) -> Told {
    let _reader = READERS.acquire().await;
    match local_rules::read().await {
        Err(why) => Told::Unread(why),
        Ok(rules) => {
            let packet = Packet {
                to: remote.ip(),
                port: remote.port(),
                transport,
                interface: source.interface.clone(),
            };
            Told::Read {
                rules: rules.chains.iter().map(|chain| chain.rules.len() as u64).sum(),
                outcome: decide(&rules.chains, &packet),
                tools: rules.tools,
            }
        }
    }
}

/// The same for an attempt that failed so; `None` when it was not this machine that forbade it.
pub async fn explain(
    (failure, icmp): (Failure, Option<IcmpError>),
    contact: &Contact,
    transport: Transport,
    source: &SourceAddress,
) -> Option<Told> {
    let by_filter = |icmp: IcmpError| failure == Failure::Prohibited || icmp.is_port_unreachable();
    let own = icmp.is_some_and(|icmp| icmp.is_from(contact.local) && by_filter(icmp));
    if !own && failure != Failure::LocalPolicy {
        return None;
    }
    Some(ask(contact.remote, transport, source).await)
}

//! Names to addresses as this machine's programs get them (getaddrinfo), bounded.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::model::{Failure, Family};

/// Addresses tried per family: a name with hundreds must not become hundreds of attempts.
pub const MAX_PER_FAMILY: usize = 2;
/// When a name is asked for once more: a datagram that is lost must not count as no answer, and the
/// system itself asks again only after 5 s (resolv.conf(5), `timeout`). Not sooner: dnsmasq, the
/// resolver of many routers, sends on no question that it sent less than two seconds before
/// (`forward_query` of its 2.90), and so would wait for the answer that was lost.
const AGAIN: Duration = Duration::from_millis(2100);

/// Addresses of `host`, at most [`MAX_PER_FAMILY`] of each family, in the system's order.
/// Literals (also in brackets) pass through.
pub async fn lookup(host: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let found = match tokio::time::timeout(limit, asked(bare, port)).await {
        Err(_) => return Err(Failure::TimedOut),
        Ok(Err(error)) => return Err(reason(&error)),
        Ok(Ok(found)) => found,
    };
    let mut kept: Vec<SocketAddr> = Vec::new();
    for address in found {
        let family = Family::of(address.ip());
        if !kept.contains(&address)
            && kept.iter().filter(|k| Family::of(k.ip()) == family).count() < MAX_PER_FAMILY
        {
            kept.push(address);
        }
    }
    if kept.is_empty() { Err(Failure::NoAddress) } else { Ok(kept) }
}

/// What the first of all asks says, of which one starts every [`AGAIN`].
async fn asked(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut asks = FuturesUnordered::new();
    loop {
        asks.push(tokio::net::lookup_host((host, port)));
        tokio::select! {
            Some(found) = asks.next() => return found.map(Iterator::collect),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// The first address of each family: two would ask about the same way twice.
pub fn one_of_each_family(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut seen = Vec::new();
    addresses.retain(|address| {
        let family = Family::of(address.ip());
        let new = !seen.contains(&family);
        seen.push(family);
        new
    });
    addresses
}

/// getaddrinfo's words are all that std gives: EAI codes are not exposed.
fn reason(error: &io::Error) -> Failure {
    let text = error.to_string();
    if text.contains("not known") || text.contains("No such host") || text.contains("nodename nor servname") {
        Failure::NoSuchName
    } else if text.contains("No address associated") {
        Failure::NoAddress
    } else {
        Failure::ResolverFailed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn literals_pass_through() {
        for (host, shown) in [("127.0.0.1", "127.0.0.1:5"), ("::1", "[::1]:5"), ("[::1]", "[::1]:5")] {
            let found = lookup(host, 5, Duration::from_secs(1)).await.unwrap();
            assert_eq!(found, [shown.parse().unwrap()]);
        }
    }

    #[tokio::test]
    async fn localhost_is_bounded_and_unique() {
        let found = lookup("localhost", 5, Duration::from_secs(5)).await.unwrap();
        assert!((1..=2 * MAX_PER_FAMILY).contains(&found.len()), "{found:?}");
    }
}

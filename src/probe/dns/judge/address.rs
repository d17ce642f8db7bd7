//! Is an answered address the name's own?

use std::net::IpAddr;

use super::super::{Limits, Reading};
use super::{code, proof};
use crate::model::{Finding, OneOf, Special};
use crate::wire::dns::block_pages;

/// Names that are no public names (RFC 6761, RFC 6762, RFC 8375, and ICANN's reserved
/// `internal`), and some that companies use as if they were.
const PRIVATE_ENDINGS: &[&str] =
    &["localhost", "local", "test", "internal", "home.arpa", "lan", "home", "corp", "intranet", "private"];

fn is_public(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    !PRIVATE_ENDINGS
        .iter()
        .any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Why an address cannot serve the public, if so.
fn special(ip: IpAddr) -> Option<&'static str> {
    Special::of(ip).map(Special::words)
}

/// True for an address of a private network (RFC 1918, RFC 4193).
pub(super) fn is_private(ip: IpAddr) -> bool {
    special(ip) == Some("a private address")
}

/// What the answered addresses of one resolver are worth.
pub(super) struct Worth {
    /// One finding, or more when addresses differ in what is wrong with them.
    pub(super) findings: Vec<Finding>,
    /// True when the addresses are known to be the name's: named by the policy, or proven.
    pub(super) known: bool,
}

/// Holds addresses against the policy's, then proof, then what is known of addresses. `who` is
/// the resolver, for the sentence.
pub(super) fn worth(limits: &Limits, reading: &Reading, addresses: &[IpAddr], who: &str) -> Worth {
    if let Some(OneOf(allowed)) = &limits.addresses {
        return against_policy(allowed, addresses, who);
    }
    if reading.prove.is_some() {
        return proof::against(reading, addresses, who);
    }
    let mut findings: Vec<Finding> =
        addresses.iter().filter_map(|ip| known_lie(&reading.name, *ip, who)).collect();
    if findings.is_empty() {
        let observed = format!("{who}: {}", list(addresses));
        findings.push(Finding::pass(code::RESOLVED, "addresses that can be the name's", observed));
    }
    Worth { findings, known: false }
}

fn against_policy(allowed: &[IpAddr], addresses: &[IpAddr], who: &str) -> Worth {
    let expected = format!("only {}", list(allowed));
    let others: Vec<IpAddr> = addresses.iter().copied().filter(|ip| !allowed.contains(ip)).collect();
    if others.is_empty() {
        let observed = format!("{who}: {}", list(addresses));
        return Worth { findings: vec![Finding::pass(code::EXPECTED, expected, observed)], known: true };
    }
    let remedy = "network team: find out why this resolver gives another address; if the host has moved, change \
                  `addresses` in the policy";
    let observed = format!("{who}: {}", list(&others));
    Worth { findings: vec![Finding::fail(code::WRONG, expected, observed, remedy)], known: false }
}

pub(super) fn known_lie(name: &str, ip: IpAddr, who: &str) -> Option<Finding> {
    if let Some(owner) = block_pages::owner(ip) {
        let remedy = "network team: allow this name in the DNS filter";
        let observed = format!("{who}: {ip}, the block page of {owner}");
        return Some(Finding::fail(code::BLOCK_PAGE, "the name's own address", observed, remedy));
    }
    let why = special(ip).filter(|_| is_public(name))?;
    let remedy = "network team: ask who runs this resolver why the name points there (filter, portal or split DNS); \
                  if it is right, list it as `addresses` in the policy";
    let observed = format!("{who}: {ip}, {why}");
    Some(Finding::fail(code::PRIVATE, "an address that can serve the public", observed, remedy))
}

pub(super) fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_names_are_told_from_public_ones() {
        for private in ["localhost", "ingest.local", "INGEST.corp.", "nas.home.arpa", "a.test"] {
            assert!(!is_public(private), "{private}");
        }
        for public in ["example.com", "notlocal", "local.example.com", "contest"] {
            assert!(is_public(public), "{public}");
        }
    }

    #[test]
    fn special_addresses_are_known_on_both_families() {
        for ip in ["0.0.0.0", "10.1.2.3", "100.100.1.1", "169.254.1.1", "198.18.0.7", "::", "::1", "fd00::1"]
        {
            assert!(special(ip.parse().unwrap()).is_some(), "{ip}");
        }
        for ip in [
            "::ffff:192.168.1.1",
            "fe80::1",
            "2001:db8::1",
            "255.255.255.255",
            "ff02::1",
            "64:ff9b::a00:1",
            "100::1",
        ] {
            assert!(special(ip.parse().unwrap()).is_some(), "{ip}");
        }
        for ip in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
        {
            assert_eq!(special(ip.parse().unwrap()), None, "{ip}");
        }
    }
}

//! What the resolver outside says, beside what one here says.

use std::net::{IpAddr, Ipv6Addr};

use super::super::{Asked, Reading};
use super::{address, code};
use crate::model::{Family, Finding};
use crate::wire::dns::Kind;

/// True when it has an address for the name.
pub(super) fn knows(reading: &Reading) -> bool {
    reading.reference.as_ref().is_some_and(|outside| !outside.addresses().is_empty())
}

/// True when it gives this address. Nobody on the way could alter its answer.
pub(super) fn gives(reading: &Reading, ip: IpAddr) -> bool {
    let all = reading.reference.as_ref().map(Asked::addresses).unwrap_or_default();
    all.contains(&ip) || translated(ip, &all)
}

/// An IPv6 address that DNS64 made of one of these (RFC 6147, with the prefix of RFC 6052).
fn translated(ip: IpAddr, of: &[IpAddr]) -> bool {
    let made = |ip: &IpAddr| match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            Some(IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low)))
        }
        IpAddr::V6(_) => None,
    };
    of.iter().filter_map(made).any(|other| other == ip)
}

/// Compares family by family: a filter may lie in one of them only.
pub(super) fn compared(reading: &Reading, asked: &Asked, who: &str, known: bool) -> Vec<Finding> {
    const EXPECTED: &str = "an address in common with the answer from outside";
    let Some(outside) = reading.reference.as_ref().filter(|_| knows(reading)) else { return Vec::new() };
    let mut differing = Vec::new();
    let mut findings = Vec::new();
    for (kind, family) in [(Kind::A, Family::V4), (Kind::Aaaa, Family::V6)] {
        // It was not told outside what there is in this family.
        let Some(there) = answered(outside, kind) else { continue };
        let here = answered(asked, kind).unwrap_or_default();
        if here.iter().any(|ip| gives(reading, *ip)) {
            continue;
        }
        if !here.is_empty() {
            differing.push(family.word());
        } else if kind == Kind::A && !there.is_empty() && answered(asked, kind).is_some() {
            // Many resolvers leave out IPv6 where there is none; none leaves out IPv4 for a good reason.
            let observed = format!("{who}: no {} address, and outside it has one", family.word());
            let remedy = "network team: find out why this resolver leaves the address out (a filter?)";
            findings.push(Finding::warn(code::HALF, "an answer for both families", observed, remedy));
        }
    }
    findings.push(if differing.is_empty() {
        Finding::pass(code::AGREES, EXPECTED, format!("{who}: there is one"))
    } else if known && asked.addresses().iter().any(|ip| address::is_private(*ip)) {
        let observed = format!("{who}: an address of this network's own, which is the name's, too");
        Finding::pass(code::SPLIT, EXPECTED, observed)
    } else if known {
        // Large services answer each place differently, and these addresses are the name's own.
        Finding::pass(code::AGREES, EXPECTED, format!("{who}: none in common, but they are the name's own"))
    } else {
        let observed = format!("{who}: none in common for {}", differing.join(" and "));
        let remedy = "set `prove` to a TLS port of the host, so that its certificate decides";
        Finding::warn(code::DIFFERS, EXPECTED, observed, remedy)
    });
    findings
}

/// The addresses of an answer without error; `None` when there was none.
fn answered(asked: &Asked, kind: Kind) -> Option<Vec<IpAddr>> {
    let lookup = asked.lookups.iter().find(|lookup| lookup.kind == kind)?;
    lookup.reply.as_ref().filter(|reply| reply.rcode == 0).map(|reply| reply.addresses.clone())
}

//! Do the answered addresses show that they are the name's?

use std::net::IpAddr;

use super::super::{Proof, Reading};
use super::address::{Worth, known_lie, list};
use super::{code, outside};
use crate::model::{Failure, Family, Finding};
use crate::net::tls::Trust;

/// What one address proved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proved {
    /// It is the name's own.
    Owner,
    /// Nobody was heard there.
    Nothing,
    /// This machine has no way to addresses of this family.
    NoWay,
    /// Somebody in between answers for it.
    Intercepted,
    /// It is somebody else's.
    Stranger,
}

fn proved(reading: &Reading, proof: &Proof) -> Proved {
    match &proof.identity {
        Some(identity) if identity.proves_name() => Proved::Owner,
        Some(identity) if identity.intercepted() => Proved::Intercepted,
        // Out of date, but signed for the name by a public authority: no stranger.
        Some(identity) if identity.name_matches && identity.mozilla.trust != Trust::Untrusted => {
            Proved::Nothing
        }
        // The address is right, so it is the way there that leads to somebody else.
        Some(_) if outside::gives(reading, proof.contact.remote.ip()) => Proved::Intercepted,
        Some(_) => Proved::Stranger,
        None if proof.failure == Some(Failure::NetUnreachable) => Proved::NoWay,
        None => Proved::Nothing,
    }
}

/// Holds one resolver's addresses against what they showed on the port of proof.
pub(super) fn against(reading: &Reading, addresses: &[IpAddr], who: &str) -> Worth {
    let port = reading.prove.unwrap_or_default();
    let expected =
        format!("a valid certificate for {} on port {port}", crate::model::text::escape(&reading.name));
    let with = |wanted: Proved| -> Vec<IpAddr> {
        let of = |ip: IpAddr| {
            let proof = reading.proofs.iter().find(|proof| proof.contact.remote.ip() == ip);
            proof.map_or(Proved::Nothing, |proof| proved(reading, proof))
        };
        addresses.iter().copied().filter(|ip| of(*ip) == wanted).collect()
    };
    let (owners, strangers, intercepted) =
        (with(Proved::Owner), with(Proved::Stranger), with(Proved::Intercepted));
    let (unheard, no_way) = (with(Proved::Nothing), with(Proved::NoWay));
    let mut findings = Vec::new();
    if !strangers.is_empty() {
        let observed = format!("{who}: {} shows another certificate", list(&strangers));
        let remedy = "network team: find out why this resolver sends the name to somebody else, or who in between \
                      answers there in its place (portal, TLS inspection)";
        findings.push(Finding::fail(code::WRONG, expected.clone(), observed, remedy));
    }
    let unproven = unheard.iter().chain(&no_way);
    findings.extend(unproven.filter_map(|ip| known_lie(&reading.name, *ip, who)));
    if !intercepted.is_empty() {
        let observed = format!("{who}: {}, where somebody in between answers", list(&intercepted));
        let remedy =
            "network team: exempt this host from the portal or TLS inspection, then run the check again";
        findings.push(Finding::unknown(code::PROOF_INTERCEPTED, expected.clone(), observed, remedy));
    }
    if !findings.is_empty() {
        return Worth { findings, known: false };
    }
    if owners.is_empty() {
        let observed = format!("{who}: {} did not shake hands", list(addresses));
        let remedy = "network team: allow TCP to this host and port, then run the check again; or list its `addresses`";
        findings.push(Finding::unknown(code::UNPROVEN, expected, observed, remedy));
        return Worth { findings, known: false };
    }
    let tried = if unheard.is_empty() { String::new() } else { format!(" ({} not heard)", list(&unheard)) };
    findings.push(Finding::pass(code::PROVEN, expected.clone(), format!("{who}: {}{tried}", list(&owners))));
    let missing = unproven_family(reading, &owners, &unheard, expected, who);
    let known = missing.is_none();
    findings.extend(missing);
    Worth { findings, known }
}

/// The family of which every address is silent, while the other one is proven: a lie in one family
/// shows nowhere else. One silent address among others of its family is the host's own affair, and
/// what the resolver outside gives, too, is no lie.
fn unproven_family(
    reading: &Reading,
    owners: &[IpAddr],
    unheard: &[IpAddr],
    expected: String,
    who: &str,
) -> Option<Finding> {
    let is_proven = |ip: &IpAddr| owners.iter().any(|owner| Family::of(*owner) == Family::of(*ip));
    let silent: Vec<IpAddr> =
        unheard.iter().copied().filter(|ip| !is_proven(ip) && !outside::gives(reading, *ip)).collect();
    let family = Family::of(*silent.first()?).word();
    let observed =
        format!("{who}: {} did not shake hands, so its {family} answer is unproven", list(&silent));
    let remedy = format!(
        "network team: find out why nobody answers at the {family} address (a wrong address, or {family} is broken here); \
         programs try it first or fall back to it"
    );
    Some(Finding::warn(code::UNPROVEN, expected, observed, remedy))
}

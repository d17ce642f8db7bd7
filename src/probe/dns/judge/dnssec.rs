//! What a resolver makes of the name's DNSSEC signatures.

use super::super::{Asked, Dnssec, Limits, Lookup, Reading};
use super::code;
use crate::model::{AtLeast, Finding};
use crate::wire::dns::ExtendedError;

/// True when the resolver checked the signatures and they do not hold: it says so (RFC 8914), or
/// answers when it is told not to check.
pub(super) fn bogus(asked: &Asked, lookup: &Lookup) -> bool {
    let replied = |lookup: &Lookup| lookup.reply.as_ref().is_some_and(|reply| reply.rcode == 0);
    let said = |lookup: &Lookup| {
        let reply = lookup.reply.as_ref();
        reply.and_then(|reply| reply.extended_error.as_ref()).is_some_and(ExtendedError::bogus)
    };
    said(lookup) || asked.unchecked.as_deref().is_some_and(replied)
}

/// Holds what came with the name's signatures wanted against the policy.
pub(super) fn held(limits: &Limits, reading: &Reading, asked: &Asked, who: &str) -> Option<Finding> {
    let AtLeast(wanted) = limits.dnssec?;
    let expected = match wanted {
        Dnssec::Kept => "DNSSEC signatures are passed on",
        Dnssec::Validated => "DNSSEC signatures are verified and passed on",
    };
    let reply = asked.signed.as_ref().and_then(|lookup| lookup.reply.as_ref());
    let Some(reply) = reply.filter(|reply| reply.rcode == 0 && !reply.addresses.is_empty()) else {
        let observed = format!("{who}: no answer when signatures are asked for");
        let remedy = "network team: find out why this resolver does not answer questions with EDNS and the DO bit \
                      (RFC 6891, RFC 4035)";
        return Some(Finding::unknown(code::SIGNED_UNKNOWN, expected, observed, remedy));
    };
    if !reply.signed {
        return Some(unsigned(expected, reading, asked, who));
    }
    Some(match wanted {
        _ if reply.authenticated => {
            Finding::pass(code::VALIDATED, expected, format!("{who}: it says that it verified them"))
        }
        Dnssec::Kept => Finding::pass(code::SIGNED, expected, format!("{who}: they came along")),
        Dnssec::Validated => {
            let remedy = "network team: turn on DNSSEC validation in this resolver (unbound: `auto-trust-anchor-file`; \
                          BIND: `dnssec-validation auto`)";
            let observed = format!("{who}: they came along, and it does not say that it verified them");
            Finding::fail(code::UNVALIDATED, expected, observed, remedy)
        }
    })
}

/// No signature came: has the name none, or were they left out on the way?
fn unsigned(expected: &str, reading: &Reading, asked: &Asked, who: &str) -> Finding {
    let kind = asked.signed.as_ref().map(|lookup| lookup.kind);
    let outside = reading.reference.as_ref().and_then(|outside| {
        let same = outside.lookups.iter().find(|lookup| Some(lookup.kind) == kind);
        same.and_then(|lookup| lookup.reply.as_ref()).filter(|reply| !reply.addresses.is_empty())
    });
    match outside {
        Some(reply) if reply.signed => Finding::fail(
            code::STRIPPED,
            expected,
            format!("{who}: no signature, and outside there is one"),
            "network team: have this resolver pass DNSSEC records on (dnsmasq: a version from 2.69; home routers and \
             filters: their makers' update); machines that verify by themselves cannot resolve the name",
        ),
        Some(_) => Finding::pass(code::SIGNED, expected, format!("{who}: the name is not signed")),
        None => Finding::unknown(
            code::SIGNED_UNKNOWN,
            expected,
            format!("{who}: no signature came"),
            "set `reference` to a resolver outside, so that its answer tells whether the name is signed",
        ),
    }
}

//! Families apart, and what the resolver outside vouches for.

use std::net::SocketAddr;

use super::super::{Attempt, Dnssec, Lookup, Proof, Searched, Transport};
use super::*;
use crate::model::{AtLeast, Contact, Effect, WireText};
use crate::net::tls::{Identity, Standing, Trust};
use crate::wire::dns::{ExtendedError, Kind, Reply};

const V4: &str = "8.8.4.4";
const V6: &str = "2606:4700::1111";
const OTHER6: &str = "2606:4700::6666";

fn lookup(kind: Kind, rcode: u16, addresses: &[&str]) -> Lookup {
    let of_kind = |ip: &&&str| ip.contains(':') == (kind == Kind::Aaaa);
    let addresses: Vec<_> = addresses.iter().filter(of_kind).map(|ip| ip.parse().unwrap()).collect();
    let reply = Reply {
        rcode,
        truncated: false,
        authoritative: false,
        recursive: true,
        authenticated: false,
        aliases: Vec::new(),
        addresses_total: addresses.len(),
        addresses,
        ttl_s: None,
        signed: false,
        extended_error: None,
    };
    Lookup { name: WireText::from("live.example.com"), kind, attempts: Vec::new(), reply: Some(reply) }
}

fn asked(addresses: &[&str]) -> Asked {
    Asked {
        server: "192.0.2.53:53".parse().unwrap(),
        lookups: vec![lookup(Kind::A, 0, addresses), lookup(Kind::Aaaa, 0, addresses)],
        controls: vec![lookup(Kind::A, 3, &[]), lookup(Kind::Aaaa, 3, &[])],
        signed: None,
        unchecked: None,
    }
}

fn reading(here: &[&str], outside: Option<&[&str]>, proofs: &[(&str, Shown)]) -> Reading {
    Reading {
        method: String::new(),
        name: "live.example.com".to_owned(),
        named_resolvers: false,
        resolvers: vec![asked(here)],
        reference: outside.map(asked),
        prove: (!proofs.is_empty()).then_some(443),
        proofs: proofs.iter().map(|(ip, shown)| proof(ip, *shown)).collect(),
        searched: None,
    }
}

/// What an address shows.
#[derive(Clone, Copy)]
enum Shown {
    Owner,
    Stranger,
    Nothing(Failure),
}

fn proof(ip: &str, shown: Shown) -> Proof {
    let remote = SocketAddr::new(ip.parse().unwrap(), 443);
    let contact = Contact { remote, local: None, offset_ms: 0.0, took_ms: 1.0 };
    let standing = |trust| Standing { trust, detail: WireText::default(), until: None };
    let identity = |trust| {
        Some(Box::new(Identity {
            chain: Vec::new(),
            presented: 1,
            name_matches: true,
            mozilla: standing(trust),
            machine: standing(trust),
            machine_roots: 1,
            verified_at: jiff::Timestamp::UNIX_EPOCH,
        }))
    };
    let (failure, identity) = match shown {
        Shown::Owner => (None, identity(Trust::Trusted)),
        Shown::Stranger => (None, identity(Trust::Untrusted)),
        Shown::Nothing(failure) => (Some(failure), None),
    };
    Proof { contact, failure, identity }
}

fn bad(reading: &Reading) -> Vec<(String, Effect)> {
    let findings = judge(&Limits::default(), reading).into_iter();
    findings.filter(|finding| finding.effect != Effect::Pass).map(|f| (f.code, f.effect)).collect()
}

fn one(code: &str, effect: Effect) -> Vec<(String, Effect)> {
    vec![(code.to_owned(), effect)]
}

#[test]
fn a_family_that_nobody_could_prove_is_no_pass() {
    let silent = Shown::Nothing(Failure::TimedOut);
    let reading_of = |outside| reading(&[V4, V6], outside, &[(V4, Shown::Owner), (V6, silent)]);
    assert_eq!(bad(&reading_of(None)), one("dns.unproven", Effect::Warn));
    // What the resolver outside gives, too, is no lie: the host or the way there is down.
    assert_eq!(bad(&reading_of(Some(&[V4, V6]))), []);
    let mut differs = one("dns.unproven", Effect::Warn);
    differs.extend(one("dns.differs_from_reference", Effect::Warn));
    assert_eq!(bad(&reading_of(Some(&[V4, OTHER6]))), differs);
}

#[test]
fn a_machine_without_ipv6_accuses_nobody() {
    let no_way = Shown::Nothing(Failure::NetUnreachable);
    assert_eq!(bad(&reading(&[V4, V6], None, &[(V4, Shown::Owner), (V6, no_way)])), []);
}

#[test]
fn one_silent_address_among_others_of_its_family_is_the_hosts_affair() {
    let proofs = [(V6, Shown::Owner), (OTHER6, Shown::Nothing(Failure::TimedOut))];
    assert_eq!(bad(&reading(&[V6, OTHER6], None, &proofs)), []);
}

#[test]
fn a_resolver_is_not_accused_of_what_happens_on_the_way() {
    let proofs = [(V4, Shown::Stranger)];
    assert_eq!(bad(&reading(&[V4], None, &proofs)), one("dns.wrong_address", Effect::Fail));
    assert_eq!(bad(&reading(&[V4], Some(&[V4]), &proofs)), one("dns.proof_intercepted", Effect::Unknown));
}

#[test]
fn families_are_compared_apart() {
    let differs = one("dns.differs_from_reference", Effect::Warn);
    assert_eq!(bad(&reading(&[V4, OTHER6], Some(&[V4, V6]), &[])), differs);
    assert_eq!(bad(&reading(&[V4, OTHER6], Some(&[V4]), &[])), differs);
    assert_eq!(bad(&reading(&[V4], Some(&[V4, V6]), &[])), [], "IPv6 left out where there is none");
    let half = one("dns.half_answered", Effect::Warn);
    assert_eq!(bad(&reading(&[V6], Some(&[V4, V6]), &[])), half, "IPv4 left out");
}

#[test]
fn dns64_is_no_lie_unless_what_it_translates_is() {
    assert_eq!(bad(&reading(&[V4, "64:ff9b::808:404"], Some(&[V4]), &[])), []);
    let differs = one("dns.differs_from_reference", Effect::Warn);
    assert_eq!(bad(&reading(&[V4, "64:ff9b::808:808"], Some(&[V4]), &[])), differs);
}

#[test]
fn the_resolver_outside_vouches_where_this_one_invents() {
    let rewriting = |outside| {
        let mut reading = reading(&[V4], outside, &[]);
        reading.resolvers[0].controls[1] = lookup(Kind::Aaaa, 0, &[V6]);
        bad(&reading)
    };
    assert_eq!(rewriting(None), one("dns.nxdomain_rewritten", Effect::Fail));
    assert_eq!(rewriting(Some(&[V4])), one("dns.nxdomain_rewritten", Effect::Warn));
}

#[test]
fn a_resolver_without_any_way_to_it_only_warns_while_another_answers() {
    let mut reading = reading(&[V4], None, &[]);
    let mut absent = asked(&[]);
    for lookup in &mut absent.lookups {
        lookup.reply = None;
        let contact = Contact { remote: absent.server, local: None, offset_ms: 0.0, took_ms: 0.0 };
        let failure = Some(Failure::NetUnreachable);
        lookup.attempts = vec![Attempt { transport: Transport::Udp, contact, failure, strays: 0 }];
    }
    reading.resolvers.insert(0, absent);
    assert_eq!(bad(&reading), one("dns.unreachable", Effect::Warn));
    reading.resolvers.pop();
    assert_eq!(bad(&reading), one("dns.unreachable", Effect::Fail));
}

/// The name's lookup with signatures wanted.
fn with_signatures(signed: bool, authenticated: bool) -> Lookup {
    let mut lookup = lookup(Kind::A, 0, &[V4]);
    let reply = lookup.reply.as_mut().unwrap();
    (reply.signed, reply.authenticated) = (signed, authenticated);
    lookup
}

#[test]
fn dnssec_is_kept_validated_stripped_or_not_there() {
    let found = |here: Option<Lookup>, outside: Option<bool>, wanted| {
        let mut reading = reading(&[V4], outside.map(|_| &[V4][..]), &[]);
        reading.resolvers[0].signed = here.map(Box::new);
        if let (Some(reference), Some(signed)) = (&mut reading.reference, outside) {
            reference.lookups[0] = with_signatures(signed, false);
        }
        let limits = Limits { dnssec: Some(AtLeast(wanted)), ..Limits::default() };
        let last = judge(&limits, &reading).pop().unwrap();
        (last.code, last.effect)
    };
    let expect = |code: &str, effect| (code.to_owned(), effect);
    let kept = || Some(with_signatures(true, false));
    let none = || Some(with_signatures(false, false));
    let (unknown, fail) = (Effect::Unknown, Effect::Fail);
    assert_eq!(found(kept(), None, Dnssec::Kept), expect("dns.dnssec_kept", Effect::Pass));
    assert_eq!(found(kept(), None, Dnssec::Validated), expect("dns.dnssec_unvalidated", fail));
    let validated = Some(with_signatures(true, true));
    assert_eq!(found(validated, None, Dnssec::Validated), expect("dns.dnssec_validated", Effect::Pass));
    assert_eq!(found(none(), Some(true), Dnssec::Kept), expect("dns.dnssec_stripped", fail));
    assert_eq!(found(none(), Some(false), Dnssec::Validated), expect("dns.dnssec_kept", Effect::Pass));
    assert_eq!(found(none(), None, Dnssec::Kept), expect("dns.dnssec_unknown", unknown));
    assert_eq!(found(None, Some(true), Dnssec::Kept), expect("dns.dnssec_unknown", unknown));
}

#[test]
fn a_failure_that_ends_without_checking_is_bogus() {
    let mut reading = reading(&[], None, &[]);
    reading.resolvers[0].lookups = vec![lookup(Kind::A, 2, &[]), lookup(Kind::Aaaa, 2, &[])];
    assert_eq!(bad(&reading), one("dns.servfail", Effect::Fail));
    reading.resolvers[0].unchecked = Some(Box::new(lookup(Kind::A, 2, &[])));
    assert_eq!(bad(&reading), one("dns.servfail", Effect::Fail));
    reading.resolvers[0].unchecked = Some(Box::new(lookup(Kind::A, 0, &[V4])));
    assert_eq!(bad(&reading), one("dns.dnssec_bogus", Effect::Fail));
    reading.resolvers[0].unchecked = None;
    let reply = reading.resolvers[0].lookups[0].reply.as_mut().unwrap();
    reply.extended_error = Some(ExtendedError { code: 7, text: WireText::default() });
    assert_eq!(bad(&reading)[0], ("dns.dnssec_bogus".to_owned(), Effect::Fail));
}

#[test]
fn a_filter_that_says_so_needs_no_reference() {
    let mut reading = reading(&[], None, &[]);
    reading.resolvers[0].lookups = vec![lookup(Kind::A, 3, &[]), lookup(Kind::Aaaa, 3, &[])];
    assert_eq!(bad(&reading), one("dns.no_such_name", Effect::Fail));
    for lookup in &mut reading.resolvers[0].lookups {
        let error = ExtendedError { code: 17, text: WireText::from("malware") };
        lookup.reply.as_mut().unwrap().extended_error = Some(error);
    }
    let findings = judge(&Limits::default(), &reading);
    assert_eq!(findings[0].code, "dns.denied_here");
    assert!(findings[0].observed.contains("filtered: malware"), "{findings:?}");
}

#[test]
fn a_name_that_only_some_resolvers_know_is_a_split_horizon() {
    let mut reading = reading(&[V4], None, &[]);
    let mut other = asked(&[]);
    other.server = "192.0.2.54:53".parse().unwrap();
    other.lookups = vec![lookup(Kind::A, 3, &[]), lookup(Kind::Aaaa, 3, &[])];
    reading.resolvers.push(other);
    assert_eq!(bad(&reading), one("dns.split_horizon", Effect::Fail));
    // Outside it exists: then the one that denies it is a filter.
    reading.reference = Some(asked(&[V4]));
    assert_eq!(bad(&reading), one("dns.denied_here", Effect::Fail));
}

#[test]
fn a_proven_private_address_is_a_split_horizon_and_no_fault() {
    let reading = reading(&["10.1.2.3"], Some(&[V4]), &[("10.1.2.3", Shown::Owner)]);
    assert_eq!(bad(&reading), []);
    let codes: Vec<String> =
        judge(&Limits::default(), &reading).into_iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&"dns.split_horizon".to_owned()), "{codes:?}");
}

#[test]
fn a_search_domain_that_comes_first_must_lead_to_the_same_host() {
    let mut reading = reading(&[V4], None, &[]);
    let search = |rcode, addresses: &[&str]| {
        let lookups = vec![lookup(Kind::A, rcode, addresses)];
        Some(Box::new(Searched { ndots: 4, lookups }))
    };
    reading.searched = search(0, &[V4]);
    assert_eq!(bad(&reading), []);
    reading.searched = search(0, &["8.8.8.8"]);
    assert_eq!(bad(&reading), one("dns.search_domain_first", Effect::Fail));
    reading.searched = search(3, &[]);
    assert_eq!(bad(&reading), []);
}

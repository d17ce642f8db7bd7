//! How this network looks from outside, each address family apart.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::findings::{
    BEHAVIOUR_UNKNOWN, CARRIER, DOUBLE, FAMILY_UNUSED, FILTERING, LIFETIME_UNKNOWN, LIVES, NONE, NOT_PUBLIC,
    ONE_SILENT, OTHER_MAPPING, OTHER_THAN_ROUTER, SAME_MAPPING, SEVERAL, SHORT, SILENT, TRANSLATED,
};
use super::{
    Asked, Behaviour, Dependence, Gateway, Idle, Lifetime, Limits, NatPmp, Outcome, Reading, Server,
};
use crate::model::{AtLeast, Code, Failure, Family, Finding, Special, text};
use crate::wire::pcp::{NETWORK_FAILURE, no_address};

const ALLOW: &str = "network team: let UDP out to the policy's STUN servers and the answers back";

/// One answer: who was asked, from where, and what it saw.
struct Witness {
    server: IpAddr,
    local: Option<SocketAddr>,
    outside: SocketAddr,
}

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let all = |family| by_stun(reading, family).into_iter().chain(by_far_end(reading, family)).collect();
    let any = [Family::V4, Family::V6].into_iter().map(all).any(|seen: Vec<Witness>| !seen.is_empty());
    let mut findings = Vec::new();
    for family in [Family::V4, Family::V6] {
        let seen: Vec<Witness> = all(family);
        findings.extend(unanswered(reading, family, !seen.is_empty(), any));
        if !seen.is_empty() || gateway(reading, family).is_some_and(is_behind_another) {
            findings.push(class(limits, reading, family, &seen));
        }
        findings.extend(several(family, &seen));
        // The far end saw other sockets, which have ports of their own.
        let seen = by_stun(reading, family);
        if !seen.is_empty() {
            findings.extend(mapping(limits, reading, family, &seen));
        }
    }
    if !any && findings.iter().all(|finding| finding.code != SILENT.id) {
        let far_end = reading.no_lifetimes.iter().map(ToString::to_string);
        let observed: Vec<String> = reading.servers.iter().map(named).chain(far_end).collect();
        findings.push(Finding::unknown(SILENT, "a STUN server answers", observed.join("; "), ALLOW));
    }
    findings.extend(reading.behaviour.iter().filter_map(filtering));
    findings.extend(reading.lifetimes.iter().map(|lifetime| lives(limits, lifetime)));
    findings.extend(reading.no_lifetimes.as_ref().map(|why| {
        told_or_unknown(
            limits.lifetime_s.is_some(),
            LIFETIME_UNKNOWN,
            "an idle flow can be tried",
            why.to_string(),
        )
    }));
    findings
}

fn by_stun(reading: &Reading, family: Family) -> Vec<Witness> {
    let asked = reading.servers.iter().flat_map(|server| &server.asked);
    let of_family = asked.filter(|asked| Family::of(asked.contact.remote.ip()) == family);
    let seen = of_family.filter_map(|asked| match &asked.outcome {
        Outcome::Mapped(mapped) => {
            let (server, local) = (asked.contact.remote.ip(), asked.contact.local);
            Some(Witness { server, local, outside: mapped.seen_as })
        }
        _ => None,
    });
    seen.collect()
}

fn by_far_end(reading: &Reading, family: Family) -> Option<Witness> {
    let lifetime = reading.lifetimes.iter().find(|lifetime| lifetime.family == family)?;
    let contact = &lifetime.tried.first()?.contact;
    Some(Witness { server: contact.remote.ip(), local: contact.local, outside: lifetime.seen_as? })
}

/// What is to be said of servers that gave no answer over one family: `here` says whether another did
/// over the same, `any` over either.
fn unanswered(reading: &Reading, family: Family, here: bool, any: bool) -> Vec<Finding> {
    let mut silent = Vec::new();
    let mut absent = Vec::new();
    for server in &reading.servers {
        for asked in server.asked.iter().filter(|asked| Family::of(asked.contact.remote.ip()) == family) {
            match asked.outcome {
                Outcome::Mapped(_) => {}
                Outcome::Failed(Failure::NetUnreachable) => absent.push(shown(server, asked)),
                _ => silent.push(shown(server, asked)),
            }
        }
    }
    let mut findings = Vec::new();
    let expected = "a STUN server answers";
    if !absent.is_empty() && any {
        findings.push(Finding::pass(FAMILY_UNUSED, expected, absent.join("; ")));
    } else {
        silent.extend(absent);
    }
    if !silent.is_empty() && here {
        findings.push(Finding::pass(ONE_SILENT, expected, silent.join("; ")));
    } else if !silent.is_empty() {
        findings.push(Finding::unknown(SILENT, expected, silent.join("; "), ALLOW));
    }
    findings
}

/// Which translators stand on the way.
fn class(limits: &Limits, reading: &Reading, family: Family, seen: &[Witness]) -> Finding {
    let outside: Vec<IpAddr> = seen.iter().map(|seen| seen.outside.ip()).collect();
    let local = seen.iter().find_map(|seen| seen.local).map(|local| local.ip());
    let router = reading.router.filter(|router| Family::of(*router) == family && !seen.is_empty());
    let gateway = gateway(reading, family);
    let named = gateway.and_then(outside_of);
    let carrier = |ip: &IpAddr| Special::of(*ip) == Some(Special::Carrier);
    let code = if local.iter().chain(&router).chain(&named).chain(&outside).any(carrier) {
        CARRIER
    } else if outside.iter().filter_map(|ip| Special::of(*ip)).any(|special| special != Special::Loopback) {
        NOT_PUBLIC
    } else if router.is_some_and(|router| !outside.contains(&router)) {
        DOUBLE
    } else if local.is_some_and(|local| outside.iter().all(|ip| *ip == local)) {
        NONE
    } else if gateway.is_some_and(is_behind_another) {
        DOUBLE
    } else if router.is_none() && gateway.is_some_and(|gateway| differs(gateway, &outside)) {
        OTHER_THAN_ROUTER
    } else {
        TRANSLATED
    };
    let listed: BTreeSet<&IpAddr> = outside.iter().collect();
    let listed: Vec<String> = listed.iter().map(|ip| format!("{ip}{}", special(**ip))).collect();
    let listed = if listed.is_empty() {
        "not seen outside".to_owned()
    } else {
        format!("seen outside as {}", listed.join(", "))
    };
    let here = local.map_or_else(String::new, |local| format!("; here {local}{}", special(local)));
    let at_router = router.map_or_else(String::new, |ip| format!("; the router {ip}{}", special(ip)));
    let at_gateway = gateway.map_or_else(String::new, says);
    let observed = format!("{}: {listed}{here}{at_router}{at_gateway}", family.word());
    if limits.inbound.is_none() {
        return Finding::pass(code, "told, not judged", observed);
    }
    let expected = "somebody outside can call in";
    if [NONE.id, TRANSLATED.id].contains(&code.id) {
        return Finding::pass(code, expected, observed);
    }
    if code.id == OTHER_THAN_ROUTER.id {
        let remedy = "network team: name the address that the router's status page shows outside as `router` in the policy";
        return Finding::unknown(code, expected, observed, remedy);
    }
    let remedy = "network team: ask the carrier for a public address, or take the second translator out of the way; \
                  else let the other side be called from here";
    Finding::fail(code, expected, observed, remedy)
}

/// What the gateway says of itself: it is asked over IPv4 alone.
fn gateway(reading: &Reading, family: Family) -> Option<&Gateway> {
    reading.gateway.as_ref().filter(|_| family == Family::V4)
}

/// The address that it has outside, as it says.
fn outside_of(gateway: &Gateway) -> Option<IpAddr> {
    match gateway.nat_pmp {
        Some(NatPmp::Outside(ip)) => Some(ip.into()),
        _ => None,
    }
}

/// Whether its own address outside is none of the internet: then another translator follows.
fn is_behind_another(gateway: &Gateway) -> bool {
    let special = outside_of(gateway).and_then(Special::of);
    matches!(special, Some(Special::Carrier | Special::Private))
}

/// Whether it names another address than is seen, or says that it has none: a second translator does that, and
/// so does a second way out.
fn differs(gateway: &Gateway, outside: &[IpAddr]) -> bool {
    match gateway.nat_pmp {
        Some(NatPmp::Outside(ip)) => !outside.contains(&ip.into()),
        Some(NatPmp::Refused(code)) => code == NETWORK_FAILURE,
        None => false,
    }
}

fn says(gateway: &Gateway) -> String {
    match gateway.nat_pmp {
        Some(NatPmp::Outside(ip)) => {
            format!("; the gateway says that outside it is {ip}{}", special(ip.into()))
        }
        Some(NatPmp::Refused(code)) => format!("; the gateway names no address ({})", no_address(code)),
        None => String::new(),
    }
}

fn special(ip: IpAddr) -> String {
    Special::of(ip).map_or_else(String::new, |special| format!(" ({})", special.words()))
}

fn several(family: Family, seen: &[Witness]) -> Option<Finding> {
    let all: BTreeSet<IpAddr> = seen.iter().map(|seen| seen.outside.ip()).collect();
    if all.len() < 2 {
        return None;
    }
    let all: Vec<String> = all.iter().map(IpAddr::to_string).collect();
    let observed = format!("{}: {}", family.word(), all.join(", "));
    Some(Finding::pass(SEVERAL, "told, not judged", observed))
}

/// By RFC 5780's tests, else by what two servers saw of the same socket.
fn mapping(limits: &Limits, reading: &Reading, family: Family, seen: &[Witness]) -> Option<Finding> {
    let told = reading.behaviour.iter().find(|behaviour| behaviour.family == family);
    let servers: BTreeSet<IpAddr> = seen.iter().map(|seen| seen.server).collect();
    let ports: Vec<String> = seen.iter().map(|seen| seen.outside.to_string()).collect();
    let same = seen.windows(2).all(|two| two[0].outside == two[1].outside);
    let wanted = limits.mapping.as_ref().map(|wanted| wanted.0);
    let expected =
        wanted.map_or("told, not judged".to_owned(), |wanted| format!("{} mapping", wanted.words()));
    let (found, words) = match told.and_then(|told| told.mapping) {
        Some(mapping) => (mapping, format!("{} mapping", mapping.words())),
        None if servers.len() > 1 && same => {
            (Dependence::EndpointIndependent, format!("{} servers see {}", servers.len(), ports[0]))
        }
        None if !same => (Dependence::AddressDependent, format!("servers see {}", ports.join(", "))),
        None => {
            let why = told.and_then(|told| told.why_not.as_ref());
            let observed = why.map_or("one server cannot tell".to_owned(), ToString::to_string);
            let observed = format!("{}: {observed}", family.word());
            return (told.is_some() || wanted.is_some())
                .then(|| told_or_unknown(wanted.is_some(), BEHAVIOUR_UNKNOWN, &expected, observed));
        }
    };
    let observed = format!("{}: {words}", family.word());
    let code = if found == Dependence::EndpointIndependent { SAME_MAPPING } else { OTHER_MAPPING };
    let remedy = "network team: set the translator to keep a port for all destinations (endpoint-independent mapping, \
                  RFC 4787 REQ-1), or let the encoder use TURN";
    Some(match wanted {
        Some(wanted) if wanted != found => Finding::fail(code, expected, observed, remedy),
        _ => Finding::pass(code, expected, observed),
    })
}

fn filtering(behaviour: &Behaviour) -> Option<Finding> {
    let filtering = behaviour.filtering?;
    let observed = format!("{}: {} filtering", behaviour.family.word(), filtering.words());
    Some(Finding::pass(FILTERING, "told, not judged", observed))
}

/// The limit lies between the longest time that passed and the shortest that did not.
fn lives(limits: &Limits, lifetime: &Lifetime) -> Finding {
    let limit = limits.lifetime_s.map(|AtLeast(limit)| limit);
    let expected =
        limit.map_or("told, not judged".to_owned(), |limit| format!("open for {limit} s or longer"));
    let tried = |passed: bool| {
        lifetime.tried.iter().filter(move |idle| idle.failure.is_none() && idle.passed == passed)
    };
    let (passed, failed) =
        (tried(true).map(|idle| idle.idle_s).max(), tried(false).map(|idle| idle.idle_s).min());
    let all: Vec<String> = lifetime.tried.iter().map(idle_words).collect();
    let observed = format!("{}: {}", lifetime.family.word(), all.join(", "));
    let remedy = "network team: raise the UDP time-out of firewall and translator for this destination (RFC 4787 asks \
                  for 120 s at least), or let the program send keep-alives";
    match (limit, passed, failed) {
        // Longer ones that live speak for shorter ones; a shorter one that died speaks against.
        (Some(limit), Some(lived), died) if lived >= limit && died.is_none_or(|died| died > limit) => {
            Finding::pass(LIVES, expected, observed)
        }
        (Some(limit), _, Some(died)) if died <= limit => Finding::fail(SHORT, expected, observed, remedy),
        (Some(_), ..) | (None, None, None) => {
            told_or_unknown(limit.is_some(), LIFETIME_UNKNOWN, &expected, observed)
        }
        (None, _, Some(_)) => Finding::pass(SHORT, expected, observed),
        (None, Some(_), None) => Finding::pass(LIVES, expected, observed),
    }
}

fn idle_words(idle: &Idle) -> String {
    match (idle.failure, idle.passed) {
        (Some(failure), _) => format!("{} s not tried ({})", idle.idle_s, failure.words()),
        (None, true) => format!("open after {} s", idle.idle_s),
        (None, false) if idle.revived => {
            format!("closed after {} s, until this side sent again", idle.idle_s)
        }
        (None, false) => format!("closed after {} s", idle.idle_s),
    }
}

/// Unknown where a limit asks; else only told.
fn told_or_unknown(asked: bool, code: Code, expected: &str, observed: String) -> Finding {
    if asked {
        Finding::unknown(code, expected, observed, ALLOW)
    } else {
        Finding::pass(code, expected, observed)
    }
}

fn named(server: &Server) -> String {
    let lookup = server.lookup.map_or_else(String::new, |why| format!(": {}", why.words()));
    format!("{}{lookup}", text::escape(&server.named))
}

fn shown(server: &Server, asked: &Asked) -> String {
    let what = match &asked.outcome {
        Outcome::Mapped(mapped) => mapped.seen_as.to_string(),
        Outcome::Failed(failure) => failure.words().to_owned(),
        Outcome::Nonsense(why) => why.to_string(),
    };
    let ip = asked.contact.remote.ip();
    format!("{} ({} {ip}): {what}", named(server), Family::of(ip).word())
}

//! Holds each resolver's answers against the limits, its controls and the proof.

mod address;
mod code;
mod dnssec;
mod outside;
mod proof;
mod search;
#[cfg(test)]
mod tests;

use super::{Asked, Limits, Lookup, Reading};
use crate::model::{Code, Failure, Finding};
use crate::wire::dns::ExtendedError;

pub(super) use code::CODES;

const EXPECTED_ANSWER: &str = "an answer";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    if reading.resolvers.is_empty() {
        let remedy = "IT: give this machine a resolver, or name one in the policy";
        return vec![Finding::fail(code::SILENT, EXPECTED_ANSWER, "no resolver is configured", remedy)];
    }
    let mut findings = Vec::new();
    for (place, asked) in reading.resolvers.iter().enumerate() {
        findings.extend(resolver(limits, reading, asked, place));
    }
    findings.extend(search::first(reading));
    if let Some(outside) = &reading.reference
        && outside.lookups.iter().all(|lookup| lookup.reply.is_none())
    {
        let remedy = "network team: allow TCP to this resolver and exempt it from TLS inspection; where only the web is \
                      let out, ask it over HTTPS (`over = \"https\"` in the policy's `reference`)";
        let observed = format!("{}: {}", outside.server, ending(outside));
        findings.push(Finding::warn(code::NO_REFERENCE, "an answer from outside", observed, remedy));
    }
    findings
}

fn resolver(limits: &Limits, reading: &Reading, asked: &Asked, place: usize) -> Vec<Finding> {
    let who = asked.server.to_string();
    if asked.lookups.iter().all(|lookup| lookup.reply.is_none()) {
        return vec![dead(reading, asked, place)];
    }
    let addresses = asked.addresses();
    let mut findings: Vec<Finding> = errors(reading, asked, addresses.is_empty());
    findings.extend(cut_short(asked, &who));
    if addresses.is_empty() {
        if findings.is_empty() {
            let remedy = "check the name in the policy; if it is right, ask who runs the host";
            let observed = format!("{who}: none");
            findings.push(Finding::fail(code::NO_ADDRESS, "an address for the name", observed, remedy));
        }
    } else {
        let worth = address::worth(limits, reading, &addresses, &who);
        findings.extend(worth.findings);
        let known = worth.known || addresses.iter().all(|ip| outside::gives(reading, *ip));
        findings.extend(control(asked, &who, known));
        findings.extend(outside::compared(reading, asked, &who, known));
        findings.extend(dnssec::held(limits, reading, asked, &who));
    }
    findings.extend(latency(limits, asked, &who));
    findings
}

/// A resolver without any answer. Programs ask the next one of this machine's list after some
/// seconds, so one that is not the first only warns; one that the policy names must answer.
fn dead(reading: &Reading, asked: &Asked, place: usize) -> Finding {
    let failure = last_failure(asked);
    let (code, remedy) = match failure {
        Failure::TimedOut => {
            (code::SILENT, "network team: allow DNS to this resolver, or take it out of the configuration")
        }
        Failure::WrongProtocol => {
            (code::GARBAGE, "network team: find out what answers at this resolver's address")
        }
        Failure::NetUnreachable => (
            code::UNREACHABLE,
            "IT: take this resolver out of the configuration, or give this machine an address of its family",
        ),
        _ => (code::UNREACHABLE, "network team: check this resolver's address and that it runs"),
    };
    let observed = format!("{}: {}", asked.server, ending(asked));
    let answers = |other: &Asked| other.lookups.iter().any(|lookup| lookup.reply.is_some());
    // Where there is no way at all, programs do not wait before they ask the next one.
    let before = if failure == Failure::NetUnreachable { reading.resolvers.len() } else { place };
    if !reading.named_resolvers && reading.resolvers.iter().take(before).any(answers) {
        return Finding::warn(code, EXPECTED_ANSWER, observed, remedy);
    }
    Finding::fail(code, EXPECTED_ANSWER, observed, remedy)
}

fn last_failure(asked: &Asked) -> Failure {
    let attempts = asked.lookups.iter().flat_map(|lookup| &lookup.attempts);
    attempts.filter_map(|attempt| attempt.failure).next_back().unwrap_or(Failure::Other)
}

fn ending(asked: &Asked) -> String {
    let strays: u32 =
        asked.lookups.iter().flat_map(|lookup| &lookup.attempts).map(|attempt| attempt.strays).sum();
    match last_failure(asked) {
        Failure::WrongProtocol => format!("{strays} packets that do not answer the question"),
        failure => failure.to_string(),
    }
}

/// Errors in the resolver's own words, once for both families.
fn errors(reading: &Reading, asked: &Asked, nothing: bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for lookup in &asked.lookups {
        let Some((code, words, remedy)) = error(lookup) else { continue };
        if !nothing {
            let observed = format!("{}: {} for {}", asked.server, words, lookup.kind);
            let remedy = "network team: have this resolver answer for both address families; programs wait for the other one";
            findings.push(Finding::warn(code::HALF, "an answer for both families", observed, remedy));
            continue;
        }
        let (code, remedy) = denied(reading, asked, lookup).unwrap_or((code, remedy));
        let finding =
            Finding::fail(code, "an address for the name", format!("{}: {words}", asked.server), remedy);
        if !findings.iter().any(|known| known.code == finding.code) {
            findings.push(finding);
        }
    }
    findings
}

/// Why a resolver denies or fails, where more is known than its code.
fn denied(reading: &Reading, asked: &Asked, lookup: &Lookup) -> Option<(Code, &'static str)> {
    let reply = lookup.reply.as_ref()?;
    let forbidden = reply.extended_error.as_ref().is_some_and(ExtendedError::forbids);
    let others = reading.resolvers.iter().filter(|other| other.server != asked.server);
    match reply.rcode {
        2 if dnssec::bogus(asked, lookup) => Some((
            code::BOGUS,
            "ask who runs the name's zone: its DNSSEC signatures do not hold (dnsviz.net shows where). If others resolve \
             it, network team: bring this resolver's clock and trust anchors up to date",
        )),
        _ if forbidden => {
            Some((code::DENIED, "network team: this resolver's filter forbids the name; allow it"))
        }
        3 if outside::knows(reading) => {
            Some((code::DENIED, "network team: a DNS filter denies this name; allow it"))
        }
        3 if others.flat_map(Asked::addresses).next().is_some() => Some((
            code::SPLIT,
            "network team: let every resolver of this machine know the name, or take this one out of its configuration: \
             programs ask any of them",
        )),
        _ => None,
    }
}

fn error(lookup: &Lookup) -> Option<(Code, String, &'static str)> {
    let Some(reply) = &lookup.reply else {
        let failure = lookup.attempts.last().and_then(|attempt| attempt.failure).unwrap_or(Failure::Other);
        return Some((code::SILENT, failure.to_string(), "network team: ask who runs this resolver"));
    };
    let (code, remedy) = match reply.rcode {
        0 => return None,
        2 => (
            code::SERVFAIL,
            "network team: ask who runs this resolver: its own way out to other name servers fails",
        ),
        3 => (
            code::NO_SUCH_NAME,
            "check the name in the policy; if it is right, a filter denies it: ask the network team",
        ),
        5 => (code::REFUSED, "network team: let this resolver serve this machine"),
        _ => (code::ERROR, "network team: ask who runs this resolver"),
    };
    Some((code, reply.rcode_name(), remedy))
}

fn cut_short(asked: &Asked, who: &str) -> Option<Finding> {
    let cut =
        asked.lookups.iter().find(|lookup| lookup.reply.as_ref().is_some_and(|reply| reply.truncated))?;
    let why = cut.attempts.last().and_then(|attempt| attempt.failure);
    let why = why.map_or_else(|| "cut short again".to_owned(), |failure| failure.to_string());
    let remedy = "network team: allow DNS over TCP (port 53), too: long answers need it (RFC 7766)";
    let observed = format!("{who}: {} cut short over UDP; over TCP: {why}", cut.kind);
    Some(Finding::fail(code::TRUNCATED, "a whole answer", observed, remedy))
}

/// Names that nobody has. A resolver that knows them invents answers, so that its other answers
/// count only when something else vouches for them; so they do when the control fails.
fn control(asked: &Asked, who: &str, known: bool) -> Option<Finding> {
    const EXPECTED: &str = "random names do not exist";
    let replies: Vec<_> = asked.controls.iter().filter_map(|lookup| lookup.reply.as_ref()).collect();
    let invented = asked
        .controls
        .iter()
        .find_map(|lookup| Some((&lookup.name, lookup.reply.as_ref()?.addresses.first()?)));
    if let Some((name, address)) = invented {
        let observed = format!("{who}: {name} is {address}");
        let remedy = "network team: turn off the resolver's redirection of names that do not exist";
        let finding = if known { Finding::warn } else { Finding::fail };
        return Some(finding(code::REWRITTEN, EXPECTED.to_owned(), observed, remedy.to_owned()));
    }
    if let Some(reply) = replies.iter().find(|reply| matches!(reply.rcode, 0 | 3)) {
        return Some(Finding::pass(code::CONTROL, EXPECTED, format!("{who}: {}", reply.rcode_name())));
    }
    if known {
        return None;
    }
    let observed = replies.first().map_or_else(|| "no answer".to_owned(), |reply| reply.rcode_name());
    let remedy =
        "run the check again; if it stays so, set `control_suffix` to a name that this resolver knows";
    Some(Finding::unknown(code::CONTROL_FAILED, EXPECTED, format!("{who}: {observed}"), remedy))
}

/// The slowest answer about the name, from the first question: what the first connection of the
/// show would wait.
fn latency(limits: &Limits, asked: &Asked, who: &str) -> Option<Finding> {
    let most = limits.latency_ms?.0;
    let waited = |lookup: &Lookup| {
        lookup.reply.as_ref().map(|_| lookup.attempts.iter().map(|a| a.contact.took_ms).sum())
    };
    let slowest: f64 = asked.lookups.iter().filter_map(waited).fold(0.0, f64::max);
    let (expected, observed) = (format!("≤ {most} ms"), format!("{who}: {slowest:.1} ms"));
    Some(if slowest <= most {
        Finding::pass(code::LATENCY, expected, observed)
    } else {
        let remedy = "network team: use a nearer resolver, or find out why this one is slow or loses packets";
        Finding::fail(code::SLOW, expected, observed, remedy)
    })
}

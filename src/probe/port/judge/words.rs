//! A reading in words, for a person.

use std::fmt::Write as _;

use crate::model::{IcmpError, Transport, text};
use crate::probe::port::{Address, Attempt, FarEndSaw, Reading, State};
use crate::wire::knock::Protocol;

/// Where to go with it, after a remedy.
pub(super) fn where_to(address: &Address) -> String {
    address.blame().map_or_else(String::new, |blame| format!("; packets stop {}", blame.advice()))
}

pub(super) fn at_whom(attempt: &Attempt) -> String {
    let own = |icmp: &IcmpError| icmp.is_from(attempt.contact.local);
    attempt.icmp.map_or_else(String::new, |icmp| match icmp {
        icmp if own(&icmp) => {
            ": this machine says so itself, since nobody on its link answers for the next hop".to_owned()
        }
        IcmpError { from, .. } => format!(": {from} says so"),
    })
}

fn transport(reading: &Reading) -> &'static str {
    if reading.transport == Transport::Udp { "UDP" } else { "TCP" }
}

pub(super) fn host(reading: &Reading) -> String {
    text::escape(&reading.host).into_owned()
}

pub(super) fn named(reading: &Reading) -> String {
    format!("{} {} to {}", transport(reading), reading.port, host(reading))
}

pub(super) fn asked(reading: &Reading) -> &'static str {
    reading.asked.map_or("the protocol", Protocol::word)
}

pub(super) fn all_seen(reading: &Reading) -> String {
    let each: Vec<String> = reading.addresses.iter().map(|address| seen(reading, address)).collect();
    each.join("; ")
}

fn own_words(attempt: &Attempt) -> String {
    match attempt.icmp {
        Some(icmp) => format!(": {icmp}"),
        None if attempt.detail.is_empty() => String::new(),
        None => format!(": {}", attempt.detail),
    }
}

/// One address, for a person.
pub(super) fn seen(reading: &Reading, address: &Address) -> String {
    let Some(attempt) = address.attempts.last() else { return "no attempt".to_owned() };
    let mut out = format!("{} {}: ", address.family.word(), attempt.contact.remote.ip());
    out += &what(reading, attempt);
    if address.attempts.len() > 1 {
        let _ = write!(out, ", {} times", address.attempts.len());
    }
    for (role, witness) in [("control", &address.control), ("decoy", &address.decoy)] {
        if let Some(witness) = witness {
            let did = witness.failure.map_or("accepts", |failure| failure.words());
            let _ = write!(out, "; {role} {}: {did}", text::escape(&witness.named));
        }
    }
    if let Some(told) = &address.own_rules {
        let _ = write!(out, "; {}", told.observed());
    }
    if let Some(saw) = &address.far_end {
        let _ = write!(out, "; {}", far_end(saw));
    }
    if let (Some(walk), Some(stop)) = (&address.walk, attempt.state.stop())
        && let Some(told) = walk.told(stop)
    {
        let _ = write!(out, "; {told}");
    }
    out
}

fn far_end(saw: &FarEndSaw) -> String {
    let elsewhere = match saw.from_elsewhere {
        0 => String::new(),
        count => format!(", and {count} from other addresses"),
    };
    match saw.arrived {
        Some(count) => format!("the far end {} saw {count} datagrams arrive{elsewhere}", saw.far_end),
        None => format!("the far end {} could not tell what arrived ({})", saw.far_end, saw.trouble),
    }
}

fn what(reading: &Reading, attempt: &Attempt) -> String {
    let handshake = format!("handshake in {:.1} ms", attempt.contact.took_ms);
    let answer = attempt.answer_ms.map_or_else(String::new, |ms| format!(" after {ms:.1} ms"));
    let said = if attempt.said.is_empty() { String::new() } else { format!(": {}", attempt.said) };
    let icmp = attempt.icmp.map_or_else(|| attempt.detail.to_string(), |icmp| icmp.to_string());
    match (attempt.state, reading.asked) {
        (State::Answered, Some(asked)) => format!("answers {}{answer}", asked.word()),
        (State::Answered, None) => format!("speaks{answer}{said}"),
        (State::OtherProtocol, _) => {
            let looks = attempt.looks_like.as_deref().unwrap_or("unknown");
            format!(
                "asked in {}, answers in another protocol ({}){said}",
                asked(reading),
                text::escape(looks)
            )
        }
        (State::Accepted, Some(asked)) => format!("{handshake}, no answer to {}", asked.word()),
        (State::Accepted, None) => format!("{handshake}, then silence"),
        (State::Closed, _) => format!("{handshake}, then closed without a word"),
        (State::ResetAfterData, _) => format!("{handshake}, then reset"),
        (State::Refused, _) => format!("refused after {:.1} ms", attempt.contact.took_ms),
        (State::Prohibited | State::Unreachable, _) => icmp,
        (State::NoRoute, _) => "no route from this machine".to_owned(),
        (State::LocalPolicy, _) => "forbidden by this machine's own rules".to_owned() + &own_words(attempt),
        (State::Filtered, _) => format!("nothing came back in {:.0} ms", attempt.contact.took_ms),
        (State::Silent, _) => "nothing came back over UDP".to_owned(),
        (State::Failed, _) => format!("failed: {}", attempt.detail),
    }
}

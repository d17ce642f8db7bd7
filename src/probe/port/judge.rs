//! Holds what each address showed against what the port must be.

use std::fmt::Write as _;

use super::{Address, Attempt, Expect, Limits, Reading, State, Witness};
use crate::model::{Code, Effect, Finding, IcmpError, Transport, text};
use crate::wire::knock::Protocol;

macro_rules! codes {
    ($($NAME:ident $id:literal $means:literal)*) => {
        $(const $NAME: Code = Code { id: $id, means: $means };)*
        pub(super) const CODES: &[Code] = &[$($NAME),*];
    };
}

codes! {
    OPEN "port.open" "The port answers as an application."
    ACCEPTED "port.accepted" "The port accepts connections, and a decoy where nothing listens does not."
    ACCEPTED_ONLY "port.accepted_only" "The port accepts connections and says nothing: a firewall could do as much."
    SPOOFED "port.spoofed" "Something on the way accepts connections in the place of servers."
    NO_ANSWER "port.no_answer" "The port accepts connections and does not answer the protocol's question."
    OTHER_PROTOCOL "port.other_protocol" "The port answers in another protocol than the one asked in."
    RESET_AFTER_DATA "port.reset_after_data" "The connection is accepted and then reset before an answer."
    CLOSED_AFTER_ACCEPT "port.closed_after_accept" "The connection is accepted and then closed without a word."
    REFUSED "port.refused" "The port refuses: nothing listens there, or a firewall answers so."
    PROHIBITED "port.prohibited" "A firewall says by ICMP that it forbids this port."
    FILTERED "port.filtered" "Nothing comes back from the port, not even a refusal."
    UNREACHABLE "port.unreachable" "A router says by ICMP that it finds no way to the host."
    NO_ROUTE "port.no_route" "This machine has no route to the address."
    LOCAL_POLICY "port.local_policy" "This machine's own rules forbid the connection."
    FAILED "port.failed" "The connection failed for another reason."
    NO_NAME "port.no_name" "The host's name gives no address."
    UDP_SILENT "port.udp_silent" "Nothing comes back over UDP, which says nothing about the port."
    BLOCKED "port.blocked" "Nothing gets through to the port, while its control answers."
    NOT_BLOCKED "port.not_blocked" "Something gets through to a port that must be blocked."
    NOT_LISTENING "port.not_listening" "A reset shows that nothing listens, not that a firewall blocks."
    NO_CONTROL "port.no_control" "Nothing gets through, and no control on the same host shows that the host is there."
    CONTROL_FAILED "port.control_failed" "Nothing gets through, and to the control on a known-good port neither."
    NOT_EXPECTED "port.not_expected" "The policy does not say what the port must be."
}

/// What is thought of one address: code, effect, and what to do.
struct Opinion {
    code: Code,
    effect: Effect,
    remedy: String,
}

fn opinion(code: Code, effect: Effect, remedy: impl Into<String>) -> Opinion {
    Opinion { code, effect, remedy: remedy.into() }
}

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let Some(expect) = limits.expect.as_ref().map(|expect| expect.0) else {
        let remedy = "say `expect = \"open\"` or `expect = \"blocked\"` in the check's limits";
        let observed = all_seen(reading);
        return vec![Finding::unknown(NOT_EXPECTED, "open or blocked", observed, remedy)];
    };
    let expected = format!("{expect}: {}", named(reading));
    if reading.addresses.is_empty() {
        let observed =
            format!("{}: {}", host(reading), reading.lookup.map_or("not asked", |why| why.words()));
        let remedy = "check the host's name in the policy and this machine's name servers";
        return vec![match expect {
            Expect::Open => Finding::fail(NO_NAME, expected, observed, remedy),
            Expect::Blocked => Finding::unknown(NO_NAME, expected, observed, remedy),
        }];
    }
    let mut opinions: Vec<Opinion> = reading
        .addresses
        .iter()
        .map(|address| match expect {
            Expect::Open => open(reading, address),
            Expect::Blocked => blocked(reading, address),
        })
        .collect();
    relent(&mut opinions, expect);
    let finding = |(address, opinion): (&Address, Opinion)| {
        let (expected, observed) = (expected.clone(), seen(reading, address));
        let Opinion { code, effect, remedy } = opinion;
        match effect {
            Effect::Pass => Finding::pass(code, expected, observed),
            Effect::Warn => Finding::warn(code, expected, observed, remedy),
            Effect::Unknown => Finding::unknown(code, expected, observed, remedy),
            Effect::Fail => Finding::fail(code, expected, observed, remedy),
        }
    };
    reading.addresses.iter().zip(opinions).map(finding).collect()
}

/// Beside an address that is as expected, a family that this network lacks is no trouble; what
/// else stops another address of an open host only delays encoders that try that one first.
fn relent(opinions: &mut [Opinion], expect: Expect) {
    if !opinions.iter().any(|opinion| opinion.effect == Effect::Pass) {
        return;
    }
    for opinion in opinions.iter_mut().filter(|opinion| opinion.effect != Effect::Pass) {
        if opinion.code == NO_ROUTE {
            opinion.effect = Effect::Pass;
            opinion.remedy.clear();
        } else if expect == Expect::Open {
            opinion.effect = Effect::Warn;
        }
    }
}

fn last(address: &Address) -> Option<&Attempt> {
    address.attempts.last()
}

fn open(reading: &Reading, address: &Address) -> Opinion {
    let port = named(reading);
    let fail = |code, remedy: String| opinion(code, Effect::Fail, remedy);
    let Some(attempt) = last(address) else {
        return opinion(FAILED, Effect::Unknown, "run the check again");
    };
    match attempt.state {
        State::Answered => opinion(OPEN, Effect::Pass, ""),
        State::Accepted => accepted(reading, address),
        State::OtherProtocol => fail(
            OTHER_PROTOCOL,
            format!(
                "find what answers on {port} (a proxy on the way?) and let {} through to the host",
                asked(reading)
            ),
        ),
        State::ResetAfterData => fail(
            RESET_AFTER_DATA,
            format!(
                "ask the firewall's owner whether it inspects {port}: it lets the port through and cuts {}",
                asked(reading)
            ),
        ),
        State::Closed => fail(
            CLOSED_AFTER_ACCEPT,
            format!(
                "check that the service on {port} is up, and whether a proxy on the way ends the connection"
            ),
        ),
        State::Refused => fail(
            REFUSED,
            format!(
                "check that the service listens on {port}; if it does, a firewall refuses in its place: allow it out"
            ),
        ),
        State::Prohibited => fail(PROHIBITED, format!("allow {port} out{}", at_whom(attempt))),
        State::Unreachable => {
            fail(UNREACHABLE, format!("check the way to {}{}", attempt.contact.remote.ip(), at_whom(attempt)))
        }
        State::Filtered => fail(
            FILTERED,
            format!("allow {port} out in the firewall, or check that the host is up: nothing comes back"),
        ),
        State::NoRoute => fail(
            NO_ROUTE,
            format!(
                "give this machine a route for {}, or use a host with another address",
                address.family.word()
            ),
        ),
        State::LocalPolicy => fail(
            LOCAL_POLICY,
            format!("allow {port} out in this machine's own firewall or security software"),
        ),
        State::Silent => opinion(
            UDP_SILENT,
            Effect::Unknown,
            format!(
                "check that the service on {port} is up and answers {}, then allow {port} out and back in",
                asked(reading)
            ),
        ),
        State::Failed => fail(FAILED, "see the attempt's detail, then run the check again".to_owned()),
    }
}

fn accepted(reading: &Reading, address: &Address) -> Opinion {
    let port = named(reading);
    if accepts(address.decoy.as_ref()) {
        let remedy = format!(
            "find what accepts connections to {port} on the way (proxy, antivirus, SYN proxy) and exempt this host"
        );
        return opinion(SPOOFED, Effect::Fail, remedy);
    }
    if reading.asked.is_some() {
        let remedy = format!(
            "check that the service on {port} speaks {}; if it does, a firewall on the way swallows it",
            asked(reading)
        );
        return opinion(NO_ANSWER, Effect::Fail, remedy);
    }
    if refuses(address.decoy.as_ref()) {
        return opinion(ACCEPTED, Effect::Pass, "");
    }
    let remedy = "say in the target which protocol to `ask` in, or name a `decoy` where nothing listens: a handshake alone can be a firewall's";
    opinion(ACCEPTED_ONLY, Effect::Unknown, remedy)
}

fn blocked(reading: &Reading, address: &Address) -> Opinion {
    let port = named(reading);
    let Some(attempt) = last(address) else {
        return opinion(FAILED, Effect::Unknown, "run the check again");
    };
    match attempt.state {
        State::Accepted | State::OtherProtocol | State::Closed if accepts(address.decoy.as_ref()) => opinion(
            SPOOFED,
            Effect::Unknown,
            format!("look from outside whether {port} is reachable: here something accepts every connection"),
        ),
        State::Answered | State::OtherProtocol | State::Accepted | State::Closed => opinion(
            NOT_BLOCKED,
            Effect::Fail,
            format!("block {port} in the firewall, or remove the rule that opened it"),
        ),
        State::ResetAfterData => opinion(
            RESET_AFTER_DATA,
            Effect::Unknown,
            format!("see in the firewall's log whether it or the host cut the connection to {port}"),
        ),
        State::Refused => opinion(
            NOT_LISTENING,
            Effect::Unknown,
            format!(
                "let something listen on {port} and run the check again: a reset does not show that a rule blocks it"
            ),
        ),
        State::Prohibited | State::Filtered => shut(attempt, address.control.as_ref()),
        State::LocalPolicy => opinion(
            LOCAL_POLICY,
            Effect::Unknown,
            "run the check where this machine's own rules do not stop it first",
        ),
        State::NoRoute => opinion(
            NO_ROUTE,
            Effect::Unknown,
            format!("run the check where there is a route for {}", address.family.word()),
        ),
        State::Unreachable => {
            opinion(UNREACHABLE, Effect::Unknown, "check the way to the host: no rule has been reached")
        }
        State::Silent => opinion(
            UDP_SILENT,
            Effect::Unknown,
            "silence of UDP proves no block: ask the far end whether anything arrived, or look at the firewall's counters",
        ),
        State::Failed => {
            opinion(FAILED, Effect::Unknown, "see the attempt's detail, then run the check again")
        }
    }
}

/// Nothing gets through. A filter that says so needs the line to work; one that is silent needs
/// the very host to answer elsewhere, since a host that is down is silent too.
fn shut(attempt: &Attempt, control: Option<&Witness>) -> Opinion {
    let remedy = "name as `control` a port of the same host that surely answers";
    let Some(control) = control else { return opinion(NO_CONTROL, Effect::Unknown, remedy) };
    if !accepts(Some(control)) {
        let remedy = "find out why the control does not answer either: the network or the host may be down";
        return opinion(CONTROL_FAILED, Effect::Unknown, remedy);
    }
    let same = control.contact.as_ref().is_some_and(|c| c.remote.ip() == attempt.contact.remote.ip());
    if attempt.state == State::Filtered && !same {
        return opinion(NO_CONTROL, Effect::Unknown, remedy);
    }
    opinion(BLOCKED, Effect::Pass, "")
}

fn accepts(witness: Option<&Witness>) -> bool {
    witness.is_some_and(|witness| witness.failure.is_none())
}

/// It was asked, and did not accept.
fn refuses(witness: Option<&Witness>) -> bool {
    witness.is_some_and(|witness| witness.contact.is_some() && witness.failure.is_some())
}

fn at_whom(attempt: &Attempt) -> String {
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

fn host(reading: &Reading) -> String {
    text::escape(&reading.host).into_owned()
}

fn named(reading: &Reading) -> String {
    format!("{} {} to {}", transport(reading), reading.port, host(reading))
}

fn asked(reading: &Reading) -> &'static str {
    reading.asked.map_or("the protocol", Protocol::word)
}

fn all_seen(reading: &Reading) -> String {
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
fn seen(reading: &Reading, address: &Address) -> String {
    let Some(attempt) = last(address) else { return "no attempt".to_owned() };
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
    out
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
        (State::Silent, _) => "nothing came back, which over UDP says nothing".to_owned(),
        (State::Failed, _) => format!("failed: {}", attempt.detail),
    }
}

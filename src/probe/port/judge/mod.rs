//! Holds what each address showed against what the port must be.

mod words;

use super::{Address, Attempt, Expect, Limits, Reading, State, Witness};
use crate::model::{Code, Effect, Finding};
use crate::wire::firewall::Told;
use words::{all_seen, asked, at_whom, host, named, seen, where_to};

crate::codes! {
    OPEN = "port.open", "The port answers as an application.";
    ACCEPTED = "port.accepted", "The port accepts connections, and a decoy where nothing listens does not.";
    ACCEPTED_ONLY = "port.accepted_only", "The port accepts connections and says nothing: a firewall could do as much.";
    SPOOFED = "port.spoofed", "Something on the way accepts connections in the place of servers.";
    NO_ANSWER = "port.no_answer", "The port accepts connections and does not answer the protocol's question.";
    OTHER_PROTOCOL = "port.other_protocol", "The port answers in another protocol than the one asked in.";
    RESET_AFTER_DATA = "port.reset_after_data", "The connection is accepted and then reset before an answer.";
    CLOSED_AFTER_ACCEPT = "port.closed_after_accept", "The connection is accepted and then closed without a word.";
    REFUSED = "port.refused", "The port refuses: nothing listens there, or a firewall answers so.";
    PROHIBITED = "port.prohibited", "A firewall says by ICMP that it forbids this port.";
    FILTERED = "port.filtered", "Nothing comes back from the port, not even a refusal.";
    UNREACHABLE = "port.unreachable", "A router says by ICMP that it finds no way to the host.";
    NO_ROUTE = "port.no_route", "This machine has no route to the address.";
    LOCAL_POLICY = "port.local_policy", "This machine's own rules forbid the connection.";
    FAILED = "port.failed", "The connection failed for another reason.";
    NO_NAME = "port.no_name", "The host's name gives no address.";
    UDP_SILENT = "port.udp_silent", "Nothing comes back over UDP, which says nothing about the port.";
    UDP_DROPPED = "port.udp_dropped", "Nothing of what is sent over UDP reaches the far end, which TCP reaches.";
    UDP_ONE_WAY = "port.udp_one_way", "What is sent over UDP reaches the far end, and its answers do not come back.";
    BLOCKED = "port.blocked", "Nothing gets through to the port, while its control answers.";
    NOT_BLOCKED = "port.not_blocked", "Something gets through to a port that must be blocked.";
    NOT_LISTENING = "port.not_listening", "A reset shows that nothing listens, not that a firewall blocks.";
    NO_CONTROL = "port.no_control", "Nothing gets through, and no control on the same host shows that the host is there.";
    CONTROL_FAILED = "port.control_failed", "Nothing gets through, and to the control on a known-good port neither.";
    NOT_EXPECTED = "port.not_expected", "The policy does not say what the port must be.";
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
    let stops = where_to(address);
    match told_state(address, attempt) {
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
                "ask the firewall's owner whether it inspects {port}: it lets the port through and cuts {}{stops}",
                asked(reading)
            ),
        ),
        State::Closed => fail(
            CLOSED_AFTER_ACCEPT,
            format!(
                "check that the service on {port} is up, and whether a proxy on the way ends the connection{stops}"
            ),
        ),
        State::Refused if !stops.is_empty() => {
            fail(REFUSED, format!("allow {port} out: a firewall resets it in the host's place{stops}"))
        }
        State::Refused => fail(
            REFUSED,
            format!(
                "check that the service listens on {port}; if it does, a firewall refuses in its place: allow it out"
            ),
        ),
        State::Prohibited => fail(PROHIBITED, format!("allow {port} out{}{stops}", at_whom(attempt))),
        State::Unreachable => {
            let to = attempt.contact.remote.ip();
            fail(UNREACHABLE, format!("check the way to {to}{}{stops}", at_whom(attempt)))
        }
        State::Filtered => fail(
            FILTERED,
            format!(
                "allow {port} out in the firewall, or check that the host is up: nothing comes back{stops}"
            ),
        ),
        State::NoRoute => fail(
            NO_ROUTE,
            format!(
                "give this machine a route for {}, or use a host with another address",
                address.family.word()
            ),
        ),
        State::LocalPolicy => fail(LOCAL_POLICY, own_remedy(address, &port)),
        State::Silent => silent(reading, address, Expect::Open),
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
            "check that the service on {port} speaks {}; if it does, a firewall on the way swallows it{}",
            asked(reading),
            where_to(address)
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
    match told_state(address, attempt) {
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
        // Reset by somebody before the host: a rule, whatever listens behind it.
        State::Refused if address.blame().is_some() => opinion(BLOCKED, Effect::Pass, ""),
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
        State::Silent => silent(reading, address, Expect::Blocked),
        State::Failed => {
            opinion(FAILED, Effect::Unknown, "see the attempt's detail, then run the check again")
        }
    }
}

/// Nothing comes back over UDP: what that means is for the far end to say, if it listened.
fn silent(reading: &Reading, address: &Address, expect: Expect) -> Opinion {
    let (port, stops) = (named(reading), where_to(address));
    let saw = address.far_end.as_ref();
    let from_elsewhere = saw.is_some_and(|saw| saw.from_elsewhere > 0);
    match (saw.and_then(|saw| saw.arrived), expect) {
        (Some(0), Expect::Open) if !from_elsewhere => {
            opinion(UDP_DROPPED, Effect::Fail, format!("allow {port} out in the firewall{stops}"))
        }
        (Some(0), Expect::Blocked) if !from_elsewhere => opinion(BLOCKED, Effect::Pass, ""),
        (Some(arrived), Expect::Open) if arrived > 0 => opinion(
            UDP_ONE_WAY,
            Effect::Fail,
            format!("let answers to {port} back in: a firewall must keep state of what was sent over UDP"),
        ),
        (Some(arrived), Expect::Blocked) if arrived > 0 => {
            opinion(NOT_BLOCKED, Effect::Fail, format!("block {port} in the firewall: it goes out"))
        }
        (_, Expect::Open) => opinion(
            UDP_SILENT,
            Effect::Unknown,
            format!(
                "check that the service on {port} is up and answers {}, then allow {port} out and back in{stops}",
                asked(reading)
            ),
        ),
        (_, Expect::Blocked) => opinion(
            UDP_SILENT,
            Effect::Unknown,
            "silence of UDP proves no block: ask a far end for it (`far_end` in the target), or look at the firewall's counters",
        ),
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

/// What a rule of this machine surely stops is forbidden here, whatever it looks like.
fn told_state(address: &Address, attempt: &Attempt) -> State {
    let own = address.own_rules.as_ref().is_some_and(Told::stops);
    if own { State::LocalPolicy } else { attempt.state }
}

fn own_remedy(address: &Address, port: &str) -> String {
    let plain = || format!("allow {port} out in this machine's own firewall or security software");
    address.own_rules.as_ref().map_or_else(plain, |told| told.remedy(port))
}

fn accepts(witness: Option<&Witness>) -> bool {
    witness.is_some_and(|witness| witness.failure.is_none())
}

/// It was asked, and did not accept.
fn refuses(witness: Option<&Witness>) -> bool {
    witness.is_some_and(|witness| witness.contact.is_some() && witness.failure.is_some())
}

//! Holds what each URL and address came to against the limits.

use super::codes;
use super::{Attempt, Limits, Reading, Unresolved};
use crate::model::{Code, Failure, Family, Finding, IcmpError, Special, WireText};
use crate::net::turn::{Allocation, Carried, DATAGRAMS, SIZE, Stopped};
use crate::wire::banner::Protocol;
use crate::wire::turn::{Asked, Over, Refused, TurnUrl};

const EXPECTED: &str = "a relay through which datagrams come";
const VENDOR: &str = "ask whoever runs the TURN server";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let any = reading.attempts.iter().any(carries);
    let nameless = reading.unresolved.iter().map(|unresolved| no_address(unresolved, any));
    let tried = reading.attempts.iter().flat_map(|attempt| {
        let outcome = outcome(attempt, any);
        std::iter::once(outcome).chain(private(attempt)).chain(interception(attempt))
    });
    let mut findings: Vec<Finding> = nameless.chain(tried).collect();
    if findings.is_empty() {
        let remedy = "run the check again; if it stays so, golive is at fault";
        findings.push(Finding::unknown(codes::NO_ADDRESS, EXPECTED, "no address was tried", remedy));
    }
    findings.extend(round_trip(limits, reading));
    findings.extend(loss(limits, reading));
    findings
}

fn carries(attempt: &Attempt) -> bool {
    attempt.carried.as_ref().is_some_and(|carried| carried.received > 0)
}

/// `TLS 443 of turn.example.com (203.0.113.5, IPv4)`
fn at(attempt: &Attempt) -> String {
    let ip = attempt.contact.remote.ip();
    let address = if ip.to_string() == attempt.url.host { String::new() } else { format!("{ip}, ") };
    format!("{} ({address}{})", place(&attempt.url), Family::of(ip).word())
}

fn place(url: &TurnUrl) -> String {
    format!("{} {} of {}", url.over, url.port, url.host)
}

fn no_address(Unresolved { url, failure }: &Unresolved, any: bool) -> Finding {
    let remedy = format!("network team: make {} resolve here (see the dns checks)", url.host);
    let observed = format!("{}: {}", place(url), failure.words());
    weigh(codes::NO_ADDRESS, observed, remedy, any)
}

/// One URL that relays is enough for WebRTC, which tries all: the others are worth a warning then.
fn weigh(code: Code, observed: String, remedy: String, any: bool) -> Finding {
    if any {
        let remedy = format!("another URL relays, so this is a reserve that is missing; {remedy}");
        return Finding::warn(code, EXPECTED, observed, remedy);
    }
    Finding::fail(code, EXPECTED, observed, remedy)
}

fn outcome(attempt: &Attempt, any: bool) -> Finding {
    let at = at(attempt);
    match (&attempt.allocation, &attempt.carried, &attempt.stopped) {
        (Some(allocation), Some(carried), _) => through(&at, allocation, carried, any),
        (Some(allocation), None, stopped) => unproven(&at, allocation, stopped.as_ref(), any),
        (None, _, Some(stopped)) => {
            let absent =
                matches!(stopped, Stopped::Unreached { failure: Failure::NetUnreachable, icmp: None, .. });
            if any && absent {
                let family = Family::of(attempt.contact.remote.ip()).word();
                return Finding::pass(codes::FAMILY_ABSENT, EXPECTED, format!("{at}: no {family} here"));
            }
            stopped_by(attempt, stopped, any)
        }
        (None, _, None) => {
            let remedy = "run the check again; if it stays so, golive is at fault";
            Finding::unknown(codes::UNPROVEN, EXPECTED, format!("{at}: nothing was noted"), remedy)
        }
    }
}

fn through(at: &str, allocation: &Allocation, carried: &Carried, any: bool) -> Finding {
    let Carried { sent, received, round_trip_ms } = carried;
    let relayed = allocation.relayed;
    if let Some(median) = round_trip_ms.filter(|_| *received > 0) {
        let software = named(&allocation.software);
        let observed = format!(
            "{at}: {received} of {sent} datagrams of {SIZE} bytes came back through {relayed}, median {median:.1} ms{software}"
        );
        return Finding::pass(codes::CARRIES, EXPECTED, observed);
    }
    let observed = format!("{at}: gave out {relayed}, and none of {sent} datagrams came through it");
    let remedy = format!(
        "{VENDOR} whether its relay ports (UDP 49152-65535) are open at its own firewall and its external address is set"
    );
    weigh(codes::CARRIES_NOTHING, observed, remedy, any)
}

fn named(software: &WireText) -> String {
    if software.is_empty() { String::new() } else { format!(" ({software})") }
}

fn unproven(at: &str, allocation: &Allocation, stopped: Option<&Stopped>, any: bool) -> Finding {
    let why = match stopped {
        Some(Stopped::Refused(Refused { asked: Asked::Allocate, code, reason, .. })) => {
            format!("a second relay, to send to, was refused: {code} {reason}")
        }
        Some(Stopped::Refused(Refused { code, reason, .. })) => {
            format!("sending to another relay of its own is refused: {code} {reason}")
        }
        Some(Stopped::Silent) => "no answer came after that".to_owned(),
        _ => "the way to it ended before anything was sent through".to_owned(),
    };
    let observed = format!("{at}: gave out {}, and {why}", allocation.relayed);
    let remedy = format!(
        "{VENDOR} to allow two relays at once that send to one another, or try with the real peer from here"
    );
    if any {
        return Finding::warn(codes::UNPROVEN, EXPECTED, observed, remedy);
    }
    Finding::unknown(codes::UNPROVEN, EXPECTED, observed, remedy)
}

fn stopped_by(attempt: &Attempt, stopped: &Stopped, any: bool) -> Finding {
    let at = at(attempt);
    let TurnUrl { host, port, over } = &attempt.url;
    let transport = if *over == Over::Udp { "UDP" } else { "TCP" };
    let allow = format!("network team: allow {transport} {port} to {host} and the answers back");
    let inspect = format!(
        "network team: exempt {host} from inspection, which lets only HTTP through {transport} {port}; compare with another network"
    );
    let (code, observed, remedy) = match stopped {
        Stopped::Unreached { failure, icmp, detail } => {
            let own = icmp.is_some_and(|icmp| icmp.is_from(attempt.contact.local));
            let (code, remedy) = unreached(*failure, icmp.as_ref(), own, &attempt.url, allow);
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            (code, format!("{}{detail}", failure.words()), remedy)
        }
        Stopped::Silent if *over == Over::Udp => (
            codes::SILENT,
            "no answer: UDP is blocked, or nothing listens there".to_owned(),
            format!("{allow}, or name a `turns:` URL on 443 as well"),
        ),
        Stopped::Silent => (codes::KILLED, format!("{over} comes about, and TURN gets no answer"), inspect),
        Stopped::Closed { failure } => {
            (codes::KILLED, format!("{over} comes about, and TURN is {}", failure.words()), inspect)
        }
        Stopped::NotSecured { failure: Failure::Untrusted, detail, identity } => {
            let leaf = identity.as_ref().and_then(|identity| identity.leaf());
            let issuer = leaf.map_or_else(String::new, |leaf| format!("; signed by {}", leaf.issuer));
            let remedy = format!(
                "network team: whether a proxy opens TLS to {host} with an authority that this machine lacks; {VENDOR} whether its certificate is right"
            );
            (codes::UNTRUSTED, format!("{} ({detail}){issuer}", Failure::Untrusted.words()), remedy)
        }
        Stopped::NotSecured { failure, detail, .. } => {
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            let observed = format!("TCP comes about, then TLS: {failure}{detail}");
            (codes::TLS_FAILED, observed, format!("{inspect}; {VENDOR} whether TLS listens there"))
        }
        Stopped::NotTurn { protocol, said } => {
            let remedy = match (protocol, over) {
                (Protocol::Tls, Over::Tcp) => "the port speaks TLS: write the URL with `turns:`".to_owned(),
                _ => format!("check host and port with whoever runs the server; else {inspect}"),
            };
            (codes::NOT_TURN, format!("answers in {protocol}: \"{}\"", first_words(said)), remedy)
        }
        Stopped::Unsigned => (
            codes::UNSIGNED,
            "a success without the proof that its sender knows the credential, or without an address"
                .to_owned(),
            format!("{VENDOR}; something in between may answer in its place"),
        ),
        Stopped::Refused(refused) => return refusal(&at, host, refused, any),
    };
    weigh(code, format!("{at}: {observed}"), remedy, any)
}

fn first_words(said: &WireText) -> String {
    said.as_str().chars().take(60).collect()
}

fn unreached(
    failure: Failure,
    icmp: Option<&IcmpError>,
    own: bool,
    url: &TurnUrl,
    allow: String,
) -> (Code, String) {
    let TurnUrl { host, port, over } = url;
    // A host resets a closed TCP port; "port unreachable" comes from a filter then.
    let filter = *over != Over::Udp && icmp.is_some_and(IcmpError::is_port_unreachable);
    let local = format!("allow it in this machine's own firewall or security software ({host}, port {port})");
    match failure {
        Failure::LocalPolicy => (codes::LOCAL, local),
        Failure::Prohibited | Failure::Refused if own && icmp.is_some() => (codes::LOCAL, local),
        Failure::Refused if filter => (codes::PROHIBITED, allow),
        Failure::Refused => (
            codes::REFUSED,
            format!("ask whoever runs {host} whether TURN listens on {over} {port}; else {allow}"),
        ),
        Failure::Prohibited => (codes::PROHIBITED, allow),
        Failure::TimedOut => (codes::SILENT, allow),
        _ => (codes::UNREACHABLE, format!("network team: there is no route to {host} from this network")),
    }
}

fn refusal(at: &str, host: &str, refused: &Refused, any: bool) -> Finding {
    let Refused { code: number, reason, other, .. } = refused;
    let observed = format!("{at}: {number} {reason}");
    let (code, remedy) = match number {
        300 => {
            let other = other.map_or_else(|| "another server".to_owned(), |other| other.to_string());
            let observed = format!("{observed}: it sends us to {other}");
            let remedy = format!("if that is right, name a URL of that server in the policy beside {host}");
            if any {
                return Finding::warn(codes::ALTERNATE, EXPECTED, observed, remedy);
            }
            return Finding::unknown(codes::ALTERNATE, EXPECTED, observed, remedy);
        }
        401 => (
            codes::UNAUTHORISED,
            "check user name and credential; ones that expire (TURN REST) must be fetched anew".to_owned(),
        ),
        403 => (codes::FORBIDDEN, format!("{VENDOR} to let this user relay from this network's address")),
        486 | 508 => {
            (codes::QUOTA, format!("end other sessions of this user, or {VENDOR} for a larger quota"))
        }
        _ => (codes::REFUSED_BY_SERVER, format!("{VENDOR} what it means by that")),
    };
    weigh(code, observed, remedy, any)
}

/// A server behind a translator that does not know its outer address gives out the inner one.
fn private(attempt: &Attempt) -> Option<Finding> {
    let relayed = attempt.allocation.as_ref()?.relayed.ip();
    let special = Special::of(relayed)?;
    if Special::of(attempt.contact.remote.ip()).is_some() {
        return None; // a server of this network's own
    }
    let observed = format!("{}: gave out {relayed}, {}", at(attempt), special.words());
    let remedy = format!("{VENDOR} to set its external address: peers outside cannot send to this one");
    Some(Finding::warn(codes::PRIVATE, "a relay's address that peers can send to", observed, remedy))
}

/// A chain that this machine alone trusts. What is relayed has its own encryption, so it still carries.
fn interception(attempt: &Attempt) -> Option<Finding> {
    let identity = &attempt.session.as_ref()?.identity;
    if !identity.intercepted() {
        return None;
    }
    let issuer = identity.leaf().map(|leaf| leaf.issuer.as_str()).unwrap_or_default();
    Some(Finding::warn(
        codes::INTERCEPTED,
        "a certificate that the public authorities sign",
        format!("{}: signed by {issuer}, which only this machine trusts", at(attempt)),
        "network team: exempt the TURN server from TLS inspection, which ends long sessions and slows media; if it is the company's own, waive this",
    ))
}

/// Of the fastest way: WebRTC takes that.
fn round_trip(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let limit = limits.round_trip_ms?.0;
    let times = reading
        .attempts
        .iter()
        .filter_map(|attempt| Some((attempt.carried.as_ref()?.round_trip_ms?, attempt)));
    let (median, attempt) = times.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let (expected, observed) = (format!("≤ {limit} ms"), format!("{median:.1} ms, {}", at(attempt)));
    Some(if median <= limit {
        Finding::pass(codes::IN_TIME, expected, observed)
    } else {
        let remedy = "take a TURN server nearer by, or find what delays the way to it (see path checks)";
        Finding::fail(codes::SLOW, expected, observed, remedy)
    })
}

/// Of the way that loses least.
fn loss(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let limit = limits.loss_percent?.0;
    let share = |carried: &Carried| {
        100.0 * f64::from(carried.sent - carried.received.min(carried.sent)) / f64::from(carried.sent.max(1))
    };
    let losses =
        reading.attempts.iter().filter_map(|attempt| Some((share(attempt.carried.as_ref()?), attempt)));
    let (lost, attempt) = losses.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let expected = format!("≤ {limit} % of {DATAGRAMS} datagrams");
    let observed = format!("{lost:.0} % lost, {}", at(attempt));
    Some(if lost <= limit {
        Finding::pass(codes::LOSS, expected, observed)
    } else {
        let remedy =
            "find what loses packets on the way to the TURN server (see path checks), or take it over TLS";
        Finding::fail(codes::LOSS_HIGH, expected, observed, remedy)
    })
}

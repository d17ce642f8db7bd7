//! Holds what each address answered against the limits.

use std::fmt::Write as _;

use super::{Attempt, End, Limits, Phase, Reading, Until};
use crate::model::{Code, Failure, Family, Finding};
use crate::wire::firewall::Told;

const ACCEPTED: Code =
    Code { id: "srt.accepted", means: "The ingest took us: the whole SRT handshake succeeded." };
const ANSWERS: Code =
    Code { id: "srt.answers", means: "The ingest answers SRT induction: UDP passes both ways." };
const SILENT: Code = Code {
    id: "srt.silent",
    means: "Nothing came back over UDP: it is blocked on the way, or nothing listens there.",
};
const SILENT_LATER: Code = Code {
    id: "srt.silent_conclusion",
    means: "The ingest answered the first packet and not the second, larger one.",
};
const REFUSED: Code =
    Code { id: "srt.refused", means: "The host says that nothing listens on this UDP port (ICMP)." };
const PROHIBITED: Code =
    Code { id: "srt.prohibited", means: "A firewall says that this is forbidden (ICMP)." };
const UNREACHABLE: Code =
    Code { id: "srt.unreachable", means: "There is no way to this address from this network." };
const LOCAL: Code =
    Code { id: "srt.local_policy", means: "This machine's own rules forbid sending to the ingest." };
const NAME: Code = Code { id: "srt.no_address", means: "The ingest's name gave no address." };
const BAD_SECRET: Code = Code { id: "srt.bad_secret", means: "The passphrase is not the ingest's." };
const UNSECURE: Code =
    Code { id: "srt.unsecure", means: "Only one side has a passphrase: the ingest's or ours is missing." };
const UNAUTHORISED: Code =
    Code { id: "srt.unauthorised", means: "The ingest does not admit this stream id." };
const NOT_FOUND: Code = Code { id: "srt.not_found", means: "The ingest knows no stream of this id." };
const CONFLICT: Code =
    Code { id: "srt.conflict", means: "Somebody else is already sending to this stream id." };
const OVERLOAD: Code = Code { id: "srt.overload", means: "The ingest says that it is full." };
const REJECTED: Code =
    Code { id: "srt.rejected", means: "The ingest refused for another reason, which it names." };
const UNUSABLE: Code =
    Code { id: "srt.unusable", means: "The ingest answers in a way that a live caller cannot use." };
const NOT_SRT: Code = Code { id: "srt.not_srt", means: "Something answers on this port, but not in SRT." };
const HUNG_UP: Code = Code { id: "srt.hung_up", means: "The ingest accepted the call and hung up at once." };
const NO_ROUTE: Code = Code {
    id: "srt.family_unused",
    means: "The ingest has addresses of a family that this network does not have; it is reached by the other.",
};
const HANDSHAKE: Code = Code { id: "srt.handshake_time", means: "The handshake is fast enough." };
const SLOW: Code = Code { id: "srt.handshake_slow", means: "The handshake takes longer than the limit." };
const LATENCY: Code = Code { id: "srt.latency", means: "The latency agreed is within the limits." };
const LATENCY_LONG: Code =
    Code { id: "srt.latency_long", means: "The latency agreed makes viewers wait longer than the limit." };
const LATENCY_SHORT: Code = Code {
    id: "srt.latency_short",
    means: "The latency agreed is too short for this round trip: lost packets could not be sent again in time.",
};
const ENCRYPTED: Code = Code { id: "srt.encryption", means: "Encryption is as the policy wants it." };
const NOT_ENCRYPTED: Code =
    Code { id: "srt.encryption_differs", means: "Encryption is not as the policy wants it." };

pub(super) const CODES: &[Code] = &[
    ACCEPTED,
    ANSWERS,
    SILENT,
    SILENT_LATER,
    REFUSED,
    PROHIBITED,
    UNREACHABLE,
    LOCAL,
    NAME,
    BAD_SECRET,
    UNSECURE,
    UNAUTHORISED,
    NOT_FOUND,
    CONFLICT,
    OVERLOAD,
    REJECTED,
    UNUSABLE,
    NOT_SRT,
    HUNG_UP,
    NO_ROUTE,
    HANDSHAKE,
    SLOW,
    LATENCY,
    LATENCY_LONG,
    LATENCY_SHORT,
    ENCRYPTED,
    NOT_ENCRYPTED,
];

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let expected = match reading.until {
        Until::Induction => "an answer to SRT induction",
        Until::Conclusion => "SRT handshake accepted",
    };
    if reading.attempts.is_empty() {
        let why = reading.lookup.unwrap_or(Failure::NoAddress).words();
        let remedy = format!(
            "network team: make {} resolve here (the dns checks say which resolver answers what)",
            reading.host
        );
        return vec![Finding::fail(NAME, expected, format!("{}: {why}", reading.host), remedy)];
    }
    let any_reached = reading.attempts.iter().any(|attempt| attempt.end == End::Reached);
    let mut findings = Vec::new();
    for attempt in &reading.attempts {
        if attempt.end == End::Reached {
            let code = if reading.until == Until::Conclusion { ACCEPTED } else { ANSWERS };
            findings.push(Finding::pass(code, expected, describe(attempt)));
            findings.extend(hold_against(limits, reading, attempt));
        } else {
            findings.push(missed(reading, attempt, expected, any_reached));
        }
    }
    findings
}

fn place(attempt: &Attempt) -> String {
    format!("{} ({})", attempt.contact.remote, Family::of(attempt.contact.remote.ip()).word())
}

fn describe(attempt: &Attempt) -> String {
    let mut text = place(attempt);
    if let Some(induction) = &attempt.induction {
        let _ = write!(text, ": induction {:.1} ms", induction.took_ms);
        if induction.packets > 1 {
            let _ = write!(text, " ({} packets)", induction.packets);
        }
    }
    if let Some(conclusion) = &attempt.conclusion {
        let _ = write!(
            text,
            ", conclusion {:.1} ms, SRT {}, latency {} ms, {}",
            conclusion.took_ms,
            conclusion.version,
            conclusion.latency_ms,
            if conclusion.encrypted { "encrypted" } else { "not encrypted" }
        );
    }
    text
}

/// An address that did not get as far as it was to go. It blocks only when no other did: then
/// the encoder may still stumble over it, which is worth a warning.
fn missed(reading: &Reading, attempt: &Attempt, expected: &str, other_reached: bool) -> Finding {
    let (code, observed, remedy) = explain(reading, attempt);
    let to = format!("UDP to {}", attempt.contact.remote);
    let said = (format!("{}: {observed}", place(attempt)), remedy);
    let (observed, remedy) = Told::complete(attempt.own_rules.as_ref(), &to, said);
    if !other_reached {
        return Finding::fail(code, expected, observed, remedy);
    }
    // A router that says so is another thing: this machine has an address, and encoders will try it.
    if matches!(attempt.end, End::Unreached { failure: Failure::NetUnreachable, icmp: None, .. }) {
        return Finding::pass(NO_ROUTE, expected, observed);
    }
    let remedy = format!("another address works, but the encoder may pick this one; {remedy}");
    Finding::warn(code, expected, observed, remedy)
}

/// Code, what was observed, and what to do.
fn explain(reading: &Reading, attempt: &Attempt) -> (Code, String, String) {
    let (host, port) = (&reading.host, reading.port);
    let allow = format!("network team: allow UDP {port} to {host} and the answers back");
    let provider = "ask whoever runs the ingest";
    match &attempt.end {
        End::Silent(Phase::Induction) | End::Reached => (
            SILENT,
            "no answer to induction: UDP is blocked on the way, or nothing listens there".to_owned(),
            format!("{allow}; if it is allowed, {provider} whether it listens on {port}"),
        ),
        End::Silent(Phase::Conclusion) => (
            SILENT_LATER,
            "answered induction, not conclusion".to_owned(),
            format!(
                "{provider} why; a firewall that passes only small or only few UDP packets does this too"
            ),
        ),
        End::Rejected { code, name } => rejected(*code, name.as_deref(), reading.with_passphrase),
        End::KeyRefused { state } if state == "no secret" => (
            UNSECURE,
            "the ingest has no passphrase, we do".to_owned(),
            format!("{provider} whether a passphrase is to be used, and set it on both sides"),
        ),
        End::KeyRefused { state } => (
            BAD_SECRET,
            format!("the ingest refused the key: {state}"),
            format!("{provider} for the passphrase, and put it where the policy says"),
        ),
        End::Unusable { why } => (
            UNUSABLE,
            why.clone(),
            format!("{provider} for an SRT listener in live mode (libsrt 1.3 or newer)"),
        ),
        End::HungUp { after_ms } => (
            HUNG_UP,
            format!("accepted, then hung up after {after_ms:.0} ms"),
            format!("{provider} what it expects: stream id, passphrase, or media at once"),
        ),
        End::NotSrt { said, .. } => (
            NOT_SRT,
            format!("answered, but not in SRT: \"{said}\""),
            format!("check host and port of the ingest; {provider} which port takes SRT"),
        ),
        End::Unreached { failure, icmp, detail } => {
            let own = icmp.is_some_and(|icmp| icmp.is_from(attempt.contact.local));
            let failure =
                if own && *failure == Failure::Prohibited { Failure::LocalPolicy } else { *failure };
            unreached(failure, &format!("{}: {detail}", failure.words()), &allow, reading)
        }
    }
}

fn unreached(failure: Failure, observed: &str, allow: &str, reading: &Reading) -> (Code, String, String) {
    let (host, port) = (&reading.host, reading.port);
    let (code, remedy) = match failure {
        Failure::Refused => (
            REFUSED,
            format!(
                "ask whoever runs {host} whether SRT listens on UDP {port}; a firewall can also answer this way"
            ),
        ),
        Failure::Prohibited => (PROHIBITED, allow.to_owned()),
        Failure::LocalPolicy => (LOCAL, format!("allow UDP {port} to {host} in this machine's own firewall")),
        _ => (UNREACHABLE, format!("network team: there is no route to {host} from this network")),
    };
    (code, observed.to_owned(), remedy)
}

fn rejected(number: u32, name: Option<&str>, with_passphrase: bool) -> (Code, String, String) {
    let observed = match name {
        Some(name) => format!("refused: {name} ({number})"),
        None => format!("refused with code {number}"),
    };
    let (code, remedy) = match number {
        10 => {
            (BAD_SECRET, "ask whoever runs the ingest for the passphrase, and put it where the policy says")
        }
        11 if with_passphrase => {
            (UNSECURE, "the ingest uses no passphrase: remove ours, or have it set there")
        }
        11 => (UNSECURE, "the ingest wants a passphrase: name its secret in the policy and in the encoder"),
        1401 | 1403 => (UNAUTHORISED, "check the stream id with whoever runs the ingest"),
        1404 => (NOT_FOUND, "check the stream id with whoever runs the ingest: is the event set up there?"),
        1409 | 1423 => {
            (CONFLICT, "find out which encoder is sending already; stop it or use another stream id")
        }
        3 | 5 | 1402 | 1503 => (OVERLOAD, "ask whoever runs the ingest for room, or take its other address"),
        _ => (REJECTED, "ask whoever runs the ingest what this reason means"),
    };
    (code, observed, remedy.to_owned())
}

fn hold_against(limits: &Limits, reading: &Reading, attempt: &Attempt) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at = place(attempt);
    let induction = attempt.induction.as_ref();
    let conclusion = attempt.conclusion.as_ref();
    let took = induction.map_or(0.0, |phase| phase.took_ms) + conclusion.map_or(0.0, |phase| phase.took_ms);
    if let Some(limit) = &limits.handshake_ms {
        let (expected, observed) = (format!("≤ {} ms", limit.0), format!("{took:.1} ms, {at}"));
        findings.push(if took <= limit.0 {
            Finding::pass(HANDSHAKE, expected, observed)
        } else {
            let remedy =
                "network team: find what delays UDP to the ingest (the path check shows the round trip)";
            Finding::fail(SLOW, expected, observed, remedy)
        });
    }
    let Some(conclusion) = conclusion else { return findings };
    if let Some(limit) = &limits.latency_ms {
        let (expected, observed) =
            (format!("≤ {} ms", limit.0), format!("{} ms, {at}", conclusion.latency_ms));
        findings.push(if conclusion.latency_ms <= limit.0 {
            Finding::pass(LATENCY, expected, observed)
        } else {
            let asked = reading.asked_latency_ms;
            let remedy = format!(
                "the larger of both sides' latency counts (ours is {asked} ms): lower it in the encoder or at the ingest"
            );
            Finding::fail(LATENCY_LONG, expected, observed, remedy)
        });
    }
    if let (Some(limit), Some(induction)) = (&limits.latency_round_trips, induction) {
        findings.push(against_round_trip(limit.0, conclusion, induction, &at));
    }
    if let Some(limit) = &limits.encrypted {
        let word = |encrypted| if encrypted { "encrypted" } else { "not encrypted" };
        let (expected, observed) = (word(limit.0), format!("{}, {at}", word(conclusion.encrypted)));
        findings.push(if conclusion.encrypted == limit.0 {
            Finding::pass(ENCRYPTED, expected, observed)
        } else {
            let remedy = "agree with whoever runs the ingest on one passphrase, or on none, for both sides";
            Finding::fail(NOT_ENCRYPTED, expected, observed, remedy)
        });
    }
    findings
}

fn against_round_trip(
    limit: f64,
    conclusion: &super::Conclusion,
    induction: &super::Induction,
    at: &str,
) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "SRT's latency has 16 bits")]
    let latency = conclusion.latency_ms as f64;
    let expected = format!("latency ≥ {limit} round trips");
    // Where a packet was lost, the answer may be to a later one, whose waiting time it took, too. Where
    // each was answered, the first answer is the first packet's: the path is longer than the repeats.
    let inducted = (induction.packets <= induction.answers.max(1)).then_some(induction.took_ms);
    // Whatever else an exchange waits for (a busy machine, the listener's own check of the stream id), it
    // is never shorter than the path: where the first is too long, the quicker of the two tells more.
    let concluded = (conclusion.packets == 1).then_some(conclusion.took_ms);
    let enough = |trip: &f64| latency >= limit * trip;
    let quicker = inducted.into_iter().chain(concluded).reduce(f64::min);
    let Some(trip) = inducted.filter(enough).or(quicker) else {
        let remedy = "run the check again: a lost packet hid the round trip";
        let observed = format!("{} packets, {} answered, {at}", induction.packets, induction.answers);
        return Finding::unknown(LATENCY_SHORT, expected, observed, remedy);
    };
    let observed = format!("latency {latency} ms at a round trip of {trip:.1} ms, {at}");
    if enough(&trip) {
        return Finding::pass(LATENCY, expected, observed);
    }
    let remedy = format!("set the encoder's SRT latency to at least {:.0} ms", (limit * trip).ceil());
    Finding::fail(LATENCY_SHORT, expected, observed, remedy)
}

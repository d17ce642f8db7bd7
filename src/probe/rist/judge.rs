//! Holds what each address answered against the limits.

use super::{Attempt, End, Limits, Reading};
use crate::model::{Code, Failure, Family, Finding};
use crate::wire::firewall::Told;

const ANSWERS: Code =
    Code { id: "rist.answers", means: "The receiver answers a sender: UDP passes both ways." };
const SILENT: Code = Code {
    id: "rist.silent",
    means: "Nothing came back over UDP: it is blocked, nothing listens there, or profile or secret are others.",
};
const SECRET: Code =
    Code { id: "rist.other_secret", means: "The receiver answers, and the secrets of both sides differ." };
const REFUSED: Code =
    Code { id: "rist.refused", means: "The host says that nothing listens on this UDP port (ICMP)." };
const PROHIBITED: Code =
    Code { id: "rist.prohibited", means: "A firewall says that this is forbidden (ICMP)." };
const UNREACHABLE: Code =
    Code { id: "rist.unreachable", means: "There is no way to this address from this network." };
const LOCAL: Code =
    Code { id: "rist.local_policy", means: "This machine's own rules forbid sending to the receiver." };
const NAME: Code = Code { id: "rist.no_address", means: "The receiver's name gave no address." };
const NOT_RIST: Code =
    Code { id: "rist.not_rist", means: "Something answers on this port, but not in RIST." };
const ROUND_TRIP: Code = Code { id: "rist.round_trip", means: "The receiver's echo is fast enough." };
const SLOW: Code =
    Code { id: "rist.round_trip_long", means: "The receiver's echo takes longer than the limit." };
const NO_ECHO: Code =
    Code { id: "rist.no_echo", means: "The receiver gives no echo back, so the round trip is unknown." };

pub(super) const CODES: &[Code] = &[
    ANSWERS,
    SILENT,
    SECRET,
    REFUSED,
    PROHIBITED,
    UNREACHABLE,
    LOCAL,
    NAME,
    NOT_RIST,
    ROUND_TRIP,
    SLOW,
    NO_ECHO,
];

const EXPECTED: &str = "an answer from a RIST receiver";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    if reading.attempts.is_empty() {
        let why = reading.lookup.unwrap_or(Failure::NoAddress).words();
        let remedy = format!("network team: make {} resolve here (see the dns checks)", reading.host);
        return vec![Finding::fail(NAME, EXPECTED, format!("{}: {why}", reading.host), remedy)];
    }
    let answered = |attempt: &Attempt| matches!(attempt.end, End::Answered { .. });
    let any = reading.attempts.iter().any(answered);
    let mut findings = Vec::new();
    for attempt in &reading.attempts {
        if let End::Answered { round_trip_ms, names_itself } = &attempt.end {
            let name = if names_itself.is_empty() { String::new() } else { format!(": \"{names_itself}\"") };
            findings.push(Finding::pass(ANSWERS, EXPECTED, format!("{}{name}", place(attempt))));
            findings.extend(limits.round_trip_ms.map(|limit| against(limit.0, *round_trip_ms, attempt)));
        } else {
            findings.push(missed(reading, attempt, any));
        }
    }
    findings
}

fn place(attempt: &Attempt) -> String {
    format!("{} ({})", attempt.contact.remote, Family::of(attempt.contact.remote.ip()).word())
}

fn against(limit: f64, round_trip_ms: Option<f64>, attempt: &Attempt) -> Finding {
    let (expected, at) = (format!("≤ {limit} ms"), place(attempt));
    match round_trip_ms {
        None => {
            let remedy = "take the round trip from a path check; this receiver does not echo";
            Finding::unknown(NO_ECHO, expected, format!("no echo, {at}"), remedy)
        }
        Some(took) if took <= limit => Finding::pass(ROUND_TRIP, expected, format!("{took:.1} ms, {at}")),
        Some(took) => {
            let remedy = "give both sides a buffer of several such round trips, or find what delays UDP";
            Finding::fail(SLOW, expected, format!("{took:.1} ms, {at}"), remedy)
        }
    }
}

/// An address without an answer blocks only when no other answered: else the encoder may still
/// stumble over it, which is worth a warning.
fn missed(reading: &Reading, attempt: &Attempt, other_answered: bool) -> Finding {
    let (code, observed, remedy) = explain(reading, attempt);
    let to = format!("UDP to {}", attempt.contact.remote);
    let said = (format!("{}: {observed}", place(attempt)), remedy);
    let (observed, remedy) = Told::complete(attempt.own_rules.as_ref(), &to, said);
    if other_answered {
        let remedy = format!("another address works, but the encoder may pick this one; {remedy}");
        return Finding::warn(code, EXPECTED, observed, remedy);
    }
    Finding::fail(code, EXPECTED, observed, remedy)
}

/// Code, what was observed, and what to do.
fn explain(reading: &Reading, attempt: &Attempt) -> (Code, String, String) {
    let (host, port) = (&reading.host, attempt.contact.remote.port());
    let allow = format!("network team: allow UDP {port} to {host} and the answers back");
    match &attempt.end {
        End::Silent | End::Answered { .. } => {
            let secret = if reading.with_secret { "another secret" } else { "a secret is wanted" };
            let observed =
                format!("no answer: UDP is blocked, nothing listens, another profile, or {secret}");
            (SILENT, observed, format!("{allow}; ask whoever runs it for port, profile and secret"))
        }
        End::OtherSecret => (
            SECRET,
            "it answers in RIST that our secret does not open".to_owned(),
            "ask whoever runs the receiver for the secret and the key length, and set them on both sides"
                .to_owned(),
        ),
        End::NotRist { said } => (
            NOT_RIST,
            format!("answered, but not in RIST of this profile: \"{said}\""),
            "check host, port and profile with whoever runs the receiver".to_owned(),
        ),
        End::Unreached { failure, icmp, detail } => {
            let own = icmp.is_some_and(|icmp| icmp.is_from(attempt.contact.local));
            let failure =
                if own && *failure == Failure::Prohibited { Failure::LocalPolicy } else { *failure };
            let (code, remedy) = match failure {
                Failure::Refused => {
                    (REFUSED, format!("ask whoever runs {host} whether RIST listens on UDP {port}"))
                }
                Failure::Prohibited => (PROHIBITED, allow),
                Failure::LocalPolicy => {
                    (LOCAL, format!("allow UDP {port} to {host} in this machine's own firewall"))
                }
                _ => (UNREACHABLE, format!("network team: there is no route to {host} from this network")),
            };
            (code, format!("{}: {detail}", failure.words()), remedy)
        }
    }
}

//! Holds each handshake against the limits; what several addresses share is said once.

mod chain;
mod code;
mod outside;
#[cfg(test)]
mod tests;

use super::{Answer, Attempt, Limits, Reading, Stranger};
use crate::model::{AtLeast, Failure, Family, Finding, WireText};
use crate::net::tls::{OLD_VERSION, Session};

pub(super) use code::CODES;

const NETWORK: &str = "network team";
const KILLER: &str = "network team: a firewall or proxy lets the port open and stops TLS (filtering by name or \
                      protocol); exempt this host from it";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let mut findings = direct(limits, reading);
    findings.extend(outside::findings(limits, reading));
    findings
}

/// What was seen from here.
fn direct(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    if let Some(failure) = reading.lookup {
        let remedy =
            "check the host's name in the policy; if it is right, the resolvers (see the dns checks)";
        let observed = format!("{}: {failure}", host(reading));
        return vec![Finding::fail(code::NO_ADDRESS, "an address for the host", observed, remedy)];
    }
    if reading.attempts.is_empty() {
        let observed = format!("{}: none tried", host(reading));
        return vec![Finding::unknown(
            code::NO_ADDRESS,
            "an address for the host",
            observed,
            "run the check again",
        )];
    }
    Finding::at_places(reading.attempts.iter().flat_map(|attempt| {
        let findings = attempt_findings(limits, reading, attempt);
        findings.into_iter().map(|finding| (finding, attempt.contact.remote))
    }))
}

fn attempt_findings(limits: &Limits, reading: &Reading, attempt: &Attempt) -> Vec<Finding> {
    match &attempt.answer {
        Answer::NotConnected { failure, detail } => vec![not_connected(reading, attempt, *failure, detail)],
        Answer::Failed { failure, detail, stranger, .. } => {
            vec![walked(attempt, failed(*failure, detail, stranger.as_ref()))]
        }
        Answer::Session(session) => session_findings(limits, reading, session),
    }
}

fn not_connected(reading: &Reading, attempt: &Attempt, failure: Failure, detail: &WireText) -> Finding {
    const EXPECTED: &str = "a TCP connection";
    let family = Family::of(attempt.contact.remote.ip());
    let others = reading.attempts.iter().any(|other| matches!(other.answer, Answer::Session(_)));
    let observed = if detail.is_empty() { failure.to_string() } else { format!("{failure} ({detail})") };
    match (failure, others) {
        (Failure::NetUnreachable, true) => {
            let observed = format!("this network has no {}; the other family answers", family.word());
            Finding::pass(code::NO_FAMILY, EXPECTED, observed)
        }
        (_, true) => {
            let remedy = format!(
                "{NETWORK}: find out why this {} address does not answer; a client that tries it first waits or fails",
                family.word()
            );
            Finding::warn(code::ADDRESS_DEAD, EXPECTED, observed, remedy)
        }
        (_, false) => {
            let remedy = format!(
                "{NETWORK}: allow TCP to this host and port; if it is allowed, ask the host's operator"
            );
            Finding::fail(code::NO_CONNECTION, EXPECTED, observed, remedy)
        }
    }
}

/// With where on the way it stops, as far as its walk tells.
fn walked(attempt: &Attempt, mut finding: Finding) -> Finding {
    if let (Some(walk), Some(stop)) = (&attempt.walk, attempt.stop()) {
        walk.tell(stop, &mut finding.observed, &mut finding.remedy);
    }
    finding
}

fn failed(failure: Failure, detail: &WireText, stranger: Option<&Stranger>) -> Finding {
    const EXPECTED: &str = "a TLS handshake";
    if let Some(stranger) = stranger {
        let observed = format!("{} answers: {}", stranger.protocol, stranger.said);
        let remedy = "check host and port in the policy; if they are right, a proxy or another service answers in \
                      the server's place: ask the network team which";
        return Finding::fail(code::NOT_TLS, EXPECTED, observed, remedy);
    }
    match failure {
        _ if [OLD_VERSION, "ProtocolVersion"].contains(&detail.as_str()) => Finding::fail(
            code::VERSION_REFUSED,
            "TLS 1.2 or 1.3",
            "the server speaks neither",
            "ask the host's operator to turn on TLS 1.2 or 1.3 (older versions are withdrawn: RFC 8996)",
        ),
        Failure::TlsAlert => Finding::fail(
            code::REFUSED,
            EXPECTED,
            format!("the server refuses it: {detail}"),
            "check server name and ALPN in the policy, then ask the host's operator",
        ),
        Failure::Reset | Failure::Closed => {
            let observed = format!("TCP connects, then the handshake is cut off: {failure}");
            Finding::fail(code::KILLED, EXPECTED, observed, KILLER)
        }
        Failure::TimedOut => Finding::fail(
            code::KILLED,
            EXPECTED,
            "TCP connects, then nothing comes back",
            format!("{KILLER}; or large packets are lost on the way (MTU): compare with the path checks"),
        ),
        _ => {
            let observed = if detail.is_empty() { failure.to_string() } else { detail.to_string() };
            Finding::fail(
                code::FAILED,
                EXPECTED,
                observed,
                "ask the host's operator; the reading holds the details",
            )
        }
    }
}

fn session_findings(limits: &Limits, reading: &Reading, session: &Session) -> Vec<Finding> {
    let mut findings = chain::findings(limits, &reading.server_name, &session.identity);
    if let Some(AtLeast(oldest)) = limits.version {
        let (expected, observed) = (format!("{oldest} or newer"), session.version.to_string());
        findings.push(if session.version >= oldest {
            Finding::pass(code::VERSION, expected, observed)
        } else {
            let remedy = format!(
                "ask the host's operator for {oldest}; if a proxy is in between, it is the one to change"
            );
            Finding::fail(code::VERSION_OLD, expected, observed, remedy)
        });
    }
    if let Some(allowed) = &limits.alpn {
        let expected = format!("ALPN: {}", allowed.0.join(" or "));
        let chosen = session.alpn.as_ref().map_or("none", |chosen| chosen.as_str());
        findings.push(if allowed.0.iter().any(|name| name == chosen) {
            Finding::pass(code::ALPN, expected, chosen)
        } else {
            let remedy = "ask the host's operator; a proxy in between often drops ALPN";
            Finding::fail(code::ALPN_OTHER, expected, chosen, remedy)
        });
    }
    if let Some(most) = limits.handshake_ms {
        let (expected, observed) =
            (format!("handshake ≤ {} ms", most.0), format!("{:.0} ms", session.handshake_ms));
        findings.push(if session.handshake_ms <= most.0 {
            Finding::pass(code::HANDSHAKE, expected, observed)
        } else {
            let remedy =
                "network team: look for loss, a long way round or a proxy between here and this host";
            Finding::fail(code::SLOW, expected, observed, remedy)
        });
    }
    findings
}

fn host(reading: &Reading) -> String {
    WireText::from(reading.host.as_str()).to_string()
}

//! Holds what an ingest did against what it should do.

use super::codes;
use super::{Answered, Attempt, End, Limits, Reading};
use crate::model::Publish;
use crate::model::{AtMost, Code, Failure, Family, Finding, IcmpError, WireText, text};
use crate::wire::banner::Protocol;
use crate::wire::firewall::Told;
use crate::wire::rtmp::client::Phase;

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    if let Some(failure) = reading.unresolved {
        let remedy = "check the ingest's name in the policy, then this network's name servers (`dns` checks)";
        return vec![Finding::fail(codes::NO_ADDRESS, expected(reading), failure.words(), remedy)];
    }
    if reading.attempts.is_empty() {
        let observed = "no address was tried";
        let remedy = "run the check again; if it stays so, golive is at fault";
        return vec![Finding::unknown(codes::NO_ADDRESS, expected(reading), observed, remedy)];
    }
    // Where publishing was asked for, an address that was only greeted proves no stream.
    let asked = |attempt: &Attempt| reading.publish == Publish::Never || attempt.media.is_some();
    let works = reading.attempts.iter().any(|attempt| attempt.end == End::Accepted && asked(attempt));
    let mut findings: Vec<Finding> = reading
        .attempts
        .iter()
        .flat_map(|attempt| {
            let outcome = outcome(reading, attempt, works);
            std::iter::once(outcome).chain(interception(attempt))
        })
        .collect();
    findings.extend(timings(limits, reading));
    findings
}

fn expected(reading: &Reading) -> String {
    let what = match reading.publish {
        Publish::Never => "accepts the application",
        Publish::Test => "takes the test stream",
    };
    format!("{} {what}", text::escape(&reading.url))
}

/// `203.0.113.5:1935: `
fn at(attempt: &Attempt) -> String {
    format!("{}: ", attempt.contact.remote)
}

/// What one address did. When another address takes the stream, a failure is a warning.
fn outcome(reading: &Reading, attempt: &Attempt, works: bool) -> Finding {
    let expected = expected(reading);
    if attempt.end == End::Accepted {
        return accepted(expected, attempt);
    }
    let Trouble { code, observed, remedy } = trouble(attempt);
    let to = format!("TCP to {}", attempt.contact.remote);
    let said = (format!("{}{observed}", at(attempt)), remedy.to_owned());
    let (observed, remedy) = walked(attempt, Told::complete(attempt.own_rules.as_ref(), &to, said));
    if !works {
        return Finding::fail(code, expected, observed, remedy);
    }
    // A router that says so is another thing: this machine has an address, and encoders will try it.
    let absent =
        matches!(attempt.end, End::NotConnected { failure: Failure::NetUnreachable, icmp: None, .. });
    if absent {
        let family = Family::of(attempt.contact.remote.ip()).word();
        let observed = format!("{observed} (no {family} here)");
        return Finding::pass(codes::FAMILY_ABSENT, expected, observed);
    }
    Finding::warn(code, expected, observed, format!("{remedy}. Another address of the ingest works"))
}

/// With where on the way it stops, as far as its walk tells.
fn walked(attempt: &Attempt, (mut observed, mut remedy): (String, String)) -> (String, String) {
    if let (Some(walk), Some(stop)) = (&attempt.walk, attempt.stop()) {
        walk.tell(stop, &mut observed, &mut remedy);
    }
    (observed, remedy)
}

fn accepted(expected: String, attempt: &Attempt) -> Finding {
    let server = attempt
        .server
        .as_ref()
        .map(|server| format!("; the server calls itself {server}"))
        .unwrap_or_default();
    match &attempt.media {
        Some(media) => Finding::pass(
            codes::PUBLISHED,
            expected,
            format!(
                "{}took {} pictures, {} bytes in {:.1} s{server}",
                at(attempt),
                media.video_frames,
                media.sent_bytes,
                media.took_ms / 1000.0
            ),
        ),
        None => Finding::pass(
            codes::ACCEPTED,
            expected,
            format!("{}accepted, nothing published{server}", at(attempt)),
        ),
    }
}

struct Trouble {
    code: Code,
    observed: String,
    remedy: &'static str,
}

fn trouble(attempt: &Attempt) -> Trouble {
    let say = |code, observed: String, remedy| Trouble { code, observed, remedy };
    match &attempt.end {
        End::Accepted => say(codes::ACCEPTED, "accepted".to_owned(), ""),
        End::NotConnected { failure, icmp, detail } => {
            let own = icmp.is_some_and(|icmp| icmp.is_from(attempt.contact.local));
            not_connected(*failure, icmp.as_ref(), own, detail)
        }
        End::NotSecured { failure, detail, answered, .. } => not_secured(*failure, detail, answered.as_ref()),
        End::NotRtmp(answered) => {
            let remedy = match answered.protocol {
                Protocol::Tls => "the port speaks TLS: write the URL with rtmps://",
                _ => {
                    "check host and port with the ingest's provider; if they are right, ask the network team whether a proxy answers in the ingest's place"
                }
            };
            say(codes::NOT_RTMP, format!("answers in {}", quote(answered)), remedy)
        }
        End::Refused { phase, code, description } => refused(*phase, code, description),
        End::Closed { phase, reset, received_bytes, after_ms } => {
            let how = if *reset { "reset" } else { "closed" };
            let observed = match phase {
                Phase::Handshake => {
                    format!(
                        "TCP opens, then {how} {after_ms:.0} ms into the RTMP handshake, after {received_bytes} bytes"
                    )
                }
                Phase::Media => format!("consents, then {how} after {:.1} s of media", after_ms / 1000.0),
                _ => format!("{how} {after_ms:.0} ms {}", phase.words()),
            };
            closed(*phase, *received_bytes, observed)
        }
        End::Silent { phase: Phase::Handshake, received_bytes, after_ms } => say(
            codes::SWALLOWED,
            format!("TCP opens, then {received_bytes} bytes in {:.0} s of RTMP handshake", after_ms / 1000.0),
            "ask the network team whether a firewall inspects this port and drops RTMP; compare from another network; fall back to RTMPS on 443",
        ),
        End::Silent { phase: Phase::Media, after_ms, .. } => say(
            codes::STALLED,
            format!("consents, then nothing gets through after {:.1} s of media", after_ms / 1000.0),
            "ask the network team whether something on the way drops long or large sessions, and whether the uplink carries the test card at all; compare from another network",
        ),
        End::Silent { phase, after_ms, .. } => say(
            codes::NO_ANSWER,
            format!("no answer {} for {:.0} s", phase.words(), after_ms / 1000.0),
            "ask the ingest's provider; compare from another network",
        ),
        End::Malformed { phase, problem } => say(
            codes::MALFORMED,
            format!("{problem}, {}", phase.words()),
            "check host and port with the ingest's provider; compare from another network",
        ),
    }
}

const ALLOW: &str = "ask the network team to allow this TCP port to the ingest";

/// `own`: the ICMP error is this machine's own.
fn not_connected(failure: Failure, icmp: Option<&IcmpError>, own: bool, detail: &WireText) -> Trouble {
    // A host resets a closed TCP port; "port unreachable" comes from a filter.
    let filter = icmp.is_some_and(IcmpError::is_port_unreachable);
    let (code, remedy) = match failure {
        Failure::Refused if filter && !own => (codes::PROHIBITED, ALLOW),
        Failure::Prohibited if !own => (codes::PROHIBITED, ALLOW),
        Failure::Refused if !filter => (
            codes::PORT_REFUSED,
            "check that the ingest is running and its port is right; then ask the network team whether a firewall refuses it",
        ),
        Failure::TimedOut => (codes::FILTERED, ALLOW),
        Failure::Refused | Failure::Prohibited | Failure::LocalPolicy => (
            codes::LOCAL,
            "allow this TCP port to the ingest in this machine's own firewall or security software",
        ),
        _ => (
            codes::UNREACHABLE,
            "check this machine's network, routes and firewall rules, then ask the network team",
        ),
    };
    let detail = match icmp {
        Some(icmp) => format!(" ({icmp})"),
        None if detail.is_empty() => String::new(),
        None => format!(" ({detail})"),
    };
    Trouble { code, observed: format!("{failure}{detail}"), remedy }
}

fn not_secured(failure: Failure, detail: &WireText, answered: Option<&Answered>) -> Trouble {
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    match (failure, answered) {
        (_, Some(answered)) => Trouble {
            code: codes::NOT_TLS,
            observed: format!("answers in {}", quote(answered)),
            remedy: match answered.protocol {
                Protocol::Rtmp => {
                    "the port speaks RTMP without TLS: write the URL with rtmp://, or find the ingest's RTMPS port"
                }
                _ => {
                    "check host and port with the ingest's provider; if they are right, ask the network team whether a proxy answers in the ingest's place"
                }
            },
        },
        (Failure::Untrusted, None) => Trouble {
            code: codes::UNTRUSTED,
            observed: format!("{failure}{detail}"),
            remedy: "do not send a stream key there; ask the network team whether a proxy inspects TLS, and the provider whether the certificate is right",
        },
        _ => Trouble {
            code: codes::TLS_FAILED,
            observed: format!("TCP opens, then TLS: {failure}{detail}"),
            remedy: "check that the port is the ingest's RTMPS port; then ask the network team whether a firewall blocks this TLS server name",
        },
    }
}

fn closed(phase: Phase, received: u64, observed: String) -> Trouble {
    let (code, remedy) = match phase {
        Phase::Handshake if received == 0 => (
            codes::KILLED,
            "ask the network team whether a firewall inspects this port and blocks RTMP; compare from another network; fall back to RTMPS on 443",
        ),
        Phase::Handshake => {
            (codes::MALFORMED, "check host and port with the ingest's provider; compare from another network")
        }
        Phase::Connect | Phase::Connected => {
            (codes::APP_CLOSED, "check the application (the URL's path) with the ingest's provider")
        }
        Phase::CreateStream | Phase::Publish => {
            (codes::PUBLISH_CLOSED, "check the test key, and whether the account may go live")
        }
        Phase::Media => (
            codes::CUT,
            "check the test key, and whether the account may go live: some servers consent first and refuse then",
        ),
    };
    Trouble { code, observed, remedy }
}

fn refused(phase: Phase, code: &WireText, description: &WireText) -> Trouble {
    let observed = match (code.is_empty(), description.is_empty()) {
        (true, true) => format!("refused {} without a reason", phase.words()),
        (false, true) => format!("refused: {code}"),
        _ => format!("refused: {code} “{description}”"),
    };
    let (code, remedy) = match phase {
        Phase::Handshake | Phase::Connect | Phase::Connected => {
            (codes::APP_REFUSED, "check the application (the URL's path) with the ingest's provider")
        }
        _ if code.as_str() == "NetStream.Publish.BadName" => (
            codes::KEY_IN_USE,
            "stop the encoder that already publishes under this key, or get another test key",
        ),
        Phase::CreateStream | Phase::Publish => {
            (codes::PUBLISH_REFUSED, "check the test key, and whether the account may go live")
        }
        Phase::Media => (codes::CUT, "check the test key, and whether the account may go live"),
    };
    Trouble { code, observed, remedy }
}

/// `HTTP: “HTTP/1.1 400 Bad Request”`: what answered, and if it is text, its first line.
fn quote(answered: &Answered) -> String {
    if matches!(answered.protocol, Protocol::Tls | Protocol::Rtmp | Protocol::Rdp) {
        return answered.protocol.to_string();
    }
    let first = answered.first.as_str();
    let line = first.split("\\u{d}").next().unwrap_or_default().split("\\u{a}").next().unwrap_or_default();
    let short: String = line.chars().take(80).collect();
    format!("{}: “{short}”", answered.protocol)
}

/// A chain that this machine alone trusts.
fn interception(attempt: &Attempt) -> Option<Finding> {
    let identity = &attempt.tls.as_ref()?.identity;
    if !identity.intercepted() {
        return None;
    }
    let issuer = identity.leaf().map(|leaf| leaf.issuer.as_str()).unwrap_or_default();
    Some(Finding::fail(
        codes::INTERCEPTED,
        "a certificate that the public authorities sign",
        format!("{}signed by {issuer}, which only this machine trusts", at(attempt)),
        "ask the network team to exempt the ingest from TLS inspection; if the ingest is in-house with an authority of its own, waive this",
    ))
}

/// How long a phase took with one address.
type Time = fn(&Attempt) -> Option<f64>;

/// The slowest address of each phase that has a limit.
fn timings(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let phases: [(&str, &Option<AtMost<f64>>, Time); 5] = [
        ("TCP handshake", &limits.tcp_ms, |attempt| {
            (!matches!(attempt.end, End::NotConnected { .. })).then_some(attempt.contact.took_ms)
        }),
        ("TLS handshake", &limits.tls_ms, |attempt| Some(attempt.tls.as_ref()?.handshake_ms)),
        ("RTMP handshake", &limits.handshake_ms, |attempt| attempt.handshake_ms),
        ("connect", &limits.connect_ms, |attempt| attempt.connect_ms),
        ("publish", &limits.publish_ms, |attempt| attempt.publish_ms),
    ];
    let timing = |(name, limit, time): (&str, &Option<AtMost<f64>>, Time)| {
        let limit = limit.as_ref()?.0;
        let slowest = reading.attempts.iter().filter_map(|attempt| Some((time(attempt)?, attempt)));
        let (ms, attempt) = slowest.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        let expected = format!("{name} ≤ {limit} ms");
        let observed = format!("{}{ms:.1} ms", at(attempt));
        Some(if ms <= limit {
            Finding::pass(codes::IN_TIME, expected, observed)
        } else {
            let remedy = "compare from another network and with the ingest's nearest location; ask the network team about proxies and inspection on this path";
            Finding::fail(codes::SLOW, expected, observed, remedy)
        })
    };
    phases.into_iter().filter_map(timing).collect()
}

//! Holds what a session did against the limits.

use super::{EXPECTED, Said, in_brackets};
use crate::model::{Failure, Finding};
use crate::net::turn::Stopped;
use crate::probe::whip::reading::{
    Barred, Call, CallEnd, Candidate, Cut, Deleted, Flow, Media, Relayed, Report,
};
use crate::probe::whip::{Limits, codes};

/// A receiver reports once a second or so: this long without anything new means that nothing new came.
const STALE_MS: f64 = 3_500.0;

pub(super) fn judge(limits: &Limits, call: &Call) -> Vec<Finding> {
    let mut findings = vec![outcome(call)];
    findings.extend(barred_beside(call));
    findings.extend(left_open(call));
    if let (Some(limit), Some(took)) = (&limits.connect_ms, call.connected_ms) {
        let (expected, observed) =
            (format!("media may flow ≤ {} ms after the offer", limit.0), format!("{took:.0} ms"));
        findings.push(if took <= limit.0 {
            Finding::pass(codes::IN_TIME, expected, observed)
        } else {
            let remedy = "compare from another network and with the provider's nearest location";
            Finding::fail(codes::SLOW, expected, observed, remedy)
        });
    }
    if let Some(media) = &call.media {
        findings.extend(limits.round_trip_ms.as_ref().map(|limit| round_trip(limit.0, call, media)));
        findings.extend(limits.loss_percent.as_ref().map(|limit| loss(limit.0, media)));
    }
    findings
}

/// No media address answered, and it was tried once more through a relay: what came of that counts.
pub(super) fn relayed(limits: &Limits, direct: &Call, relayed: &Relayed) -> Vec<Finding> {
    let Some(call) = &relayed.call else {
        let Said { observed, .. } = not_connected(direct);
        let why = relayed.stopped.as_ref().map_or_else(|| "no answer to the offer".to_owned(), stopped);
        let remedy = format!(
            "network team: allow UDP to the addresses named, or {:?} {} to {} for TURN; check its user and credential",
            relayed.url.over, relayed.url.port, relayed.url.host
        );
        let said =
            Said::new(codes::RELAY_FAILED, format!("{observed}; through {}: {why}", relayed.url), remedy);
        return std::iter::once(said.fail()).chain(left_open(direct)).collect();
    };
    let mut findings = Vec::new();
    if call.end == CallEnd::Sent {
        let Said { code, observed, remedy } = not_connected(direct);
        let observed = format!("{observed} ({}); through {} it works", code.id, relayed.url);
        let remedy = format!("set the encoder to this TURN server, or {remedy}");
        findings.push(Finding::warn(codes::ONLY_RELAYED, EXPECTED, observed, remedy));
    }
    findings.extend(left_open(direct));
    findings.extend(judge(limits, call));
    findings
}

/// Why a TURN server lent no address.
fn stopped(stopped: &Stopped) -> String {
    match stopped {
        Stopped::Unreached { failure, detail, .. } | Stopped::NotSecured { failure, detail, .. } => {
            format!("{failure}{}", in_brackets(detail.as_str()))
        }
        Stopped::Closed { failure } => failure.to_string(),
        Stopped::Silent => "no answer".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A session that may still stand at the server.
pub(super) fn left_open(call: &Call) -> Option<Finding> {
    let observed = match &call.deleted {
        // A session that has ended by itself is no longer known.
        Deleted::Done | Deleted::Refused { status: 404 | 410 } => return None,
        Deleted::Unnamed => "the answer names no session (Location)".to_owned(),
        Deleted::Elsewhere => "the session is at a host that the policy does not name".to_owned(),
        Deleted::Refused { status } => format!("DELETE was answered with {status}"),
        Deleted::Unanswered { failure } => format!("DELETE: {failure}"),
    };
    let remedy =
        "see that the test key's channel is empty again; name the session's host in the target's `hosts`";
    Some(Finding::warn(codes::NOT_DELETED, "the server ends the session when asked", observed, remedy))
}

fn outcome(call: &Call) -> Finding {
    let whoever = "ask whoever runs the endpoint";
    let said = match &call.end {
        CallEnd::Sent => return sent(call),
        CallEnd::BadAnswer { problem } => {
            Said::new(codes::NOT_WHIP, format!("the answer to the offer is of no use: {problem}"), whoever)
        }
        CallEnd::NoCodec { codec } => Said::new(
            codes::NO_CODEC,
            format!("the server takes no {codec}"),
            format!("{whoever} which codecs it takes, and set the encoder to them"),
        ),
        CallEnd::NoCandidate => Said::new(
            codes::NO_CANDIDATE,
            format!("no UDP address to ask{}", others(call)),
            format!(
                "{whoever}: its own address must stand in the answer, not a name or one of its inside network"
            ),
        ),
        CallEnd::NotConnected => not_connected(call),
        CallEnd::NotSecured { detail } => Said::new(
            codes::DTLS_FAILED,
            format!(
                "a media address answers ICE, and DTLS does not come to its end{}",
                in_brackets(detail.as_str())
            ),
            "ask the network team whether a firewall inspects UDP and lets only STUN pass; compare from another network",
        ),
        CallEnd::Cut { how, detail } => cut(call, *how, detail.as_str()),
    };
    said.fail()
}

fn cut(call: &Call, how: Cut, detail: &str) -> Said {
    let after = call.media.map_or(0.0, |media| media.took_ms / 1000.0);
    let (how, remedy) = match how {
        Cut::Closed => (
            "the server ended the session",
            "check the test key, and whether the account may go live: some servers consent first and refuse then",
        ),
        Cut::Silent => (
            "the server's address stopped answering",
            "ask the network team whether a firewall ends UDP flows; compare from another network",
        ),
        Cut::Broken => ("the session broke", "run the check again; compare from another network"),
    };
    Said::new(codes::CUT, format!("{how} after {after:.1} s of media{}", in_brackets(detail)), remedy)
}

/// `; 2 over TCP, 1 that could not be asked`
fn others(call: &Call) -> String {
    let tcp = (call.tcp_candidates > 0).then(|| format!("{} over TCP, not tried", call.tcp_candidates));
    let passed = (call.passed_over > 0).then(|| format!("{} that cannot be asked", call.passed_over));
    let both: Vec<String> = tcp.into_iter().chain(passed).collect();
    if both.is_empty() { String::new() } else { format!("; {}", both.join(", ")) }
}

fn not_connected(call: &Call) -> Said {
    let ports: Vec<String> = call.candidates.iter().map(|candidate| candidate.address.to_string()).collect();
    let listed = ports.join(", ");
    let allow = format!("network team: allow UDP to {listed} and the answers back{}", ways_round(call));
    let barred: Vec<(&Candidate, &Barred)> = call
        .candidates
        .iter()
        .filter_map(|candidate| Some((candidate, candidate.unreached.as_ref()?)))
        .collect();
    let Some((candidate, first)) = barred.first().filter(|_| barred.len() == call.candidates.len()) else {
        let sent: u64 = call.candidates.iter().map(|candidate| candidate.sent).sum();
        // The server asks, too; its questions may come through where ours do not get out.
        let received: u64 = call.candidates.iter().map(|candidate| candidate.received).sum();
        let asks = if received > 0 { ", though its own checks arrive: ours do not get out" } else { "" };
        let observed = format!("no answer from {listed} to {sent} datagrams of ICE{asks}{}", others(call));
        return Said::new(codes::ICE_SILENT, observed, allow);
    };
    let observed = format!("{}: {}{}", candidate.address, first.failure, in_brackets(first.detail.as_str()));
    if first.failure == Failure::LocalPolicy {
        return Said::new(
            codes::LOCAL,
            observed,
            "allow UDP in this machine's own firewall or security software",
        );
    }
    Said::new(codes::ICE_BARRED, observed, allow)
}

fn ways_round(call: &Call) -> &'static str {
    let turn = call.servers.iter().any(|server| server.as_str().starts_with("turn"));
    match (turn, call.tcp_candidates > 0) {
        (true, _) => "; the endpoint names a TURN server: an encoder that uses it may get through",
        (_, true) => "; the server takes ICE over TCP, too: an encoder that uses it may get through",
        _ => "",
    }
}

/// When media flows, a candidate that cannot be reached is no trouble; one of this machine's rules is told.
fn barred_beside(call: &Call) -> Option<Finding> {
    call.media?;
    let local = |candidate: &&Candidate| {
        candidate.unreached.as_ref().is_some_and(|barred| barred.failure == Failure::LocalPolicy)
    };
    let candidate = call.candidates.iter().find(local)?;
    let remedy = "another media address works, but the encoder may pick this one";
    Some(Finding::warn(codes::LOCAL, EXPECTED, candidate.address.to_string(), remedy))
}

/// Media was sent to the end: did it arrive?
fn sent(call: &Call) -> Finding {
    let Some(media) = &call.media else {
        return Finding::unknown(codes::UNREPORTED, EXPECTED, "nothing was sent", "run the check again");
    };
    let seconds = media.took_ms / 1000.0;
    let flows = [("pictures", media.pictures), ("sound", media.sound)];
    if flows.iter().all(|(_, flow)| flow.report.is_none()) {
        let remedy = "run the check again with more `media_seconds`; ask whoever runs the endpoint whether the stream shows";
        let observed = format!("{seconds:.1} s sent, no receiver report (RTCP) came");
        return Finding::unknown(codes::UNREPORTED, EXPECTED, observed, remedy);
    }
    let stale = |report: &Report| media.took_ms - report.moved_ms > STALE_MS;
    let lost = flows.iter().find_map(|(name, flow)| match &flow.report {
        None => Some(format!("{seconds:.1} s sent, and of the {name} nothing is reported to arrive")),
        Some(report) if stale(report) => Some(format!(
            "the {name} stopped arriving after {:.1} of {seconds:.1} s",
            report.moved_ms / 1000.0
        )),
        Some(_) => None,
    });
    if let Some(observed) = lost {
        let remedy = "ask the network team whether UDP is policed or large packets are dropped (a `path` check tells the path MTU)";
        return Said::new(codes::MEDIA_LOST, observed, remedy).fail();
    }
    let to = call.pair.map(|pair| format!(" to {}", pair.remote)).unwrap_or_default();
    let (lost, packets) = missing(media);
    let observed = format!("{seconds:.1} s{to}: {packets} packets, {lost} missing at the receiver");
    Finding::pass(codes::PUBLISHED, EXPECTED, observed)
}

/// Packets that the receiver misses, of those sent.
fn missing(media: &Media) -> (u64, u64) {
    let lost = |flow: Flow| flow.report.map_or(0, |report| report.lost_packets);
    (lost(media.pictures) + lost(media.sound), media.pictures.packets + media.sound.packets)
}

fn round_trip(limit: f64, call: &Call, media: &Media) -> Finding {
    let reported = [media.pictures, media.sound].into_iter().filter_map(|flow| flow.report?.round_trip_ms);
    let checked = call.pair.and_then(|pair| pair.round_trip_ms);
    let (expected, remedy) =
        (format!("≤ {limit} ms"), "find what delays UDP, or take a nearer location of the provider");
    match (reported.reduce(f64::max), checked) {
        (Some(took), _) | (None, Some(took)) if took <= limit => {
            Finding::pass(codes::ROUND_TRIP, expected, format!("{took:.1} ms"))
        }
        (Some(took), _) | (None, Some(took)) => {
            Finding::fail(codes::ROUND_TRIP_LONG, expected, format!("{took:.1} ms"), remedy)
        }
        (None, None) => {
            let remedy = "run the check again with more `media_seconds`";
            Finding::unknown(codes::UNREPORTED, expected, "nothing told the round trip", remedy)
        }
    }
}

fn loss(limit: f64, media: &Media) -> Finding {
    let expected = format!("≤ {limit} %");
    let (lost, packets) = missing(media);
    if packets == 0 || media.pictures.report.is_none() || media.sound.report.is_none() {
        let remedy = "run the check again with more `media_seconds`";
        return Finding::unknown(codes::UNREPORTED, expected, "the receiver did not report on all", remedy);
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousand packets")]
    let percent = lost as f64 * 100.0 / packets as f64;
    let observed = format!("{percent:.2} % ({lost} of {packets} packets)");
    if percent <= limit {
        return Finding::pass(codes::LOSS, expected, observed);
    }
    let remedy = "find where UDP is lost (`path` and `upload` checks, a wired line); ask the network team about policing";
    Finding::fail(codes::LOSS_HIGH, expected, observed, remedy)
}

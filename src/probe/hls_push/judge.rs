//! Holds what became of each file against how long it plays.

use super::codes;
use super::{Answer, Head, Limits, Push, Reading, What};
use crate::model::{Code, Failure, Finding, WireText};
use crate::net::proxy::Connect;
use crate::net::viewer::Ended;

const NETWORK: &str = "network team";
const SERVER: &str = "whoever runs the server or the platform's account";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let mut findings = vec![taken(reading)];
    findings.extend(in_time(limits, reading));
    findings.extend(interception(reading));
    findings.extend(deleted(reading));
    findings
}

fn of(reading: &Reading, what: What) -> impl Iterator<Item = &Push> + Clone {
    reading.pushes.iter().filter(move |push| push.what == what)
}

fn expected(reading: &Reading) -> String {
    format!(
        "{} takes {} segments with their playlist ({})",
        host(reading),
        reading.planned,
        reading.verb.word()
    )
}

fn host(reading: &Reading) -> &str {
    reading.url.site().host()
}

/// What was asked of the server, as far as it went.
fn taken(reading: &Reading) -> Finding {
    let expected = expected(reading);
    let stopped = reading.pushes.iter().find(|push| push.what != What::Delete && !push.is_taken());
    let segments = of(reading, What::Segment).filter(|push| push.is_taken());
    let count = segments.clone().count();
    if let Some(push) = stopped {
        let what = match push.what {
            What::Segment => format!("segment {} ({} bytes)", count + 1, push.bytes),
            _ => "the playlist".to_owned(),
        };
        let (code, observed, remedy) = match &push.answer {
            Answer::None(ended) => unanswered(reading, push, ended),
            Answer::Http(head) => refused(reading, head),
        };
        return Finding::fail(code, expected, format!("{what}: {observed}"), remedy);
    }
    if count < usize::try_from(reading.planned).unwrap_or(usize::MAX) {
        let remedy = "run the check again; if it stays so, golive is at fault";
        return Finding::unknown(
            codes::ERROR,
            expected,
            format!("only {count} segments were pushed"),
            remedy,
        );
    }
    let bytes: u64 = segments.map(|push| push.bytes).sum();
    let lists = of(reading, What::Playlist).count();
    let connections = reading.pushes.iter().filter(|push| push.what != What::Delete && !push.kept).count();
    let over =
        if connections == 1 { "one connection".to_owned() } else { format!("{connections} connections") };
    let observed = format!("{count} segments ({bytes} bytes) and {lists} playlists over {over}");
    Finding::pass(codes::TAKES, expected, observed)
}

/// Code, what was observed, and what to do.
fn unanswered(reading: &Reading, push: &Push, ended: &Ended) -> (Code, String, String) {
    let host = host(reading);
    let after = if matches!(ended, Ended::Unanswered { .. }) {
        format!(" after {:.1} s", push.took_ms / 1000.0)
    } else {
        String::new()
    };
    let observed = format!("{ended}{after}");
    let compare = "compare with another network";
    let (code, remedy) = match ended {
        Ended::NoAddress { .. } => {
            (codes::NO_ADDRESS, format!("{NETWORK}: make {host} resolve here (see the dns checks)"))
        }
        Ended::NotConnected { .. } => (
            codes::NO_CONNECTION,
            format!(
                "{NETWORK}: allow TCP {} to {host}, or name the proxy on this machine",
                reading.url.site().port()
            ),
        ),
        Ended::Proxy(Connect::NotAsked { .. }) => {
            (codes::PROXY, "name an HTTP proxy: golive does not speak SOCKS".to_owned())
        }
        Ended::Proxy(_) => (codes::PROXY, format!("{NETWORK}: let the proxy pass {host} on")),
        Ended::Tls { failure: Failure::Untrusted, .. } => (
            codes::UNTRUSTED,
            format!("{NETWORK}: exempt {host} from TLS inspection; else {SERVER}: mend the certificate"),
        ),
        Ended::Tls { nameless: Some(true), .. } => (
            codes::NAME_KILLED,
            format!("{NETWORK}: allow {host} in the filter that reads server names (SNI)"),
        ),
        Ended::Tls { .. } => {
            (codes::TLS_FAILED, format!("{NETWORK}: look at firewall and web filter for {host}; {compare}"))
        }
        Ended::Unanswered { failure: Failure::TimedOut, .. } => (
            codes::SILENT,
            format!(
                "{NETWORK}: does a proxy hold uploads back to scan them, or is the line too thin (see upload)? {compare}"
            ),
        ),
        Ended::Unanswered { failure: Failure::WrongProtocol, .. } => (
            codes::NOT_HTTP,
            format!("check host and port; else {NETWORK}: what answers in place of {host}?"),
        ),
        Ended::Unanswered { .. } => (
            codes::CUT,
            format!(
                "{NETWORK}: what ends uploads to {host}: data loss prevention, a size or time limit? {compare}"
            ),
        ),
    };
    (code, observed, remedy)
}

fn refused(reading: &Reading, head: &Head) -> (Code, String, String) {
    let verb = reading.verb.word();
    let words = beginning(&head.body);
    let observed = format!("{} {}{words}", head.status, head.reason);
    if let Some(product) = &head.product {
        let remedy = format!("{NETWORK}: allow {verb} to {} in the web filter", host(reading));
        return (codes::PAGE, format!("{observed}; it looks like {product}"), remedy);
    }
    let (code, remedy) = match head.status {
        200..=299 => (
            codes::PAGE,
            format!(
                "open the address in a browser here: if a block or sign-in page comes, {NETWORK}: let it pass; else check it with {SERVER}"
            ),
        ),
        300..=399 => {
            let to = head.location.as_ref().map_or_else(String::new, |to| format!(" to {to}"));
            let remedy = format!(
                "if that is right, name the address in the policy; a sign-in page is the {NETWORK}'s"
            );
            return (codes::MOVED, format!("{observed}{to}"), remedy);
        }
        401 | 403 => (
            codes::UNAUTHORISED,
            format!(
                "check the test key with {SERVER}, and whether it takes uploads from this network's address"
            ),
        ),
        404 | 409 | 410 => (codes::UNKNOWN, format!("check the address in the policy with {SERVER}")),
        405 | 501 => (
            codes::NO_PUT,
            format!(
                "set `verb` to `put` or `post` as {SERVER} says, or check the address; a web filter may forbid {verb}, too"
            ),
        ),
        407 => (
            codes::PROXY,
            format!("{NETWORK}: the proxy wants a name and password, which encoders cannot give"),
        ),
        413 => (
            codes::TOO_LARGE,
            format!("{NETWORK} or {SERVER}: allow bodies of a segment's size (nginx: client_max_body_size)"),
        ),
        511 => {
            (codes::PORTAL, "whoever runs this machine: sign in to the network, then check again".to_owned())
        }
        _ => (codes::ERROR, format!("{SERVER}: look at the server's log; compare with another network")),
    };
    (code, observed, remedy)
}

fn beginning(body: &WireText) -> String {
    let start: String = body.as_str().chars().take(60).collect();
    if start.is_empty() { start } else { format!(": {start}") }
}

/// The slowest segment against how long it plays. An encoder that is behind never catches up by itself.
fn in_time(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let share = limits.segment_share.map_or(1.0, |share| share.0);
    #[expect(clippy::cast_precision_loss, reason = "two seconds")]
    let plays = reading.segment_ms as f64;
    let segments = of(reading, What::Segment).filter(|push| push.is_taken());
    let slowest = segments.max_by(|one, other| one.took_ms.total_cmp(&other.took_ms))?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of a segment")]
    let rate = slowest.bytes as f64 * 8.0 / slowest.took_ms.max(0.001) / 1000.0;
    let limit = plays * share;
    let expected =
        format!("≤ {limit:.0} ms for a segment that plays {plays:.0} ms at {} kb/s", reading.media_kbps);
    let observed = format!("the slowest took {:.0} ms ({rate:.1} Mb/s)", slowest.took_ms);
    Some(if slowest.took_ms <= limit {
        Finding::pass(codes::IN_TIME, expected, observed)
    } else {
        let remedy = format!(
            "send at a lower bit rate, or {NETWORK}: find what holds uploads up (the upload and path checks tell line from proxy)"
        );
        Finding::fail(codes::LATE, expected, observed, remedy)
    })
}

/// A chain that this machine alone trusts: encoders that bring their own roots will not.
fn interception(reading: &Reading) -> Option<Finding> {
    let identity = reading.pushes.iter().find_map(|push| Some(&push.session.as_ref()?.identity))?;
    if !identity.intercepted() {
        return None;
    }
    let issuer = identity.leaf().map(|leaf| leaf.issuer.as_str()).unwrap_or_default();
    let host = host(reading);
    Some(Finding::fail(
        codes::INTERCEPTED,
        "a certificate that the public authorities sign",
        format!("{host}: signed by {issuer}, which only this machine trusts"),
        format!(
            "{NETWORK}: exempt {host} from TLS inspection; for a server of the company's own, waive this"
        ),
    ))
}

/// A file that was never there is as good as deleted.
fn deleted(reading: &Reading) -> Option<Finding> {
    let all = of(reading, What::Delete).count();
    if all == 0 {
        return None;
    }
    let gone = |push: &&Push| {
        push.is_taken() || matches!(&push.answer, Answer::Http(head) if matches!(head.status, 404 | 410))
    };
    let failed = of(reading, What::Delete).find(|push| !gone(push));
    let expected = "the files of the test are deleted";
    Some(match failed {
        None => Finding::pass(codes::DELETED, expected, format!("{all} files deleted")),
        Some(push) => {
            let why = match &push.answer {
                Answer::Http(head) => format!("{} {}", head.status, head.reason),
                Answer::None(ended) => ended.to_string(),
            };
            let remedy = format!(
                "delete the files `golive-…` by hand, or leave `delete` out; {SERVER} may allow DELETE"
            );
            Finding::warn(codes::NOT_DELETED, expected, why, remedy)
        }
    })
}

//! Holds what the endpoint said against what an encoder needs.

mod call;

use super::Limits;
use super::codes;
use super::reading::{Answered, Attempt, Call, CallEnd, End, Reading};
use crate::model::{Code, Failure, Finding, Publish};

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let mut findings = Vec::new();
    let answers = reading.attempts.iter().any(|attempt| matches!(attempt.end, End::Answered(_)));
    for attempt in &reading.attempts {
        findings.extend(intercepted(attempt));
        let Some(said) = missed(attempt) else { continue };
        findings.push(if answers {
            let remedy = format!("{}. Another address of the endpoint works", said.remedy);
            Finding::warn(said.code, EXPECTED, said.observed, remedy)
        } else {
            said.fail()
        });
    }
    if let Some(failure) = reading.lookup {
        let observed = format!("{}: {failure}", host(reading));
        let remedy = "check the name in the policy, then this network's name servers (`dns` checks)";
        findings.push(Finding::fail(codes::NO_ADDRESS, EXPECTED, observed, remedy));
        return findings;
    }
    let last = reading.attempts.last();
    match (&reading.call, last) {
        (Some(call), _) if !is_offer_unanswered(call, last) => match &reading.relayed {
            Some(relayed) => findings.extend(call::relayed(limits, call, relayed)),
            None => findings.extend(call::judge(limits, call)),
        },
        (_, Some(Attempt { end: End::Answered(answered), .. })) => {
            findings.push(said(reading, answered));
            findings.extend(reading.call.as_ref().and_then(call::left_open));
        }
        (_, Some(_)) => {}
        (_, None) => {
            let remedy = "run the check again; if it stays so, golive is at fault";
            findings.push(Finding::unknown(codes::NO_ADDRESS, EXPECTED, "no address was tried", remedy));
        }
    }
    findings
}

const EXPECTED: &str = "a WHIP endpoint takes a stream from here";

/// Code, what was observed, and what to do.
struct Said {
    code: Code,
    observed: String,
    remedy: String,
}

impl Said {
    fn new(code: Code, observed: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, observed: observed.into(), remedy: remedy.into() }
    }

    fn fail(self) -> Finding {
        Finding::fail(self.code, EXPECTED, self.observed, self.remedy)
    }
}

/// Whether what came back after an offer is no answer to it at all.
fn is_offer_unanswered(call: &Call, last: Option<&Attempt>) -> bool {
    let body = match last.map(|attempt| &attempt.end) {
        Some(End::Answered(answered)) => !answered.body.is_empty(),
        _ => false,
    };
    body && matches!(call.end, CallEnd::BadAnswer { .. })
}

fn host(reading: &Reading) -> String {
    reading.url.to_string()
}

/// A chain that this machine alone trusts.
fn intercepted(attempt: &Attempt) -> Option<Finding> {
    let identity = &attempt.tls.as_ref()?.identity;
    if !identity.intercepted() {
        return None;
    }
    let issuer = identity.leaf().map(|leaf| leaf.issuer.as_str()).unwrap_or_default();
    let said = Said::new(
        codes::INTERCEPTED,
        format!("{}: signed by {issuer}, which only this machine trusts", attempt.contact.remote),
        "network team: exempt the endpoint from TLS inspection; if it is in-house with an authority of its own, waive this",
    );
    Some(said.fail())
}

/// An attempt that got no answer over HTTP.
fn missed(attempt: &Attempt) -> Option<Said> {
    let at = attempt.contact.remote;
    let allow = format!("network team: allow TCP {} to this address", at.port());
    Some(match &attempt.end {
        End::Answered(_) => return None,
        End::NotConnected { failure, icmp, detail } => {
            let own = icmp.is_some_and(|icmp| icmp.is_from(attempt.contact.local));
            let words = icmp.map_or_else(|| detail.to_string(), |icmp| icmp.to_string());
            let observed = format!("{at}: {failure}{}", in_brackets(&words));
            match failure {
                Failure::LocalPolicy | Failure::Prohibited if own || *failure == Failure::LocalPolicy => {
                    Said::new(
                        codes::LOCAL,
                        observed,
                        "allow it in this machine's own firewall or security software",
                    )
                }
                Failure::Refused => Said::new(
                    codes::NOT_CONNECTED,
                    observed,
                    "ask whoever runs the endpoint for its port, then the network team whether a firewall refuses it",
                ),
                _ => Said::new(codes::NOT_CONNECTED, observed, allow),
            }
        }
        End::NotSecured { failure: Failure::Untrusted, detail, .. } => Said::new(
            codes::UNTRUSTED,
            format!("{at}: {}{}", Failure::Untrusted, in_brackets(detail.as_str())),
            "do not send the key there; ask the network team whether TLS is inspected, and the provider whether the certificate is right",
        ),
        End::NotSecured { failure, detail, .. } => Said::new(
            codes::TLS_FAILED,
            format!("{at}: TCP opens, then TLS: {failure}{}", in_brackets(detail.as_str())),
            "check the port; then ask the network team whether a firewall blocks this TLS server name",
        ),
        End::Unanswered { failure, detail } => Said::new(
            codes::UNANSWERED,
            format!("{at}: the request got no answer: {failure}{}", in_brackets(detail.as_str())),
            "ask whoever runs the endpoint; compare from another network",
        ),
    })
}

fn in_brackets(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" ({words})") }
}

/// An answer over HTTP that opened no session.
fn said(reading: &Reading, answered: &Answered) -> Finding {
    let Answered { status, reason, .. } = answered;
    let observed = format!("{status} {reason}{}", quoted(answered));
    if let Some(product) = &answered.product {
        let remedy = "network team: allow the endpoint in the web filter, or sign in to the portal";
        return Said::new(codes::NOT_WHIP, format!("{observed}; looks like {product}"), remedy).fail();
    }
    if reading.publish == Publish::Never && (*status < 300 || matches!(status, 401 | 403 | 405)) {
        return asked_only(answered, &observed);
    }
    let (code, remedy) = match status {
        300..=399 => return moved(answered, &observed),
        401 | 403 => (
            codes::UNAUTHORISED,
            "check the test key, and whether the account may publish; ask the network team if the words are a proxy's",
        ),
        400 | 406 | 409 | 413 | 415 | 422 | 429 => (
            codes::REFUSED,
            "read the server's words; a key that is in use refuses, too: stop the other encoder or take another test key",
        ),
        500..=599 => (codes::SERVER_FAILED, "ask whoever runs the endpoint; then run the check again"),
        _ => (
            codes::NOT_WHIP,
            "check the address with whoever runs the endpoint: WHIP answers an offer with 201 and SDP",
        ),
    };
    Said::new(code, observed, remedy).fail()
}

/// Nothing was offered: the endpoint's own word is what there is.
fn asked_only(answered: &Answered, observed: &str) -> Finding {
    match answered.takes_offers {
        Some(true) => Finding::pass(
            codes::ANSWERS,
            EXPECTED,
            format!("{observed}, takes application/sdp; nothing was offered"),
        ),
        Some(false) => {
            let remedy = "check the address with whoever runs the endpoint";
            Said::new(codes::NOT_WHIP, format!("{observed}, and takes no application/sdp"), remedy).fail()
        }
        None => {
            let remedy = "set `publish = \"test\"` with a test key: only an offer shows it";
            Finding::unknown(codes::UNPROVEN, EXPECTED, format!("{observed}, no word of SDP"), remedy)
        }
    }
}

fn moved(answered: &Answered, observed: &str) -> Finding {
    let to = answered.location.as_ref().map_or("nowhere", |to| to.as_str());
    let why = if answered.followed { "and on and on" } else { "not followed" };
    let remedy = if matches!(answered.status, 307 | 308) {
        "name that host in the target's `hosts`, if the key may go there"
    } else {
        "write that address into the policy, if it is the endpoint: this status does not carry an offer along"
    };
    Said::new(codes::MOVED, format!("{observed}, to {to}: {why}"), remedy).fail()
}

/// `: "such a stream is unknown"`
fn quoted(answered: &Answered) -> String {
    if answered.body.is_empty() { String::new() } else { format!(": \"{}\"", answered.body) }
}

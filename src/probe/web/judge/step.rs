//! What went wrong with a request, and who can mend it.

use super::{NETWORK, PUBLISHER, asked, code};
use crate::model::{Code, Failure, Finding, Special, WireText};
use crate::net::proxy::Connect;
use crate::net::viewer::{Ended, Way};
use crate::probe::web::{Answer, Head, Reading, Step, What};
use crate::wire::dns::block_pages;

/// What the last request came to, if that is trouble. A stream that came is not in trouble when only its
/// list could not be had once more.
pub(super) fn trouble(reading: &Reading) -> Option<Finding> {
    let step = reading.steps.iter().rfind(|step| step.what != What::SecondLook)?;
    let expected = asked(reading);
    match &step.answer {
        Answer::Unnamed => Some(unnamed(reading, step, expected)),
        Answer::None(ended) => Some(none(step, ended, expected)),
        Answer::Page(head) => page(reading, step, head, expected),
    }
}

/// What came, for a person.
pub(super) fn came(step: &Step) -> String {
    let Answer::Page(head) = &step.answer else { return String::new() };
    let kind = head.content_type.as_ref().map_or_else(String::new, |kind| format!(" of {kind}"));
    let more = match (head.whole, head.cut) {
        (true, _) => "",
        (false, true) => ", then it was cut off",
        (false, false) => " and more",
    };
    format!("{}: {} from {}, {} bytes{more}{kind}", head.status, step.what.words(), step.host, head.bytes)
}

/// A certificate that browsers warn of, whatever came behind it.
pub(super) fn untrusted(reading: &Reading) -> Option<Finding> {
    let step = reading.steps.iter().find(|step| {
        let identity = step.session.as_ref().map(|session| &session.identity);
        identity.is_some_and(|identity| !identity.trusted_here() || !identity.name_matches)
    })?;
    let identity = &step.session.as_ref()?.identity;
    let leaf = identity.leaf();
    let said = leaf.map_or_else(
        || "nothing that can be read".to_owned(),
        |leaf| format!("made out to {}, by {}", leaf.subject, leaf.issuer),
    );
    let remedy = format!(
        "{NETWORK}: if a filter signs its block page so, let the host pass; if an inspecting proxy does, put its \
         authority into this machine's store; else {PUBLISHER}: mend the certificate"
    );
    let expected = format!("a certificate for {} that browsers here trust", step.host);
    Some(Finding::fail(code::UNTRUSTED, expected, said, remedy))
}

fn unnamed(reading: &Reading, step: &Step, expected: String) -> Finding {
    let observed = format!("{} is at {}", step.what.words(), step.location);
    // The step before it sent us there, or its host's list did.
    let before = reading.steps.iter().rev().find(|before| before.contact.is_some());
    let proven = before.is_some_and(|before| {
        let mut of_host = reading.steps.iter().rev().filter(|step| step.host == before.host);
        let session = of_host.find_map(|step| step.session.as_ref());
        before.location.as_str().starts_with("https:")
            && session.is_some_and(|session| session.identity.proves_name())
    });
    let name = format!("add {} to `hosts` in the policy", step.host);
    if proven {
        return Finding::unknown(code::MOVED, expected, observed, format!("if that is right, {name}"));
    }
    let remedy = format!(
        "open it in a browser here: if a sign-in or block page comes, {NETWORK}: let it pass; if it is right, {name}, \
         or name an https:// address"
    );
    Finding::fail(code::DIVERTED, expected, observed, remedy)
}

fn none(step: &Step, ended: &Ended, expected: String) -> Finding {
    let host = &step.host;
    let observed = format!("{host}: {ended}");
    let fail = |code: Code, remedy: String| Finding::fail(code, expected.as_str(), observed.as_str(), remedy);
    match ended {
        Ended::NoAddress { .. } => fail(
            code::NO_ADDRESS,
            format!("{NETWORK}: let the resolvers answer for {host}; check the address in the policy"),
        ),
        Ended::NotConnected { .. } => match misled(step) {
            Some(where_to) => Finding::fail(
                code::DNS_BLOCK,
                expected,
                format!("{observed}; the name leads to {where_to}"),
                format!("{NETWORK}: allow {host} in the DNS filter"),
            ),
            None => fail(
                code::NO_CONNECTION,
                format!(
                    "{NETWORK}: let viewers reach {host}, or set the proxy that they need on this machine"
                ),
            ),
        },
        Ended::Proxy(Connect::NotAsked { .. }) => Finding::unknown(
            code::PROXY,
            expected,
            observed,
            "look at the page in a browser here: golive does not speak SOCKS",
        ),
        Ended::Proxy(_) => fail(
            code::PROXY,
            format!(
                "{NETWORK}: let the proxy pass {} on, for those who do not sign in to it, too",
                step.location
            ),
        ),
        Ended::Tls { nameless: Some(true), .. } => fail(
            code::NAME_KILLED,
            format!(
                "{NETWORK}: allow {host} in the filter that reads server names (SNI): web or application filter"
            ),
        ),
        Ended::Tls { failure: Failure::WrongProtocol, .. } => fail(
            code::KILLED,
            format!("{NETWORK}: something answers in the place of {host} and not in TLS: a filter or portal"),
        ),
        Ended::Tls { .. } | Ended::Unanswered { .. } => fail(
            code::KILLED,
            format!("{NETWORK}: look at firewall and web filter for {host}; compare with another network"),
        ),
    }
}

/// What an address is, where it is none that a public host can have.
fn misled(step: &Step) -> Option<String> {
    let ip = step.contact.as_ref()?.remote.ip().to_canonical();
    if step.host.as_str().trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    if let Some(owner) = block_pages::owner(ip) {
        return Some(format!("{ip}, the block page of {owner}"));
    }
    match Special::of(ip)? {
        special @ (Special::Nowhere | Special::Loopback | Special::NotAHost) if !is_local(&step.host) => {
            Some(format!("{ip}, {}", special.words()))
        }
        _ => None,
    }
}

fn is_local(host: &WireText) -> bool {
    host.as_str().eq_ignore_ascii_case("localhost")
}

fn page(reading: &Reading, step: &Step, head: &Head, expected: String) -> Option<Finding> {
    let host = &step.host;
    let observed = format!("{}{}", came(step), beginning(head));
    if let Some(product) = &head.product {
        let observed = format!("{observed}; it looks like {product}");
        let remedy = format!("{NETWORK}: allow {host} in the web filter, for all who are to watch");
        return Some(Finding::fail(code::BLOCKED, expected, observed, remedy));
    }
    let segment = matches!(step.what, What::Segment | What::Init);
    let (code, remedy) = match head.status {
        200..=299 if !head.cut => return None,
        200..=299 if !segment => (
            code::KILLED,
            format!(
                "{NETWORK}: find out what ends or stalls connections to {host}; compare with another network"
            ),
        ),
        511 => (
            code::PORTAL,
            "whoever runs this machine: sign in to the network, then run the check again".to_owned(),
        ),
        407 => {
            (code::PROXY, format!("{NETWORK}: the proxy wants a name and password, which viewers must have"))
        }
        _ if segment => (
            code::NO_SEGMENT,
            format!(
                "{PUBLISHER}: let segments be had wherever the playlist is (tokens, referrer or region may forbid \
                 them); if they come on another network, {NETWORK}: let {host} pass"
            ),
        ),
        status @ (401 | 403 | 451) => (
            code::REFUSED,
            format!(
                "open it in a browser here and on another network: if it comes there, {NETWORK}: let it pass; if not, \
                 {PUBLISHER}: open it to viewers ({status} means that it is closed to us)"
            ),
        ),
        404 | 410 => (
            code::REFUSED,
            format!("{PUBLISHER}: publish it before the event; or correct the address in the policy"),
        ),
        _ => (code::REFUSED, format!("{PUBLISHER}: look at the server; compare with another network")),
    };
    let through = matches!(reading.way, Way::Proxy { .. }) && !reading.url.is_tls();
    let observed = if through { format!("{observed}; the proxy may have said so itself") } else { observed };
    Some(Finding::fail(code, expected, observed, remedy))
}

fn beginning(head: &Head) -> String {
    if head.body.is_empty() {
        return String::new();
    }
    let start: String = head.body.as_str().chars().take(80).collect();
    format!(": {start}")
}

//! Holds what was shown here against what the far end sees.

use super::super::outside::{Arrived, Echo, Met, Notary};
use super::super::{Answer, Likeness, Limits, Reading};
use super::code;
use crate::model::{AtLeast, Finding, Pin};
use crate::net::tls::{Identity, Session, Trust};
use crate::wire::control::Sight;

pub(super) fn findings(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let Some(outside) = &reading.outside else { return Vec::new() };
    let mut findings = match &outside.notary {
        Notary::Saw(sights) => seen(limits, reading, sights),
        Notary::Silent(why) => vec![Finding::unknown(
            code::NO_NOTARY,
            "the far end tells what it sees",
            why.detail.clone(),
            why.remedy.clone(),
        )],
    };
    if let Echo::Met(met) = &outside.echo {
        findings.extend(arrived(reading, met));
    }
    findings
}

fn sessions(reading: &Reading) -> impl Iterator<Item = &Session> {
    reading.attempts.iter().filter_map(|attempt| match &attempt.answer {
        Answer::Session(session) => Some(&**session),
        Answer::NotConnected { .. } | Answer::Failed { .. } => None,
    })
}

fn key(identity: &Identity) -> Option<&Pin> {
    identity.leaf().map(|leaf| &leaf.spki)
}

/// The far end looked.
fn seen(limits: &Limits, reading: &Reading, sights: &[Sight]) -> Vec<Finding> {
    let shown: Vec<&Sight> = sights.iter().filter(|sight| sight.key.is_some()).collect();
    if shown.is_empty() {
        return vec![nothing(sights)];
    }
    let mut findings: Vec<Finding> = Vec::new();
    for session in sessions(reading) {
        let finding = compared(limits, &session.identity, &shown);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fail(
            code::ANSWERS_OUTSIDE,
            "a TLS handshake, as the far end has one",
            format!("none from here; the far end has one: {}", words(shown[0])),
            "network team: the host is well, and this network stops TLS to it; allow it by name and by address",
        ));
    }
    findings
}

fn nothing(sights: &[Sight]) -> Finding {
    const EXPECTED: &str = "a TLS handshake from outside";
    let why: Vec<String> = sights
        .iter()
        .map(|sight| {
            let why =
                sight.failure.map_or_else(|| "no certificate".to_owned(), |failure| failure.to_string());
            format!("{}: {why}", sight.address)
        })
        .collect();
    let why = if why.is_empty() { "it finds no address of the host".to_owned() } else { why.join(", ") };
    let remedy = "ask the host's operator first: from the far end it cannot be reached either; if it can from elsewhere, the \
                  far end's own network stops it";
    Finding::warn(code::SILENT_OUTSIDE, EXPECTED, why, remedy)
}

fn words(sight: &Sight) -> String {
    let key = sight.key.as_ref().map_or_else(|| "no key".to_owned(), ToString::to_string);
    format!("{key}, signed by {} (at {})", sight.issuer, sight.address)
}

/// One identity shown here beside those seen outside.
fn compared(limits: &Limits, here: &Identity, shown: &[&Sight]) -> Finding {
    const SAME: &str = "the key that the far end sees";
    let is_public = here.proves_name();
    if let Some(sight) = shown.iter().find(|sight| sight.key.as_ref() == key(here)) {
        return Finding::pass(code::SAME_OUTSIDE, SAME, words(sight));
    }
    let here_words = key(here).map_or_else(|| "no key that can be read".to_owned(), ToString::to_string);
    let observed = format!("here {here_words}; the far end sees {}", words(shown[0]));
    let is_pinned = limits.pins.as_ref().is_some_and(|pins| here.pinned(&pins.0));
    let public_outside = shown.iter().any(|sight| sight.public);
    let wants_same = limits.outside == Some(AtLeast(Likeness::SameKey));
    if is_public && !public_outside {
        let remedy = "whoever runs the far end: find out who opens TLS on its own way out; the key seen here is a public one";
        return Finding::warn(code::FAR_END_INTERCEPTED, SAME, observed, remedy);
    }
    if (is_public && !wants_same) || is_pinned {
        const PUBLIC: &str = "a public chain or the pinned key, here and outside";
        return Finding::pass(code::PUBLIC_OUTSIDE, PUBLIC, observed);
    }
    let remedy = "network team: somebody between here and the host answers in its name (TLS inspection, portal, or a wrong \
                  address); exempt this host. If the host has several keys, list them as `pins` in the policy";
    Finding::fail(code::OTHER_OUTSIDE, SAME, observed, remedy)
}

/// Is what arrived at the far end what left here?
fn arrived(reading: &Reading, met: &Met) -> Option<Finding> {
    const EXPECTED: &str = "TLS arrives at the far end as it left here";
    let observed = match &met.arrived {
        Arrived::Hello(hello) if *hello == met.sent => {
            return Some(Finding::pass(code::HELLO, EXPECTED, "it does: nobody opens it on the way there"));
        }
        Arrived::Hello(hello) => format!(
            "this machine sent a hello of {} bytes that offers {} cipher suites, and one of {} bytes with {} arrived",
            met.sent.length,
            met.sent.ciphers.len(),
            hello.length,
            hello.ciphers.len()
        ),
        Arrived::Unreadable => "what arrived was no TLS hello of the usual form".to_owned(),
        // Another key and no word: the far end was set up anew, or somebody cannot pass it on.
        Arrived::Unsaid(_) if met.pinned || signer(reading, met).is_none() => return None,
        Arrived::Unsaid(_) => "another key than the far end's answered".to_owned(),
    };
    let remedy = "network team: TLS is opened and begun anew on the way to the far end; exempt it and every ingest from TLS \
                  inspection. (A proxy of your own in front of the far end does the same: give golive a port of its own)";
    Some(match signer(reading, met) {
        Some(signer) => {
            let observed = format!("{observed}; {signer} signs for the far end, and for this host");
            Finding::fail(code::REOPENED, EXPECTED, observed, remedy)
        }
        None => Finding::warn(code::REOPENED, EXPECTED, observed, remedy),
    })
}

/// Who signed both for the far end, whose own key nobody signs, and for this host; only when no public
/// authority is behind it, since those sign for many.
fn signer(reading: &Reading, met: &Met) -> Option<String> {
    let leaf = met.identity.leaf().filter(|leaf| !met.pinned && !leaf.self_issued())?;
    let same = |session: &Session| {
        let trusted = session.identity.mozilla.trust == Trust::Trusted;
        !trusted && session.identity.leaf().is_some_and(|here| here.issuer == leaf.issuer)
    };
    sessions(reading).any(same).then(|| leaf.issuer.to_string())
}

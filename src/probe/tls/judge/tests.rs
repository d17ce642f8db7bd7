//! The host seen from outside, and TLS that arrives at the far end.

use super::super::outside::{Arrived, Echo, Met, Notary, Outside};
use super::super::{Attempt, Likeness, RootSet};
use super::*;
use crate::model::{Cause, Contact, Effect, FarEndName, NotMeasured, OneOf, Pin};
use crate::net::tls::{Certificate, Identity, Standing, Trust, Version};
use crate::wire::client_hello::ClientHello;
use crate::wire::control::Sight;

fn pin(key: u8) -> Pin {
    Pin::from_digest([key; 32])
}

fn identity(key: u8, issuer: &str, trust: Trust) -> Identity {
    let standing = |trust| Standing { trust, detail: WireText::default(), until: None };
    let certificate = Certificate {
        subject: "CN=live.example.com".into(),
        issuer: issuer.into(),
        sans: Vec::new(),
        sans_total: 0,
        not_before: jiff::Timestamp::UNIX_EPOCH,
        not_after: jiff::Timestamp::MAX,
        serial: String::new(),
        spki: pin(key),
        scts: 0,
    };
    Identity {
        chain: vec![certificate],
        presented: 1,
        name_matches: true,
        mozilla: standing(trust),
        machine: standing(Trust::Trusted),
        machine_roots: 1,
        verified_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn contact() -> Contact {
    let remote = "192.0.2.1:443".parse().unwrap();
    Contact { remote, local: None, offset_ms: 0.0, took_ms: 1.0 }
}

fn session(key: u8, trust: Trust) -> Answer {
    Answer::Session(Box::new(Session {
        version: Version::V1_3,
        cipher: String::new(),
        alpn: None,
        handshake_ms: 1.0,
        identity: identity(key, "CN=Proxy", trust),
    }))
}

fn killed() -> Answer {
    Answer::NotConnected { failure: Failure::TimedOut, detail: WireText::default() }
}

fn sight(key: Option<u8>, public: bool) -> Sight {
    Sight {
        address: "192.0.2.1:443".parse().unwrap(),
        failure: key.is_none().then_some(Failure::TimedOut),
        key: key.map(pin),
        subject: WireText::default(),
        issuer: "CN=An Authority".into(),
        public,
    }
}

fn hello(random: &str) -> ClientHello {
    ClientHello { digest: random.to_owned(), length: 200, ciphers: vec![0x1301] }
}

fn silent() -> NotMeasured {
    NotMeasured::new(Cause::FarEnd, "it is too old", "update it")
}

fn reading(here: Answer, notary: Notary, echo: Echo) -> Reading {
    let far_end = FarEndName::new("cloud").unwrap();
    Reading {
        method: String::new(),
        host: "live.example.com".into(),
        server_name: "live.example.com".into(),
        lookup: None,
        attempts: vec![Attempt { contact: contact(), answer: here, walk: None }],
        outside: Some(Box::new(Outside { far_end, notary, echo })),
    }
}

/// What is said of the far end's part.
fn of(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    outside::findings(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn seen(limits: &Limits, here: Answer, sights: Vec<Sight>) -> (String, Effect) {
    let reading = reading(here, Notary::Saw(sights), Echo::Silent(silent()));
    let mut all = of(limits, &reading);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn one(code: &str, effect: Effect) -> (String, Effect) {
    (code.to_owned(), effect)
}

#[test]
fn another_key_accuses_only_where_a_public_one_is_missing_or_the_policy_asks_for_the_same() {
    use Trust::{Trusted, Untrusted};
    let none = Limits::default();
    let strict = Limits { outside: Some(AtLeast(Likeness::SameKey)), ..Limits::default() };
    let same = one("tls.same_key_outside", Effect::Pass);
    let public = one("tls.public_outside_too", Effect::Pass);
    let other = one("tls.other_key_outside", Effect::Fail);
    for trust in [Trusted, Untrusted] {
        assert_eq!(seen(&strict, session(1, trust), vec![sight(Some(2), true), sight(Some(1), true)]), same);
    }
    assert_eq!(seen(&none, session(1, Trusted), vec![sight(Some(2), true)]), public);
    assert_eq!(seen(&strict, session(1, Trusted), vec![sight(Some(2), true)]), other);
    assert_eq!(seen(&none, session(1, Untrusted), vec![sight(Some(2), true)]), other);
    assert_eq!(seen(&none, session(1, Untrusted), vec![sight(Some(2), false)]), other);
    let doubtful = one("tls.far_end_intercepted", Effect::Warn);
    assert_eq!(seen(&none, session(1, Trusted), vec![sight(Some(2), false)]), doubtful);
    let pinned = Limits {
        roots: Some(AtLeast(RootSet::Pinned)),
        pins: Some(OneOf(vec![pin(1)])),
        ..Limits::default()
    };
    assert_eq!(seen(&pinned, session(1, Untrusted), vec![sight(Some(2), false)]), public);
}

#[test]
fn who_is_reached_from_where_says_whose_fault_it_is() {
    let none = Limits::default();
    let here_only = one("tls.answers_outside", Effect::Fail);
    assert_eq!(seen(&none, killed(), vec![sight(None, false), sight(Some(1), true)]), here_only);
    let neither = one("tls.silent_outside", Effect::Warn);
    assert_eq!(seen(&none, killed(), vec![sight(None, false)]), neither);
    assert_eq!(seen(&none, session(1, Trust::Trusted), vec![]), neither);
}

#[test]
fn a_far_end_that_cannot_tell_leaves_it_unknown() {
    let reading = reading(session(1, Trust::Trusted), Notary::Silent(silent()), Echo::Silent(silent()));
    let findings = outside::findings(&Limits::default(), &reading);
    assert_eq!((findings[0].code.as_str(), findings[0].effect), ("tls.notary_unavailable", Effect::Unknown));
    assert_eq!((findings.len(), findings[0].observed.as_str()), (1, "it is too old"));
}

fn met(issuer: &str, pinned: bool, arrived: Arrived) -> Echo {
    let identity = identity(9, issuer, Trust::Untrusted);
    Echo::Met(Box::new(Met { contact: contact(), identity, pinned, sent: hello("a"), arrived }))
}

fn arrived(here: Trust, echo: Echo) -> Option<(String, Effect)> {
    let reading = reading(session(1, here), Notary::Saw(vec![sight(Some(1), true)]), echo);
    of(&Limits::default(), &reading).into_iter().nth(1)
}

#[test]
fn a_hello_that_is_another_on_arrival_convicts_who_signs_for_both() {
    use Trust::{Trusted, Untrusted};
    let another = || Arrived::Hello(hello("b"));
    let passes = arrived(Trusted, met("CN=live.example.com", true, Arrived::Hello(hello("a"))));
    assert_eq!(passes, Some(one("tls.hello_arrives", Effect::Pass)));
    let reopened = |effect| Some(one("tls.reopened", effect));
    assert_eq!(arrived(Untrusted, met("CN=Proxy", false, another())), reopened(Effect::Fail));
    // A public authority signs for many: that it signs for both is no proof.
    assert_eq!(arrived(Trusted, met("CN=Proxy", false, another())), reopened(Effect::Warn));
    assert_eq!(arrived(Untrusted, met("CN=Other", false, another())), reopened(Effect::Warn));
    assert_eq!(arrived(Untrusted, met("CN=Other", false, Arrived::Unreadable)), reopened(Effect::Warn));
    // Another key and no word: a far end that was set up anew, unless the proxy signs for it.
    let unsaid = || Arrived::Unsaid(silent());
    assert_eq!(arrived(Untrusted, met("CN=Other", false, unsaid())), None);
    assert_eq!(arrived(Untrusted, met("CN=Proxy", false, unsaid())), reopened(Effect::Fail));
    assert_eq!(arrived(Untrusted, met("CN=Proxy", true, unsaid())), None);
}

#[test]
fn the_far_ends_part_reads_back_and_older_readings_lack_it() {
    let whole = reading(
        session(1, Trust::Trusted),
        Notary::Saw(vec![sight(Some(1), true), sight(None, false)]),
        met("CN=Proxy", false, Arrived::Hello(hello("b"))),
    );
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), whole);
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old.as_object_mut().unwrap().remove("outside");
    assert_eq!(serde_json::from_value::<Reading>(old).unwrap().outside, None);
}

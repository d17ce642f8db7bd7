use std::net::SocketAddr;

use super::*;
use crate::model::{Cause, CheckId, Effect, Endpoint, Secret, Transport};
use crate::wire::banner::Protocol;
use crate::wire::turn::{Asked, Refused};

fn url(text: &str) -> TurnUrl {
    TurnUrl::try_from(text.to_owned()).unwrap()
}

fn codes_of(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = Turn::judge(limits, reading);
    for finding in &findings {
        assert!(Turn::CODES.iter().any(|code| code.id == finding.code), "{} is not declared", finding.code);
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
        assert!(!finding.observed.contains('\x1b'), "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn attempt(over: &str, remote: &str, stopped: Option<Stopped>) -> Attempt {
    let remote: SocketAddr = remote.parse().unwrap();
    let contact = Contact { remote, local: None, offset_ms: 0.0, took_ms: 1.0 };
    let url = url(&format!("turn:turn.example.com:443?transport={over}"));
    Attempt { url, contact, session: None, allocation: None, carried: None, stopped }
}

fn allocated(relayed: &str) -> Allocation {
    let relayed = relayed.parse().unwrap();
    Allocation { relayed, mapped: None, lifetime_s: Some(600), software: "Coturn".into(), took_ms: 3.0 }
}

fn carried(received: u32, round_trip_ms: f64) -> Attempt {
    let round_trip_ms = (received > 0).then_some(round_trip_ms);
    Attempt {
        allocation: Some(allocated("1.2.3.4:50000")),
        carried: Some(Carried { sent: 20, received, round_trip_ms }),
        ..attempt("udp", "1.2.3.4:443", None)
    }
}

fn reading(attempts: Vec<Attempt>) -> Reading {
    Reading { method: "test".into(), unresolved: Vec::new(), attempts }
}

fn refused(asked: Asked, code: u16) -> Stopped {
    Stopped::Refused(Refused { asked, code, reason: "\x1b[2Jwords".into(), other: None })
}

#[test]
fn every_stop_has_its_code_and_is_a_reserve_that_is_missing_where_another_relays() {
    let unreached = |failure| Stopped::Unreached { failure, icmp: None, detail: "words".into() };
    let unsecured = |failure| Stopped::NotSecured { failure, detail: "words".into(), identity: None };
    let closed = Stopped::Closed { failure: Failure::Reset };
    let http = Stopped::NotTurn { protocol: Protocol::Http, said: "HTTP/1.1 400".into() };
    for (over, stopped, code, alone) in [
        ("udp", Stopped::Silent, "turn.silent", Effect::Fail),
        ("tcp", Stopped::Silent, "turn.killed", Effect::Fail),
        ("tcp", closed, "turn.killed", Effect::Fail),
        ("tcp", http, "turn.not_turn", Effect::Fail),
        ("tcp", unreached(Failure::TimedOut), "turn.silent", Effect::Fail),
        ("udp", unreached(Failure::Refused), "turn.refused", Effect::Fail),
        ("udp", unreached(Failure::Prohibited), "turn.prohibited", Effect::Fail),
        ("udp", unreached(Failure::LocalPolicy), "turn.local_policy", Effect::Fail),
        ("udp", unreached(Failure::HostUnreachable), "turn.unreachable", Effect::Fail),
        ("tcp", unsecured(Failure::Untrusted), "turn.untrusted", Effect::Fail),
        ("tcp", unsecured(Failure::TlsAlert), "turn.tls_failed", Effect::Fail),
        ("udp", Stopped::Unsigned, "turn.unsigned", Effect::Fail),
        ("udp", refused(Asked::Allocate, 300), "turn.alternate", Effect::Unknown),
        ("udp", refused(Asked::Allocate, 401), "turn.unauthorised", Effect::Fail),
        ("udp", refused(Asked::Allocate, 403), "turn.forbidden", Effect::Fail),
        ("udp", refused(Asked::Allocate, 486), "turn.quota", Effect::Fail),
        ("udp", refused(Asked::Allocate, 508), "turn.quota", Effect::Fail),
        ("udp", refused(Asked::Allocate, 500), "turn.error", Effect::Fail),
    ] {
        let stopped = attempt(over, "1.2.3.4:443", Some(stopped));
        let found = codes_of(&Limits::default(), &reading(vec![stopped.clone()]));
        assert_eq!(found, [(code.to_owned(), alone)]);
        let beside = codes_of(&Limits::default(), &reading(vec![stopped, carried(20, 9.0)]));
        assert_eq!(beside, [(code.to_owned(), Effect::Warn), ("turn.carries".to_owned(), Effect::Pass)]);
    }
}

#[test]
fn a_family_that_is_not_here_is_no_trouble_when_the_other_relays() {
    let none = Stopped::Unreached { failure: Failure::NetUnreachable, icmp: None, detail: "words".into() };
    let v6 = attempt("udp", "[2001:4860::1]:443", Some(none));
    let found = codes_of(&Limits::default(), &reading(vec![carried(20, 9.0), v6.clone()]));
    assert_eq!(found[1], ("turn.family_absent".to_owned(), Effect::Pass));
    assert_eq!(codes_of(&Limits::default(), &reading(vec![v6]))[0].0, "turn.unreachable");
}

#[test]
fn a_relay_counts_when_something_came_through_it() {
    let found = codes_of(&Limits::default(), &reading(vec![carried(0, 0.0)]));
    assert_eq!(found, [("turn.carries_nothing".to_owned(), Effect::Fail)]);
    for stopped in [refused(Asked::Allocate, 486), refused(Asked::Permit, 403), Stopped::Silent] {
        let unproven = Attempt {
            allocation: Some(allocated("1.2.3.4:50000")),
            ..attempt("udp", "1.2.3.4:443", Some(stopped))
        };
        let found = codes_of(&Limits::default(), &reading(vec![unproven]));
        assert_eq!(found, [("turn.unproven".to_owned(), Effect::Unknown)]);
    }
    assert_eq!(codes_of(&Limits::default(), &reading(vec![]))[0].1, Effect::Unknown);
}

#[test]
fn an_inner_address_of_an_outer_server_is_told() {
    let inner = Attempt { allocation: Some(allocated("10.0.0.5:50000")), ..carried(20, 9.0) };
    let found = codes_of(&Limits::default(), &reading(vec![inner.clone()]));
    assert_eq!(found[1], ("turn.private_relay".to_owned(), Effect::Warn));
    let mut own = inner;
    own.contact.remote = "10.0.0.5:443".parse().unwrap();
    assert_eq!(codes_of(&Limits::default(), &reading(vec![own])).len(), 1);
}

#[test]
fn the_best_way_is_held_against_the_limits() {
    let limits = Limits { round_trip_ms: Some(AtMost(100.0)), loss_percent: Some(AtMost(5.0)) };
    for (attempts, time, loss) in [
        (vec![carried(20, 300.0), carried(19, 100.0)], "turn.round_trip", "turn.loss"),
        (vec![carried(19, 100.1)], "turn.round_trip_long", "turn.loss"),
        (vec![carried(18, 50.0)], "turn.round_trip", "turn.loss_high"),
    ] {
        let found = codes_of(&limits, &reading(attempts));
        let judged: Vec<&str> = found.iter().rev().take(2).rev().map(|(code, _)| code.as_str()).collect();
        assert_eq!(judged, [time, loss]);
    }
}

#[test]
fn a_name_without_address_is_told_by_its_url() {
    let unresolved = vec![Unresolved { url: url("turns:turn.example.com"), failure: Failure::NoSuchName }];
    let nameless = Reading { unresolved, ..reading(vec![]) };
    assert_eq!(codes_of(&Limits::default(), &nameless), [("turn.no_address".to_owned(), Effect::Fail)]);
    let findings = Turn::judge(&Limits::default(), &nameless);
    assert!(findings[0].observed.starts_with("TLS 5349 of turn.example.com: "), "{findings:?}");
}

#[tokio::test]
async fn a_credential_that_is_not_there_and_a_cancelled_check_are_not_measured() {
    let mut target = target(&["turn:127.0.0.1:9"]);
    target.credential = Some(SecretSource::Env("GOLIVE_TEST_NO_SUCH_VARIABLE".into()));
    let env = Env::bare(CheckId::new("turn").unwrap());
    assert_eq!(Turn::measure(&target, &env).await.unwrap_err().cause, Cause::NoSecret);
    target.credential = Some(SecretSource::Value(Secret::from("x".to_owned())));
    env.cancel.cancel();
    assert_eq!(Turn::measure(&target, &env).await.unwrap_err().cause, Cause::Cancelled);
}

fn target(urls: &[&str]) -> Target {
    Target { urls: urls.iter().map(|text| url(text)).collect(), username: None, credential: None }
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let fields = |target: &Target| -> Vec<&str> {
        let problems = Turn::problems(target, &Limits::default(), &BTreeMap::new(), &Stakes::default());
        problems.iter().map(|problem| problem.field).collect()
    };
    assert!(fields(&target(&["turn:a.example", "turns:a.example"])).is_empty());
    assert_eq!(fields(&target(&[])), ["urls"]);
    assert_eq!(fields(&target(&["turn:a.example", "turn:a.example:3478"])), ["urls"]);
    let half = Target { username: Some(String::new()), ..target(&["turn:a.example"]) };
    assert_eq!(fields(&half), ["credential", "username"]);
}

#[test]
fn the_cost_is_known_beforehand() {
    let target = target(&["turn:192.0.2.1", "turns:turn.example.com:443"]);
    let demand = Turn::demand(&target, &BTreeMap::new());
    let places = [("192.0.2.1", 3478, Transport::Udp), ("turn.example.com", 443, Transport::Tcp)];
    assert_eq!(demand.endpoints, places.map(|(host, port, transport)| Endpoint::new(host, port, transport)));
    assert!(demand.bytes_up > 3 * 20 * 1200 && demand.seconds_max > demand.seconds);
    assert!(Turn::brief(&target).contains("turns:turn.example.com:443"));
}

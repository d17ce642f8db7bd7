use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::*;
use crate::model::{CheckId, Effect, Secret};

fn target(port: u16) -> Target {
    serde_json::from_value(serde_json::json!({ "host": "127.0.0.1", "port": port })).unwrap()
}

fn env() -> Env {
    Env::bare(CheckId::new("contribution").unwrap())
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = Rist::judge(limits, reading);
    for finding in &findings {
        assert!(Rist::CODES.iter().any(|code| code.id == finding.code), "{} is not declared", finding.code);
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn attempt(remote: &str, end: End) -> Attempt {
    let remote: SocketAddr = remote.parse().unwrap();
    Attempt {
        contact: Contact { remote, local: None, offset_ms: 0.0, took_ms: 1.0 },
        packets: 1,
        own_rules: None,
        end,
    }
}

fn reading(attempts: Vec<Attempt>) -> Reading {
    Reading {
        method: "test".into(),
        host: "studio.example".into(),
        port: 5000,
        profile: Profile::Main,
        with_secret: false,
        lookup: None,
        attempts,
    }
}

fn answered(round_trip_ms: Option<f64>) -> End {
    End::Answered { round_trip_ms, names_itself: "studio".into() }
}

#[test]
fn every_end_has_its_code() {
    let unreached = |failure| End::Unreached { failure, icmp: None, detail: "words".into() };
    for (end, code) in [
        (End::Silent, "rist.silent"),
        (End::OtherSecret, "rist.other_secret"),
        (End::NotRist { said: "x".into() }, "rist.not_rist"),
        (unreached(Failure::Refused), "rist.refused"),
        (unreached(Failure::Prohibited), "rist.prohibited"),
        (unreached(Failure::LocalPolicy), "rist.local_policy"),
        (unreached(Failure::NetUnreachable), "rist.unreachable"),
    ] {
        let alone = codes(&Limits::default(), &reading(vec![attempt("192.0.2.1:5000", end.clone())]));
        assert_eq!(alone, [(code.to_owned(), Effect::Fail)]);
        let beside = vec![attempt("192.0.2.1:5000", end), attempt("[2001:db8::1]:5000", answered(None))];
        assert_eq!(codes(&Limits::default(), &reading(beside))[0], (code.to_owned(), Effect::Warn));
    }
    let nameless = Reading { lookup: Some(Failure::NoSuchName), ..reading(vec![]) };
    assert_eq!(codes(&Limits::default(), &nameless), [("rist.no_address".to_owned(), Effect::Fail)]);
}

#[test]
fn the_round_trip_is_held_against_its_limit() {
    let limits = Limits { round_trip_ms: Some(AtMost(100.0)) };
    for (took, code, effect) in [
        (Some(100.0), "rist.round_trip", Effect::Pass),
        (Some(100.1), "rist.round_trip_long", Effect::Fail),
        (None, "rist.no_echo", Effect::Unknown),
    ] {
        let found = codes(&limits, &reading(vec![attempt("192.0.2.1:5000", answered(took))]));
        assert_eq!(found, [("rist.answers".to_owned(), Effect::Pass), (code.to_owned(), effect)]);
    }
}

#[tokio::test]
async fn what_does_not_speak_rist_is_quoted_and_inert() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut datagram = [0; 2048];
        while let Ok((_, from)) = socket.recv_from(&mut datagram).await {
            let _ = socket.send_to(b"\x1b[2Jgame over", from).await;
        }
    });
    let reading = Rist::measure(&target(port), &env()).await.unwrap();
    task.abort();
    let findings = Rist::judge(&Limits::default(), &reading);
    assert_eq!((findings[0].code.as_str(), findings[0].effect), ("rist.not_rist", Effect::Fail));
    assert!(!findings[0].observed.contains('\x1b'), "{findings:?}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_and_a_cancelled_call_are_not_measured() {
    let mut without = target(9);
    without.secret = Some(SecretSource::Env("GOLIVE_TEST_NO_SUCH_VARIABLE".into()));
    let error = Rist::measure(&without, &env()).await.unwrap_err();
    assert_eq!(error.cause, crate::model::Cause::NoSecret);
    let env = env();
    env.cancel.cancel();
    let error = Rist::measure(&target(9), &env).await.unwrap_err();
    assert_eq!(error.cause, crate::model::Cause::Cancelled);
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let fields = |target: &Target| -> Vec<&str> {
        let problems = Rist::problems(target, &Limits::default(), &BTreeMap::new(), &Stakes::default());
        problems.iter().map(|problem| problem.field).collect()
    };
    assert!(fields(&target(5000)).is_empty());
    let secret = Some(SecretSource::Value(Secret::from("correct horse".to_owned())));
    let wrong = Target {
        host: "rist://studio".into(),
        profile: Some(Profile::Simple),
        secret,
        key_bits: Some(192),
        ..target(5001)
    };
    assert_eq!(fields(&wrong), ["host", "port", "secret", "key_bits"]);
}

#[test]
fn the_cost_is_known_beforehand() {
    let simple = Target { profile: Some(Profile::Simple), ..target(5000) };
    let demand = Rist::demand(&simple, &BTreeMap::new());
    assert_eq!(demand.endpoints, [Endpoint::new("127.0.0.1", 5001, Transport::Udp)]);
    assert!((demand.seconds_max - 8.0).abs() < 1e-9 && demand.packets == 12);
    assert_eq!(Rist::brief(&simple), "rist://127.0.0.1:5000");
}

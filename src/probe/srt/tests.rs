use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::*;
use crate::model::{CheckId, Effect, Family, Limits as _, Secret};
use crate::wire::srt::{Listener, ListenerEvent, ListenerOptions, Rejection};

fn target(port: u16) -> Target {
    serde_json::from_value(serde_json::json!({ "url": format!("srt://127.0.0.1:{port}") })).unwrap()
}

fn concluding(port: u16) -> Target {
    Target { until: Some(Until::Conclusion), ..target(port) }
}

fn env() -> Env {
    Env::bare(CheckId::new("ingest").unwrap())
}

fn value(text: &str) -> SecretSource {
    SecretSource::Value(Secret::from(text.to_owned()))
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = Srt::judge(limits, reading);
    for finding in &findings {
        assert!(CODES_OF.contains(&finding.code.as_str()), "{} is not declared", finding.code);
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

static CODES_OF: std::sync::LazyLock<Vec<&str>> =
    std::sync::LazyLock::new(|| Srt::CODES.iter().map(|code| code.id).collect());

fn only(reading: &Reading) -> (String, Effect) {
    let mut found = codes(&Limits::default(), reading);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// What the listener does with each caller.
#[derive(Clone, Copy)]
enum Manner {
    Accept,
    Reject(Rejection),
    HangUp,
}

/// Our own listener on a free port, until it is dropped.
async fn listener(options: ListenerOptions, manner: Manner) -> (u16, tokio::task::JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut listener = Listener::new(&options, Instant::now()).unwrap();
        let mut datagram = [0; 2048];
        loop {
            tokio::select! {
                Ok((length, peer)) = socket.recv_from(&mut datagram) => {
                    listener.receive(Instant::now(), peer, &datagram[..length]);
                }
                () = tokio::time::sleep(Duration::from_millis(10)) => listener.timeout(Instant::now()),
            }
            while let Some(event) = listener.event() {
                if let ListenerEvent::Called(call) = event {
                    match manner {
                        Manner::Reject(why) => assert!(listener.reject(call.id, why)),
                        Manner::Accept => drop(listener.accept(call.id, Instant::now())),
                        Manner::HangUp => {
                            assert!(listener.accept(call.id, Instant::now()));
                            listener.close(call.id, Instant::now());
                        }
                    }
                }
            }
            while let Some((to, bytes)) = listener.transmit() {
                socket.send_to(&bytes, to).await.unwrap();
            }
        }
    });
    (port, task)
}

#[tokio::test]
async fn an_open_listener_takes_us_phase_by_phase() {
    let options = ListenerOptions { latency: Duration::from_millis(250), ..ListenerOptions::default() };
    let (port, task) = listener(options, Manner::Accept).await;
    let reading = Srt::measure(&concluding(port), &env()).await.unwrap();
    task.abort();
    assert_eq!(only(&reading), ("srt.accepted".to_owned(), Effect::Pass));
    let attempt = &reading.attempts[0];
    assert!(attempt.contact.local.is_some() && attempt.contact.took_ms >= f64::from(HOLD_MS));
    assert_eq!(attempt.induction.unwrap().packets, 1);
    let conclusion = attempt.conclusion.as_ref().unwrap();
    assert_eq!((conclusion.latency_ms, conclusion.version.as_str()), (250, "1.5.0"));
    let limits = Limits {
        handshake_ms: Some(AtMost(2000.0)),
        latency_ms: Some(AtMost(200)),
        latency_round_trips: Some(AtLeast(3.0)),
        encrypted: Some(Exactly(true)),
    };
    assert_eq!(
        codes(&limits, &reading)[1..],
        [
            ("srt.handshake_time".to_owned(), Effect::Pass),
            ("srt.latency_long".to_owned(), Effect::Fail),
            ("srt.latency".to_owned(), Effect::Pass),
            ("srt.encryption_differs".to_owned(), Effect::Fail),
        ]
    );
    let strict = Limits {
        handshake_ms: Some(AtMost(0.0)),
        latency_round_trips: Some(AtLeast(1e9)),
        ..Limits::default()
    };
    assert_eq!(
        codes(&strict, &reading)[1..],
        [("srt.handshake_slow".to_owned(), Effect::Fail), ("srt.latency_short".to_owned(), Effect::Fail)]
    );
}

#[tokio::test]
async fn induction_alone_needs_no_credential() {
    let options = ListenerOptions {
        passphrase: Some(Secret::from("correct horse".to_owned())),
        ..ListenerOptions::default()
    };
    let (port, task) = listener(options, Manner::Accept).await;
    let reading = Srt::measure(&target(port), &env()).await.unwrap();
    task.abort();
    assert_eq!(only(&reading), ("srt.answers".to_owned(), Effect::Pass));
    assert_eq!((reading.attempts[0].conclusion.as_ref(), reading.until), (None, Until::Induction));
    assert_eq!(reading.attempts[0].induction.unwrap().advertised_key_bits, Some(128));
}

#[tokio::test]
async fn refusals_have_their_codes() {
    for (why, code) in [
        (Rejection::UNAUTHORISED, "srt.unauthorised"),
        (Rejection::NOT_FOUND, "srt.not_found"),
        (Rejection::CONFLICT, "srt.conflict"),
        (Rejection::OVERLOAD, "srt.overload"),
        (Rejection::from_code(2042), "srt.rejected"),
    ] {
        let (port, task) = listener(ListenerOptions::default(), Manner::Reject(why)).await;
        let reading = Srt::measure(&concluding(port), &env()).await.unwrap();
        task.abort();
        assert_eq!(only(&reading), (code.to_owned(), Effect::Fail));
    }
}

#[tokio::test]
async fn a_listener_that_accepts_and_hangs_up_is_no_ingest() {
    let (port, task) = listener(ListenerOptions::default(), Manner::HangUp).await;
    let reading = Srt::measure(&concluding(port), &env()).await.unwrap();
    task.abort();
    assert_eq!(only(&reading), ("srt.hung_up".to_owned(), Effect::Fail));
}

#[tokio::test]
async fn a_closed_port_is_refused_and_silence_is_silence() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let reading = Srt::measure(&target(port), &env()).await.unwrap();
    assert_eq!(only(&reading), ("srt.silent".to_owned(), Effect::Fail));
    assert!(reading.attempts[0].contact.took_ms >= 3000.0);
    drop(silent);
    let reading = Srt::measure(&target(port), &env()).await.unwrap();
    assert_eq!(only(&reading), ("srt.refused".to_owned(), Effect::Fail));
}

#[tokio::test]
async fn something_else_on_the_port_is_not_srt() {
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut datagram = [0; 2048];
        while let Ok((_, peer)) = other.recv_from(&mut datagram).await {
            other.send_to(b"\x1b[31m<script>alert(1)</script>", peer).await.unwrap();
        }
    });
    let reading = Srt::measure(&target(port), &env()).await.unwrap();
    task.abort();
    assert_eq!(only(&reading), ("srt.not_srt".to_owned(), Effect::Fail));
    let observed = &Srt::judge(&Limits::default(), &reading)[0].observed;
    assert!(!observed.contains('\x1b') && observed.contains("\\u{1b}"), "{observed}");
}

#[tokio::test]
async fn secrets_that_cannot_be_used_are_not_measured_and_do_not_show() {
    let mut short = target(9);
    short.passphrase = Some(value("canary"));
    let error = Srt::measure(&short, &env()).await.unwrap_err();
    assert_eq!(error.cause, crate::model::Cause::NoSecret);
    assert!(!format!("{error:?} {short:?}").contains("canary"));
    short.passphrase = Some(SecretSource::Env("GOLIVE_TEST_NO_SUCH_VARIABLE".into()));
    assert_eq!(Srt::measure(&short, &env()).await.unwrap_err().cause, crate::model::Cause::NoSecret);
}

#[tokio::test]
async fn a_cancelled_call_is_not_measured() {
    let env = env();
    env.cancel.cancel();
    let error = Srt::measure(&target(9), &env).await.unwrap_err();
    assert_eq!(error.cause, crate::model::Cause::Cancelled);
}

fn attempt(remote: &str, end: End) -> Attempt {
    let remote: SocketAddr = remote.parse().unwrap();
    let contact = Contact { remote, local: None, offset_ms: 0.0, took_ms: 1.0 };
    Attempt { contact, induction: None, conclusion: None, own_rules: None, end }
}

fn reading(attempts: Vec<Attempt>) -> Reading {
    Reading {
        method: "test".into(),
        host: "ingest.example".into(),
        port: 9000,
        until: Until::Conclusion,
        with_passphrase: false,
        asked_latency_ms: 120,
        payload_bytes: 1316,
        lookup: None,
        attempts,
    }
}

fn unreached(failure: Failure) -> End {
    End::Unreached { failure, icmp: None, detail: "words".into() }
}

#[test]
fn every_end_has_its_code() {
    let name = || Some("name".to_owned());
    for (end, code) in [
        (End::Reached, "srt.accepted"),
        (End::Silent(Phase::Induction), "srt.silent"),
        (End::Silent(Phase::Conclusion), "srt.silent_conclusion"),
        (End::Rejected { code: 10, name: name() }, "srt.bad_secret"),
        (End::Rejected { code: 11, name: name() }, "srt.unsecure"),
        (End::Rejected { code: 1401, name: name() }, "srt.unauthorised"),
        (End::Rejected { code: 17, name: None }, "srt.rejected"),
        (End::KeyRefused { state: "bad secret".into() }, "srt.bad_secret"),
        (End::KeyRefused { state: "no secret".into() }, "srt.unsecure"),
        (End::Unusable { why: "old".into() }, "srt.unusable"),
        (End::HungUp { after_ms: 3.0 }, "srt.hung_up"),
        (End::NotSrt { said: "x".into(), datagrams: 1 }, "srt.not_srt"),
        (unreached(Failure::Refused), "srt.refused"),
        (unreached(Failure::Prohibited), "srt.prohibited"),
        (unreached(Failure::LocalPolicy), "srt.local_policy"),
        (unreached(Failure::NetUnreachable), "srt.unreachable"),
        (unreached(Failure::Other), "srt.unreachable"),
    ] {
        let effect = if end == End::Reached { Effect::Pass } else { Effect::Fail };
        assert_eq!(only(&reading(vec![attempt("192.0.2.1:9000", end)])), (code.to_owned(), effect));
    }
    let nameless = Reading { lookup: Some(Failure::NoSuchName), ..reading(vec![]) };
    assert_eq!(only(&nameless), ("srt.no_address".to_owned(), Effect::Fail));
}

#[test]
fn families_are_judged_apart() {
    let found = |ends: [End; 2]| {
        let [four, six] = ends;
        codes(
            &Limits::default(),
            &reading(vec![attempt("192.0.2.1:9000", four), attempt("[2001:db8::1]:9000", six)]),
        )
    };
    let [_, (code, effect)] = &found([End::Reached, End::Silent(Phase::Induction)])[..] else { panic!() };
    assert_eq!((code.as_str(), *effect), ("srt.silent", Effect::Warn));
    let [_, (code, effect)] = &found([End::Reached, unreached(Failure::NetUnreachable)])[..] else {
        panic!()
    };
    assert_eq!((code.as_str(), *effect), ("srt.family_unused", Effect::Pass));
    let both = found([unreached(Failure::NetUnreachable), End::Silent(Phase::Induction)]);
    assert!(both.iter().all(|(_, effect)| *effect == Effect::Fail), "{both:?}");
}

#[test]
fn a_router_that_finds_no_way_is_no_family_that_this_machine_lacks() {
    let from = "2001:db8::1".parse().unwrap();
    let icmp = IcmpError { family: Family::V6, kind: 1, code: 0, from };
    let end = End::Unreached { failure: icmp.failure(), icmp: Some(icmp), detail: "words".into() };
    let reading = reading(vec![attempt("192.0.2.1:9000", End::Reached), attempt("[2001:db8::9]:9000", end)]);
    assert_eq!(codes(&Limits::default(), &reading)[1], ("srt.unreachable".to_owned(), Effect::Warn));
}

#[test]
fn a_lost_packet_hides_the_round_trip() {
    let mut slow = attempt("192.0.2.1:9000", End::Reached);
    slow.induction = Some(Induction {
        took_ms: 270.0,
        packets: 2,
        answers: 1,
        version: 5,
        magic: true,
        advertised_key_bits: None,
        mtu_bytes: 1500,
    });
    slow.conclusion = Some(Conclusion {
        took_ms: 270.0,
        packets: 2,
        version: "1.5.1".into(),
        latency_ms: 120,
        encrypted: false,
    });
    let limits = Limits { latency_round_trips: Some(AtLeast(3.0)), ..Limits::default() };
    let code = |attempt: &Attempt| codes(&limits, &reading(vec![attempt.clone()]))[1].clone();
    assert_eq!(code(&slow), ("srt.latency_short".to_owned(), Effect::Unknown));
    // Both packets were answered: the first answer took a whole round trip, longer than the repeat.
    slow.induction.as_mut().unwrap().answers = 2;
    assert_eq!(code(&slow), ("srt.latency_short".to_owned(), Effect::Fail));
    // The second exchange was quicker: a machine that was busy during the first makes no long path.
    *slow.conclusion.as_mut().unwrap() =
        Conclusion { took_ms: 40.0, packets: 1, ..slow.conclusion.clone().unwrap() };
    assert_eq!(code(&slow), ("srt.latency".to_owned(), Effect::Pass));
    slow.conclusion.as_mut().unwrap().took_ms = 40.1;
    assert_eq!(code(&slow), ("srt.latency_short".to_owned(), Effect::Fail));
    // With the first hidden by loss, the second still shows it.
    slow.induction.as_mut().unwrap().answers = 1;
    assert_eq!(code(&slow), ("srt.latency_short".to_owned(), Effect::Fail));
}

#[test]
fn urls_are_strict() {
    for (text, host, port) in [
        ("srt://ingest.example:9000", "ingest.example", 9000),
        ("srt://[2001:db8::1]:9000/", "2001:db8::1", 9000),
        ("srt://127.0.0.1:1", "127.0.0.1", 1),
    ] {
        let url = SrtUrl::try_from(text.to_owned()).unwrap();
        assert_eq!((url.host(), url.port()), (host, port));
    }
    for text in [
        "",
        "srt://",
        "srt://host",
        "rtmp://host:1",
        "srt://host:0",
        "srt://host:1/app",
        "srt://host:99999",
        "srt://:1",
    ] {
        assert!(SrtUrl::try_from(text.to_owned()).is_err(), "{text}");
    }
    let secret = SrtUrl::try_from("srt://host:1?passphrase=canary".to_owned()).unwrap_err();
    assert!(secret.contains("keys of their own") && !secret.contains("canary"));
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let fields = |target: &Target, limits: &Limits| -> Vec<&str> {
        let problems = Srt::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        problems.iter().map(|problem| problem.field).collect()
    };
    assert!(fields(&target(9), &Limits::default()).is_empty());
    let wrong =
        Target { key_bits: Some(192), latency_ms: Some(0), payload_bytes: Some(1457), ..concluding(9) };
    assert_eq!(fields(&wrong, &Limits::default()), ["key_bits", "latency_ms", "payload_bytes"]);
    let all = Limits {
        handshake_ms: Some(AtMost(1.0)),
        latency_ms: Some(AtMost(1)),
        latency_round_trips: Some(AtLeast(1.0)),
        encrypted: Some(Exactly(true)),
    };
    assert_eq!(fields(&target(9), &all), ["latency_ms", "latency_round_trips", "encrypted"]);
    assert!(fields(&concluding(9), &all).is_empty());
    let forgotten =
        Target { until: Some(Until::Induction), passphrase: Some(value("correct horse")), ..target(9) };
    assert_eq!(fields(&forgotten, &Limits::default()), ["until"]);
    assert_eq!(Limits::fields().len(), 4);
}

#[test]
fn the_cost_is_known_beforehand() {
    let demand = Srt::demand(&target(9), &BTreeMap::new());
    assert!(demand.endpoints[0].is_loopback() && demand.endpoints[0].transport == Transport::Udp);
    assert!((demand.seconds_max - 11.5).abs() < 1e-9);
    let named: Target = serde_json::from_str(r#"{"url": "srt://ingest.example:9000"}"#).unwrap();
    assert_eq!(Srt::demand(&named, &BTreeMap::new()).packets, 4 * demand.packets);
    assert_eq!(Srt::brief(&named), "srt://ingest.example:9000");
}

#[test]
fn a_reading_survives_storage() {
    let reading = reading(vec![
        attempt("192.0.2.1:9000", End::Silent(Phase::Induction)),
        attempt("[2001:db8::1]:9000", End::Rejected { code: 10, name: Some("bad secret".into()) }),
    ]);
    let text = serde_json::to_string(&reading).unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading);
    let schema = serde_json::to_value(schemars::schema_for!(SrtUrl)).unwrap();
    assert_eq!(schema["type"], "string", "{schema}");
}

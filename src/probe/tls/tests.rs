use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::model::{CheckId, Effect, Limits as _};
use crate::net::tls::Roots;
use crate::net::tls::tests::{Authority, NOW, Server};

const NAME: &str = "live.example";

/// Serves handshakes for ever.
async fn serve(server: Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server.config()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.read(&mut [0; 16]).await;
                }
            });
        }
    });
    address
}

/// Says `says` to everybody, reads a little and hangs up.
async fn talk(says: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(&says).await;
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    address
}

async fn reading(address: SocketAddr, roots: Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("tls").unwrap());
    env.roots = roots;
    let target = Target {
        host: address.ip().to_string(),
        port: address.port(),
        server_name: Some(NAME.to_owned()),
        alpn: Vec::new(),
        far_end: None,
    };
    Tls::measure(&target, &env).await.unwrap()
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Tls::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn worst(limits: &Limits, reading: &Reading) -> String {
    let findings = Tls::judge(limits, reading);
    let worst = findings.iter().max_by_key(|finding| finding.effect).unwrap();
    if worst.effect == Effect::Pass { "pass".to_owned() } else { worst.code.clone() }
}

#[tokio::test]
async fn a_public_chain_passes_and_its_limits_are_held() {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![public.root.clone()]);
    let reading = reading(serve(public.server(NAME, NOW)).await, roots).await;
    assert_eq!(worst(&Limits::default(), &reading), "pass");
    let Answer::Session(session) = &reading.attempts[0].answer else { panic!("{reading:?}") };
    let pin = session.identity.leaf().unwrap().spki.clone();
    let ends = session.identity.leaf().unwrap().not_after;
    let hour = jiff::SignedDuration::from_hours(1);
    for (limits, code) in [
        (Limits { pins: Some(OneOf(vec![pin])), ..Limits::default() }, "pass"),
        (
            Limits { pins: Some(OneOf(vec![Pin::from_digest([1; 32])])), ..Limits::default() },
            "tls.pin_differs",
        ),
        (Limits { valid_until: Some(AtLeast(ends - hour)), ..Limits::default() }, "pass"),
        (Limits { valid_until: Some(AtLeast(ends + hour)), ..Limits::default() }, "tls.expires_early"),
        (Limits { version: Some(AtLeast(Version::V1_3)), ..Limits::default() }, "pass"),
        (Limits { scts: Some(AtLeast(2)), ..Limits::default() }, "tls.scts_missing"),
        (Limits { alpn: Some(OneOf(vec!["h2".into()])), ..Limits::default() }, "tls.alpn_other"),
        (Limits { handshake_ms: Some(AtMost(0.0)), ..Limits::default() }, "tls.slow"),
    ] {
        assert_eq!(worst(&limits, &reading), code, "{limits:?}");
    }
}

#[tokio::test]
async fn a_chain_that_only_the_machine_trusts_is_interception_unless_the_policy_says_otherwise() {
    let (public, proxy) = (Authority::new("Public"), Authority::new("FortiGate CA"));
    let roots = Roots::given(vec![public.root.clone()], vec![public.root, proxy.root.clone()]);
    let reading = reading(serve(proxy.server(NAME, NOW)).await, roots).await;
    let findings = Tls::judge(&Limits::default(), &reading);
    assert_eq!((findings[0].code.as_str(), findings[0].effect), ("tls.intercepted", Effect::Fail));
    assert!(findings[0].observed.contains("known from FortiGate"), "{findings:?}");
    let machine = Limits { roots: Some(AtLeast(RootSet::Machine)), ..Limits::default() };
    assert_eq!(worst(&machine, &reading), "pass");
    // Saying "public" out loud is the same as saying nothing.
    let public = Limits { roots: Some(AtLeast(RootSet::Public)), ..Limits::default() };
    assert_eq!(Tls::judge(&public, &reading), findings);
}

#[tokio::test]
async fn strangers_and_old_certificates_fail_unless_pinned() {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![public.root.clone()]);
    let stranger = reading(serve(Server::self_signed(NAME)).await, roots.clone()).await;
    assert_eq!(worst(&Limits::default(), &stranger), "tls.untrusted");
    let Answer::Session(session) = &stranger.attempts[0].answer else { panic!("{stranger:?}") };
    let pin = session.identity.leaf().unwrap().spki.clone();
    let pinned = |pin| Limits {
        roots: Some(AtLeast(RootSet::Pinned)),
        pins: Some(OneOf(vec![pin])),
        ..Limits::default()
    };
    assert_eq!(worst(&pinned(pin), &stranger), "pass");
    assert_eq!(worst(&pinned(Pin::from_digest([1; 32])), &stranger), "tls.pin_differs");
    for (days, code) in [((-9, -3), "tls.expired"), ((3, 9), "tls.not_yet_valid")] {
        let reading = reading(serve(public.server(NAME, days)).await, roots.clone()).await;
        assert_eq!(worst(&Limits::default(), &reading), code);
    }
    let other = reading(serve(public.server("other.example", NOW)).await, roots).await;
    assert_eq!(worst(&Limits::default(), &other), "tls.wrong_name");
}

#[tokio::test]
async fn a_machine_that_distrusts_a_public_chain_is_a_warning() {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![Authority::new("Other").root]);
    let reading = reading(serve(public.server(NAME, NOW)).await, roots).await;
    assert_eq!(worst(&Limits::default(), &reading), "tls.machine_distrusts");
}

#[tokio::test]
async fn what_answers_in_the_place_of_tls_is_named_and_inert() {
    for (says, protocol) in [
        (b"SSH-2.0-\x1b[31mOpenSSH\r\n".to_vec(), "ssh"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "http"),
        ([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'<'; 1 << 20]].concat(), "http"),
    ] {
        let reading = reading(talk(says).await, Roots::given(vec![], vec![])).await;
        let findings = Tls::judge(&Limits::default(), &reading);
        assert_eq!(findings[0].code, "tls.not_tls");
        assert!(findings[0].observed.starts_with(protocol), "{findings:?}");
        assert!(!serde_json::to_string(&(&reading, &findings)).unwrap().contains('\u{1b}'));
    }
}

/// Hangs up on a first message that is not RTMP's and answers one that is.
#[tokio::test]
async fn an_rtmp_server_that_hangs_up_is_found_by_the_second_look() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 1537];
            let read = stream.read(&mut first).await.unwrap_or(0);
            if read > 0 && first[0] == 3 {
                let _ = stream.write_all(&first).await;
            }
        }
    });
    let reading = reading(address, Roots::given(vec![], vec![])).await;
    assert_eq!(codes(&Limits::default(), &reading), [("tls.not_tls".to_owned(), Effect::Fail)]);
    let Answer::Failed { stranger: Some(stranger), .. } = &reading.attempts[0].answer else { panic!() };
    assert_eq!(stranger.protocol, "rtmp");
}

#[tokio::test]
async fn nothing_there_and_cut_off_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let roots = Roots::given(vec![], vec![]);
    let cut = tokio::spawn(async move {
        for _ in 0..2 {
            drop(listener.accept().await);
        }
    });
    assert_eq!(worst(&Limits::default(), &reading(address, roots.clone()).await), "tls.killed");
    cut.await.unwrap();
    assert_eq!(worst(&Limits::default(), &reading(address, roots).await), "tls.no_connection");
}

#[test]
fn a_name_without_address_is_said_so() {
    let reading = Reading {
        method: String::new(),
        host: "nonesuch.example".into(),
        server_name: NAME.into(),
        lookup: Some(Failure::NoSuchName),
        attempts: Vec::new(),
        outside: None,
    };
    assert_eq!(worst(&Limits::default(), &reading), "tls.no_address");
}

#[tokio::test]
async fn a_reading_reads_back() {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![]);
    let reading = reading(serve(public.server(NAME, NOW)).await, roots).await;
    let text = serde_json::to_string(&reading).unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading);
}

#[test]
fn targets_and_limits_that_make_no_sense_are_found_beforehand() {
    let good =
        Target { host: "[::1]".into(), port: 443, server_name: None, alpn: vec!["h2".into()], far_end: None };
    let fields = |target: &Target, limits: &Limits| -> Vec<&'static str> {
        let problems = Tls::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        problems.into_iter().map(|problem| problem.field).collect()
    };
    assert!(fields(&good, &Limits::default()).is_empty());
    let bad = Target {
        host: "https://live.example".into(),
        port: 0,
        server_name: Some("a b".into()),
        alpn: vec![String::new()],
        far_end: Some(FarEndName::new("nowhere").unwrap()),
    };
    assert_eq!(fields(&bad, &Limits::default()), ["host", "server_name", "port", "alpn", "far_end"]);
    let pinned = Limits { roots: Some(AtLeast(RootSet::Pinned)), ..Limits::default() };
    assert_eq!(fields(&good, &pinned), ["roots"]);
    let alpn = Limits { alpn: Some(OneOf(vec!["h2".into()])), ..Limits::default() };
    assert_eq!(fields(&Target { alpn: vec![], ..good.clone() }, &alpn), ["alpn"]);
    let outside = Limits { outside: Some(AtLeast(Likeness::SameKey)), ..Limits::default() };
    assert_eq!(fields(&good, &outside), ["outside"]);
}

#[test]
fn a_later_layer_may_not_ask_for_less() {
    let limits = |roots| Limits { roots: Some(AtLeast(roots)), ..Limits::default() };
    assert!(limits(RootSet::Public).tighten(&limits(RootSet::Machine)).is_err());
    assert!(limits(RootSet::Machine).tighten(&limits(RootSet::Public)).is_ok());
    let pins = |pins: &[u8]| Limits {
        pins: Some(OneOf(pins.iter().map(|b| Pin::from_digest([*b; 32])).collect())),
        ..Limits::default()
    };
    assert!(pins(&[1, 2]).tighten(&pins(&[1])).is_ok());
    assert!(pins(&[1]).tighten(&pins(&[1, 2])).is_err());
}

#[test]
fn the_end_of_the_event_is_what_the_chain_must_outlast() {
    let ends = "2026-12-04T14:30:00Z".parse().unwrap();
    let mut target =
        Target { host: "live.example".into(), port: 443, server_name: None, alpn: vec![], far_end: None };
    let mut limits = Limits::default();
    Tls::derive(&mut target, &mut limits, &Stakes { event_ends: Some(ends), ..Stakes::default() });
    assert_eq!(limits.valid_until, Some(AtLeast(ends)));
}

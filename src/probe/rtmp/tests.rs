//! Judging every ending; measuring against servers made here.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::model::{CheckId, Effect, Family, IcmpError, Secret};
use crate::wire::rtmp::server::{Server, Step};

fn attempt(end: End) -> Attempt {
    Attempt {
        contact: Contact {
            remote: "192.0.2.1:1935".parse().unwrap(),
            local: None,
            offset_ms: 0.0,
            took_ms: 12.0,
        },
        tls: None,
        handshake_ms: None,
        echoed: None,
        connect_ms: None,
        server: None,
        publish_ms: None,
        media: None,
        own_rules: None,
        walk: None,
        end,
    }
}

fn reading(attempts: Vec<Attempt>) -> Reading {
    Reading {
        url: "rtmp://ingest.example/live".into(),
        publish: Publish::Never,
        method: String::new(),
        resolve_ms: 1.0,
        unresolved: None,
        attempts,
    }
}

fn judged(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Rtmp::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn failed(failure: Failure) -> End {
    End::NotConnected { failure, icmp: None, detail: WireText::default() }
}

fn not_secured(failure: Failure, answered: Option<Answered>) -> End {
    End::NotSecured { failure, detail: WireText::default(), answered, identity: None }
}

fn closed(phase: Phase, received_bytes: u64) -> End {
    End::Closed { phase, reset: true, received_bytes, after_ms: 3.0 }
}

fn silent(phase: Phase) -> End {
    End::Silent { phase, received_bytes: 0, after_ms: 8000.0 }
}

fn refused(phase: Phase, code: &str) -> End {
    End::Refused { phase, code: code.into(), description: "why".into() }
}

fn answered(protocol: Protocol) -> Answered {
    Answered { protocol, first: "HTTP/1.1 400 Bad Request\r\nServer: x".into() }
}

#[test]
fn every_ending_has_its_code() {
    let port_unreachable =
        IcmpError { family: Family::V4, kind: 3, code: 3, from: "192.0.2.254".parse().unwrap() };
    let filter = End::NotConnected {
        failure: Failure::Refused,
        icmp: Some(port_unreachable),
        detail: WireText::default(),
    };
    let malformed = End::Malformed { phase: Phase::Connect, problem: "impossible chunk size 0".into() };
    for (end, code) in [
        (failed(Failure::Refused), "rtmp.refused"),
        (filter, "rtmp.prohibited"),
        (failed(Failure::Prohibited), "rtmp.prohibited"),
        (failed(Failure::TimedOut), "rtmp.filtered"),
        (failed(Failure::NetUnreachable), "rtmp.unreachable"),
        (failed(Failure::LocalPolicy), "rtmp.local_policy"),
        (not_secured(Failure::WrongProtocol, Some(answered(Protocol::Http))), "rtmp.not_tls"),
        (not_secured(Failure::Untrusted, None), "rtmp.untrusted"),
        (not_secured(Failure::TlsAlert, None), "rtmp.tls_failed"),
        (not_secured(Failure::Reset, None), "rtmp.tls_failed"),
        (End::NotRtmp(answered(Protocol::Http)), "rtmp.not_rtmp"),
        (closed(Phase::Handshake, 0), "rtmp.killed"),
        (closed(Phase::Handshake, 100), "rtmp.malformed"),
        (closed(Phase::Connect, 3073), "rtmp.app_closed"),
        (closed(Phase::Publish, 3500), "rtmp.publish_closed"),
        (closed(Phase::Media, 3600), "rtmp.cut"),
        (silent(Phase::Handshake), "rtmp.swallowed"),
        (silent(Phase::Connect), "rtmp.no_answer"),
        (silent(Phase::Media), "rtmp.stalled"),
        (refused(Phase::Connect, "NetConnection.Connect.InvalidApp"), "rtmp.app_refused"),
        (refused(Phase::Publish, "NetStream.Publish.BadName"), "rtmp.key_in_use"),
        (refused(Phase::Publish, "NetStream.Publish.Denied"), "rtmp.publish_refused"),
        (refused(Phase::CreateStream, ""), "rtmp.publish_refused"),
        (refused(Phase::Media, "NetStream.Failed"), "rtmp.cut"),
        (malformed, "rtmp.malformed"),
    ] {
        let reading = reading(vec![attempt(end.clone())]);
        let findings = Rtmp::judge(&Limits::default(), &reading);
        assert_eq!((findings[0].code.as_str(), findings[0].effect), (code, Effect::Fail), "{end:?}");
        assert!(!findings[0].remedy.is_empty() && findings.len() == 1, "{findings:?}");
        assert!(Rtmp::CODES.iter().any(|known| known.id == code));
        let text = serde_json::to_string(&reading).unwrap();
        assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading);
    }
}

#[test]
fn a_router_that_finds_no_way_is_no_family_that_this_machine_lacks() {
    let from = "2001:db8::1".parse().unwrap();
    let icmp = IcmpError { family: Family::V6, kind: 1, code: 0, from };
    let end = |icmp| End::NotConnected { failure: Failure::NetUnreachable, icmp, detail: "x".into() };
    let beside = |end| reading(vec![attempt(End::Accepted), attempt(end)]);
    let second = |reading| judged(&Limits::default(), &reading)[1].clone();
    assert_eq!(second(beside(end(None))), ("rtmp.family_absent".to_owned(), Effect::Pass));
    assert_eq!(second(beside(end(Some(icmp)))), ("rtmp.unreachable".to_owned(), Effect::Warn));
}

#[test]
fn an_address_that_was_only_greeted_does_not_make_up_for_a_stream_that_was_cut() {
    let mut cut = attempt(closed(Phase::Media, 3600));
    cut.media = Some(Media { took_ms: 900.0, video_frames: 22, sent_bytes: 70_000 });
    let both = vec![cut, attempt(End::Accepted)];
    let asked = Reading { publish: Publish::Test, ..reading(both) };
    assert_eq!(judged(&Limits::default(), &asked)[0], ("rtmp.cut".to_owned(), Effect::Fail));
}

#[test]
fn this_machines_own_prohibition_is_its_own() {
    let from = "192.0.2.77".parse().unwrap();
    let icmp = IcmpError { family: Family::V4, kind: 3, code: 13, from };
    let end = End::NotConnected { failure: Failure::Prohibited, icmp: Some(icmp), detail: "x".into() };
    let mut attempt = attempt(end);
    let code = |attempt: &Attempt| judged(&Limits::default(), &reading(vec![attempt.clone()]))[0].0.clone();
    assert_eq!(code(&attempt), "rtmp.prohibited");
    attempt.contact.local = Some(SocketAddr::new(from, 40000));
    assert_eq!(code(&attempt), "rtmp.local_policy");
}

#[test]
fn what_answered_is_in_the_finding() {
    let findings =
        Rtmp::judge(&Limits::default(), &reading(vec![attempt(End::NotRtmp(answered(Protocol::Http)))]));
    assert_eq!(findings[0].observed, "192.0.2.1:1935: answers in HTTP: “HTTP/1.1 400 Bad Request”");
}

#[test]
fn a_name_without_address_fails_and_nothing_tried_is_unknown() {
    let nameless = Reading { unresolved: Some(Failure::NoSuchName), ..reading(vec![]) };
    assert_eq!(judged(&Limits::default(), &nameless), [("rtmp.no_address".into(), Effect::Fail)]);
    assert_eq!(judged(&Limits::default(), &reading(vec![])), [("rtmp.no_address".into(), Effect::Unknown)]);
}

#[test]
fn when_one_address_works_another_warns_and_a_family_that_is_not_here_passes() {
    let both = |other| judged(&Limits::default(), &reading(vec![attempt(End::Accepted), attempt(other)]));
    let accepted = ("rtmp.accepted".to_owned(), Effect::Pass);
    assert_eq!(both(failed(Failure::TimedOut)), [accepted.clone(), ("rtmp.filtered".into(), Effect::Warn)]);
    let absent = both(failed(Failure::NetUnreachable));
    assert_eq!(absent, [accepted, ("rtmp.family_absent".into(), Effect::Pass)]);
}

#[test]
fn each_limit_is_held_against_the_slowest_address() {
    let timed = |ms| Attempt { handshake_ms: Some(ms), connect_ms: Some(1.0), ..attempt(End::Accepted) };
    let reading = reading(vec![timed(10.0), timed(90.0)]);
    let limits = Limits {
        tcp_ms: Some(AtMost(12.0)),
        handshake_ms: Some(AtMost(50.0)),
        publish_ms: Some(AtMost(5.0)), // never measured: nothing is said of it
        ..Limits::default()
    };
    let timings = judged(&limits, &reading).split_off(2);
    assert_eq!(timings, [("rtmp.in_time".into(), Effect::Pass), ("rtmp.slow".into(), Effect::Fail)]);
}

#[test]
fn mistakes_in_the_target_are_found_before_anything_is_sent() {
    let target = |url: &str, publish, test_key| Target {
        url: url.into(),
        publish,
        test_key,
        media_seconds: if url.ends_with("long") { 61 } else { 5 },
    };
    let key = || Some(SecretSource::Env("KEY".into()));
    let limits = Limits { publish_ms: Some(AtMost(1.0)), tls_ms: Some(AtMost(1.0)), ..Limits::default() };
    let fields = |target: &Target, limits: &Limits| -> Vec<_> {
        let problems = Rtmp::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        problems.into_iter().map(|problem| problem.field).collect()
    };
    let none = Limits::default();
    assert!(fields(&target("rtmp://a/b", Publish::Test, key()), &none).is_empty());
    assert_eq!(fields(&target("http://a/b", Publish::Never, None), &none), ["url"]);
    assert_eq!(fields(&target("rtmp://a/b", Publish::Test, None), &none), ["test_key"]);
    assert_eq!(fields(&target("rtmp://a/b", Publish::Never, key()), &none), ["test_key"]);
    assert_eq!(fields(&target("rtmp://a/long", Publish::Never, None), &none), ["media_seconds"]);
    assert_eq!(fields(&target("rtmp://a/b", Publish::Never, None), &limits), ["publish_ms", "tls_ms"]);
}

#[test]
fn the_demand_counts_media_only_when_they_are_published() {
    let mut target: Target =
        serde_json::from_value(serde_json::json!({ "url": "rtmps://ingest.example/app" })).unwrap();
    let asked = Rtmp::demand(&target, &BTreeMap::new());
    assert_eq!(
        asked.endpoints,
        [crate::model::Endpoint::new("ingest.example", 443, crate::model::Transport::Tcp)]
    );
    target.publish = Publish::Test;
    let published = Rtmp::demand(&target, &BTreeMap::new());
    assert!(published.bytes_up > asked.bytes_up + 100_000 && published.seconds_max > asked.seconds_max);
}

/// A server on loopback that deals with each connection as told.
async fn serving<F>(deal: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            deal(stream).await;
        }
    });
    address
}

const KEY: &str = "canary-9c41";

async fn ask(address: SocketAddr, publish: Publish) -> Reading {
    let target = Target {
        url: format!("rtmp://{address}/live"),
        publish,
        test_key: (publish == Publish::Test).then(|| SecretSource::Value(Secret::from(KEY.to_owned()))),
        media_seconds: 1,
    };
    Rtmp::measure(&target, &Env::bare(CheckId::new("ingest").unwrap())).await.unwrap()
}

async fn codes(address: SocketAddr, publish: Publish) -> Vec<String> {
    let findings = Rtmp::judge(&Limits::default(), &ask(address, publish).await);
    findings.into_iter().map(|finding| finding.code).collect()
}

#[tokio::test]
async fn strangers_are_named() {
    let says = |text: &'static [u8]| {
        serving(move |mut stream| async move {
            let mut sink = vec![0; 4096];
            let _ = stream.read(&mut sink).await;
            let _ = stream.write_all(text).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        })
    };
    let http = says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
    let reading = ask(http, Publish::Never).await;
    assert!(
        matches!(&reading.attempts[0].end, End::NotRtmp(a) if a.protocol == Protocol::Http),
        "{reading:?}"
    );
    let ssh = says(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
    assert_eq!(codes(ssh, Publish::Never).await, ["rtmp.not_rtmp"]);
}

#[tokio::test]
async fn a_port_that_kills_rtmp_is_told_from_a_closed_one() {
    let reset = serving(|mut stream| async move {
        let mut first = [0; 1];
        let _ = stream.read(&mut first).await;
        drop(stream); // over unread bytes: a reset
    })
    .await;
    assert_eq!(codes(reset, Publish::Never).await, ["rtmp.killed"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shut = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(codes(shut, Publish::Never).await, ["rtmp.refused"]);
}

/// An ingest that takes `key` and counts; says `cut` after its first media, if so told.
async fn ingest(cut: bool) -> SocketAddr {
    serving(move |mut stream| async move {
        let mut server = Server::new(5);
        server.unlock();
        let mut buffer = vec![0; 8192];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            server.receive(&buffer[..length]);
            while let Some(step) = server.step() {
                match step {
                    Step::Publish { key } if key.reveal() != KEY => {
                        server.refuse("NetStream.Publish.BadName", "");
                    }
                    _ => server.accept(),
                }
            }
            let _ = stream.write_all(&server.outgoing()).await;
            if cut && server.media().video_messages > 0 {
                break;
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_ingest_is_accepted_published_to_or_found_to_cut() {
    assert_eq!(codes(ingest(false).await, Publish::Never).await, ["rtmp.accepted"]);
    let reading = ask(ingest(false).await, Publish::Test).await;
    let media = reading.attempts[0].media.unwrap();
    assert!(media.video_frames >= 20 && media.took_ms >= 1000.0, "{media:?}");
    assert!(!format!("{reading:?}").contains(KEY));
    assert_eq!(codes(ingest(true).await, Publish::Test).await, ["rtmp.cut"]);
}

#[tokio::test]
async fn hostile_words_are_escaped_and_the_key_is_cut_out_of_them() {
    let address = serving(|mut stream| async move {
        let mut server = Server::new(5);
        server.unlock();
        let mut buffer = vec![0; 8192];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            server.receive(&buffer[..length]);
            while let Some(step) = server.step() {
                match step {
                    Step::Publish { key } => {
                        server.refuse("\u{1b}]0;x\u{7}", &format!("\u{1b}[2J<script>{}", key.reveal()));
                    }
                    _ => server.accept(),
                }
            }
            let _ = stream.write_all(&server.outgoing()).await;
        }
    })
    .await;
    let findings = Rtmp::judge(&Limits::default(), &ask(address, Publish::Test).await);
    assert_eq!(findings[0].code, "rtmp.publish_refused");
    let observed = &findings[0].observed;
    assert!(observed.ends_with("\\u{1b}]0;x\\u{7} “\\u{1b}[2J<script>[secret]”"), "{observed}");
}

#[tokio::test]
async fn a_run_that_is_stopped_gives_no_reading() {
    let address = serving(|stream| async move {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    let target: Target =
        serde_json::from_value(serde_json::json!({ "url": format!("rtmp://{address}/live") })).unwrap();
    let env = Env::bare(CheckId::new("ingest").unwrap());
    env.cancel.cancel();
    assert_eq!(Rtmp::measure(&target, &env).await.unwrap_err(), NotMeasured::cancelled());
}

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::model::{CheckId, Effect, Failure, WireText};
use crate::net::proxy::Connect;
use crate::wire::rtmp::server::Server;

/// An RTMP server that answers the handshake.
async fn ingest() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut server, mut buffer) = (Server::new(1), vec![0; 8192]);
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    server.receive(&buffer[..length]);
                    while server.step().is_some() {}
                    if stream.write_all(&server.outgoing()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    at
}

/// A server that hears a question out and answers the same to everybody.
async fn says(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    at
}

/// A proxy that connects whoever asks, and hears what it was asked.
async fn proxy() -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (heard, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let length = client.read(&mut buffer).await.unwrap();
            let question = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let to = question.split(' ').nth(1).unwrap().to_owned();
            let _ = heard.send(question);
            let Ok(mut server) = TcpStream::connect(to).await else { continue };
            let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (at, asked)
}

async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn target(ingest: SocketAddr, proxies: &[SocketAddr]) -> Target {
    let named = proxies.iter().map(|at| format!("http://{at}").try_into().unwrap());
    Target { url: format!("rtmp://{ingest}/live"), proxies: named.collect(), script: None, wpad: false }
}

async fn measure(target: &Target) -> Reading {
    let env = Env::bare(CheckId::new("proxy").unwrap());
    let mut reading = Proxy::measure(target, &env).await.unwrap();
    // The machine that tests run on may have settings of its own.
    let ours = |teller| matches!(teller, Teller::Policy | Teller::Script);
    reading.said.retain(|said| ours(said.teller));
    reading.through.retain(|through| through.url.host == "127.0.0.1");
    reading
}

fn said(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Proxy::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn any() -> Limits {
    Limits { way: Some(AtLeast(Way::Any)), ..Limits::default() }
}

/// The ingest out of direct reach, as behind a firewall.
fn without_direct(mut reading: Reading) -> Reading {
    let (failure, detail) = (Failure::TimedOut, WireText::default());
    reading.direct.attempts[0].reached = Reached::NotConnected { failure, detail };
    reading
}

#[tokio::test]
async fn an_ingest_that_answers_directly_is_enough() {
    let (through, mut asked) = proxy().await;
    let at = ingest().await;
    let reading = measure(&target(at, &[through])).await;
    let effects = said(&Limits::default(), &reading);
    let codes: Vec<&str> = effects.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["proxy.direct", "proxy.named", "proxy.through"]);
    assert!(effects.iter().all(|(_, effect)| *effect == Effect::Pass));
    assert!(asked.recv().await.unwrap().starts_with(&format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n")));

    let alone = without_direct(reading);
    assert_eq!(said(&Limits::default(), &alone)[0], ("proxy.only_through".to_owned(), Effect::Fail));
    assert!(said(&any(), &alone).iter().all(|(_, effect)| *effect == Effect::Pass));
}

#[tokio::test]
async fn each_refusal_is_named_and_fails_only_where_it_matters() {
    let wants = "HTTP/1.1 407 Proxy Authentication Required\r\nServer: squid/6.14\r\nProxy-Authenticate: Negotiate\r\n\
                 Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    let forbids = "HTTP/1.1 403 Forbidden\r\nContent-Length: 26\r\n\r\n<h1>Zscaler: not you!</h1>";
    for (answer, code, beside_direct) in [
        (wants, "proxy.auth_required", Effect::Pass),
        (forbids, "proxy.refused", Effect::Pass),
        ("SSH-2.0-x\r\n", "proxy.unreachable", Effect::Warn),
        ("", "proxy.unreachable", Effect::Warn),
        ("HTTP/1.1 200 OK\r\n\r\n", "proxy.tunnel_dead", Effect::Pass),
        ("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n", "proxy.tunnel_dead", Effect::Pass),
    ] {
        let reading = measure(&target(ingest().await, &[says(answer).await])).await;
        assert_eq!(said(&Limits::default(), &reading)[2], (code.to_owned(), beside_direct), "{answer}");
        let blocked = said(&Limits::default(), &without_direct(reading.clone()));
        assert_eq!(blocked[0], ("proxy.blocked".to_owned(), Effect::Fail), "{answer}");
        assert_eq!(blocked[2], (code.to_owned(), Effect::Fail), "{answer}");
        match answer {
            _ if answer == wants => {
                let Connect::Answered { offers, .. } = &reading.through[0].connect else {
                    panic!("{reading:?}")
                };
                assert_eq!(offers, &[WireText::from("Negotiate"), WireText::from("Basic")]);
                assert_eq!(reading.through[0].product.as_deref(), Some("Squid"));
            }
            _ if answer == forbids => {
                assert_eq!(reading.through[0].product.as_deref(), Some("Zscaler Internet Access"));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_proxy_that_nobody_named_is_told_by_what_answers() {
    let reading = measure(&target(says("HTTP/1.1 400 Bad Request\r\n\r\n").await, &[])).await;
    let said = said(&Limits::default(), &reading);
    assert_eq!(said[0], ("proxy.not_the_ingest".to_owned(), Effect::Fail));
    assert_eq!(said[1], ("proxy.none".to_owned(), Effect::Pass));
}

#[tokio::test]
async fn nobody_there_and_no_name_are_blocked() {
    let reading = measure(&target(closed().await, &[])).await;
    assert_eq!(said(&Limits::default(), &reading)[0], ("proxy.blocked".to_owned(), Effect::Fail));
    let mut unnamed = target(closed().await, &[]);
    unnamed.url = "rtmp://no-such-host.invalid/live".to_owned();
    let reading = measure(&unnamed).await;
    assert!(reading.direct.lookup.is_some());
    assert_eq!(said(&Limits::default(), &reading)[0].0, "proxy.blocked");
}

#[tokio::test]
async fn a_script_is_fetched_and_run_and_a_broken_one_is_told() {
    let (through, _asked) = proxy().await;
    let script = format!("function FindProxyForURL(u, h) {{ return 'PROXY {through}; DIRECT'; }}");
    let page: &'static str = Box::leak(format!("HTTP/1.1 200 OK\r\n\r\n{script}").into_boxed_str());
    let mut target = target(ingest().await, &[]);
    for (answer, codes) in [
        (page, &["proxy.direct", "proxy.named", "proxy.through"][..]),
        (
            "HTTP/1.1 200 OK\r\n\r\n<html>Welcome</html>",
            &["proxy.direct", "proxy.none", "proxy.script_failed"],
        ),
        ("HTTP/1.1 404 Not Found\r\n\r\n", &["proxy.direct", "proxy.none", "proxy.script_failed"]),
    ] {
        target.script = Some(format!("http://{}/proxy.pac?canary", says(answer).await).try_into().unwrap());
        let reading = measure(&target).await;
        let said: Vec<String> =
            said(&Limits::default(), &reading).into_iter().map(|(code, _)| code).collect();
        assert_eq!(said, codes, "{answer}");
        assert!(!serde_json::to_string(&reading).unwrap().contains("canary"));
    }
}

#[test]
fn targets_that_name_no_ingest_are_mistakes() {
    let at = "127.0.0.1:1".parse().unwrap();
    let problems =
        |target: &Target| target.problems().iter().map(|problem| problem.field).collect::<Vec<_>>();
    assert!(problems(&target(at, &[])).is_empty());
    let mut wrong = target(at, &[at; 5]);
    wrong.url = "http://a.example/".to_owned();
    assert_eq!(problems(&wrong), ["url", "proxies"]);
    wrong.url = "https://a.example/".to_owned();
    assert_eq!(problems(&wrong), ["proxies"]);
}

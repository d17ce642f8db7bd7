//! Servers that go wrong on loopback; what a policy may not say.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::model::{CheckId, Effect};
use crate::net::viewer::Load;
use crate::wire::http::WebUrl;

/// Says `says` to every request, and nothing after it.
async fn serve(says: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(says.as_bytes()).await;
        }
    });
    address
}

fn target(url: String) -> Target {
    Target {
        url: WebUrl::try_from(url).unwrap(),
        kind: Content::Page,
        hosts: Vec::new(),
        contains: None,
        player: None,
        via: Via::Direct,
        download: None,
    }
}

async fn judged(target: &Target) -> Vec<Finding> {
    let reading = Web::measure(target, &Env::bare(CheckId::new("web").unwrap())).await.unwrap();
    let again: Reading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
    let findings = Web::judge(&Limits::default(), &reading);
    assert_eq!(Web::judge(&Limits::default(), &again), findings, "a stored reading is judged the same");
    findings
}

async fn first_code(target: &Target) -> (String, Effect) {
    let first = judged(target).await.remove(0);
    (first.code, first.effect)
}

#[tokio::test]
async fn what_ends_without_an_answer_is_told_apart() {
    let fail = |code: &str| (code.to_owned(), Effect::Fail);
    let silent = serve("").await;
    assert_eq!(first_code(&target(format!("http://{silent}/"))).await, fail("web.killed"));
    let stranger = serve("SSH-2.0-OpenSSH\r\n").await;
    assert_eq!(first_code(&target(format!("http://{stranger}/"))).await, fail("web.killed"));
    // A handshake that is answered in plain HTTP; nothing that came acts on a terminal.
    let plain = serve("HTTP/1.1 400 Bad Request\r\n\r\n\u{1b}[31m").await;
    let findings = judged(&target(format!("https://{plain}/"))).await;
    assert_eq!(findings[0].code, "web.killed");
    assert!(!format!("{findings:?}").contains('\u{1b}'));
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(first_code(&target(format!("http://{gone}/"))).await, fail("web.no_connection"));
    let cut = serve("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    assert_eq!(first_code(&target(format!("http://{cut}/"))).await, fail("web.killed"));
    let nameless = target("http://nonesuch.invalid/".to_owned());
    assert_eq!(first_code(&nameless).await, fail("web.no_address"));
}

#[tokio::test]
async fn a_redirection_is_followed_only_to_hosts_that_the_policy_names() {
    let there = serve(
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/?token=canary\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let stranger = target(format!("http://{there}/"));
    let findings = judged(&stranger).await;
    assert_eq!((findings[0].code.as_str(), findings[0].effect), ("web.diverted", Effect::Fail));
    assert!(!format!("{findings:?}").contains("canary"), "{findings:?}");
    let named = Target { hosts: vec!["*.invalid".to_owned()], ..stranger.clone() };
    assert_eq!(first_code(&named).await.0, "web.no_address", "it was asked for");
    // Round and round: bounded.
    let round = serve("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(first_code(&target(format!("http://{round}/"))).await.0, "web.refused");
}

#[test]
fn a_host_is_named_by_itself_or_by_its_domain() {
    let target = Target {
        hosts: vec!["cdn.example.net".into(), "*.video.example".into()],
        ..target("https://Event.example.com/".into())
    };
    let names = |url: &str| target.names(&WebUrl::try_from(url.to_owned()).unwrap());
    for url in ["http://event.example.com/x", "https://CDN.example.net/", "https://a.b.video.example/"] {
        assert!(names(url), "{url}");
    }
    for url in [
        "https://example.com/",
        "https://video.example/",
        "https://evilvideo.example/",
        "https://x.cdn.example.net/",
    ] {
        assert!(!names(url), "{url}");
    }
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused() {
    let fields = |target: &Target, limits: &Limits| -> Vec<&'static str> {
        let problems = Web::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        problems.into_iter().map(|problem| problem.field).collect()
    };
    let page = target("https://event.example.com/".into());
    assert!(fields(&page, &Limits::default()).is_empty());
    let load = Some(Load { seconds: 10, connections: 4, at_most_mb: 500 });
    let viewers = Limits { viewers: Some(AtLeast(100)), ..Limits::default() };
    for (target, limits, field) in [
        (Target { hosts: vec!["https://cdn.example/".into()], ..page.clone() }, Limits::default(), "hosts"),
        (Target { contains: Some(" ".into()), ..page.clone() }, Limits::default(), "contains"),
        (Target { download: load, ..page.clone() }, Limits::default(), "kind"),
        (page.clone(), Limits { live: Some(Exactly(true)), ..Limits::default() }, "live"),
        (Target { kind: Content::Hls, ..page.clone() }, viewers, "viewers"),
        (
            Target {
                kind: Content::Hls,
                download: Some(Load { seconds: 1, connections: 4, at_most_mb: 1 }),
                ..page.clone()
            },
            Limits::default(),
            "download",
        ),
    ] {
        assert_eq!(fields(&target, &limits), [field], "{target:?}");
    }
    // Loading the line is done alone, asking is not.
    assert_eq!(Web::lane(&page), Lane::Ask);
    assert_eq!(Web::lane(&Target { kind: Content::Hls, download: load, ..page }), Lane::Load);
}

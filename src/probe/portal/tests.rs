use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::model::{CheckId, Effect, StreamNeed};
use crate::net::tls::Roots;
use crate::net::tls::tests::{Authority, NOW};

/// Says `says` to every request.
async fn serve(says: String) -> SocketAddr {
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

/// The same over TLS; also what it must be verified by.
async fn serve_tls(says: String) -> (SocketAddr, Roots) {
    let public = Authority::new("Public");
    let roots = Roots::given(vec![public.root.clone()], vec![public.root.clone()]);
    let acceptor = TlsAcceptor::from(Arc::new(public.server("127.0.0.1", NOW).config()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(says.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, roots)
}

fn url(text: String) -> WebUrl {
    WebUrl::try_from(text).unwrap()
}

async fn measure(target: &Target, roots: Roots) -> Reading {
    let mut env = Env::bare(CheckId::new("portal").unwrap());
    env.roots = roots;
    Portal::measure(target, &env).await.unwrap()
}

async fn reading(says: &str) -> Reading {
    let at = serve(says.to_owned()).await;
    measure(&Target { url: url(format!("http://{at}/check")), api: None }, Roots::system()).await
}

fn said(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Portal::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn body(text: &str) -> Limits {
    Limits { body: Some(Exactly(text.to_owned())), ..Limits::default() }
}

#[tokio::test]
async fn the_page_itself_is_told_from_what_a_portal_puts_in_its_place() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Welcome, guest</html>";
    let away = "HTTP/1.1 302 Found\r\nLocation: https://portal.example/login?mac=00:11&token=canary\r\n\r\n";
    let here = "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/check\r\nContent-Length: 0\r\n\r\n";
    for (says, limits, code, effect) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", Limits::default(), "portal.free", Effect::Pass),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsuccess\n",
            body("success"),
            "portal.free",
            Effect::Pass,
        ),
        (page, Limits::default(), "portal.substituted", Effect::Fail),
        (page, body("success"), "portal.substituted", Effect::Fail),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            Limits::default(),
            "portal.substituted",
            Effect::Fail,
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", body("success"), "portal.substituted", Effect::Fail),
        (away, Limits::default(), "portal.redirected", Effect::Fail),
        (here, Limits::default(), "portal.moved", Effect::Unknown),
        (
            "HTTP/1.1 511 Network Authentication Required\r\n\r\n",
            Limits::default(),
            "portal.login_required",
            Effect::Fail,
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\nno", Limits::default(), "portal.error", Effect::Unknown),
        ("SSH-2.0-x\r\n", Limits::default(), "portal.no_answer", Effect::Unknown),
        ("", Limits::default(), "portal.no_answer", Effect::Unknown),
    ] {
        let reading = reading(says).await;
        assert_eq!(said(&limits, &reading), [(code.to_owned(), effect)], "{says}");
        let stored = serde_json::to_string(&reading).unwrap();
        assert!(!stored.contains("canary") && !stored.contains("00:11"), "{stored}");
    }
}

#[tokio::test]
async fn a_page_that_never_ends_is_bounded() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20));
    let reading = reading(&endless).await;
    let Answer::Page(page) = &reading.attempts[0].answer else { panic!("{reading:?}") };
    assert!(!page.whole && page.body_bytes <= 16 * 1024);
    assert_eq!(said(&body(&"x".repeat(16)), &reading)[0].0, "portal.substituted");
}

#[tokio::test]
async fn nobody_there_is_no_free_network() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let target = Target { url: url(format!("http://{closed}/")), api: None };
    let refused = measure(&target, Roots::system()).await;
    assert_eq!(said(&Limits::default(), &refused), [("portal.no_answer".to_owned(), Effect::Unknown)]);
    let target = Target { url: url("http://no-such-host.invalid/".to_owned()), api: None };
    let unnamed = measure(&target, Roots::system()).await;
    assert_eq!(said(&Limits::default(), &unnamed)[0], ("portal.no_address".to_owned(), Effect::Unknown));
}

#[tokio::test]
async fn one_dead_address_of_two_is_a_warning_and_a_family_that_is_not_there_is_none() {
    let mut both = reading("HTTP/1.1 204 No Content\r\n\r\n").await;
    let mut other = both.attempts[0].clone();
    other.contact.remote = "[2001:db8::1]:80".parse().unwrap();
    let dead = |failure| Answer::None { failure, detail: WireText::default(), connected: false };
    other.answer = dead(Failure::TimedOut);
    both.attempts.push(other);
    let codes = said(&Limits::default(), &both);
    assert_eq!(codes[1], ("portal.address_dead".to_owned(), Effect::Warn));
    both.attempts[1].answer = dead(Failure::NetUnreachable);
    assert_eq!(said(&Limits::default(), &both).len(), 1);
}

async fn with_api(says: &str) -> Reading {
    let page = serve("HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    let json = format!("HTTP/1.1 200 OK\r\nContent-Type: application/captive+json\r\n\r\n{says}");
    let (api, roots) = serve_tls(json).await;
    let target = Target {
        url: url(format!("http://{page}/")),
        api: Some(url(format!("https://{api}/captive?me=canary"))),
    };
    measure(&target, roots).await
}

#[tokio::test]
async fn the_portals_own_word_counts() {
    let held = with_api(r#"{"captive":true,"user-portal-url":"https://portal.example/in?t=canary"}"#).await;
    assert_eq!(said(&Limits::default(), &held)[1], ("portal.api_captive".to_owned(), Effect::Fail));
    let remedy = &Portal::judge(&Limits::default(), &held)[1].remedy;
    assert!(remedy.contains("open https://portal.example/in in a browser"), "{remedy}");
    assert!(!serde_json::to_string(&held).unwrap().contains("canary"));

    let free = with_api(r#"{"captive":false,"seconds-remaining":3600,"bytes-remaining":1000000000}"#).await;
    let in_hours = |hours: i64| AtLeast(free.at + jiff::SignedDuration::from_hours(hours));
    for (limits, session, allowance) in [
        (Limits::default(), Effect::Pass, Effect::Pass),
        (
            Limits {
                session_until: Some(in_hours(1)),
                bytes_remaining: Some(AtLeast(1_000_000_000)),
                ..Limits::default()
            },
            Effect::Pass,
            Effect::Pass,
        ),
        (
            Limits {
                session_until: Some(in_hours(2)),
                bytes_remaining: Some(AtLeast(2_000_000_000)),
                ..Limits::default()
            },
            Effect::Warn,
            Effect::Warn,
        ),
    ] {
        let effects: Vec<Effect> = said(&limits, &free).into_iter().map(|(_, effect)| effect).collect();
        assert_eq!(effects, [Effect::Pass, Effect::Pass, session, allowance], "{limits:?}");
    }

    let broken = with_api("<html>Welcome</html>").await;
    assert_eq!(said(&Limits::default(), &broken)[1], ("portal.api_failed".to_owned(), Effect::Warn));
}

#[tokio::test]
async fn an_api_that_a_stranger_signed_for_is_not_believed() {
    let page = serve("HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    let (api, _) = serve_tls("HTTP/1.1 200 OK\r\n\r\n{\"captive\":false}".to_owned()).await;
    let target = Target { url: url(format!("http://{page}/")), api: Some(url(format!("https://{api}/"))) };
    let reading = measure(&target, Roots::given(Vec::new(), Vec::new())).await;
    assert_eq!(said(&Limits::default(), &reading)[1].0, "portal.api_failed");
    assert!(matches!(
        &reading.api,
        Api::Asked { answer: ApiAnswer::None { failure: Failure::Untrusted, .. }, .. }
    ));
}

#[test]
fn what_the_event_needs_of_a_session_follows_from_the_event() {
    let need = StreamNeed { media_kbps: 8000, headroom: 1.5, overhead: 0.0, latency_ms: None };
    let ends = "2026-12-04T14:30:00Z".parse().unwrap();
    let mut stakes = Stakes { event_ends: Some(ends), event_seconds: Some(3600), ..Stakes::default() };
    stakes.streams.insert(crate::model::StreamName::new("main").unwrap(), need);
    let mut target = Target { url: url("http://a.example/".to_owned()), api: None };
    let mut limits = Limits::default();
    Portal::derive(&mut target, &mut limits, &stakes);
    assert_eq!(limits.session_until, Some(AtLeast(ends)));
    assert_eq!(limits.bytes_remaining, Some(AtLeast(3_600_000_000)), "8 Mb/s for an hour, without headroom");
}

#[test]
fn targets_that_cannot_tell_are_mistakes() {
    let problems = |page: &str, api: Option<&str>, limits: &Limits| {
        let target = Target { url: url(page.to_owned()), api: api.map(|api| url(api.to_owned())) };
        Portal::problems(&target, limits, &BTreeMap::new(), &Stakes::default())
    };
    let fields = |problems: Vec<Problem>| problems.iter().map(|problem| problem.field).collect::<Vec<_>>();
    assert!(problems("http://a.example/", Some("https://b.example/"), &Limits::default()).is_empty());
    let wrong = problems("https://a.example/", Some("http://b.example/"), &body(&"x".repeat(400)));
    assert_eq!(fields(wrong), ["url", "api", "body"]);
}

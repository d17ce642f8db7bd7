use super::*;
use crate::media::SEGMENT_MS;
use crate::model::{Cause, CheckId, Effect, Endpoint, Failure, Transport, WireText};
use crate::net::proxy::Connect;
use crate::net::viewer::{Ended, Way};

const URL: &str = "https://ingest.example.com/up?cid={key}&file={file}";

fn target() -> Target {
    serde_json::from_value(serde_json::json!({
        "url": URL, "publish": "test", "test_key": { "value": "canary" }, "media_kbps": 4000,
    }))
    .unwrap()
}

fn codes_of(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = HlsPush::judge(limits, reading);
    for finding in &findings {
        assert!(
            HlsPush::CODES.iter().any(|code| code.id == finding.code),
            "{} is not declared",
            finding.code
        );
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn http(status: u16) -> Answer {
    let (content_type, location, product) = (None, None, None);
    let head =
        Head { status, reason: "words".into(), content_type, location, product, body: WireText::default() };
    Answer::Http(head)
}

fn push(what: What, took_ms: f64, answer: Answer) -> Push {
    Push { what, bytes: 900_000, offset_ms: 0.0, contact: None, kept: true, session: None, took_ms, answer }
}

fn reading(planned: u32, pushes: Vec<Push>) -> Reading {
    Reading {
        method: "test".into(),
        url: target().url,
        verb: Verb::Put,
        media_kbps: 4000,
        segment_ms: SEGMENT_MS,
        planned,
        way: Way::Direct { why: "test".into() },
        pushes,
    }
}

fn segment(took_ms: f64, answer: Answer) -> Push {
    push(What::Segment, took_ms, answer)
}

#[test]
fn every_answer_has_its_code() {
    let unanswered = |failure| Answer::None(Ended::Unanswered { failure, detail: "x".into() });
    let tls = |failure, nameless| Answer::None(Ended::Tls { failure, detail: "x".into(), nameless });
    let proxy = Connect::Answered {
        status: 403,
        reason: "Forbidden".into(),
        offers: vec![],
        names_itself: vec![],
        page: "x".into(),
    };
    let page = |content_type: Option<&str>, product: Option<&str>| {
        let Answer::Http(head) = http(200) else { unreachable!() };
        let (content_type, product) = (content_type.map(WireText::from), product.map(str::to_owned));
        Answer::Http(Head { content_type, product, ..head })
    };
    for (answer, code) in [
        (http(301), "hls_push.moved"),
        (http(401), "hls_push.unauthorised"),
        (http(403), "hls_push.unauthorised"),
        (http(404), "hls_push.unknown_address"),
        (http(405), "hls_push.no_put"),
        (http(407), "hls_push.proxy_refuses"),
        (http(413), "hls_push.too_large"),
        (http(500), "hls_push.error"),
        (http(511), "hls_push.portal"),
        (page(Some("text/html"), None), "hls_push.page"),
        (page(None, Some("FortiGate")), "hls_push.page"),
        (unanswered(Failure::Reset), "hls_push.cut"),
        (unanswered(Failure::Closed), "hls_push.cut"),
        (unanswered(Failure::TimedOut), "hls_push.silent"),
        (unanswered(Failure::WrongProtocol), "hls_push.not_http"),
        (tls(Failure::Untrusted, None), "hls_push.untrusted"),
        (tls(Failure::Reset, Some(true)), "hls_push.name_killed"),
        (tls(Failure::Reset, None), "hls_push.tls_failed"),
        (Answer::None(Ended::Proxy(proxy)), "hls_push.proxy_refuses"),
        (Answer::None(Ended::NoAddress { failure: Failure::NoSuchName }), "hls_push.no_address"),
        (
            Answer::None(Ended::NotConnected { failure: Failure::TimedOut, detail: "x".into() }),
            "hls_push.no_connection",
        ),
    ] {
        let found = codes_of(&Limits::default(), &reading(2, vec![segment(10.0, answer)]));
        assert_eq!(found, [(code.to_owned(), Effect::Fail)]);
    }
}

#[test]
fn a_segment_must_be_there_before_it_is_played_out() {
    let all = |took_ms| {
        let list = || push(What::Playlist, 5000.0, http(204));
        reading(2, vec![segment(100.0, http(201)), list(), segment(took_ms, http(204)), list()])
    };
    let takes = ("hls_push.takes".to_owned(), Effect::Pass);
    let judged = |limits: &Limits, took_ms| codes_of(limits, &all(took_ms));
    let (pass, fail) =
        (("hls_push.in_time".to_owned(), Effect::Pass), ("hls_push.late".to_owned(), Effect::Fail));
    assert_eq!(judged(&Limits::default(), 1920.0), [takes.clone(), pass.clone()]);
    assert_eq!(judged(&Limits::default(), 1921.0), [takes.clone(), fail.clone()]);
    let half = Limits { segment_share: Some(AtMost(0.5)) };
    assert_eq!(judged(&half, 960.0), [takes.clone(), pass]);
    assert_eq!(judged(&half, 961.0), [takes, fail]);
}

#[test]
fn what_was_not_pushed_is_no_pass() {
    let found = codes_of(&Limits::default(), &reading(2, vec![segment(100.0, http(201))]));
    assert_eq!(found[0], ("hls_push.error".to_owned(), Effect::Unknown));
    assert_eq!(codes_of(&Limits::default(), &reading(2, vec![]))[0].1, Effect::Unknown);
}

#[test]
fn files_that_stay_behind_are_told() {
    let list = || push(What::Playlist, 5.0, http(204));
    let with = |answer| reading(1, vec![segment(100.0, http(201)), list(), push(What::Delete, 9.0, answer)]);
    for (answer, code, effect) in [
        (http(204), "hls_push.deleted", Effect::Pass),
        (http(404), "hls_push.deleted", Effect::Pass),
        (http(405), "hls_push.not_deleted", Effect::Warn),
        (
            Answer::None(Ended::Unanswered { failure: Failure::Reset, detail: "x".into() }),
            "hls_push.not_deleted",
            Effect::Warn,
        ),
    ] {
        let found = codes_of(&Limits::default(), &with(answer));
        assert_eq!(found.last(), Some(&(code.to_owned(), effect)));
    }
}

#[tokio::test]
async fn a_key_that_is_not_there_and_a_cancelled_check_are_not_measured() {
    let env = Env::bare(CheckId::new("push").unwrap());
    let without =
        Target { test_key: Some(SecretSource::Env("GOLIVE_TEST_NO_SUCH_VARIABLE".into())), ..target() };
    assert_eq!(HlsPush::measure(&without, &env).await.unwrap_err().cause, Cause::NoSecret);
    env.cancel.cancel();
    assert_eq!(HlsPush::measure(&target(), &env).await.unwrap_err().cause, Cause::Cancelled);
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let fields = |target: &Target, limits: &Limits| -> Vec<&str> {
        let problems = HlsPush::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        problems.iter().map(|problem| problem.field).collect()
    };
    assert!(fields(&target(), &Limits::default()).is_empty());
    let wrong = Target {
        publish: Publish::Never,
        test_key: None,
        media_kbps: 1,
        segments: Some(99),
        stream: Some(StreamName::new("main").unwrap()),
        ..target()
    };
    let limits = Limits { segment_share: Some(AtMost(1.5)) };
    let wanted = ["publish", "test_key", "media_kbps", "segments", "stream", "segment_share"];
    assert_eq!(fields(&wrong, &limits), wanted);
    let url = PushUrl::try_from("https://ingest.example.com/{file}".to_owned()).unwrap();
    assert_eq!(fields(&Target { url, ..target() }, &Limits::default()), ["url"]);
}

#[test]
fn the_cost_is_known_beforehand_and_the_key_is_nowhere() {
    let demand = HlsPush::demand(&target(), &BTreeMap::new());
    assert_eq!(demand.endpoints[0], Endpoint::new("ingest.example.com", 443, Transport::Tcp));
    assert!(demand.endpoints[1].implied);
    let media = 4 * 4000 * SEGMENT_MS / 8;
    assert!(demand.bytes_up > media && demand.bytes_up < media * 5 / 4, "{demand:?}");
    let shown =
        format!("{:?} {} {}", target(), HlsPush::brief(&target()), serde_json::to_string(&target()).unwrap());
    assert!(!shown.contains("canary") && shown.contains("{key}"), "{shown}");
}

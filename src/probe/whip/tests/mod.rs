mod endpoint;
mod judging;

use std::net::SocketAddr;

use super::*;
use crate::model::{Cause, CheckId, Contact, Effect, Endpoint, Secret, SecretSource, Transport};
use crate::wire::http::WebUrl;
use crate::wire::webrtc::Kind;

const KEY: &str = "canary-key-77aa";

fn target(url: &str, publish: Publish) -> Target {
    let test_key = (publish == Publish::Test).then(|| SecretSource::Value(Secret::from(KEY.to_owned())));
    Target {
        url: WebUrl::try_from(url.to_owned()).unwrap(),
        hosts: Vec::new(),
        publish,
        test_key,
        turn: None,
        media_seconds: 5,
    }
}

fn env() -> Env {
    Env::bare(CheckId::new("studio").unwrap())
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = Whip::judge(limits, reading);
    for finding in &findings {
        assert!(Whip::CODES.iter().any(|code| code.id == finding.code), "{} is not declared", finding.code);
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

#[track_caller]
fn expect(limits: &Limits, reading: &Reading, wanted: &[(&str, Effect)]) {
    let found = codes(limits, reading);
    let found: Vec<(&str, Effect)> = found.iter().map(|(code, effect)| (code.as_str(), *effect)).collect();
    assert_eq!(found, wanted, "{:#?}", Whip::judge(limits, reading));
}

fn answered(status: u16) -> Answered {
    Answered {
        status,
        reason: "Words".into(),
        content_type: None,
        location: None,
        followed: false,
        takes_offers: None,
        names_session: false,
        product: None,
        body: "no".into(),
    }
}

fn attempt(end: End) -> Attempt {
    let remote: SocketAddr = "203.0.113.7:443".parse().unwrap();
    let contact = Contact { remote, local: None, offset_ms: 0.0, took_ms: 1.0 };
    Attempt { location: "https://studio.example/whip".into(), contact, tls: None, answered_ms: None, end }
}

fn reading(publish: Publish, ends: Vec<End>) -> Reading {
    Reading {
        method: "test".into(),
        url: "https://studio.example/whip".into(),
        publish,
        lookup: None,
        attempts: ends.into_iter().map(attempt).collect(),
        call: None,
        relayed: None,
    }
}

fn flow(lost_packets: u64, moved_ms: f64) -> Flow {
    Flow {
        packets: 200,
        sent_bytes: 100_000,
        report: Some(Report { lost_packets, round_trip_ms: Some(20.0), moved_ms }),
    }
}

fn call(end: CallEnd) -> Call {
    let candidate = |address: &str| Candidate {
        address: address.parse().unwrap(),
        kind: Kind::Host,
        sent: 4,
        received: 0,
        unreached: None,
    };
    let media = Media { took_ms: 5000.0, pictures: flow(2, 4800.0), sound: flow(0, 4900.0) };
    Call {
        candidates: vec![candidate("203.0.113.7:50000"), candidate("203.0.113.8:50000")],
        tcp_candidates: 0,
        passed_over: 0,
        servers: Vec::new(),
        pair: None,
        ice_ms: None,
        connected_ms: Some(300.0),
        media: Some(media),
        end,
        deleted: Deleted::Done,
    }
}

fn called(call: Call) -> Reading {
    let created = Answered { body: "".into(), ..answered(201) };
    Reading { call: Some(call), ..reading(Publish::Test, vec![End::Answered(created)]) }
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let fields = |target: &Target, limits: &Limits| -> Vec<&'static str> {
        let problems = Whip::problems(target, limits, &BTreeMap::new(), &Stakes::default());
        problems.iter().map(|problem| problem.field).collect()
    };
    let limits = Limits { loss_percent: Some(AtMost(1.0)), ..Limits::default() };
    assert!(fields(&target("https://studio.example/whip", Publish::Test), &limits).is_empty());
    let wrong = Target {
        hosts: vec!["*".to_owned()],
        test_key: Some(SecretSource::Env("KEY".to_owned())),
        media_seconds: 0,
        ..target("http://studio.example/whip", Publish::Never)
    };
    assert_eq!(fields(&wrong, &limits), ["url", "hosts", "test_key", "media_seconds", "loss_percent"]);
    let keyless = Target { test_key: None, ..target("https://studio.example/whip", Publish::Test) };
    assert_eq!(fields(&keyless, &Limits::default()), ["test_key"]);
}

#[test]
fn the_cost_is_known_beforehand_and_watching_sends_no_media() {
    let test = target("https://studio.example/whip?a=1", Publish::Test);
    let demand = Whip::demand(&test, &BTreeMap::new());
    assert_eq!(demand.endpoints[0], Endpoint::new("studio.example", 443, Transport::Tcp));
    assert!(demand.endpoints[1].implied && demand.endpoints[1].transport == Transport::Udp);
    assert!(demand.bytes_up > 200_000 && demand.seconds_max > 25.0, "{demand:?}");
    assert_eq!(Whip::brief(&test), "https://studio.example/whip, publishing a test");
    let light = Whip::light(&test).unwrap().ask;
    assert_eq!((light.publish, light.test_key.is_none()), (Publish::Never, true));
    assert_eq!(Whip::demand(&light, &BTreeMap::new()).endpoints.len(), 1);
}

#[tokio::test]
async fn a_key_that_is_not_there_or_cannot_be_sent_is_not_measured() {
    let mut without = target("https://127.0.0.1:9/whip", Publish::Test);
    without.test_key = Some(SecretSource::Env("GOLIVE_TEST_NO_SUCH_VARIABLE".into()));
    assert_eq!(Whip::measure(&without, &env()).await.unwrap_err().cause, Cause::NoSecret);
    without.test_key = Some(SecretSource::Value(Secret::from("a b\r\nHost: c".to_owned())));
    assert_eq!(Whip::measure(&without, &env()).await.unwrap_err().cause, Cause::Unsupported);
    let stopped = env();
    stopped.cancel.cancel();
    for publish in [Publish::Never, Publish::Test] {
        let error = Whip::measure(&target("https://127.0.0.1:9/whip", publish), &stopped).await.unwrap_err();
        assert_eq!(error.cause, Cause::Cancelled);
    }
}

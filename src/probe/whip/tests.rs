use std::net::SocketAddr;

use tokio_rustls::TlsAcceptor;

use super::*;
use crate::model::{
    Cause, CheckId, Contact, Effect, Endpoint, Failure, IcmpError, Secret, SecretSource, Transport,
};
use crate::net::tls::Roots;
use crate::net::tls::tests::Authority;
use crate::net::turn::Stopped;
use crate::wire::http::WebUrl;
use crate::wire::turn::TurnUrl;
use crate::wire::webrtc::Kind;
use crate::wire::webrtc::tests::server;

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
fn every_end_of_a_request_has_its_code() {
    use Effect::Fail;
    let not_connected = |failure| End::NotConnected { failure, icmp: None, detail: "words".into() };
    let not_secured = |failure| End::NotSecured { failure, detail: "words".into(), identity: None };
    for (end, code) in [
        (not_connected(Failure::TimedOut), "whip.not_connected"),
        (not_connected(Failure::Refused), "whip.not_connected"),
        (not_connected(Failure::LocalPolicy), "whip.local_policy"),
        (not_secured(Failure::TlsAlert), "whip.tls_failed"),
        (not_secured(Failure::Untrusted), "whip.untrusted"),
        (End::Unanswered { failure: Failure::TimedOut, detail: "".into() }, "whip.unanswered"),
    ] {
        let alone = reading(Publish::Test, vec![end.clone()]);
        expect(&Limits::default(), &alone, &[(code, Fail)]);
        // With another address that answers, it is a warning.
        let beside = reading(Publish::Test, vec![end, End::Answered(answered(401))]);
        expect(&Limits::default(), &beside, &[(code, Effect::Warn), ("whip.unauthorised", Fail)]);
    }
    for (status, code) in [
        (302, "whip.moved"),
        (307, "whip.moved"),
        (400, "whip.offer_refused"),
        (401, "whip.unauthorised"),
        (403, "whip.unauthorised"),
        (404, "whip.not_whip"),
        (405, "whip.not_whip"),
        (409, "whip.offer_refused"),
        (503, "whip.server_failed"),
    ] {
        let refused = reading(Publish::Test, vec![End::Answered(answered(status))]);
        expect(&Limits::default(), &refused, &[(code, Fail)]);
        let finding = &Whip::judge(&Limits::default(), &refused)[0];
        assert!(finding.observed.contains("Words") && finding.observed.contains("\"no\""), "{finding:?}");
    }
    let nameless = Reading { lookup: Some(Failure::NoSuchName), ..reading(Publish::Test, vec![]) };
    expect(&Limits::default(), &nameless, &[("whip.no_address", Fail)]);
    let filter = Answered { product: Some("FortiGuard".into()), ..answered(200) };
    let filtered = reading(Publish::Never, vec![End::Answered(filter)]);
    expect(&Limits::default(), &filtered, &[("whip.not_whip", Fail)]);
}

#[test]
fn without_an_offer_only_the_endpoints_own_word_passes() {
    let asked = |answered: Answered| reading(Publish::Never, vec![End::Answered(answered)]);
    for (takes_offers, code, effect) in [
        (Some(true), "whip.answers", Effect::Pass),
        (Some(false), "whip.not_whip", Effect::Fail),
        (None, "whip.unproven", Effect::Unknown),
    ] {
        for status in [200, 204, 401, 405] {
            let reading = asked(Answered { takes_offers, ..answered(status) });
            expect(&Limits::default(), &reading, &[(code, effect)]);
        }
    }
    expect(&Limits::default(), &asked(answered(404)), &[("whip.not_whip", Effect::Fail)]);
}

#[test]
fn every_end_of_a_session_has_its_code() {
    let bare = |end| Call { media: None, connected_ms: None, ..call(end) };
    for (end, code) in [
        (CallEnd::BadAnswer { problem: "no SDP".into() }, "whip.not_whip"),
        (CallEnd::NoCodec { codec: "H.264".into() }, "whip.no_codec"),
        (CallEnd::NoCandidate, "whip.no_candidate"),
        (CallEnd::NotConnected, "whip.ice_silent"),
        (CallEnd::NotSecured { detail: "".into() }, "whip.dtls_failed"),
        (CallEnd::Cut { how: Cut::Closed, detail: "".into() }, "whip.cut"),
        (CallEnd::Cut { how: Cut::Silent, detail: "".into() }, "whip.cut"),
    ] {
        expect(&Limits::default(), &called(bare(end)), &[(code, Effect::Fail)]);
    }
    // What is no SDP at all is told by what came instead, and the session that it may have opened, too.
    let mut page = called(bare(CallEnd::BadAnswer { problem: "no SDP".into() }));
    page.attempts = vec![attempt(End::Answered(answered(200)))];
    page.call.as_mut().unwrap().deleted = Deleted::Unnamed;
    expect(&Limits::default(), &page, &[("whip.not_whip", Effect::Fail), ("whip.not_deleted", Effect::Warn)]);
}

#[test]
fn candidates_that_are_barred_are_told_by_who_bars_them() {
    let barred = |failures: [Option<Failure>; 2]| {
        let mut call = Call { media: None, connected_ms: None, ..call(CallEnd::NotConnected) };
        for (candidate, failure) in call.candidates.iter_mut().zip(failures) {
            candidate.unreached =
                failure.map(|failure| Barred { failure, icmp: None::<IcmpError>, detail: "words".into() });
        }
        called(call)
    };
    let (shut, own) = (Some(Failure::Prohibited), Some(Failure::LocalPolicy));
    for (failures, code) in [
        ([shut, shut], "whip.ice_barred"),
        ([shut, None], "whip.ice_silent"),
        ([own, own], "whip.local_policy"),
    ] {
        expect(&Limits::default(), &barred(failures), &[(code, Effect::Fail)]);
    }
    let mut round = barred([None, None]);
    round.call.as_mut().unwrap().servers = vec!["turns:turn.example:443".into()];
    let remedy = Whip::judge(&Limits::default(), &round).remove(0).remedy;
    assert!(
        remedy.contains("UDP to 203.0.113.7:50000, 203.0.113.8:50000") && remedy.contains("TURN"),
        "{remedy}"
    );
}

#[test]
fn a_session_through_a_relay_counts_and_the_blocked_way_is_a_warning() {
    let silent = Call { media: None, connected_ms: None, ..call(CallEnd::NotConnected) };
    let through = |call: Option<Call>, stopped: Option<Stopped>| {
        let url = TurnUrl::try_from("turns:turn.example:443".to_owned()).unwrap();
        let relayed = Relayed { url, contact: None, allocation: None, stopped, call };
        Reading { relayed: Some(relayed), ..called(silent.clone()) }
    };
    let limits = Limits { loss_percent: Some(AtMost(0.1)), ..Limits::default() };
    let works = through(Some(call(CallEnd::Sent)), None);
    let wanted = [
        ("whip.only_relayed", Effect::Warn),
        ("whip.published", Effect::Pass),
        ("whip.loss_high", Effect::Fail),
    ];
    expect(&limits, &works, &wanted);
    expect(&Limits::default(), &through(Some(silent.clone()), None), &[("whip.ice_silent", Effect::Fail)]);
    let shut = through(None, Some(Stopped::Silent));
    expect(&Limits::default(), &shut, &[("whip.relay_failed", Effect::Fail)]);
    let observed = Whip::judge(&Limits::default(), &shut).remove(0).observed;
    assert!(
        observed.contains("203.0.113.7:50000") && observed.contains("turns:turn.example:443"),
        "{observed}"
    );
}

#[test]
fn media_counts_as_far_as_the_receiver_reports_it() {
    let sent = |pictures: Flow, sound: Flow| {
        called(Call { media: Some(Media { took_ms: 5000.0, pictures, sound }), ..call(CallEnd::Sent) })
    };
    let unreported = Flow { report: None, ..flow(0, 0.0) };
    let all = Limits {
        connect_ms: Some(AtMost(300.0)),
        round_trip_ms: Some(AtMost(20.0)),
        loss_percent: Some(AtMost(0.5)),
    };
    let good = sent(flow(2, 4800.0), flow(0, 4800.0));
    let passes =
        ["whip.published", "whip.in_time", "whip.round_trip", "whip.loss"].map(|code| (code, Effect::Pass));
    expect(&all, &good, &passes);
    let strict = Limits {
        connect_ms: Some(AtMost(299.0)),
        round_trip_ms: Some(AtMost(19.9)),
        loss_percent: Some(AtMost(0.4)),
    };
    let fails = ["whip.slow", "whip.round_trip_long", "whip.loss_high"].map(|code| (code, Effect::Fail));
    expect(&strict, &good, &[&passes[..1], &fails].concat());
    for bad in [sent(unreported, flow(0, 4800.0)), sent(flow(0, 1200.0), flow(0, 4800.0))] {
        expect(&Limits::default(), &bad, &[("whip.media_lost", Effect::Fail)]);
    }
    let unknown = ("whip.unreported", Effect::Unknown);
    expect(&all, &sent(unreported, unreported), &[unknown, ("whip.in_time", Effect::Pass), unknown, unknown]);
}

#[test]
fn a_session_that_may_still_stand_is_a_warning() {
    for (deleted, stands) in [
        (Deleted::Done, false),
        (Deleted::Refused { status: 404 }, false),
        (Deleted::Refused { status: 405 }, true),
        (Deleted::Unnamed, true),
        (Deleted::Elsewhere, true),
        (Deleted::Unanswered { failure: Failure::TimedOut }, true),
    ] {
        let found = codes(&Limits::default(), &called(Call { deleted, ..call(CallEnd::Sent) }));
        let warns = found.contains(&("whip.not_deleted".to_owned(), Effect::Warn));
        assert_eq!(warns, stands, "{found:?}");
    }
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

/// An endpoint that answers each request with the next of these (head and body), and keeps what it was asked.
/// `ANSWER` stands for one that fits the offer and names an address where nobody answers.
async fn endpoint(
    answers: Vec<(&'static str, &'static str)>,
) -> (Env, u16, tokio::task::JoinHandle<Vec<String>>) {
    let authority = Authority::new("Test Root");
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(authority.server("localhost", (-1, 30)).config()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mute = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut asked = Vec::new();
        for (head, body) in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let mut length = 0;
            // A request is whole when its body is.
            while !is_whole(&request[..length]) {
                length += tokio::io::AsyncReadExt::read(&mut stream, &mut request[length..]).await.unwrap();
            }
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let body = match body {
                "ANSWER" => {
                    let (_, offer) = request.split_once("\r\n\r\n").unwrap();
                    server(std::time::Instant::now(), mute.local_addr().unwrap(), offer, |config| config).1
                }
                body => body.to_owned(),
            };
            asked.push(request);
            let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await;
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
        }
        asked
    });
    let mut env = env();
    env.roots = Roots::given(vec![authority.root.clone()], vec![authority.root]);
    (env, port, task)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
    body.len() >= length
}

#[tokio::test]
async fn a_session_is_ended_even_when_its_answer_is_of_no_use() {
    let answers = vec![
        ("201 Created\r\nContent-Type: application/sdp\r\nLocation: /session/1", "v=0\r\nnonsense"),
        ("200 OK", ""),
    ];
    let (env, port, task) = endpoint(answers).await;
    let target = target(&format!("https://localhost:{port}/whip"), Publish::Test);
    let reading = Whip::measure(&target, &env).await.unwrap();
    expect(&Limits::default(), &reading, &[("whip.not_whip", Effect::Fail)]);
    assert_eq!(reading.call.as_ref().unwrap().deleted, Deleted::Done);
    let asked = task.await.unwrap();
    assert!(asked[0].starts_with("POST /whip ") && asked[0].contains("m=video"), "{}", asked[0]);
    assert!(asked[1].starts_with("DELETE /session/1 ") && asked[1].contains(KEY), "{}", asked[1]);
    assert!(!format!("{reading:?}{}", serde_json::to_string(&reading).unwrap()).contains(KEY));
}

#[tokio::test]
async fn the_key_goes_to_no_host_that_the_policy_does_not_name() {
    // A session elsewhere, an answer without any candidate.
    let answers =
        vec![("201 Created\r\nContent-Type: application/sdp\r\nLocation: https://127.0.0.1:1/s", "v=0\r\n")];
    let (env, port, task) = endpoint(answers).await;
    let target = target(&format!("https://localhost:{port}/whip"), Publish::Test);
    let reading = Whip::measure(&target, &env).await.unwrap();
    assert_eq!(reading.call.as_ref().unwrap().deleted, Deleted::Elsewhere);
    assert_eq!(task.await.unwrap().len(), 1, "asked once only");
}

#[tokio::test]
async fn a_stopped_run_waits_for_the_answer_and_ends_the_session() {
    let answers = vec![
        ("201 Created\r\nContent-Type: application/sdp\r\nLocation: /session/1", "ANSWER"),
        ("200 OK", ""),
    ];
    let (env, port, task) = endpoint(answers).await;
    let cancel = env.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        cancel.cancel();
    });
    let target = target(&format!("https://localhost:{port}/whip"), Publish::Test);
    assert_eq!(Whip::measure(&target, &env).await.unwrap_err().cause, Cause::Cancelled);
    assert!(task.await.unwrap()[1].starts_with("DELETE /session/1 "));
}

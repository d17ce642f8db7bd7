mod families;
mod measuring;

use std::time::Duration;

use super::*;
use crate::model::{
    CheckId, Contact, Dscp, Effect, Failure, HostPort, Limits as _, Pin, Secret, SecretSource,
};
use crate::wire::stamp::{MAX_PACKETS, Ntp, ReflectorPacket, SenderPacket};

fn target(to: &serde_json::Value, rate: u32, seconds: u16) -> Target {
    let value =
        serde_json::json!({ "to": to, "packets_per_s": rate, "payload_bytes": 200, "seconds": seconds });
    serde_json::from_value(value).unwrap()
}

fn env() -> Env {
    Env::bare(CheckId::new("way").unwrap())
}

fn flow() -> Flow {
    Flow {
        method: Method::StampSession,
        contact: Contact {
            remote: "192.0.2.1:8443".parse().unwrap(),
            local: None,
            offset_ms: 0.0,
            took_ms: 1.0,
        },
        planned: 1000,
        sent: 1000,
        not_sent: 0,
        received: 990,
        duplicates: 2,
        reordered: 5,
        strays: 0,
        arrived: Some(993),
        arrived_from_elsewhere: Some(0),
        longest_burst: 4,
        longest_burst_ms: 40.0,
        round_trip: Some(RoundTrip { min_ms: 20.0, p50_ms: 25.0, p95_ms: 40.0, p99_ms: 60.0, max_ms: 90.0 }),
        jitter_ms: 6.0,
        jitter_out_ms: Some(5.0),
        jitter_back_ms: Some(2.0),
        late_p99_ms: 1.0,
        late_max_ms: 3.0,
        trouble: None,
        timestamps: Some(Timestamps::Kernel),
        instead_of: None,
        path_mtu: None,
        dscp: None,
        step_ms: 10.0,
        round_trips_us: (0..1000).map(|n| (n % 100 != 0).then_some(25_000 + n)).collect(),
    }
}

fn silent() -> Flow {
    Flow { received: 0, round_trip: None, arrived: None, arrived_from_elsewhere: None, ..flow() }
}

fn reading(flows: Vec<Flow>) -> Reading {
    Reading {
        host: "far.example".into(),
        port: 8443,
        packets_per_s: 100,
        payload_bytes: 1332,
        lookup: None,
        flows,
        unasked: vec![],
    }
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    let findings = Path::judge(limits, reading);
    for finding in &findings {
        assert!(Path::CODES.iter().any(|code| code.id == finding.code), "{} is not declared", finding.code);
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn only(flow: Flow) -> (String, Effect) {
    let mut found = codes(&Limits::default(), &reading(vec![flow]));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn all(limit: f64) -> Limits {
    Limits {
        loss_percent: Some(AtMost(limit)),
        longest_burst_ms: Some(AtMost(limit)),
        jitter_ms: Some(AtMost(limit)),
        round_trip_p50_ms: Some(AtMost(limit)),
        round_trip_p95_ms: Some(AtMost(limit)),
        round_trip_p99_ms: Some(AtMost(limit)),
        reordered_percent: Some(AtMost(limit)),
        duplicated_percent: Some(AtMost(limit)),
        ..Limits::default()
    }
}

#[test]
fn each_limit_is_held_and_shown_also_when_met() {
    assert_eq!(Limits::fields().len(), 10);
    let met = codes(&all(1000.0), &reading(vec![flow()]));
    let expected =
        ["measured", "loss", "burst", "jitter", "round_trip", "round_trip", "round_trip", "order", "single"];
    assert_eq!(met.len(), expected.len());
    for ((code, effect), word) in met.iter().zip(expected) {
        assert_eq!((code.as_str(), *effect), (format!("path.{word}").as_str(), Effect::Pass));
    }
    let broken: Vec<_> = codes(&all(0.0), &reading(vec![flow()])).into_iter().skip(1).collect();
    let expected = [
        "loss_high",
        "burst_long",
        "jitter_high",
        "round_trip_long",
        "round_trip_long",
        "round_trip_long",
        "reordered",
        "duplicated",
    ];
    for ((code, effect), word) in broken.iter().zip(expected) {
        assert_eq!((code.as_str(), *effect), (format!("path.{word}").as_str(), Effect::Fail));
    }
    let loss = Limits { loss_percent: Some(AtMost(1.0)), ..Limits::default() };
    assert_eq!(codes(&loss, &reading(vec![flow()]))[1].0, "path.loss", "10 of 1000 is 1 %");
    let said = &Path::judge(&Limits::default(), &reading(vec![flow()]))[0].observed;
    assert!(said.contains("lost 7 on the way out, 3 on the way back"), "{said}");
}

#[test]
fn nothing_coming_back_says_where_it_stopped() {
    let fail = |code: &str| (code.to_owned(), Effect::Fail);
    assert_eq!(only(silent()), fail("path.silent"));
    assert_eq!(only(Flow { arrived: Some(0), ..silent() }), fail("path.blocked_out"));
    assert_eq!(only(Flow { arrived: Some(1000), ..silent() }), fail("path.blocked_back"));
    let elsewhere = Flow { arrived: Some(0), arrived_from_elsewhere: Some(1000), ..silent() };
    assert_eq!(only(elsewhere), fail("path.other_address"));
    for (failure, code) in [
        (Failure::Refused, "path.refused"),
        (Failure::Prohibited, "path.prohibited"),
        (Failure::LocalPolicy, "path.local_policy"),
        (Failure::HostUnreachable, "path.unreachable"),
    ] {
        let trouble = Some(Trouble { failure, detail: "words".into() });
        assert_eq!(only(Flow { trouble, sent: 20, ..silent() }), fail(code));
    }
    let nameless = Reading { lookup: Some(Failure::NoSuchName), ..reading(vec![]) };
    assert_eq!(codes(&Limits::default(), &nameless), [fail("path.no_address")]);
}

#[test]
fn too_little_or_uneven_is_no_answer_and_no_pass() {
    let few = Flow { sent: 800, received: 800, ..flow() };
    let found = codes(&all(1000.0), &reading(vec![few]));
    assert_eq!(found[1..], [("path.cut_short".to_owned(), Effect::Unknown)]);
    let none = Flow { sent: 3, ..silent() };
    assert_eq!(only(none), ("path.cut_short".to_owned(), Effect::Unknown));
    let late = Flow { late_p99_ms: 180.0, ..flow() };
    let found = codes(&all(1000.0), &reading(vec![late]));
    assert_eq!(found[1..], [("path.uneven".to_owned(), Effect::Unknown)]);
}

#[test]
fn a_machine_that_stood_still_accuses_no_line_of_delay() {
    let jittery = Flow { jitter_ms: 85.0, ..flow() };
    let fail = |code: &str| (code.to_owned(), Effect::Fail);
    let limits =
        Limits { jitter_ms: Some(AtMost(30.0)), loss_percent: Some(AtMost(0.5)), ..Limits::default() };
    let found = codes(&limits, &reading(vec![jittery.clone()]));
    assert_eq!(found[1..], [fail("path.loss_high"), fail("path.jitter_high")]);
    let found = codes(&limits, &reading(vec![Flow { late_max_ms: 800.0, ..jittery }]));
    let own = ("path.uneven".to_owned(), Effect::Unknown);
    assert_eq!(found[1..], [fail("path.loss_high"), own.clone()], "loss is not of its making");
    // A pause so rare that no more than one packet in a hundred left late moves no median.
    let trips = RoundTrip {
        p50_ms: 300.0,
        p95_ms: 310.0,
        p99_ms: 320.0,
        max_ms: 900.0,
        ..flow().round_trip.unwrap()
    };
    let long = Flow { late_max_ms: 101.0, round_trip: Some(trips), ..flow() };
    let limits = Limits {
        round_trip_p50_ms: Some(AtMost(100.0)),
        round_trip_p95_ms: Some(AtMost(100.0)),
        round_trip_p99_ms: Some(AtMost(100.0)),
        ..Limits::default()
    };
    let found = codes(&limits, &reading(vec![long]));
    assert_eq!(found[1..], [fail("path.round_trip_long"), fail("path.round_trip_long"), own]);
}

fn mtu(bytes: u16, lost: Option<LostOn>) -> PathMtu {
    PathMtu { bytes: Some(bytes), asked_bytes: 1500, told: None, lost, steady: true, both_ways: true }
}

/// The only finding about the path MTU or the class of service.
fn beside(limits: &Limits, flow: Flow) -> (String, Effect) {
    let mut found = codes(limits, &reading(vec![flow]));
    assert_eq!(found.remove(0).0, "path.measured");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_narrow_way_is_told_from_a_black_hole() {
    let needs = |bytes| Limits { mtu_bytes: Some(AtLeast(bytes)), ..Limits::default() };
    let (free, found) = (Limits::default(), |mtu| Flow { path_mtu: Some(mtu), ..flow() });
    let says = |limits: &Limits, mtu| beside(limits, found(mtu));
    let is = |code: &str, effect| (format!("path.{code}"), effect);
    let told = PathMtu {
        told: Some(TooBig { from: "192.0.2.9".parse().unwrap(), mtu_bytes: 1300 }),
        ..mtu(1300, Some(LostOn::WayOut))
    };
    assert_eq!(says(&free, mtu(1500, None)), is("mtu", Effect::Pass));
    assert_eq!(says(&needs(1500), mtu(1500, None)), is("mtu", Effect::Pass));
    assert_eq!(says(&needs(1360), told.clone()), is("mtu_low", Effect::Fail));
    assert_eq!(says(&free, told.clone()), is("mtu_low", Effect::Warn), "the stream's packets are cut");
    assert_eq!(says(&needs(1300), told), is("mtu", Effect::Pass));
    // The stream's packets pass; TCP's largest would not.
    let hole = || mtu(1400, Some(LostOn::WayOut));
    assert_eq!(says(&free, hole()), is("mtu_black_hole", Effect::Warn));
    assert_eq!(says(&needs(1360), hole()), is("mtu", Effect::Pass));
    assert_eq!(says(&needs(1500), hole()), is("mtu_black_hole", Effect::Fail));
    assert_eq!(says(&free, mtu(1400, Some(LostOn::WayBack))), is("mtu", Effect::Pass), "answers are small");
    // This machine's own interface.
    let own = PathMtu { asked_bytes: 1280, ..mtu(1280, None) };
    assert_eq!(says(&needs(1500), own), is("mtu_low", Effect::Fail));
    let unsteady = PathMtu { steady: false, ..mtu(900, None) };
    assert_eq!(says(&needs(1500), unsteady.clone()), is("not_told", Effect::Unknown));
    assert_eq!(says(&needs(1360), unsteady), is("mtu", Effect::Pass), "the stream's own packets came back");
    assert_eq!(beside(&needs(1360), flow()), is("not_told", Effect::Unknown));
}

#[test]
fn a_stream_that_a_black_hole_swallows_is_not_called_blocked() {
    let gone = |bytes, lost| Flow { path_mtu: Some(mtu(bytes, lost)), arrived: Some(0), ..silent() };
    let fail = |code: &str| (code.to_owned(), Effect::Fail);
    assert_eq!(only(gone(1300, Some(LostOn::WayOut))), fail("path.mtu_black_hole"));
    assert_eq!(only(gone(1300, None)), fail("path.mtu_black_hole"));
    let back = ("path.mtu_black_hole".to_owned(), Effect::Unknown);
    assert_eq!(only(gone(1300, Some(LostOn::WayBack))), back, "the stream may pass");
    assert_eq!(only(gone(1400, Some(LostOn::WayOut))), fail("path.blocked_out"), "its packets are smaller");
    let none = PathMtu { bytes: None, asked_bytes: 72, steady: false, ..mtu(0, None) };
    assert_eq!(only(Flow { path_mtu: Some(none), arrived: Some(0), ..silent() }), fail("path.blocked_out"));
}

#[test]
fn a_class_of_service_is_kept_bleached_or_unknown() {
    let dscp = |name: &str| Dscp::try_from(name.to_owned()).unwrap();
    let seen = |name: &str, packets| Seen { dscp: dscp(name), packets };
    let with = |out: Vec<Seen>, back| Flow { dscp: Some(Marked { sent: dscp("ef"), out, back }), ..flow() };
    let (free, kept) = (Limits::default(), Limits { dscp: Some(Exactly(Fate::Kept)), ..Limits::default() });
    let is = |code: &str, effect| (format!("path.dscp_{code}"), effect);
    let good = with(vec![seen("cs0", 3), seen("ef", 97)], vec![seen("ef", 100)]);
    let there = with(vec![seen("cs0", 100)], vec![seen("ef", 100)]);
    let back = with(vec![seen("ef", 100)], vec![seen("cs1", 100)]);
    let half = with(vec![seen("cs0", 50), seen("ef", 50)], vec![]);
    for (flow, without, with) in [
        (good, is("kept", Effect::Pass), is("kept", Effect::Pass)),
        (with(vec![seen("ef", 9)], vec![]), is("kept", Effect::Pass), is("kept", Effect::Pass)),
        (there, is("bleached", Effect::Warn), is("bleached", Effect::Fail)),
        (back, is("bleached", Effect::Warn), is("bleached", Effect::Warn)),
        (half, is("bleached", Effect::Warn), is("bleached", Effect::Fail)),
        (with(vec![], vec![]), is("unknown", Effect::Warn), is("unknown", Effect::Unknown)),
    ] {
        assert_eq!(beside(&free, flow.clone()), without);
        assert_eq!(beside(&kept, flow), with);
    }
    let said = &Path::judge(&free, &reading(vec![with(vec![seen("cs0", 9)], vec![])]))[1].observed;
    assert!(said.starts_with("out: arrives as cs0, back: unknown"), "{said}");
}

#[test]
fn the_worst_of_each_stretch_is_drawn_and_gaps_stay_gaps() {
    let limits = Limits { round_trip_p95_ms: Some(AtMost(50.0)), ..Limits::default() };
    let series = Path::series(&limits, &reading(vec![flow(), silent()]));
    let [series] = &series[..] else { panic!("{series:?}") };
    assert_eq!((series.values.len(), series.step_ms, series.required), (500, 20.0, Some(50.0)));
    assert_eq!((series.values[0], series.values[1]), (Some(25.001), Some(25.003)));
    let gaps = Flow { round_trips_us: vec![None, Some(1000), None], ..flow() };
    let series = Path::series(&limits, &reading(vec![gaps]));
    assert_eq!(series[0].values, [None, Some(1.0), None]);
}

#[test]
fn a_reading_survives_storage_and_stays_small() {
    let many = Flow { round_trips_us: vec![Some(123_456); MAX_PACKETS], ..flow() };
    let reading = reading(vec![flow(), many]);
    let text = serde_json::to_string(&reading).unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading);
    assert!(text.len() < 600_000, "{}", text.len());
}

#[test]
fn places_are_strict() {
    for text in ["router.example:862", "192.0.2.1:862", "[2001:db8::1]:862"] {
        assert_eq!(String::from(HostPort::try_from(text.to_owned()).unwrap()), text);
    }
    for text in ["", "host", "host:0", ":862", "2001:db8::1:862", "host:99999", "[]:862"] {
        assert!(HostPort::try_from(text.to_owned()).is_err(), "{text}");
    }
    for value in
        [r#"{"to": {"ping": "a", "far_end": "b"}}"#, r#"{"to": {}}"#, r#"{"to": {"ping": "a"}, "x": 1}"#]
    {
        assert!(serde_json::from_str::<Target>(value).is_err(), "{value}");
    }
}

fn far_ends(address: &str) -> BTreeMap<FarEndName, FarEnd> {
    let far_end = FarEnd {
        address: address.to_owned(),
        pin: Pin::from_digest([0; 32]),
        token: SecretSource::Value(Secret::from("token".to_owned())),
    };
    BTreeMap::from([(FarEndName::new("cloud").unwrap(), far_end)])
}

#[test]
fn mistakes_and_costs_are_known_beforehand() {
    let fields = |target: &Target, limits: &Limits| -> Vec<&str> {
        let found = Path::problems(target, limits, &far_ends("far.example:8443"), &Stakes::default());
        found.iter().map(|problem| problem.field).collect()
    };
    let cloud = target(&serde_json::json!({ "far_end": "cloud" }), 100, 10);
    assert!(fields(&cloud, &all(1.0)).is_empty());
    assert_eq!(fields(&cloud, &all(0.05)), ["loss_percent"], "1 of 1000 is 0.1 %");
    assert_eq!(
        fields(&target(&serde_json::json!({ "far_end": "moon" }), 100, 10), &Limits::default()),
        ["to"]
    );
    let ping = target(&serde_json::json!({ "ping": "host.example" }), 51, 10);
    assert_eq!(fields(&ping, &Limits::default()), ["packets_per_s"]);
    let long = target(&serde_json::json!({ "reflector": "router.example:862" }), 5000, 600);
    assert_eq!(fields(&long, &Limits::default()), ["seconds"]);
    let big = Target { payload_bytes: Some(1473), ..cloud.clone() };
    assert_eq!(fields(&big, &Limits::default()), ["payload_bytes"]);

    let marked = Target { dscp: Some(Dscp::of_value(46)), payload_bytes: Some(51), ..cloud.clone() };
    assert_eq!(fields(&marked, &Limits::default()), ["payload_bytes"], "no room to ask");
    let kept =
        Limits { dscp: Some(Exactly(Fate::Kept)), mtu_bytes: Some(AtLeast(9000)), ..Limits::default() };
    assert_eq!(fields(&cloud, &kept), ["mtu_bytes", "dscp"]);
    let tcp: Target =
        serde_json::from_value(serde_json::json!({ "to": { "tcp": "host.example:443" } })).unwrap();
    assert!(fields(&tcp, &Limits::default()).is_empty());
    assert_eq!(fields(&Target { tcp_port: Some(80), ..tcp.clone() }, &Limits::default()), ["tcp_port"]);
    assert_eq!(Path::brief(&tcp), "TCP host.example:443, 5 handshakes/s for 10 s");
    let two = Target { tcp_port: Some(443), ..cloud.clone() };
    assert_eq!(
        Path::demand(&two, &far_ends("far.example:8443")).endpoints.len(),
        3,
        "the plan names both ports"
    );

    let demand = Path::demand(&cloud, &far_ends("far.example:8443"));
    assert_eq!((demand.packets, demand.endpoints.len()), (2000 + 2 * run::MTU_SEARCH.0, 2));
    assert!(demand.bytes_up >= 2000 * 200 && demand.seconds_max > demand.seconds);
    let demand = Path::demand(&ping, &BTreeMap::new());
    assert_eq!((demand.endpoints[0].transport, demand.endpoints[0].port), (Transport::Icmp, 0));
    assert_eq!(Path::brief(&cloud), "far end cloud, 100 packets/s of 200 bytes for 10 s");
}

//! What a policy may ask, and what it costs.

use super::*;

fn far_ends() -> BTreeMap<FarEndName, FarEnd> {
    let far_end = FarEnd {
        address: "far.example:7000".into(),
        pin: Pin::from_digest([0; 32]),
        token: SecretSource::Value(Secret::from("t".to_owned())),
    };
    [(FarEndName::new("cloud").unwrap(), far_end)].into()
}

fn target() -> Target {
    let stream = Some(StreamName::new("main").unwrap());
    Target { stream, ..Target::to_far_end(FarEndName::new("cloud").unwrap(), 60, 20_000) }
}

fn server() -> HostPort {
    HostPort::try_from("[2001:db8::5]:5201".to_owned()).unwrap()
}

fn stakes() -> Stakes {
    let need = StreamNeed { media_kbps: 6_128, headroom: 1.5, overhead: 0.03, latency_ms: None };
    Stakes { streams: [(StreamName::new("main").unwrap(), need)].into(), ..Stakes::default() }
}

#[test]
fn the_rate_is_derived_from_the_stream() {
    let mut limits = Limits::default();
    Upload::derive(&mut target(), &mut limits, &stakes());
    assert_eq!(limits.rate_kbps, Some(AtLeast(9_468)));
    limits.rate_kbps = Some(AtLeast(12_000));
    Upload::derive(&mut target(), &mut limits, &stakes());
    assert_eq!(limits.rate_kbps, Some(AtLeast(12_000)), "what the policy says stays");
}

#[test]
fn what_nothing_can_meet_is_a_problem() {
    let fields = |change: fn(&mut Target, &mut Limits)| {
        let (mut target, mut limits) = (target(), Limits::default());
        change(&mut target, &mut limits);
        let problems = Upload::problems(&target, &limits, &far_ends(), &stakes());
        problems.iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(|_, _| {}), Vec::<&str>::new());
    assert_eq!(fields(|t, _| t.at_most_kbps = 9_500), ["at_most_kbps"], "below the stream's need and room");
    assert_eq!(fields(|_, l| l.rate_kbps = Some(AtLeast(30_000))), ["at_most_kbps"]);
    assert_eq!(
        fields(|_, l| l.rate_kbps = Some(AtLeast(5_000))),
        ["rate_kbps"],
        "less than the stream needs"
    );
    assert_eq!(fields(|t, _| t.far_end = None), ["far_end"], "nobody");
    assert_eq!(fields(|t, _| t.iperf3 = Some(server())), ["far_end"], "both");
    let https = |t: &mut Target| {
        (t.far_end, t.https) = (None, HttpsUrl::try_from("https://up.example/x".to_owned()).ok());
    };
    assert_eq!(fields(|t, _| t.verb = Verb::Post), ["verb"]);
    let mut posted = target();
    https(&mut posted);
    (posted.verb, posted.transport, posted.streams) = (Verb::Post, Over::Udp, 2);
    let problems = Upload::problems(&posted, &Limits::default(), &far_ends(), &stakes());
    let named: Vec<&str> = problems.iter().map(|problem| problem.field).collect();
    assert_eq!(named, ["transport", "streams", "streams"]);
    assert_eq!(fields(|t, _| t.streams = 17), ["streams"]);
    assert_eq!(fields(|t, _| (t.streams, t.transport) = (2, Over::Udp)), ["streams"]);
    assert_eq!(fields(|_, l| l.duration_s = Some(AtLeast(61))), ["duration_s"]);
    assert_eq!(fields(|t, _| t.seconds = 4), ["seconds"]);
    assert_eq!(fields(|t, _| t.far_end = FarEndName::new("other").ok()), ["far_end"]);
    assert_eq!(fields(|t, _| t.stream = Some(StreamName::new("other").unwrap())), ["stream"]);
    assert_eq!(fields(|t, _| (t.stream, t.at_most_kbps) = (None, 5)), ["at_most_kbps", "stream"]);
    let with_stalls = fields(|t, l| {
        t.stream = None;
        l.stall_ms = Some(AtMost(700));
    });
    assert!(with_stalls.is_empty(), "{with_stalls:?}");
}

#[test]
fn what_is_easier_than_the_planned_stream_is_a_problem() {
    let fields = |latency_ms, change: fn(&mut Target, &mut Limits)| {
        let mut stakes = Stakes { event_seconds: Some(5_400), ..stakes() };
        stakes.streams.values_mut().for_each(|need| need.latency_ms = latency_ms);
        let (mut target, mut limits) = (target(), Limits::default());
        change(&mut target, &mut limits);
        Upload::derive(&mut target, &mut limits, &stakes);
        let problems = Upload::problems(&target, &limits, &far_ends(), &stakes);
        problems.iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    for latency_ms in [None, Some(400)] {
        assert_eq!(fields(latency_ms, |_, _| {}), Vec::<&str>::new(), "what is derived fits");
        assert_eq!(fields(latency_ms, |_, l| l.stream_kbps = Some(AtLeast(6_311))), ["stream_kbps"]);
        assert_eq!(fields(latency_ms, |_, l| l.stream_s = Some(AtLeast(60))), ["stream_s"]);
    }
    let harder = fields(None, |_, l| {
        (l.stream_kbps, l.stream_s) = (Some(AtLeast(7_000)), Some(AtLeast(9_000)));
    });
    assert_eq!(harder, Vec::<&str>::new());
    assert_eq!(
        fields(None, |_, l| l.stream_latency_ms = Some(AtMost(60_000))),
        ["stream_latency_ms"],
        "RTMP has none"
    );
    assert_eq!(fields(Some(400), |_, l| l.stream_latency_ms = Some(AtMost(401))), ["stream_latency_ms"]);
    assert_eq!(fields(Some(400), |_, l| l.stream_latency_ms = Some(AtMost(350))), Vec::<&str>::new());
    let by_hand = |t: &mut Target, l: &mut Limits| (t.stream, l.stream_kbps) = (None, Some(AtLeast(6_000)));
    assert_eq!(fields(None, by_hand), Vec::<&str>::new());
    let short = fields(None, |t, l| {
        (t.stream, l.stream_kbps, l.stream_s) = (None, Some(AtLeast(6_000)), Some(AtLeast(60)));
    });
    assert_eq!(short, ["stream_s"]);
    let beyond =
        fields(None, |t, l| (t.stream, t.at_most_kbps, l.stream_kbps) = (None, 3_000, Some(AtLeast(6_000))));
    assert_eq!(beyond, ["at_most_kbps"], "the test cannot carry it");
}

#[test]
fn a_pause_too_short_to_be_seen_is_no_limit() {
    let fields = |ms| {
        let limits = Limits { stall_ms: Some(AtMost(ms)), ..Limits::default() };
        Upload::problems(&target(), &limits, &far_ends(), &stakes()).len()
    };
    assert_eq!((fields(199), fields(200)), (1, 0));
}

#[test]
fn a_cap_that_hides_whether_a_keyframe_passes_is_a_problem() {
    let problems = |at_most_kbps, latency_ms| {
        let need =
            StreamNeed { media_kbps: 3_128, headroom: 1.5, overhead: 0.06, latency_ms: Some(latency_ms) };
        let stakes =
            Stakes { streams: [(StreamName::new("main").unwrap(), need)].into(), ..Stakes::default() };
        let (mut target, mut limits) = (Target { at_most_kbps, ..target() }, Limits::default());
        Upload::derive(&mut target, &mut limits, &stakes);
        Upload::problems(&target, &limits, &far_ends(), &stakes)
    };
    let [Problem { field: "at_most_kbps", what }] = &problems(6_000, 120)[..] else { panic!() };
    let allow: u64 = what.split("allow ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((7_000..9_000).contains(&allow), "{what}");
    for (at_most, latency) in [(allow, 120), (6_000, 400), (20_000, 120)] {
        assert_eq!(problems(at_most, latency).len(), 0, "{at_most} {latency}");
    }
}

#[test]
fn the_demand_bounds_what_is_sent_and_names_the_far_end() {
    let demand = Upload::demand(&target(), &far_ends());
    assert_eq!(demand.endpoints, [Endpoint::new("far.example", 7000, Transport::Tcp)]);
    assert!(demand.bytes_up > 20_000 * 125 * 60 && demand.bytes_up < 20_000 * 125 * 75, "{demand:?}");
    assert!(demand.seconds_max > 60.0);
    let target = Target { transport: Over::Udp, ..Target::to_iperf3(server(), 60, 20_000) };
    let both = [Transport::Tcp, Transport::Udp].map(|over| Endpoint::new("2001:db8::5", 5201, over));
    assert_eq!(Upload::demand(&target, &far_ends()).endpoints, both);
    assert_eq!(Upload::brief(&target), "60 s at up to 20000 kb/s to iperf3 [2001:db8::5]:5201, UDP");
}

#[test]
fn targets_of_before_read_the_same_and_defaults_are_not_written() {
    let old = r#"{"far_end":"cloud","seconds":60,"at_most_kbps":20000,"congestion":"cubic","stream":"main"}"#;
    let read: Target = serde_json::from_str(old).unwrap();
    assert_eq!(read, target());
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}

#[test]
fn upload_addresses_hold_no_secret() {
    let url = |text: &str| HttpsUrl::try_from(text.to_owned());
    for (text, authority, path) in [
        ("https://up.example/in/x", "up.example", "/in/x"),
        ("https://up.example:8443", "up.example:8443", "/"),
        ("https://[2001:db8::1]/x", "[2001:db8::1]", "/x"),
    ] {
        let read = url(text).unwrap();
        assert_eq!((read.authority().as_str(), read.path()), (authority, path));
    }
    for text in
        ["http://a/", "https://u:p@a/", "https://u@a/", "https://a/?sig=1", "https://a/#x", "a/b", "https://"]
    {
        assert!(url(text).is_err(), "{text}");
    }
}

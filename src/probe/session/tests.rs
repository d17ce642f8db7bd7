//! Judging of sessions, without any.

use super::findings::*;
use super::*;
use crate::model::Effect;

fn held(kind: Kind, cut: Option<(f64, How)>, far: Option<FarSide>) -> Held {
    let remote = "192.0.2.1:8443".parse().unwrap();
    Held {
        kind,
        contact: Contact { remote, local: None, offset_ms: 100.0, took_ms: 60_000.0 },
        failure: None,
        alive_ms: cut.map_or(60_000.0, |(at_ms, _)| at_ms),
        cut: cut.map(|(at_ms, how)| Cut { at_ms, how }),
        revived: None,
        far_end: far,
    }
}

/// The far end could be asked, and saw it end so there.
#[expect(clippy::unnecessary_wraps, reason = "as a reading has it")]
fn saw(ended: Option<FarEndSaw>) -> Option<FarSide> {
    Some(FarSide {
        seen_as: "198.51.100.7:4000".parse().unwrap(),
        bytes: 7,
        last_ms: 30_000.0,
        ended,
        ended_ms: ended.map(|_| 30_100.0),
    })
}

fn reading(sessions: Vec<Held>) -> Reading {
    Reading { host: "far.example".into(), asked_s: 60, lookup: None, sessions, unasked: Vec::new() }
}

fn all_of(seconds: u32) -> Limits {
    let limit = Some(AtLeast(seconds));
    Limits { tcp_idle_s: limit, tcp_busy_s: limit, udp_idle_s: limit, udp_busy_s: limit }
}

fn judged(limits: &Limits, held: Held) -> Finding {
    Session::judge(limits, &reading(vec![held])).remove(0)
}

fn is(finding: &Finding, code: Code, effect: Effect) {
    assert_eq!((finding.code.as_str(), finding.effect), (code.id, effect), "{finding:?}");
}

#[test]
fn what_lives_to_the_end_passes_and_no_longer_than_that() {
    for kind in Kind::ALL {
        is(&judged(&all_of(60), held(kind, None, saw(None))), LIVES, Effect::Pass);
        is(&judged(&all_of(61), held(kind, None, saw(None))), TOO_SHORT, Effect::Unknown);
        is(&judged(&Limits::default(), held(kind, None, saw(None))), LIVES, Effect::Pass);
    }
}

#[test]
fn a_reset_that_the_far_end_never_sent_is_somebody_elses() {
    let reset = Some((30_000.0, How::Reset));
    for (far, words) in [
        (None, "took it for open still"),
        (Some(FarEndSaw::Reset), "got a reset itself after 30.1 s"),
        (Some(FarEndSaw::Closed), "was closed itself"),
    ] {
        let finding = judged(&all_of(60), held(Kind::TcpBusy, reset, saw(far)));
        is(&finding, CUT, Effect::Fail);
        assert!(finding.observed.contains(words) && finding.observed.contains("reset after 30.0 s"));
    }
    let own = judged(&all_of(60), held(Kind::TcpBusy, reset, saw(Some(FarEndSaw::OwnDoing))));
    is(&own, BY_FAR_END, Effect::Unknown);
    is(&judged(&all_of(60), held(Kind::TcpBusy, reset, None)), ENDED, Effect::Unknown);
}

#[test]
fn silence_is_dated_and_the_way_named() {
    let silent = held(Kind::UdpBusy, Some((30_000.0, How::Silence)), saw(None));
    is(&judged(&all_of(60), silent.clone()), FORGOTTEN, Effect::Fail);
    is(&judged(&all_of(30), silent.clone()), LIVES, Effect::Pass);
    let mut back = silent;
    back.far_end.as_mut().unwrap().last_ms = 40_000.0;
    assert!(judged(&all_of(60), back).observed.ends_with("the way back is dead"));
}

#[test]
fn an_idle_flow_that_is_forgotten_is_told_and_judged_only_when_asked() {
    let mut idle = held(Kind::UdpIdle, Some((0.0, How::Silence)), saw(None));
    idle.revived = Some(true);
    is(&judged(&all_of(60), idle.clone()), FORGOTTEN, Effect::Fail);
    let told = judged(&Limits::default(), idle);
    is(&told, FORGOTTEN, Effect::Pass);
    assert!(told.observed.contains("went on when this side sent again"), "{}", told.observed);
}

#[test]
fn what_did_not_begin_is_unknown_and_an_absent_family_no_trouble() {
    let failed = |failure| Held { failure: Some(failure), far_end: None, ..held(Kind::TcpIdle, None, None) };
    is(&judged(&all_of(60), failed(Failure::TimedOut)), NOT_BEGUN, Effect::Unknown);
    is(&judged(&all_of(60), failed(Failure::NetUnreachable)), NOT_BEGUN, Effect::Unknown);
    let both = reading(vec![failed(Failure::NetUnreachable), held(Kind::TcpIdle, None, saw(None))]);
    is(&Session::judge(&all_of(60), &both)[0], FAMILY_UNUSED, Effect::Pass);
    let nameless = Reading { lookup: Some(Failure::NoSuchName), ..reading(vec![]) };
    is(&Session::judge(&all_of(60), &nameless)[0], NO_ADDRESS, Effect::Unknown);
}

fn far_ends() -> BTreeMap<FarEndName, FarEnd> {
    let far_end = serde_json::json!({
        "address": "far.example:8443",
        "pin": format!("sha256:{}", "0".repeat(64)),
        "token": { "env": "TOKEN" },
    });
    BTreeMap::from([(FarEndName::new("cloud").unwrap(), serde_json::from_value(far_end).unwrap())])
}

fn target(text: &str) -> Target {
    toml::from_str(&format!("far_end = 'cloud'\n{text}")).unwrap()
}

#[test]
fn busy_sessions_are_held_to_the_target_s_time() {
    let (mut asked, mut limits) = (target("seconds = 90"), Limits::default());
    Session::derive(&mut asked, &mut limits, &Stakes::default());
    assert_eq!((limits.tcp_busy_s, limits.udp_busy_s), (Some(AtLeast(90)), Some(AtLeast(90))));
    assert_eq!((limits.tcp_idle_s, limits.udp_idle_s), (None, None));
    let problems = |target: &Target, limits: &Limits| {
        let found = Session::problems(target, limits, &far_ends(), &Stakes::default());
        found.into_iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert!(problems(&asked, &limits).is_empty());
    assert_eq!(problems(&asked, &Limits { tcp_idle_s: Some(AtLeast(91)), ..limits.clone() }), ["tcp_idle_s"]);
    assert_eq!(problems(&target("seconds = 1"), &Limits::default()), ["seconds"]);
    let some = target("seconds = 9\nkinds = ['tcp_busy']\nkbps = 2001");
    assert_eq!(problems(&some, &limits), ["kbps", "tcp_busy_s", "udp_busy_s"]);
    assert_eq!(problems(&target("seconds = 9\nkinds = []"), &Limits::default()), ["kinds"]);
}

#[test]
fn the_plan_is_an_upper_bound() {
    let demand = Session::demand(&target("seconds = 60"), &far_ends());
    assert_eq!(demand.endpoints.len(), 2);
    assert!(demand.seconds_max > 120.0 && demand.bytes_up > 2 * 60 * 8000, "{demand:?}");
    assert_eq!(Session::demand(&target("seconds = 60"), &BTreeMap::new()), Demand::default());
}

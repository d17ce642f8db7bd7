//! Judging of clocks, without any.

use super::*;
use crate::model::Effect;

fn contact(remote: &str) -> Contact {
    Contact { remote: remote.parse().unwrap(), local: None, offset_ms: 0.0, took_ms: 5.0 }
}

fn server(named: &str, outcomes: Vec<Outcome>) -> Server {
    let remotes = ["192.0.2.1:123", "[2001:db8::1]:123"];
    let asked = outcomes.into_iter().zip(remotes);
    let asked = asked.map(|(outcome, remote)| Asked { contact: contact(remote), outcome }).collect();
    Server { named: named.to_owned(), lookup: None, asked }
}

fn told(offset_ms: f64, error_ms: f64) -> Outcome {
    Outcome::Told(Told {
        offset_ms,
        delay_ms: error_ms,
        root_distance_ms: error_ms / 2.0,
        stratum: 2,
        reference: "GPS".into(),
    })
}

fn reading(servers: Vec<Server>) -> Reading {
    Reading { servers, https: None, kernel: None }
}

fn within(ms: f64) -> Limits {
    Limits { offset_ms: Some(AtMost(ms)), synchronised: None }
}

fn codes(limits: &Limits, reading: &Reading) -> Vec<(String, Effect)> {
    Clock::judge(limits, reading).into_iter().map(|finding| (finding.code, finding.effect)).collect()
}

fn one(code: Code, effect: Effect) -> (String, Effect) {
    (code.id.to_owned(), effect)
}

use findings::*;

#[test]
fn an_offset_is_held_with_its_error() {
    for (offset, error, code, effect) in [
        (-40.0, 10.0, OFFSET, Effect::Pass),
        (95.0, 10.0, TOO_COARSE, Effect::Unknown),
        (-105.0, 10.0, TOO_COARSE, Effect::Unknown),
        (-3_600_000.0, 10.0, WRONG, Effect::Fail),
    ] {
        let reading = reading(vec![server("a.example", vec![told(offset, error)])]);
        let found = codes(&within(100.0), &reading);
        assert_eq!(found, [one(MEASURED, Effect::Pass), one(code, effect)], "{offset}");
    }
}

#[test]
fn the_address_that_is_known_best_counts() {
    let reading = reading(vec![server("a.example", vec![told(0.0, 900.0), told(5.0, 1.0)])]);
    assert_eq!(codes(&within(10.0), &reading)[1], one(OFFSET, Effect::Pass));
}

#[test]
fn one_wrong_server_of_three_is_outvoted_and_of_two_it_is_not() {
    let (a, b) = (server("a", vec![told(1.0, 5.0)]), server("b", vec![told(3.0, 5.0)]));
    let liar = server("liar", vec![told(90_000.0, 5.0)]);
    let three = reading(vec![liar.clone(), a.clone(), b]);
    let found = Clock::judge(&within(100.0), &three);
    let codes_of: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes_of, [MEASURED.id, DISAGREE.id, OFFSET.id]);
    assert!(found[1].observed.starts_with("liar this clock is 90.0 s behind"), "{}", found[1].observed);
    let two = reading(vec![liar, a]);
    assert_eq!(codes(&within(100.0), &two), [one(DISAGREE, Effect::Unknown)]);
}

#[test]
fn nothing_told_is_never_a_pass() {
    let silent = || server("a", vec![Outcome::Failed(Failure::TimedOut)]);
    let limits = within(1000.0);
    assert_eq!(codes(&limits, &reading(vec![silent()])), [one(NO_ANSWER, Effect::Unknown)]);
    let kiss = server("b", vec![Outcome::Kiss("RATE".into()), Outcome::Nonsense("stratum 16".into())]);
    assert_eq!(
        codes(&limits, &reading(vec![silent(), kiss])),
        [one(REFUSED, Effect::Warn), one(NONSENSE, Effect::Warn), one(NO_ANSWER, Effect::Unknown)]
    );
    let nameless = Server { lookup: Some(Failure::NoSuchName), ..server("c", vec![]) };
    assert_eq!(codes(&limits, &reading(vec![nameless])), [one(NO_ANSWER, Effect::Unknown)]);
    assert_eq!(codes(&limits, &reading(vec![])), [one(NO_ANSWER, Effect::Unknown)]);
}

#[test]
fn a_date_by_https_counts_to_its_second_and_never_as_a_pass_alone() {
    let by = |dated: Option<Dated>, failure| {
        let web = Web { named: "w.example".into(), lookup: None, contact: None, failure, told: dated };
        let silent = server("a", vec![Outcome::Failed(Failure::TimedOut)]);
        let reading = Reading { https: Some(web), ..reading(vec![silent]) };
        codes(&within(1000.0), &reading)
    };
    let dated = Dated { offset_ms: 80.0, error_ms: 520.0, cached: false, vouched: true };
    let known = by(Some(dated.clone()), None);
    assert_eq!(known, [one(BY_HTTPS, Effect::Warn), one(OFFSET, Effect::Pass)]);
    let hour = by(Some(Dated { offset_ms: 3.6e6, ..dated.clone() }), None);
    assert_eq!(hour, [one(BY_HTTPS, Effect::Warn), one(WRONG, Effect::Fail)]);
    let unknown = [one(NO_ANSWER, Effect::Unknown)];
    assert_eq!(by(Some(Dated { cached: true, ..dated.clone() }), None), unknown);
    assert_eq!(by(Some(Dated { vouched: false, ..dated }), None), unknown);
    assert_eq!(by(None, Some(Failure::Untrusted)), unknown);
}

#[test]
fn the_kernel_is_held_to_its_word() {
    let limits = Limits { offset_ms: None, synchronised: Some(Exactly(true)) };
    let clock = |synchronised| Some(KernelClock { synchronised, max_error_us: 1500 });
    for (kernel, code, effect) in [
        (clock(true), SYNCHRONISED, Effect::Pass),
        (clock(false), UNSYNCHRONISED, Effect::Fail),
        (None, SYNCHRONISATION_UNKNOWN, Effect::Unknown),
    ] {
        let reading = Reading { kernel, ..reading(vec![server("a", vec![told(0.0, 1.0)])]) };
        assert_eq!(codes(&limits, &reading)[1], one(code, effect));
    }
}

#[test]
fn a_silent_server_beside_another_is_told_and_no_fault() {
    let reading = reading(vec![
        server("a", vec![told(0.0, 1.0), Outcome::Failed(Failure::NetUnreachable)]),
        Server { lookup: Some(Failure::NoSuchName), ..server("b", vec![]) },
    ]);
    let found = codes(&within(100.0), &reading);
    assert!(found.iter().all(|(_, effect)| *effect == Effect::Pass), "{found:?}");
    assert_eq!(found.iter().filter(|(code, _)| code == SILENT.id).count(), 2);
}

#[test]
fn targets_are_held_to_sense() {
    let target = |servers: &[&str]| Target {
        servers: servers.iter().map(|&server| server.to_owned()).collect(),
        https_date: None,
    };
    let problems = |target: &Target| {
        Clock::problems(target, &Limits::default(), &BTreeMap::new(), &Stakes::default()).len()
    };
    assert_eq!(problems(&target(&["a.example", "2001:db8::1", "[2001:db8::1]:123", "b:1123"])), 0);
    assert_eq!(problems(&target(&[])), 1);
    assert_eq!(problems(&target(&["https://a.example/"])), 1);
    assert_eq!(problems(&target(&["a"; 9])), 1);
    let demand = Clock::demand(&target(&["a.example", "[2001:db8::1]:1123"]), &BTreeMap::new());
    let places: Vec<_> = demand.endpoints.iter().map(|at| (at.host.as_str(), at.port)).collect();
    assert_eq!(places, [("a.example", 123), ("2001:db8::1", 1123)]);
}

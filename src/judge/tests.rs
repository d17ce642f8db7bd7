use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::evidence::{Evidence, Measured, Measurement};
use crate::model::{
    Answer, Area, Cause, CheckId, Enforcement, NotMeasured, Outcome, Role, SourceAddress, When,
};
use crate::policy::{Accepts, Check, Event, Person, Policy, SCHEMA, Waiver};
use crate::probe::{Question, Reading, attest};

fn t0() -> Timestamp {
    "2026-12-04T12:00:00Z".parse().unwrap()
}

fn it() -> Role {
    Role::new("it").unwrap()
}

fn check(id: &str, enforcement: Enforcement) -> Check {
    Check {
        id: CheckId::new(id).unwrap(),
        path: None,
        question: Question::Attest {
            target: attest::Target { question: "Ready?".into(), of: it(), evidence: None, answered_by: None },
            limits: attest::Limits::default(),
        },
        enforcement,
        owner: Area::new("network").unwrap(),
        why: "because".into(),
        valid_for_s: 3600,
        same_slot: false,
    }
}

fn policy(checks: Vec<Check>, waivers: Vec<Waiver>) -> Policy {
    Policy {
        schema: SCHEMA.into(),
        event: Event {
            title: "Launch".into(),
            starts: None,
            ends: None,
            time_zone: None,
            venue: None,
            objective: None,
            change: None,
            way_back: None,
        },
        people: [(it(), Person { name: "I. T.".into(), ..Default::default() })].into(),
        accountable: BTreeMap::new(),
        provider: None,
        authorisation: None,
        signatures: crate::policy::Signatures::default(),
        redaction: crate::policy::Redaction::default(),
        pace: crate::policy::Pace::default(),
        again: crate::policy::Again::default(),
        paths: BTreeMap::new(),
        streams: BTreeMap::new(),
        far_ends: BTreeMap::new(),
        checks,
        waivers,
        layers: Vec::new(),
        close_out: None,
    }
}

fn measured(id: &str, at: Timestamp, yes: bool) -> Measurement {
    let answer = Answer {
        check: CheckId::new(id).unwrap(),
        yes,
        role: it(),
        name: "I. T.".into(),
        at,
        evidence: String::new(),
        expires: None,
    };
    let reading = attest::Reading { question: "Ready?".into(), asked: it(), wanted: None, answer };
    measurement(id, at, Measured::Reading(Reading::Attest(reading)))
}

fn unmeasured(id: &str) -> Measurement {
    measurement(id, t0(), Measured::NotMeasured(NotMeasured::new(Cause::Unattested, "nobody said", "ask")))
}

fn measurement(id: &str, started: Timestamp, result: Measured) -> Measurement {
    let check = CheckId::new(id).unwrap();
    Measurement { check, started, offset_ms: 0.0, took_ms: 1.0, source: SourceAddress::default(), result }
}

fn evidence(all: impl IntoIterator<Item = Measurement>) -> Evidence {
    Evidence { measurements: all.into_iter().map(|m| (m.check.clone(), m)).collect(), interrupted: false }
}

fn waiver(id: &str, accepts: Accepts, expires: Timestamp) -> Waiver {
    let check = CheckId::new(id).unwrap();
    Waiver {
        check,
        accepts,
        scope: Vec::new(),
        reason: "backup".into(),
        compensating: None,
        by: it(),
        expires: When::utc(expires),
        granted: None,
        renewals: None,
    }
}

fn later(minutes: i64) -> Timestamp {
    t0() + SignedDuration::from_mins(minutes)
}

#[test]
fn each_row_of_the_table() {
    use Enforcement::{Advisory, Hard, Waivable};
    let accept_fail = || vec![waiver("a", Accepts::Fail, later(60))];
    let accept_unknown = || vec![waiver("a", Accepts::Unknown, later(60))];
    let (yes, no, none) = (|| measured("a", t0(), true), || measured("a", t0(), false), || unmeasured("a"));
    // `b` is a required check that passes, so that something required was evaluated.
    let rows: Vec<(&str, Enforcement, Vec<Waiver>, Measurement, Word)> = vec![
        ("all pass", Hard, vec![], yes(), Word::Go),
        ("advisory failure", Advisory, vec![], no(), Word::ConditionalGo),
        ("advisory unknown", Advisory, vec![], none(), Word::ConditionalGo),
        ("required failure", Hard, vec![], no(), Word::NoGo),
        ("required unknown", Hard, vec![], none(), Word::Inconclusive),
        ("waived failure", Waivable, accept_fail(), no(), Word::ConditionalGo),
        ("waived unknown", Waivable, accept_unknown(), none(), Word::ConditionalGo),
        ("waiver of the other outcome", Waivable, accept_unknown(), no(), Word::NoGo),
        ("a hard check cannot be waived", Hard, accept_fail(), no(), Word::NoGo),
    ];
    for (name, enforcement, waivers, seen, word) in rows {
        let policy = policy(vec![check("a", enforcement), check("b", Hard)], waivers);
        let verdict = evaluate(&policy, &evidence([seen, measured("b", t0(), true)]), t0());
        assert_eq!(verdict.word, word, "{name}: {:?}", verdict.reasons);
        assert_eq!(verdict.word == Word::Go, verdict.reasons.is_empty(), "{name}");
    }
}

#[test]
fn nothing_evaluated_is_inconclusive() {
    let nobody = evaluate(&policy(vec![], vec![]), &Evidence::default(), t0());
    assert_eq!(nobody.word, Word::Inconclusive);
    let advisory = policy(vec![check("a", Enforcement::Advisory)], vec![]);
    assert_eq!(evaluate(&advisory, &evidence([measured("a", t0(), true)]), t0()).word, Word::Inconclusive);
    let waived =
        policy(vec![check("a", Enforcement::Waivable)], vec![waiver("a", Accepts::Unknown, later(9))]);
    assert_eq!(evaluate(&waived, &Evidence::default(), t0()).word, Word::Inconclusive);
}

#[test]
fn a_waiver_never_changes_the_outcome() {
    let policy = policy(
        vec![check("a", Enforcement::Waivable), check("b", Enforcement::Hard)],
        vec![waiver("a", Accepts::Fail, later(60))],
    );
    let verdict = evaluate(&policy, &evidence([measured("a", t0(), false), measured("b", t0(), true)]), t0());
    assert_eq!((verdict.checks[0].outcome, verdict.checks[0].waived), (Outcome::Fail, Some(0)));
}

#[test]
fn evidence_goes_stale_and_the_verdict_says_when() {
    let policy = policy(vec![check("a", Enforcement::Hard)], vec![]);
    let evidence = evidence([measured("a", t0(), true)]);
    let verdict = evaluate(&policy, &evidence, t0());
    assert_eq!((verdict.word, verdict.expires), (Word::Go, Some(later(60))));
    let stale = evaluate(&policy, &evidence, later(61));
    assert_eq!(stale.word, Word::Inconclusive);
    assert!(stale.checks[0].findings.iter().any(|finding| finding.code == "judge.stale"));
}

#[test]
fn evidence_from_the_future_is_no_pass() {
    let policy = policy(vec![check("a", Enforcement::Hard)], vec![]);
    let verdict = evaluate(&policy, &evidence([measured("a", later(30), true)]), t0());
    assert_eq!(verdict.word, Word::Inconclusive);
    assert!(verdict.checks[0].findings.iter().any(|finding| finding.code == "judge.future"));
}

#[test]
fn a_stopped_run_is_never_go() {
    let policy = policy(vec![check("a", Enforcement::Hard)], vec![]);
    let mut evidence = evidence([measured("a", t0(), true)]);
    evidence.interrupted = true;
    assert_eq!(evaluate(&policy, &evidence, t0()).word, Word::Inconclusive);
}

#[test]
fn another_weekday_or_hour_is_a_condition_at_best() {
    let mut slotted = check("a", Enforcement::Hard);
    (slotted.same_slot, slotted.valid_for_s) = (true, 30 * 86_400);
    let mut policy = policy(vec![slotted], vec![]);
    // t0 is a Friday at 13:00 in the event's zone
    let when = |text: &str| Some(When::try_from(text.to_owned()).unwrap());
    policy.event.starts = when("2026-12-11T13:00:00+01:00");
    policy.event.ends = when("2026-12-11T14:00:00+01:00");
    for (at, word) in [
        (t0(), Word::Go),
        (later(-60), Word::Go),
        (later(-61), Word::ConditionalGo),
        (later(-24 * 60), Word::ConditionalGo),
    ] {
        let verdict = evaluate(&policy, &evidence([measured("a", at, true)]), t0());
        assert_eq!(verdict.word, word, "{at}: {:?}", verdict.reasons);
        let named = verdict.checks[0].findings.iter().any(|finding| finding.code == "judge.other_slot");
        assert_eq!(named, word != Word::Go);
    }
    let failed = evaluate(&policy, &evidence([measured("a", later(-61), false)]), t0());
    assert_eq!(failed.word, Word::NoGo, "a warning never hides a failure");
    policy.event.starts = None;
    let unknown = evaluate(&policy, &evidence([measured("a", t0(), true)]), t0());
    assert_eq!(unknown.word, Word::ConditionalGo, "nobody knows when the event is");
}

#[test]
fn a_waiver_covers_what_its_scope_names() {
    for (scope, word) in [
        (vec![], Word::ConditionalGo),
        (vec!["attest.answered_no"], Word::ConditionalGo),
        (vec!["judge.stale"], Word::NoGo),
    ] {
        let mut accepted = waiver("a", Accepts::Fail, later(60));
        accepted.scope = scope.iter().map(|code| (*code).to_owned()).collect();
        let policy = policy(vec![check("a", Enforcement::Waivable)], vec![accepted]);
        assert_eq!(evaluate(&policy, &evidence([measured("a", t0(), false)]), t0()).word, word, "{scope:?}");
    }
    // what was not measured at all has no finding that a scope could name
    let mut accepted = waiver("a", Accepts::Unknown, later(60));
    let checks = vec![check("a", Enforcement::Waivable), check("b", Enforcement::Hard)];
    let seen = || evidence([unmeasured("a"), measured("b", t0(), true)]);
    assert_eq!(
        evaluate(&policy(checks.clone(), vec![accepted.clone()]), &seen(), t0()).word,
        Word::ConditionalGo
    );
    accepted.scope = vec!["judge.stale".into()];
    assert_eq!(evaluate(&policy(checks, vec![accepted]), &seen(), t0()).word, Word::Inconclusive);
}

#[test]
fn an_advisory_outcome_may_be_accepted_by_name_and_stays_a_condition() {
    let checks = vec![check("a", Enforcement::Advisory), check("b", Enforcement::Hard)];
    let policy = policy(checks, vec![waiver("a", Accepts::Fail, later(30))]);
    let verdict = evaluate(&policy, &evidence([measured("a", t0(), false), measured("b", t0(), true)]), t0());
    assert_eq!((verdict.word, verdict.checks[0].waived), (Word::ConditionalGo, Some(0)));
    assert!(verdict.reasons[0].text.contains("accepted by it"), "{:?}", verdict.reasons);
    assert_eq!(verdict.expires, Some(later(30)));
}

/// One check of a random run: enforcement, what was seen (`None` = not measured), its age,
/// the waiver's kind and remaining life.
type Row = (Enforcement, Option<bool>, i64, Option<(bool, i64)>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let enforcement =
        prop_oneof![Just(Enforcement::Advisory), Just(Enforcement::Waivable), Just(Enforcement::Hard)];
    let row =
        (enforcement, any::<Option<bool>>(), 0..90i64, proptest::option::of((any::<bool>(), -30..90i64)));
    proptest::collection::vec(row, 0..7)
}

fn run_of(rows: &[Row]) -> (Policy, Evidence) {
    let id = |index: usize| format!("c{index}");
    let checks = rows.iter().enumerate().map(|(i, row)| check(&id(i), row.0)).collect();
    let waivers = rows.iter().enumerate().filter_map(|(i, row)| {
        let (fail, minutes) = row.3?;
        Some(waiver(&id(i), if fail { Accepts::Fail } else { Accepts::Unknown }, later(minutes)))
    });
    let seen = rows.iter().enumerate().map(|(i, row)| match row.1 {
        Some(yes) => measured(&id(i), later(-row.2), yes),
        None => unmeasured(&id(i)),
    });
    (policy(checks, waivers.collect()), evidence(seen))
}

/// GO in either form.
fn goes(word: Word) -> bool {
    matches!(word, Word::Go | Word::ConditionalGo)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn removing_evidence_never_gains_go(rows in rows(), victim in any::<prop::sample::Index>()) {
        let (policy, full) = run_of(&rows);
        prop_assume!(!rows.is_empty());
        let victim = CheckId::new(&format!("c{}", victim.index(rows.len()))).unwrap();
        let mut less = full.clone();
        less.measurements.remove(&victim);
        let (before, after) = (evaluate(&policy, &full, t0()), evaluate(&policy, &less, t0()));
        prop_assert!(after.word != Word::Go || before.word == Word::Go);
        // A conditional GO may be gained only where a named person accepted "unknown" for it.
        let accepted = policy.waivers.iter().any(|w| w.check == victim && w.accepts == Accepts::Unknown);
        let required = policy.check(&victim).unwrap().enforcement.required();
        prop_assert!(!goes(after.word) || goes(before.word) || (accepted && required));
    }

    #[test]
    fn order_is_irrelevant(rows in rows(), seed in any::<u64>()) {
        let (policy, evidence) = run_of(&rows);
        let mut other = policy.clone();
        let turn = usize::try_from(seed % 7).unwrap().min(other.checks.len());
        other.checks.rotate_left(turn);
        other.waivers.reverse();
        prop_assert_eq!(evaluate(&policy, &evidence, t0()).word, evaluate(&other, &evidence, t0()).word);
    }

    #[test]
    fn an_advisory_check_alone_never_makes_no_go(rows in rows()) {
        let (mut policy, evidence) = run_of(&rows);
        let before = evaluate(&policy, &evidence, t0()).word;
        policy.checks.retain(|check| check.enforcement.required());
        let without = evaluate(&policy, &evidence, t0()).word;
        prop_assert_eq!(before == Word::NoGo, without == Word::NoGo);
    }

    #[test]
    fn a_waiver_that_expires_never_gains_go(rows in rows(), minutes in 0..200i64) {
        let (policy, evidence) = run_of(&rows);
        let mut lapsed = policy.clone();
        lapsed.waivers.clear();
        let (with, without) = (evaluate(&policy, &evidence, t0()), evaluate(&lapsed, &evidence, t0()));
        prop_assert!(!goes(without.word) || goes(with.word));
        // Time alone never gains GO either: evidence and waivers only lapse.
        let aged = evaluate(&policy, &evidence, later(minutes));
        prop_assert!(aged.word != Word::Go || with.word == Word::Go);
    }

    /// A waiver that is narrower, that begins later, or of a check that is more binding covers less.
    #[test]
    fn a_waiver_that_covers_less_never_gains_go(rows in rows(), minutes in 0..90i64, how in 0..3u8) {
        let (policy, evidence) = run_of(&rows);
        let mut less = policy.clone();
        for waiver in &mut less.waivers {
            match how {
                0 => waiver.scope = vec!["judge.stale".into()],
                1 => waiver.granted = Some(When::utc(later(minutes))),
                _ => waiver.expires = When::utc(waiver.expires.at() - SignedDuration::from_mins(minutes)),
            }
        }
        let (with, without) = (evaluate(&policy, &evidence, t0()).word, evaluate(&less, &evidence, t0()).word);
        prop_assert!(!goes(without) || goes(with), "{with} → {without}");
        prop_assert!(without != Word::Go || with == Word::Go);
    }

    /// Asking for the event's hour can only take GO away, and never makes a NO-GO by itself.
    #[test]
    fn asking_for_the_hour_never_gains_go(rows in rows(), hours in 0..200i64) {
        let (mut policy, evidence) = run_of(&rows);
        let before = evaluate(&policy, &evidence, t0()).word;
        policy.event.starts = Some(When::utc(later(hours * 60)));
        policy.checks.iter_mut().for_each(|check| check.same_slot = true);
        let after = evaluate(&policy, &evidence, t0()).word;
        prop_assert!(after != Word::Go || before == Word::Go);
        prop_assert_eq!(goes(after), goes(before));
        prop_assert_eq!(after == Word::NoGo, before == Word::NoGo);
    }

    #[test]
    fn go_means_every_required_check_passed_in_time(rows in rows()) {
        let (policy, evidence) = run_of(&rows);
        let verdict = evaluate(&policy, &evidence, t0());
        if verdict.word == Word::Go {
            prop_assert!(verdict.checks.iter().all(|judged| judged.outcome == Outcome::Pass));
            prop_assert!(policy.checks.iter().any(|check| check.enforcement.required()));
        }
        prop_assert!(verdict.expires.is_none_or(|at| verdict.word != Word::Go || at >= t0()));
    }
}

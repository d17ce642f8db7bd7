use proptest::prelude::*;

use super::*;

const EVERY: SignedDuration = SignedDuration::from_secs(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + seconds).unwrap()
}

fn look(seconds: i64, outcome: Outcome) -> Look {
    let until = at(seconds) + SignedDuration::from_millis(300);
    Look { at: at(seconds), until, outcome, code: outcome.word().into(), said: String::new() }
}

/// Looks every 30 s; the changes with the second at which they were told.
fn changes(outcomes: &[Outcome]) -> Vec<(i64, Option<Outcome>, Outcome, i64)> {
    let mut record = Record::default();
    let looks = outcomes.iter().zip(0..).map(|(outcome, n)| look(n * 30, *outcome));
    let told = looks.filter_map(|look| {
        let change = record.take(&look, EVERY)?;
        let seconds = |then: Timestamp| then.duration_since(at(0)).as_secs();
        Some((seconds(look.at), change.from, change.to, seconds(change.since)))
    });
    told.collect()
}

use Outcome::{Fail, Pass, Unknown, Warn};

#[test]
fn one_odd_look_is_no_news_and_two_of_three_are() {
    assert_eq!(changes(&[Pass, Pass, Fail, Pass, Pass]), [(30, None, Pass, 0)]);
    assert_eq!(changes(&[Pass, Pass, Fail, Fail]), [(30, None, Pass, 0), (90, Some(Pass), Fail, 60)]);
    assert_eq!(
        changes(&[Pass, Pass, Fail, Pass, Fail, Pass, Pass]),
        [(30, None, Pass, 0), (120, Some(Pass), Fail, 60), (150, Some(Fail), Pass, 90)],
        "it began with the first of the two"
    );
}

#[test]
fn could_not_ask_is_a_state_of_its_own() {
    let told = changes(&[Pass, Pass, Unknown, Unknown, Fail, Fail, Pass, Pass]);
    let states: Vec<Outcome> = told.iter().map(|change| change.2).collect();
    assert_eq!(states, [Pass, Unknown, Fail, Pass]);
    let news = Change { from: None, to: Unknown, since: at(0) };
    assert!(news.is_news() && !Change { to: Pass, ..news }.is_news());
    assert!(Change { from: Some(Fail), to: Pass, ..news }.is_news(), "a recovery is told");
}

#[test]
fn bad_looks_of_three_kinds_are_bad_together() {
    let told = changes(&[Pass, Pass, Warn, Fail, Unknown]);
    assert_eq!(told.last(), Some(&(120, Some(Warn), Unknown, 90)), "{told:?}");
}

#[test]
fn a_gap_is_a_period_and_what_was_before_it_tells_nothing_of_now() {
    let mut record = Record::default();
    for n in 0..3 {
        record.take(&look(n * 30, Pass), EVERY);
    }
    record.take(&look(90, Fail), EVERY);
    assert!(record.take(&look(3600, Fail), EVERY).is_none(), "one look since the gap");
    assert!(record.take(&look(3630, Fail), EVERY).is_some());
    let periods: Vec<(Option<Outcome>, u64)> =
        record.timeline.periods().iter().map(|period| (period.outcome, period.looks)).collect();
    assert_eq!(periods, [(Some(Pass), 3), (Some(Fail), 1), (None, 0), (Some(Fail), 2)]);
}

#[test]
fn late_looks_of_a_busy_machine_are_no_gap() {
    let mut record = Record::default();
    let every = SignedDuration::from_millis(200);
    for seconds in [0, 1, 6, 7, 12] {
        assert!(record.take(&look(seconds, Pass), every).is_none() || seconds == 1);
    }
    assert_eq!(record.timeline.periods().len(), 1);
}

#[test]
fn the_worst_state_ends_the_watch() {
    use Enforcement::{Advisory, Hard};
    for (states, code) in [
        (vec![], 3),
        (vec![(Hard, Some(Pass))], 0),
        (vec![(Hard, Some(Pass)), (Hard, None)], 3),
        (vec![(Advisory, Some(Fail)), (Advisory, None), (Hard, Some(Pass))], 1),
        (vec![(Hard, Some(Unknown)), (Hard, Some(Fail))], 2),
    ] {
        assert_eq!(exit_code(worst(states.clone())), code, "{states:?}");
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Pass), Just(Warn), Just(Unknown), Just(Fail), Just(Outcome::NotApplicable)]
}

/// Outcomes, with the seconds since the look before: also a clock that is set back, and a long sleep.
fn looks() -> impl Strategy<Value = Vec<(Outcome, i64)>> {
    let step = prop_oneof![8 => 1..60i64, 1 => -100..0i64, 1 => 200..10_000i64];
    proptest::collection::vec((outcome(), step), 0..600)
}

fn record(looks: &[(Outcome, i64)]) -> (Record, Vec<Change>) {
    let (mut record, mut told, mut now) = (Record::default(), Vec::new(), 0);
    for (outcome, step) in looks {
        now += step;
        told.extend(record.take(&look(now, *outcome), EVERY));
    }
    (record, told)
}

proptest! {
    #[test]
    fn periods_follow_one_another_and_lose_no_look(looks in looks()) {
        let (record, _) = record(&looks);
        let periods = record.timeline.periods();
        prop_assert!(periods.len() <= MOST_PERIODS);
        prop_assert_eq!(periods.iter().map(|period| period.looks).sum::<u64>(), looks.len() as u64);
        prop_assert!(periods.iter().all(|period| period.from <= period.until));
        prop_assert!(periods.windows(2).all(|two| two[0].until == two[1].from));
        prop_assert!(periods.windows(2).all(|two| two[0].put_together > 0 || two[0].outcome != two[1].outcome));
        let worst = looks.iter().map(|(outcome, _)| *outcome).max();
        let kept = periods.iter().filter_map(|period| period.outcome).max();
        prop_assert_eq!(worst, kept, "putting periods together never hides the worst");
    }

    #[test]
    fn each_change_begins_where_the_one_before_ended(looks in looks()) {
        let (record, told) = record(&looks);
        prop_assert!(told.iter().all(|change| change.from != Some(change.to)));
        prop_assert!(told.windows(2).all(|two| two[1].from == Some(two[0].to)));
        prop_assert_eq!(told.last().map(|change| change.to), record.alarm.state());
        prop_assert_eq!(told.iter().map(|change| change.to).max(), record.worst);
    }

    #[test]
    fn lone_bad_looks_are_never_told(before in 2..20usize, after in 2..20usize, odd in outcome()) {
        let mut outcomes = vec![Pass; before];
        outcomes.push(odd);
        outcomes.extend(vec![Pass; after]);
        prop_assert_eq!(changes(&outcomes).len(), 1, "only that it is well");
    }

    #[test]
    fn what_stays_is_told_after_two_looks(before in 2..20usize, bad in outcome()) {
        let mut outcomes = vec![Pass; before];
        outcomes.extend([bad; 2]);
        let told = changes(&outcomes);
        prop_assert_eq!(told.last().map(|change| change.2), Some(bad));
    }
}

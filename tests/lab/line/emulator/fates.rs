//! Loss, bursts, outages, duplicates and reordering, counted by a receiver.

use std::time::Duration;

use crate::line::emulator::course::{FAR, FAR6, NEAR, line, on};
use crate::line::emulator::probe::{Received, Train, lost, within_chance};
use crate::wan::pipeline::{Fate, Pipeline};

const TRAIN: Train = Train { count: 4000, bytes: 200, every: Duration::from_micros(250) };

/// Each way by itself, on either family.
#[test]
fn loss_is_as_asked() {
    let line = line("up = { loss = { percent = 3 } }\ndown = { loss = { percent = 0.5 } }");
    let (up, down, counters) = on(&line, |course| {
        let up = TRAIN.up(course, FAR6);
        let after_up = course.wan.counters();
        (up, TRAIN.down(course, NEAR), (after_up, course.wan.counters()))
    });
    let (lost_up, lost_down) = (lost(&up, TRAIN.count).len() as u64, lost(&down, TRAIN.count).len() as u64);
    within_chance("lost up", lost_up, TRAIN.count, 3.0);
    within_chance("lost down", lost_down, TRAIN.count, 0.5);
    assert_eq!((counters.0.up.chance, counters.1.down.chance), (lost_up, lost_down));
    assert_eq!((counters.0.up.arrived, counters.0.down.arrived), (TRAIN.count, 0));
}

/// What the receiver misses is what the pure pipeline says for the times of sending.
#[test]
fn bursts_come_when_the_seed_says() {
    let line = line("seed = 5\nup = { loss = { bursts = { every_s = 0.3, for_ms = 60 } } }");
    let train = Train { count: 2000, bytes: 200, every: Duration::from_millis(1) };
    let (received, sent) = on(&line, |course| train.up_at(course, FAR));
    let lost = lost(&received, train.count);
    let mut pipeline = Pipeline::new(&line.up, line.seed).unwrap();
    let wrong = (0..).zip(&sent).filter(|(number, at)| {
        let arrives = matches!(pipeline.packet(at.as_nanos() as u64, train.bytes), Fate::Arrives { .. });
        arrives == lost.contains(number)
    });
    // A packet at a burst's edge may fall on either side.
    let (wrong, bursts) = (wrong.count(), lost.windows(2).filter(|pair| pair[1] - pair[0] > 1).count() + 1);
    assert!(lost.len() > 100 && bursts >= 3, "{} lost in {bursts} bursts", lost.len());
    assert!(wrong <= 3 * bursts, "{wrong} of {} otherwise than the seed says", train.count);
}

#[test]
fn outages_begin_and_end_on_time() {
    let line = line("up = { outages = [{ every_s = 0.6, for_s = 0.2 }, { at_s = 0.1, for_s = 0.1 }] }");
    let train = Train { count: 1600, bytes: 200, every: Duration::from_millis(1) };
    let (received, sent) = on(&line, |course| train.up_at(course, FAR));
    let lost = lost(&received, train.count);
    for (number, at) in (0..).zip(sent) {
        let at = at.as_secs_f64();
        let out = |margin: f64| {
            let cuts = [(0.1, 0.2), (0.6, 0.8), (1.2, 1.4)];
            cuts.iter().any(|(from, to)| (from - margin..to + margin).contains(&at))
        };
        let was_lost = lost.contains(&number);
        // What is sent within 2 ms of an edge may fall on either side.
        assert!(if was_lost { out(0.002) } else { !out(-0.002) }, "{number}, sent at {at} s: {was_lost}");
    }
}

#[test]
fn duplicates_are_as_asked() {
    let line = line("up = { duplicate_percent = 5 }");
    let (received, counters) = on(&line, |course| (TRAIN.up(course, FAR6), course.wan.counters().up));
    let twice = received.len() as u64 - TRAIN.count;
    assert_eq!((lost(&received, TRAIN.count), counters.duplicated), (vec![], twice));
    within_chance("twice", twice, TRAIN.count, 5.0);
}

/// RFC 4737's count, at the receiver and in the counters.
#[test]
fn jitter_reorders_only_when_asked() {
    for reorder in [true, false] {
        let line = line(&format!("up = {{ delay_ms = 5, jitter = {{ ms = 10, reorder = {reorder} }} }}"));
        let train = Train { count: 1000, bytes: 200, every: Duration::from_millis(1) };
        let (received, counters) = on(&line, |course| (train.up(course, FAR), course.wan.counters().up));
        let mut highest = 0;
        let late = received.iter().filter(|one| {
            highest = highest.max(one.number);
            one.number < highest
        });
        let late = late.count() as u64;
        assert_eq!((late, received.len() as u64), (counters.reordered, train.count));
        assert_eq!(late > 300, reorder, "{late} reordered");
        let mut took: Vec<f64> = received.iter().map(Received::took_ms).collect();
        took.sort_by(f64::total_cmp);
        let (first, middle, last) = (took[10], took[500], took[989]);
        assert!(first >= 5.0 && last <= 16.0 && last - first > 8.0, "{first} … {last} ms");
        assert!((middle - 10.0).abs() < 1.5, "median {middle} ms");
    }
}

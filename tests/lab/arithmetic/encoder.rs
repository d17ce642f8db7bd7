//! Lag and the encoder's queue, on made-up records.

use std::time::Duration;

use crate::truth::arrival::{Gap, Kind, Message, Worth};
use crate::truth::delivery::Delivery;
use crate::truth::encoder::{Dropped, replay};

const KEYFRAME: u32 = 60;
/// One-way delay of every line here.
const DELAY_S: f64 = 0.05;

/// What an encoder makes in `seconds`: 30 frames a second of `bytes` each, a keyframe every 2 s, two
/// B-frames between P-frames, and sound every 20 ms.
fn made(seconds: u32, bytes: usize) -> Vec<Message> {
    let pictures = (0..seconds * 30).map(|n| {
        let worth = match n % KEYFRAME {
            0 => Worth::Highest,
            place if place % 3 == 1 => Worth::High,
            _ => Worth::Disposable,
        };
        (f64::from(n) / 30.0, bytes, Kind::Video(worth))
    });
    let sounds = (0..seconds * 50).map(|n| (f64::from(n) / 50.0, 100, Kind::Audio));
    let mut all: Vec<_> = pictures.chain(sounds).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let message = |(due, bytes, kind): (f64, usize, Kind)| {
        let stamp = Duration::from_secs_f64(due);
        Message { at: stamp, stamp, bytes, kind }
    };
    all.into_iter().map(message).collect()
}

/// Delivers it over a line that carries `rate(t)` bytes a second, dropping nothing, until `end`.
fn deliver(made: &[Message], end: f64, rate: impl Fn(f64) -> f64) -> (Delivery, Vec<Message>) {
    const STEP_S: f64 = 0.001;
    let (mut now, mut credit) = (0.0, 0.0);
    let mut messages = Vec::new();
    for message in made {
        let due = message.stamp.as_secs_f64();
        if now < due {
            (now, credit) = (due, 0.0);
        }
        while credit < message.bytes as f64 && now < end {
            credit += rate(now) * STEP_S;
            now += STEP_S;
        }
        if now >= end {
            break;
        }
        credit -= message.bytes as f64;
        messages.push(Message { at: Duration::from_secs_f64(now + DELAY_S), ..*message });
    }
    let rest = made[messages.len()..].to_vec();
    (Delivery { messages, gaps: Vec::new(), end: Duration::from_secs_f64(end + DELAY_S) }, rest)
}

fn dropped(seconds: u32, rate: impl Fn(f64) -> f64) -> (Dropped, Delivery) {
    let (delivery, rest) = deliver(&made(seconds, 15_000), f64::from(seconds), rate);
    (replay(&delivery, rest.into_iter(), 0.0), delivery)
}

/// What the stream of [`dropped`] needs, in bytes a second.
const NEEDED: f64 = 455_000.0;

#[test]
fn a_line_with_room_drops_nothing_and_has_no_lag() {
    let (dropped, delivery) = dropped(20, |_| NEEDED * 1.5);
    assert_eq!((dropped.lost, dropped.times), (0, 0), "{dropped:?}");
    assert_eq!(dropped.frames, 600);
    let lag = delivery.lag(Duration::ZERO);
    assert!(lag.most_s < 0.1 && lag.end_s < 0.05, "{lag:?}");
    assert!(lag.above.iter().all(|share| *share <= 0.0), "{lag:?}");
}

#[test]
fn delay_alone_is_no_lag() {
    let (_, delivery) = dropped(5, |_| NEEDED * 10.0);
    assert!((delivery.live().unwrap() - DELAY_S).abs() < 0.01, "{:?}", delivery.live());
}

#[test]
fn a_line_of_half_the_rate_loses_about_half_the_frames() {
    let (dropped, delivery) = dropped(40, |_| NEEDED / 2.0);
    assert!((0.40..=0.65).contains(&dropped.share()), "{dropped:?}");
    let lag = delivery.lag(Duration::ZERO);
    // ffmpeg, which drops nothing, has sent half of it.
    assert!((lag.end_s - 20.0).abs() < 1.0, "{lag:?}");
    assert!((lag.above[3] - 0.9).abs() < 0.03, "{lag:?}");
}

#[test]
fn an_outage_that_the_queue_holds_drops_nothing() {
    let (dropped, delivery) = dropped(20, |t| if (8.0..8.5).contains(&t) { 0.0 } else { NEEDED * 2.0 });
    assert_eq!(dropped.lost, 0, "{dropped:?}");
    assert!((0.4..0.55).contains(&dropped.longest_queue_s), "{dropped:?}");
    assert!((delivery.lag(Duration::ZERO).most_s - 0.5).abs() < 0.1);
}

#[test]
fn a_queue_between_the_two_limits_loses_its_b_frames_only() {
    // Its queue spans up to 0.8 s: 700 ms are passed once, and a third of the frames is worth more.
    let (dropped, _) = dropped(20, |t| if (8.0..8.82).contains(&t) { 0.0 } else { NEEDED * 4.0 });
    assert!((12..=20).contains(&dropped.lost), "{dropped:?}");
    assert!(dropped.longest_queue_s < 0.9, "{dropped:?}");
}

#[test]
fn an_outage_of_two_seconds_loses_the_pictures_until_the_next_keyframe() {
    // From 8.1 s on nothing passes until 10.1 s; the keyframes of 10 s and after are kept.
    let (dropped, delivery) = dropped(30, |t| if (8.1..10.1).contains(&t) { 0.0 } else { NEEDED * 3.0 });
    assert!((50..=62).contains(&dropped.lost), "{dropped:?}");
    let lag = delivery.lag(Duration::ZERO);
    assert!((lag.most_s - 2.0).abs() < 0.1 && lag.end_s < 0.05, "{lag:?}");
}

#[test]
fn sound_and_keyframes_are_never_dropped() {
    let (dropped, _) = dropped(20, |t| if t > 4.0 { 0.0 } else { NEEDED * 2.0 });
    let keyframes = 20 / 2;
    assert!(dropped.lost <= 600 - keyframes, "{dropped:?}");
    assert!(dropped.lost >= 600 - 120 - keyframes - 2, "{dropped:?}");
}

#[test]
fn what_never_came_counts() {
    // The line dies 10 s before the end: no arrival tells of it.
    let (dropped, delivery) = dropped(20, |t| if t > 10.0 { 0.0 } else { NEEDED * 2.0 });
    assert!(dropped.share() > 0.4, "{dropped:?}");
    assert!((delivery.lag(Duration::ZERO).end_s - 9.0).abs() < 0.3);
}

#[test]
fn what_is_before_the_time_to_settle_is_not_counted() {
    let slow_start = |t: f64| if t < 2.0 { 0.0 } else { NEEDED * 20.0 };
    let (delivery, rest) = deliver(&made(20, 15_000), 20.0, slow_start);
    // Two seconds pass until the first message: it tells when live is.
    assert!((delivery.live().unwrap() - DELAY_S).abs() < 0.1, "{:?}", delivery.live());
    let dropped = replay(&delivery, rest.into_iter(), 3.0);
    assert_eq!((dropped.lost, dropped.frames), (0, 510), "{dropped:?}");
}

#[test]
fn silences_are_told_by_length() {
    let gap = |from, lasted| Gap { from: Duration::from_millis(from), lasted: Duration::from_millis(lasted) };
    let gaps = vec![gap(100, 250), gap(900, 800), gap(5000, 2500)];
    let delivery = Delivery { messages: Vec::new(), gaps, end: Duration::from_secs(9) };
    assert_eq!([200, 700, 2000].map(|limit| delivery.gaps_over(Duration::from_millis(limit))), [3, 2, 1]);
    assert_eq!(delivery.longest_gap(), Duration::from_millis(2500));
    assert_eq!(replay(&delivery, std::iter::empty(), 0.0), Dropped::default());
}

//! The queue that an encoder keeps between itself and the network, with the rule by which OBS drops from it.
//!
//! As `rtmp-stream.c` of OBS Studio 31 has it, with its default thresholds: whenever a picture is handed
//! over, the time between the first picture in the queue that is no keyframe and the last one is looked at.
//! Over 700 ms, pictures that no other needs (B-frames) are thrown out, and new ones until the next that
//! others need; over 900 ms, every picture but keyframes, and new ones until the next keyframe. Sound and
//! keyframes are never dropped.

use std::collections::VecDeque;

use super::nal::Priority;

/// Queue over which B-frames are dropped, in milliseconds of video.
pub const B_FRAMES_MS: u64 = 700;
/// Queue over which everything but keyframes and sound is dropped, in milliseconds of video.
pub const DELTA_FRAMES_MS: u64 = 900;
/// With fewer pieces in the queue nothing is dropped.
const FEW: usize = 5;

/// Something in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// Its place on the encoder's clock, in milliseconds.
    pub due_ms: u64,
    /// `None` for sound and headers, which are never dropped.
    pub picture: Option<Priority>,
    /// What is to be sent.
    pub piece: T,
}

/// The queue.
#[derive(Debug, Clone)]
pub struct SendQueue<T> {
    waiting: VecDeque<Waiting<T>>,
    /// Pictures below this are not let in.
    least: Priority,
    last_picture_ms: u64,
}

impl<T> Default for SendQueue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), least: Priority::Disposable, last_picture_ms: 0 }
    }
}

impl<T> SendQueue<T> {
    /// Takes what the encoder hands over; how many pictures were dropped for it, itself included.
    pub fn offer(&mut self, new: Waiting<T>) -> u32 {
        let Some(priority) = new.picture else {
            self.waiting.push_back(new);
            return 0;
        };
        let mut dropped = self.make_room(B_FRAMES_MS, Priority::High);
        dropped += self.make_room(DELTA_FRAMES_MS, Priority::Highest);
        if priority < self.least {
            return dropped + 1;
        }
        self.least = Priority::Disposable;
        self.last_picture_ms = new.due_ms;
        self.waiting.push_back(new);
        dropped
    }

    /// Takes out what is to be sent next.
    pub fn take(&mut self) -> Option<Waiting<T>> {
        self.waiting.pop_front()
    }

    /// When the oldest piece in it was handed over.
    pub fn oldest_ms(&self) -> Option<u64> {
        self.waiting.front().map(|waiting| waiting.due_ms)
    }

    /// Milliseconds of video in it, as the rule counts them.
    pub fn holds_ms(&self) -> u64 {
        let delta =
            |waiting: &&Waiting<T>| waiting.picture.is_some_and(|priority| priority < Priority::Highest);
        let first = self.waiting.iter().find(delta);
        first.map_or(0, |first| self.last_picture_ms.saturating_sub(first.due_ms))
    }

    fn make_room(&mut self, over_ms: u64, least: Priority) -> u32 {
        if self.waiting.len() < FEW || self.holds_ms() <= over_ms {
            return 0;
        }
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.picture.is_none_or(|priority| priority >= least));
        self.least = self.least.max(least);
        u32::try_from(before - self.waiting.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Padded;
    use proptest::prelude::*;

    /// Plays the test card for so long; `sends` says how many bytes may leave in a millisecond.
    /// Pictures handed over, and those dropped, with their times.
    fn play(kbps: u64, ms: u64, sends: impl Fn(u64) -> u64) -> (u32, Vec<(u64, u32)>) {
        let mut queue = SendQueue::default();
        let (mut pictures, mut drops, mut left, mut room) = (0, Vec::new(), 0, 0);
        let mut now = 0;
        for piece in Padded::test_card(kbps).unwrap() {
            while now < piece.due_ms {
                room += sends(now);
                while room > 0 {
                    if left == 0 {
                        let Some(next) = queue.take() else { break };
                        let Waiting { piece, .. } = next;
                        left = piece;
                    }
                    let some = left.min(room);
                    left -= some;
                    room -= some;
                }
                room = room.min(2_000); // what is not used is lost, but for a packet
                now += 1;
            }
            if piece.due_ms >= ms {
                break;
            }
            let picture = piece.picture.then_some(piece.priority);
            pictures += u32::from(piece.picture);
            let size = piece.body.len() as u64;
            let dropped = queue.offer(Waiting { due_ms: piece.due_ms, picture, piece: size });
            if dropped > 0 {
                drops.push((piece.due_ms, dropped));
            }
        }
        (pictures, drops)
    }

    fn share(of: &(u32, Vec<(u64, u32)>)) -> f64 {
        f64::from(of.1.iter().map(|(_, dropped)| dropped).sum::<u32>()) / f64::from(of.0)
    }

    #[test]
    fn a_line_that_carries_the_rate_drops_nothing() {
        // Keyframes leave within their two seconds, so a tenth more than the rate is enough.
        assert_eq!(play(6_000, 60_000, |_| 6_600 / 8).1, []);
    }

    #[test]
    fn half_the_rate_drops_about_half_and_a_dead_line_all_but_keyframes() {
        let half = share(&play(6_000, 60_000, |_| 3_000 / 8));
        assert!((0.4..0.75).contains(&half), "{half}");
        let dead = share(&play(6_000, 60_000, |_| 0));
        assert!(dead > 0.9, "{dead}");
    }

    #[test]
    fn a_short_pause_costs_nothing_and_a_longer_one_frames() {
        let pause = |length: u64| {
            move |now: u64| if (20_000..20_000 + length).contains(&now) { 0 } else { 12_000 / 8 }
        };
        assert_eq!(play(6_000, 60_000, pause(600)).1, []);
        let two_seconds = play(6_000, 60_000, pause(2_000));
        let first = two_seconds.1[0].0;
        assert!((20_700..21_000).contains(&first), "the first drop is at {first}");
        assert!((0.01..0.08).contains(&share(&two_seconds)), "{}", share(&two_seconds));
    }

    #[test]
    fn b_frames_go_first_and_sound_and_keyframes_stay() {
        let mut queue = SendQueue::default();
        let give = |queue: &mut SendQueue<char>, due_ms, picture, piece| {
            queue.offer(Waiting { due_ms, picture, piece })
        };
        give(&mut queue, 0, Some(Priority::Highest), 'I');
        for n in 0..6 {
            give(&mut queue, 40 + n * 120, Some(Priority::High), 'P');
            give(&mut queue, 80 + n * 120, Some(Priority::Disposable), 'B');
            give(&mut queue, 90 + n * 120, None, 'a');
        }
        assert_eq!(queue.holds_ms(), 640);
        assert_eq!(give(&mut queue, 760, Some(Priority::High), 'P'), 0);
        assert_eq!(give(&mut queue, 800, Some(Priority::Disposable), 'B'), 7, "six and the new one");
        assert_eq!(give(&mut queue, 960, Some(Priority::High), 'P'), 0);
        assert_eq!(give(&mut queue, 1000, Some(Priority::High), 'P'), 9, "eight and the new one");
        assert_eq!(give(&mut queue, 1040, Some(Priority::Disposable), 'B'), 1);
        assert_eq!(give(&mut queue, 1080, Some(Priority::Highest), 'I'), 0);
        let rest: String = std::iter::from_fn(|| queue.take()).map(|waiting| waiting.piece).collect();
        assert_eq!(rest, "IaaaaaaI");
    }

    proptest! {
        #[test]
        fn less_line_never_drops_less(kbps in 300_u64..6_000) {
            let (more, less) = (kbps / 8 + 60, kbps / 8);
            let (more, less) = (play(3_000, 20_000, |_| more), play(3_000, 20_000, |_| less));
            prop_assert!(share(&more) <= share(&less) + 0.06, "{} {}", share(&more), share(&less));
        }
    }
}

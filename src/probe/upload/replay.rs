//! The planned stream, replayed over what arrived: what its viewers would have missed. Pure.
//!
//! What arrived in each slot is what the line could carry then, at least. The test card, padded to the
//! stream's rate, is handed over picture by picture and leaves as fast as those bytes allow. Over RTMP an
//! encoder's queue stands before it and drops as OBS does; over SRT what waits longer than the latency is
//! lost, and the pictures after it are broken up to the next keyframe.
//!
//! Held against real streams on recorded uplinks, this rule foretells more than any of rates and stalls
//! (`tests/networks recorded`).

use std::collections::VecDeque;

use crate::media::{Padded, Priority, SendQueue, Waiting};

/// Bytes that a moment without anything to send leaves for the next: a packet.
const LEFT_OVER: u64 = 1_500;

/// What becomes of pictures that the line does not take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bridge {
    /// They queue in the encoder, which drops as OBS does.
    Encoder,
    /// They have so long, in milliseconds: SRT's latency.
    Latency(u64),
}

/// What became of the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Pictures whose fate was seen.
    pub pictures: u64,
    /// Those that viewers would not have got whole.
    pub lost: u64,
    /// When each was lost, in milliseconds since the replay's start.
    pub lost_at_ms: Vec<u64>,
}

/// Replays a stream of so many kb/s (as sent, with what the protocol adds) over bytes per slot.
/// `None` when there is no test card.
pub fn replay(slots: &[u64], slot_ms: u32, kbps: u64, bridge: Bridge) -> Option<Replayed> {
    let mut stream = Padded::test_card(kbps).ok()?.sizes().peekable();
    let mut sender = Sender {
        bridge,
        queue: Queue::of(bridge),
        sending: None,
        broken: false,
        replayed: Replayed::default(),
    };
    let mut room = 0_u64;
    let slot = u64::from(slot_ms.max(1));
    for now in 0..slot.saturating_mul(slots.len() as u64) {
        while let Some(piece) = stream.next_if(|piece| piece.due_ms <= now) {
            sender.offer(piece, now);
        }
        let arrived = usize::try_from(now / slot).ok().and_then(|slot| slots.get(slot)).copied();
        let arrived = arrived.unwrap_or(0);
        // Spread over the slot, none lost to rounding.
        let (done, due) = (now % slot, now % slot + 1);
        let share = |at: u64| u128::from(arrived) * u128::from(at) / u128::from(slot);
        room = room.saturating_add(u64::try_from(share(due) - share(done)).unwrap_or(u64::MAX));
        room = sender.send(room, now).min(LEFT_OVER);
    }
    Some(sender.replayed)
}

enum Queue {
    Encoder(SendQueue<u64>),
    Srt(VecDeque<Waiting<u64>>),
}

impl Queue {
    fn of(bridge: Bridge) -> Self {
        match bridge {
            Bridge::Encoder => Self::Encoder(SendQueue::default()),
            Bridge::Latency(_) => Self::Srt(VecDeque::new()),
        }
    }

    fn take(&mut self) -> Option<Waiting<u64>> {
        match self {
            Self::Encoder(queue) => queue.take(),
            Self::Srt(queue) => queue.pop_front(),
        }
    }
}

struct Sender {
    bridge: Bridge,
    queue: Queue,
    /// The piece on its way, with the bytes that are left of it.
    sending: Option<Waiting<u64>>,
    /// Over SRT: pictures are broken up until the next keyframe.
    broken: bool,
    replayed: Replayed,
}

impl Sender {
    fn offer(&mut self, piece: Waiting<u64>, now: u64) {
        match &mut self.queue {
            Queue::Encoder(queue) => {
                self.replayed.pictures += u64::from(piece.picture.is_some());
                let dropped = queue.offer(piece);
                for _ in 0..dropped {
                    self.replayed.lose(now);
                }
            }
            Queue::Srt(queue) => queue.push_back(piece),
        }
    }

    /// Sends what there is room for; the room that is left.
    fn send(&mut self, mut room: u64, now: u64) -> u64 {
        loop {
            let Some(mut piece) = self.sending.take().or_else(|| self.queue.take()) else { return room };
            if let Bridge::Latency(ms) = self.bridge
                && now.saturating_sub(piece.due_ms) > ms
            {
                self.arrive(&piece, false, now);
                continue;
            }
            if room == 0 {
                self.sending = Some(piece);
                return 0;
            }
            let some = piece.piece.min(room);
            room -= some;
            piece.piece -= some;
            if piece.piece > 0 {
                self.sending = Some(piece);
                return 0;
            }
            self.arrive(&piece, true, now);
        }
    }

    /// A piece has gone over SRT, or came too late. Over RTMP what leaves the queue arrives.
    fn arrive(&mut self, piece: &Waiting<u64>, whole: bool, now: u64) {
        let (Bridge::Latency(_), Some(priority)) = (self.bridge, piece.picture) else { return };
        self.replayed.pictures += 1;
        self.broken = !whole || (self.broken && priority != Priority::Highest);
        if self.broken {
            self.replayed.lose(now);
        }
    }
}

impl Replayed {
    fn lose(&mut self, now: u64) {
        self.lost += 1;
        self.lost_at_ms.push(now);
    }

    /// Share of the pictures that was lost, 0 to 1.
    pub fn share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "pictures of one test")]
        let share = self.lost as f64 / self.pictures.max(1) as f64;
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: u64 = 3_000;

    /// So many seconds at a rate, with `pause_ms` of nothing in the middle.
    fn line(kbps: u64, seconds: usize, pause_ms: usize) -> Vec<u64> {
        let mut slots = vec![kbps * 100 / 8; seconds * 10];
        slots[seconds * 5..][..pause_ms / 100].fill(0);
        slots
    }

    fn over(slots: &[u64], bridge: Bridge) -> Replayed {
        replay(slots, 100, RATE, bridge).unwrap()
    }

    #[test]
    fn a_line_with_room_carries_all() {
        for bridge in [Bridge::Encoder, Bridge::Latency(400)] {
            let replayed = over(&line(4_500, 60, 0), bridge);
            assert!(replayed.lost == 0 && replayed.pictures > 59 * 25, "{bridge:?}: {replayed:?}");
        }
    }

    #[test]
    fn half_the_rate_breaks_it() {
        for bridge in [Bridge::Encoder, Bridge::Latency(2_000)] {
            let replayed = over(&line(RATE / 2, 60, 0), bridge);
            assert!(replayed.share() > 0.3, "{bridge:?}: {}", replayed.share());
        }
    }

    #[test]
    fn what_bridges_a_pause_decides() {
        let pause = line(9_000, 60, 1_500);
        let encoder = over(&pause, Bridge::Encoder);
        assert!((0.01..0.06).contains(&encoder.share()), "{}", encoder.share());
        assert!(
            encoder.lost_at_ms.iter().all(|at| (30_500..33_500).contains(at)),
            "{:?}",
            encoder.lost_at_ms
        );
        assert!(over(&pause, Bridge::Latency(400)).lost > 0);
        assert_eq!(over(&pause, Bridge::Latency(2_500)).lost, 0);
        assert_eq!(over(&line(9_000, 60, 500), Bridge::Encoder).lost, 0);
    }

    proptest! {
        #[test]
        fn any_series_is_replayed(slots in prop::collection::vec(any::<u64>(), 0..40), slot_ms in 0_u32..150, ms in any::<u64>()) {
            for bridge in [Bridge::Encoder, Bridge::Latency(ms)] {
                let replayed = replay(&slots, slot_ms, RATE, bridge).unwrap();
                prop_assert!(replayed.lost <= replayed.pictures);
                prop_assert_eq!(replayed.lost, replayed.lost_at_ms.len() as u64);
            }
        }

        #[test]
        fn a_longer_latency_never_loses_more(slots in prop::collection::vec(0_u64..80_000, 50..100), ms in 50_u64..3_000) {
            let (short, long) = (over(&slots, Bridge::Latency(ms)), over(&slots, Bridge::Latency(ms + 2_000)));
            prop_assert!(long.share() <= short.share() + 0.05, "{} {}", long.share(), short.share());
        }
    }
}

//! What an encoder like OBS would have dropped, had it sent over the line that was measured.
//!
//! ffmpeg drops nothing, so whatever it is behind is queued at the line's entry: while it is behind,
//! the bytes that arrive *are* the line's capacity, and while it is not, the line could have carried
//! more. The model replays an encoder's queue against that:
//! - each message is produced when it is due (live, as the receiver's clock tells);
//! - each arrival of a message that was late gives the line's capacity of that moment, its bytes, to
//!   whatever the replayed queue holds first; capacity that meets an empty queue is lost;
//! - each arrival that was on time shows that the line is free, and empties the queue.
//!
//! The queue is OBS's (`rtmp-stream.c`): on each video frame it looks at the time that its queue
//! spans; over 700 ms it drops the queued B-frames, over 900 ms everything but keyframes and sound,
//! and then all that follows until a frame worth more than what was dropped.
//!
//! Nothing is hidden in a kernel's buffer here: the queue starts where the path does. An encoder's
//! kernel may take 0.6 to 2.2 s of a stall unseen (`evidence.md`): its viewers see it as lag instead.

use std::collections::VecDeque;

use crate::truth::arrival::{Kind, Message, Worth};
use crate::truth::delivery::Delivery;

/// The queue's span over which OBS drops B-frames, and over which it drops all but keyframes.
const DROP_B_S: f64 = 0.7;
const DROP_P_S: f64 = 0.9;

/// With fewer messages in its queue OBS drops nothing.
const FEW: usize = 5;

/// A message that arrives within this time of being due was not held up by the line.
const ON_TIME_S: f64 = 0.1;

/// What was dropped.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Dropped {
    /// Frames that the encoder made after the time to settle.
    pub frames: usize,
    pub lost: usize,
    /// Times at which it began to drop.
    pub times: usize,
    /// The most that its queue spanned.
    pub longest_queue_s: f64,
}

impl Dropped {
    pub fn share(&self) -> f64 {
        self.lost as f64 / self.frames.max(1) as f64
    }
}

/// An encoder's queue.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Message>,
    /// What is left of the message that is being sent.
    sending: f64,
    /// Only frames worth at least this are taken.
    at_least: Option<Worth>,
    newest_s: f64,
    settle_s: f64,
    report: Dropped,
}

/// Replays it. `unseen` is what was due and had not arrived by the end; frames due before `settle_s`
/// are not counted.
pub fn replay(delivery: &Delivery, unseen: impl Iterator<Item = Message>, settle_s: f64) -> Dropped {
    let Some(live) = delivery.live() else { return Dropped::default() };
    let media = |message: &&Message| message.kind != Kind::Header;
    let due = |message: &Message| live + message.stamp.as_secs_f64();
    let mut made: Vec<_> = delivery.messages.iter().filter(media).copied().chain(unseen).collect();
    made.sort_by_key(|message| message.stamp);
    let mut made =
        made.into_iter().take_while(|message| due(message) <= delivery.end.as_secs_f64()).peekable();
    let mut queue = Queue { settle_s, ..Queue::default() };
    for arrival in delivery.messages.iter().filter(media) {
        let now = arrival.at.as_secs_f64();
        while let Some(message) = made.next_if(|message| due(message) <= now) {
            queue.add(message);
        }
        if now - due(arrival) <= ON_TIME_S {
            queue.empty();
        } else {
            queue.send(arrival.bytes as f64);
        }
    }
    made.for_each(|message| queue.add(message));
    queue.report
}

impl Queue {
    fn add(&mut self, message: Message) {
        let stamp = message.stamp.as_secs_f64();
        if let Kind::Video(worth) = message.kind {
            self.report.frames += usize::from(stamp >= self.settle_s);
            self.look(DROP_B_S, Worth::High);
            self.look(DROP_P_S, Worth::Highest);
            if self.at_least.is_some_and(|least| worth < least) {
                self.report.lost += usize::from(stamp >= self.settle_s);
                return;
            }
            self.at_least = None;
            self.newest_s = stamp;
        }
        self.waiting.push_back(message);
        self.next();
    }

    /// Drops what is worth less than `worth` when the queue spans more than `limit`.
    fn look(&mut self, limit: f64, worth: Worth) {
        let video = |message: &&Message| matches!(message.kind, Kind::Video(_));
        let Some(first) = self.waiting.iter().find(video).filter(|_| self.waiting.len() >= FEW) else {
            return;
        };
        let span = self.newest_s - first.stamp.as_secs_f64();
        self.report.longest_queue_s = self.report.longest_queue_s.max(span);
        if span <= limit {
            return;
        }
        let settle = self.settle_s;
        let lost = |message: &Message| matches!(message.kind, Kind::Video(its) if its < worth);
        let counted = |message: &&Message| lost(message) && message.stamp.as_secs_f64() >= settle;
        let dropped = self.waiting.iter().filter(counted).count();
        self.report.times += usize::from(dropped > 0);
        self.report.lost += dropped;
        self.waiting.retain(|message| !lost(message));
        self.at_least = self.at_least.max(Some(worth));
    }

    /// Takes the next message out of the queue when the line has done with the last.
    fn next(&mut self) {
        if self.sending <= 0.0 {
            self.sending = self.waiting.pop_front().map_or(0.0, |message| message.bytes as f64);
        }
    }

    fn send(&mut self, mut bytes: f64) {
        while self.sending > 0.0 && bytes > 0.0 {
            let sent = bytes.min(self.sending);
            self.sending -= sent;
            bytes -= sent;
            self.next();
        }
    }

    fn empty(&mut self) {
        self.waiting.clear();
        self.sending = 0.0;
    }
}

//! When a stream has survived.
//!
//! One measure for both protocols: the share of the stream's frames that its viewers do not get
//! whole. Over RTMP these are the frames that an encoder has to drop (see `encoder.rs`), over SRT
//! those that arrive damaged (see `transport.rs`): in both cases a gap costs everything until the next
//! keyframe, so that the two are equally strict.

use std::time::Duration;

use serde::Serialize;

use crate::truth::Stream;
use crate::truth::delivery::{Delivery, Lag};
use crate::truth::encoder::Dropped;
use crate::truth::sender::Socket;
use crate::truth::srt::Counters;
use crate::truth::transport::Recording;

/// The share of frames lost above which a stream has died: where OBS begins to warn
/// (`evidence.md`; it alarms at 5 %). For an hour it is 36 s of broken picture.
pub const LOST: f64 = 0.01;

/// From half to twice [`LOST`] another run may end differently: the result is called marginal.
const MARGIN: [f64; 2] = [LOST / 2.0, LOST * 2.0];

/// How far behind live a stream whose encoder drops nothing may be at its end. OBS's queue holds
/// 0.9 s at most and a player's live edge is seconds away; what ends further behind than a keyframe
/// interval does not keep up.
pub const BEHIND_S: f64 = 2.0;

/// OBS gives up a connection that takes nothing for so long (`evidence.md`).
pub const GIVES_UP: Duration = Duration::from_secs(15);

/// A stream that has not begun after this has failed to connect.
pub const BEGINS: Duration = Duration::from_secs(10);

/// The start of a stream that is not counted: ffmpeg's `-re` sends a burst (0.7 s of SRT), and TCP's
/// first window grows.
pub const SETTLE: Duration = Duration::from_secs(3);

/// What became of a stream.
#[derive(Debug, Clone, Serialize)]
pub struct Survival {
    pub stream: Stream,
    pub outcome: Outcome,
    pub survived: bool,
    /// Why it died, or why the run says nothing.
    pub reasons: Vec<String>,
    /// Close enough to the criterion that another run may end differently.
    pub marginal: bool,
    /// Share of the frames that viewers did not get whole.
    pub lost: f64,
    pub ran_s: f64,
    pub detail: Detail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Survived,
    Died,
    /// The run is no truth: the rig failed, not the network.
    Invalid,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// It never began.
    Nothing,
    Rtmp(Rtmp),
    Srt(Srt),
}

/// An RTMP stream's record.
#[derive(Debug, Clone, Serialize)]
pub struct Rtmp {
    pub lag: Lag,
    pub dropped: Dropped,
    /// Silences over 0.2, 0.7 and 2 s.
    pub gaps: [usize; 3],
    pub longest_gap_s: f64,
    /// How much of the stream arrived, and in what time.
    pub delivered_s: f64,
    pub socket: Socket,
}

/// An SRT stream's record.
#[derive(Debug, Clone, Serialize)]
pub struct Srt {
    pub recording: Recording,
    pub counters: Counters,
}

impl Survival {
    /// The rig failed.
    pub fn invalid(stream: &Stream, why: impl Into<String>) -> Self {
        Self::of(stream, Outcome::Invalid, vec![why.into()], Detail::Nothing)
    }

    /// It never began.
    pub fn unborn(stream: &Stream, why: impl Into<String>) -> Self {
        Self { lost: 1.0, ..Self::of(stream, Outcome::Died, vec![why.into()], Detail::Nothing) }
    }

    fn of(stream: &Stream, outcome: Outcome, reasons: Vec<String>, detail: Detail) -> Self {
        let survived = outcome == Outcome::Survived;
        let stream = stream.clone();
        Self { stream, outcome, survived, reasons, marginal: false, lost: 0.0, ran_s: 0.0, detail }
    }

    /// Judges an RTMP stream. `broke` says why the connection ended before the run did.
    pub fn of_rtmp(
        stream: &Stream,
        delivery: &Delivery,
        (dropped, socket): (Dropped, Socket),
        broke: Option<String>,
    ) -> Self {
        let lag = delivery.lag(SETTLE);
        let mut reasons: Vec<_> =
            broke.map(|why| format!("the connection broke: {why}")).into_iter().collect();
        let lost = dropped.share();
        if lost > LOST {
            reasons.push(format!("an encoder drops {:.1} % of the frames", lost * 100.0));
        }
        if lag.end_s > BEHIND_S {
            reasons.push(format!("{:.1} s behind live at the end", lag.end_s));
        }
        if delivery.longest_gap() >= GIVES_UP {
            reasons.push(format!("nothing passed for {:.0} s", delivery.longest_gap().as_secs_f64()));
        }
        let certain = reasons.len() > usize::from(lost > LOST);
        let detail = Detail::Rtmp(Rtmp {
            gaps: [200, 700, 2000].map(|limit| delivery.gaps_over(Duration::from_millis(limit))),
            longest_gap_s: delivery.longest_gap().as_secs_f64(),
            delivered_s: delivery.delivered().as_secs_f64(),
            lag,
            dropped,
            socket,
        });
        let began = delivery.messages.first().map_or(delivery.end, |message| message.at);
        let ran_s = delivery.end.saturating_sub(began).as_secs_f64();
        Self { ran_s, ..Self::judged(stream, reasons, lost, certain, detail) }
    }

    /// Judges an SRT stream that ran for `ran` from its first arrival on.
    pub fn of_srt(
        stream: &Stream,
        (recording, counters): (Recording, Counters),
        ran: Duration,
        broke: Option<String>,
    ) -> Self {
        let mut reasons: Vec<_> =
            broke.map(|why| format!("the connection broke: {why}")).into_iter().collect();
        // What should have come by now; a second of it may be on its way.
        let due = ran.saturating_sub(SETTLE).as_secs_f64() * f64::from(crate::truth::source::PICTURES);
        let missing = (due - recording.pictures as f64 - f64::from(crate::truth::source::PICTURES)).max(0.0);
        let lost = (recording.damaged as f64 + missing) / (recording.pictures as f64 + missing).max(1.0);
        if lost > LOST {
            reasons.push(format!("{:.1} % of the frames came damaged or not at all", lost * 100.0));
        }
        let certain = reasons.len() > usize::from(lost > LOST);
        let detail = Detail::Srt(Srt { recording, counters });
        Self { ran_s: ran.as_secs_f64(), ..Self::judged(stream, reasons, lost, certain, detail) }
    }

    fn judged(stream: &Stream, reasons: Vec<String>, lost: f64, certain: bool, detail: Detail) -> Self {
        let outcome = if reasons.is_empty() { Outcome::Survived } else { Outcome::Died };
        let marginal = !certain && (MARGIN[0]..=MARGIN[1]).contains(&lost);
        Self { marginal, lost, ..Self::of(stream, outcome, reasons, detail) }
    }

    /// Takes back a result that the rig has spoilt.
    pub fn spoilt(mut self, why: Option<String>) -> Self {
        if let Some(why) = why {
            self.outcome = Outcome::Invalid;
            self.survived = false;
            self.reasons.insert(0, why);
        }
        self
    }

    /// One line for a table.
    pub fn summary(&self) -> String {
        let word = match self.outcome {
            Outcome::Survived => "survived",
            Outcome::Died => "died",
            Outcome::Invalid => "invalid",
        };
        let figures = match &self.detail {
            Detail::Nothing => String::new(),
            Detail::Rtmp(rtmp) => format!(
                " (lost {:.1} %, lag at most {:.1} s, at the end {:.1} s, longest gap {:.1} s)",
                self.lost * 100.0,
                rtmp.lag.most_s,
                rtmp.lag.end_s,
                rtmp.longest_gap_s,
            ),
            Detail::Srt(srt) => format!(
                " (lost {:.1} %, {} breaks, {} of {} packets too late)",
                self.lost * 100.0,
                srt.recording.breaks + srt.recording.other_breaks,
                srt.counters.dropped,
                srt.counters.packets + srt.counters.dropped,
            ),
        };
        let marginal = if self.marginal { ", marginal" } else { "" };
        let why =
            if self.reasons.is_empty() { String::new() } else { format!(": {}", self.reasons.join("; ")) };
        format!("{word}{marginal}{figures}{why}")
    }
}

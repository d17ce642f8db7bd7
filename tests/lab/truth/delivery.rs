//! How a stream was delivered: its lag behind live and the times when nothing came.

use std::time::Duration;

use crate::truth::arrival::{Gap, Kind, Message};

/// Lags that are told apart, in seconds: what nobody notices, where OBS starts to drop, where it
/// drops everything, and what a player's buffer holds.
pub const STEPS: [f64; 4] = [0.2, 0.7, 0.9, 2.0];

/// A stream as the receiver saw it, until `end` on its clock.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub messages: Vec<Message>,
    pub gaps: Vec<Gap>,
    pub end: Duration,
}

/// The lag behind live.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Lag {
    pub most_s: f64,
    /// The least in the last second of the run: that a keyframe is on its way is no lag.
    pub end_s: f64,
    /// Share of the time in which it was above each of [`STEPS`].
    pub above: [f64; 4],
    /// Once a second.
    pub series_s: Vec<f64>,
}

impl Delivery {
    /// When live is, on the receiver's clock, for the stream's start: the arrival of the message that
    /// came soonest after its timestamp. Its one-way delay is in it, so that lag is queueing only.
    pub fn live(&self) -> Option<f64> {
        self.messages
            .iter()
            .filter(|message| message.kind != Kind::Header)
            .map(|message| message.at.as_secs_f64() - message.stamp.as_secs_f64())
            .min_by(f64::total_cmp)
    }

    /// The lag from `settle` after the start of the stream.
    pub fn lag(&self, settle: Duration) -> Lag {
        const STEP_S: f64 = 0.1;
        let Some(live) = self.live() else { return Lag::default() };
        let mut pictures =
            self.messages.iter().filter(|message| matches!(message.kind, Kind::Video(_))).peekable();
        let frame = 1.0 / f64::from(crate::truth::source::PICTURES);
        let (mut newest, mut samples) = (0.0_f64, Vec::new());
        let mut step = 0_u32;
        loop {
            let now = live + settle.as_secs_f64() + STEP_S * f64::from(step);
            if now > self.end.as_secs_f64() {
                break;
            }
            while let Some(picture) = pictures.next_if(|picture| picture.at.as_secs_f64() <= now) {
                newest = newest.max(picture.stamp.as_secs_f64());
            }
            samples.push((now - live - newest - frame).max(0.0));
            step += 1;
        }
        let above = |limit: f64| {
            samples.iter().filter(|lag| **lag > limit).count() as f64 / samples.len().max(1) as f64
        };
        Lag {
            most_s: samples.iter().copied().fold(0.0, f64::max),
            end_s: samples.iter().rev().take(10).copied().fold(f64::INFINITY, f64::min).min(1e6),
            above: STEPS.map(above),
            series_s: samples.iter().step_by(10).map(|lag| (lag * 100.0).round() / 100.0).collect(),
        }
    }

    /// How many times nothing came for longer than `limit`.
    pub fn gaps_over(&self, limit: Duration) -> usize {
        self.gaps.iter().filter(|gap| gap.lasted > limit).count()
    }

    /// The longest time in which nothing came.
    pub fn longest_gap(&self) -> Duration {
        self.gaps.iter().map(|gap| gap.lasted).max().unwrap_or_default()
    }

    /// How far into the stream delivery got by the end of the run.
    pub fn delivered(&self) -> Duration {
        self.messages.iter().map(|message| message.stamp).max().unwrap_or_default()
    }
}

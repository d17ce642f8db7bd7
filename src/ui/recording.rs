//! A recorded run: the journal read for showing, not for resuming. Lenient where resume must
//! be strict: what cannot be shown is said and left out.

use std::io::{self, BufRead};

use serde::Deserialize;

use crate::model::{Answer, text};
use crate::run::Event;
use crate::run::event::FORMAT;

/// Longest line, in bytes.
const MAX_LINE: usize = 64 << 20;
/// Most remarks.
const MAX_REMARKS: usize = 20;

/// The events of a recorded run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// In order.
    pub events: Vec<Event>,
    /// What was left out and why, each with its line.
    pub remarks: Vec<String>,
}

/// The tags of [`Event`].
const KNOWN: [&str; 11] = [
    "run_started",
    "run_resumed",
    "check_started",
    "sample",
    "measured",
    "carried",
    "judged",
    "asking",
    "answered",
    "interrupted",
    "run_finished",
];

/// Only the tag of an event, to tell an unknown kind from a damaged line.
#[derive(Deserialize)]
struct Tag {
    event: String,
}

/// What one line came to.
enum Read {
    Event(Box<Event>),
    Remark(String),
}

impl Recording {
    /// Reads JSON lines. Errors: reading itself; damage to lines becomes a remark.
    pub fn read(mut from: impl BufRead) -> io::Result<Self> {
        let mut recording = Self::default();
        let mut line = Vec::new();
        for number in 1_usize.. {
            line.clear();
            let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
            if io::Read::take(&mut from, limit).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match one(&line) {
                Read::Event(event) => recording.events.push(*event),
                Read::Remark(what) => recording.remark(number, &what),
            }
        }
        recording.check_format();
        Ok(recording)
    }

    fn check_format(&mut self) {
        match self.events.first() {
            Some(Event::RunStarted(started)) if started.format != FORMAT => {
                let format = format!("recorded as {}, read as {FORMAT}", started.format);
                self.remark(1, &format);
            }
            Some(Event::RunStarted(_)) | None => {}
            Some(_) => self.remark(1, "the recording does not begin with a run"),
        }
    }

    fn remark(&mut self, number: usize, what: &str) {
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(format!("line {number}: {}", text::escape(what)));
        }
    }

    /// Milliseconds into the run at which each event happened, never running backwards. Stops
    /// between a run and its resumption take no time.
    pub fn times(&self) -> Vec<f64> {
        let (mut now, mut base) = (0.0_f64, 0.0);
        let mut began = std::collections::BTreeMap::new();
        let mut started = None;
        let mut times = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let at = match event {
                Event::RunStarted(run) => {
                    (base, started) = (now, Some(run.at));
                    now
                }
                Event::RunResumed { at, .. } => {
                    (base, started) = (now, Some(*at));
                    now
                }
                Event::CheckStarted { check, offset_ms } => {
                    began.insert(check.clone(), base + offset_ms);
                    base + offset_ms
                }
                Event::Sample { check, sample } => {
                    began.get(check).copied().unwrap_or(now) + sample.offset_ms
                }
                Event::Measured { measurement } => base + measurement.offset_ms + measurement.took_ms,
                Event::Carried { .. } | Event::Judged { .. } => now,
                Event::Answered { answer: Answer { at, .. } }
                | Event::Interrupted { at, .. }
                | Event::Asking { at, .. }
                | Event::RunFinished { at, .. } => {
                    started.map_or(now, |from| base + at.duration_since(from).as_millis_f64())
                }
            };
            if at.is_finite() {
                now = now.max(at);
            }
            times.push(now);
        }
        times
    }
}

fn one(line: &[u8]) -> Read {
    let error = match serde_json::from_slice(line) {
        Ok(event) => return Read::Event(Box::new(event)),
        Err(error) => error,
    };
    if line.last() != Some(&b'\n') {
        return Read::Remark("the last line is torn: the run died while it was written".to_owned());
    }
    match serde_json::from_slice::<Tag>(line) {
        Ok(tag) if !KNOWN.contains(&tag.event.as_str()) => {
            let kind: String = tag.event.chars().take(40).collect();
            Read::Remark(format!("`{kind}` is an event of another version of golive"))
        }
        _ => Read::Remark(format!("not an event ({error})")),
    }
}

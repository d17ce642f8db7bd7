//! Times as people at the event read them.

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};

use crate::model::When;
use crate::report::v1::Document;

/// Shows instants in one offset: the event's own where the policy states its start.
#[derive(Debug, Clone)]
pub struct Clock(Offset);

impl Clock {
    /// The offset that the event's start (or end) is written in; else UTC.
    pub fn of(document: &Document) -> Self {
        let written = document.event.starts.as_ref().or(document.event.ends.as_ref());
        Self(written.and_then(offset).unwrap_or(Offset::UTC))
    }

    /// `Fri 4 Dec 2026, 14:00 UTC+01:00`.
    pub fn at(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(TimeZone::fixed(self.0));
        format!("{} {}", zoned.strftime("%a %-d %b %Y, %H:%M"), self.name())
    }

    /// `Fri 4 Dec 2026, 14:00 to 15:30 UTC+01:00`; both dates when they differ.
    pub fn span(&self, from: Timestamp, to: Timestamp) -> String {
        let zone = TimeZone::fixed(self.0);
        let (from, to) = (from.to_zoned(zone.clone()), to.to_zoned(zone));
        let last = if from.date() == to.date() { "%H:%M" } else { "%a %-d %b %Y, %H:%M" };
        format!("{} to {} {}", from.strftime("%a %-d %b %Y, %H:%M"), to.strftime(last), self.name())
    }

    /// `UTC+01:00`.
    pub fn name(&self) -> String {
        let minutes = self.0.seconds() / 60;
        let sign = if minutes < 0 { '−' } else { '+' };
        match minutes.abs() {
            0 => "UTC".to_owned(),
            minutes => format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        }
    }
}

fn offset(when: &When) -> Option<Offset> {
    let text = when.to_string();
    Some(Pieces::parse(&text).ok()?.offset()?.to_numeric_offset())
}

/// `1 h 30 min`, `2 days`: how long it is from one instant to a later one; empty otherwise.
pub fn until(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs();
    let minutes = seconds / 60;
    match minutes {
        ..0 => String::new(),
        0 => format!("{seconds} s"),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

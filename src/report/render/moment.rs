//! Times as people at the event read them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::model::When;
use crate::policy::Event;
use crate::report::rules::ChangeRequest;
use crate::report::v1::Document;

/// Shows instants in one offset: the event's own where the policy states its start.
#[derive(Debug, Clone)]
pub struct Clock(Offset);

impl Clock {
    /// The offset that the event's start (or end) is written in; else UTC.
    pub fn of(document: &Document) -> Self {
        Self::of_event(&document.event)
    }

    /// As [`Clock::of`], of an event.
    pub fn of_event(event: &Event) -> Self {
        let written = event.starts.as_ref().or(event.ends.as_ref());
        Self(written.map_or(Offset::UTC, When::offset))
    }

    /// As [`Clock::of`], of a change request: the offset that its end (or start) is written in.
    pub fn of_request(request: &ChangeRequest) -> Self {
        let written = request.until.as_ref().or(request.from.as_ref());
        Self(written.map_or(Offset::UTC, When::offset))
    }

    /// `Fri 4 Dec 2026, 14:00 UTC+01:00`.
    pub fn at(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(TimeZone::fixed(self.0));
        format!("{} {}", zoned.strftime("%a %-d %b %Y, %H:%M"), self.name())
    }

    /// `Fri 4 Dec 2026, 14:00:05 UTC+01:00`.
    pub fn to_the_second(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(TimeZone::fixed(self.0));
        format!("{} {}", zoned.strftime("%a %-d %b %Y, %H:%M:%S"), self.name())
    }

    /// `14:00` on the day of `day`, else with its date.
    pub fn beside(&self, at: Timestamp, day: Timestamp) -> String {
        let zone = TimeZone::fixed(self.0);
        let (at, day) = (at.to_zoned(zone.clone()), day.to_zoned(zone));
        at.strftime(if at.date() == day.date() { "%H:%M" } else { "%a %-d %b %Y, %H:%M" }).to_string()
    }

    /// `14:00:05`.
    pub fn time(&self, at: Timestamp) -> String {
        at.to_zoned(TimeZone::fixed(self.0)).strftime("%H:%M:%S").to_string()
    }

    /// `Fri 4 Dec 2026, 14:00 to 15:30 UTC+01:00`; both dates when they differ.
    pub fn span(&self, from: Timestamp, to: Timestamp) -> String {
        if from.as_second().div_euclid(60) == to.as_second().div_euclid(60) {
            return self.at(from);
        }
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

/// `1 h 30 min`, `2 days`: how long it is from one instant to a later one; empty otherwise.
pub fn until(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs();
    // to the nearest, so that seven days less a second are not called six
    let nearest = |unit: i64| (seconds + unit / 2) / unit;
    match seconds {
        ..0 => String::new(),
        0..90 => format!("{seconds} s"),
        90..7200 => format!("{} min", nearest(60)),
        7200..172_800 => format!("{} h", nearest(3600)),
        _ => format!("{} days", nearest(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_offset_of_the_event() {
        for (starts, shown) in [
            ("2026-12-04T14:00:00+01:00", "Fri 4 Dec 2026, 14:00 UTC+01:00"),
            ("2026-12-04T18:30:00+05:30", "Fri 4 Dec 2026, 18:30 UTC+05:30"),
            ("2026-12-04T09:30:00-03:30", "Fri 4 Dec 2026, 09:30 UTC−03:30"),
            ("2026-12-04T13:00:00Z", "Fri 4 Dec 2026, 13:00 UTC"),
        ] {
            let when = When::try_from(starts.to_owned()).unwrap();
            assert_eq!(Clock(when.offset()).at(when.at()), shown);
        }
    }

    #[test]
    fn a_span_is_as_short_as_it_can_be() {
        let clock = Clock(Offset::UTC);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let from = at("2026-12-04T13:00:05Z");
        assert_eq!(clock.span(from, at("2026-12-04T13:00:41Z")), "Fri 4 Dec 2026, 13:00 UTC");
        assert_eq!(clock.span(from, at("2026-12-04T13:02:00Z")), "Fri 4 Dec 2026, 13:00 to 13:02 UTC");
        assert_eq!(
            clock.span(from, at("2026-12-05T01:00:00Z")),
            "Fri 4 Dec 2026, 13:00 to Sat 5 Dec 2026, 01:00 UTC"
        );
    }

    #[test]
    fn how_long_is_rounded_to_the_nearest() {
        let start = Timestamp::UNIX_EPOCH;
        let after = |seconds: i64| until(start, Timestamp::from_second(seconds).unwrap());
        assert_eq!([59, 5400, 604_799].map(after), ["59 s", "90 min", "7 days"]);
        assert_eq!(until(Timestamp::MAX, start), "");
    }
}

//! The event's weekday and hour, and whether a time lies in it.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::check::Checker;
use super::draft::EventDraft;
use super::event::Event;

const WEEK_S: i64 = 7 * 86_400;
/// What happens in the hour before it starts is on the line already: people arrive, players load.
const BEFORE_S: i64 = 3600;
/// How long an event without an end is taken to last.
const LASTS_S: i64 = 3600;

/// Weekday and hour of an event, in its own time zone: from one hour before its start to its end.
#[derive(Debug, Clone)]
pub struct Slot {
    starts: DateTime,
    lasts_s: i64,
    zone: TimeZone,
}

impl Slot {
    /// The event's slot; `None` when it has no start, or its time zone is not known.
    pub fn of(event: &Event) -> Option<Self> {
        let starts = event.starts.as_ref()?;
        let zone = match &event.time_zone {
            Some(name) => zone(name)?,
            None => starts.offset().to_time_zone(),
        };
        let lasts = event.ends.as_ref().map(|ends| ends.at().duration_since(starts.at()).as_secs());
        let lasts_s = lasts.filter(|seconds| *seconds > 0).unwrap_or(LASTS_S);
        Some(Self { starts: zone.to_datetime(starts.at()), lasts_s, zone })
    }

    /// True when it is the event's weekday and hour at this time, in whatever week. Clocks that
    /// are set forward or back in between change nothing: it is what the wall says that counts.
    pub fn holds(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        let since = local.duration_since(self.starts).as_secs().rem_euclid(WEEK_S);
        since <= self.lasts_s || since >= WEEK_S - BEFORE_S
    }

    /// For people: `Friday, 13:00 to 15:30`.
    pub fn words(&self) -> String {
        let from = self.starts.saturating_sub(SignedDuration::from_secs(BEFORE_S));
        let to = self.starts.saturating_add(SignedDuration::from_secs(self.lasts_s));
        format!("{}, {} to {}", day(from), from.strftime("%H:%M"), to.strftime("%H:%M"))
    }

    /// A time as the event's wall clock shows it: `Tuesday, 10:12`.
    pub fn shown(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        format!("{}, {}", day(local), local.strftime("%H:%M"))
    }
}

fn day(at: DateTime) -> &'static str {
    match at.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// A zone of the IANA database that golive carries: the same on every machine, so that a report
/// is judged alike where the system has another edition or none.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

impl Checker<'_> {
    /// A known zone whose offset is the one that `starts` is written with.
    pub fn time_zone(&mut self, draft: &EventDraft) -> Option<String> {
        let name = draft.time_zone.clone()?;
        let Some(zone) = zone(&name) else {
            let help = "write it like \"Europe/Berlin\", or leave it out: then the offset of starts counts";
            self.error(&["event", "time_zone"], "there is no such time zone", Some(help.to_owned()));
            return None;
        };
        if let Some(starts) = &draft.starts {
            let (there, written) = (zone.to_offset(starts.at()), starts.offset());
            if there != written {
                let what =
                    format!("at the event's start it is {there} in this zone, and starts says {written}");
                self.error(&["event", "time_zone"], what, None);
            }
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::When;

    fn event(zone: Option<&str>) -> Event {
        let when = |text: &str| Some(When::try_from(text.to_owned()).unwrap());
        Event {
            title: "Launch".into(),
            starts: when("2026-10-30T14:00:00+01:00"),
            ends: when("2026-10-30T15:30:00+01:00"),
            time_zone: zone.map(str::to_owned),
            venue: None,
            objective: None,
            change: None,
            way_back: None,
        }
    }

    #[test]
    fn weekday_and_hour_count_and_the_week_does_not() {
        let slot = Slot::of(&event(None)).unwrap();
        assert_eq!(slot.words(), "Friday, 13:00 to 15:30");
        for (at, inside) in [
            ("2026-10-23T14:10:00+01:00", true),
            ("2026-11-06T13:00:00+01:00", true),
            ("2026-10-23T12:59:59+01:00", false),
            ("2026-10-23T15:30:01+01:00", false),
            ("2026-10-22T14:10:00+01:00", false),
            ("2025-10-31T15:00:00+01:00", true),
        ] {
            assert_eq!(slot.holds(at.parse().unwrap()), inside, "{at}");
        }
    }

    #[test]
    fn a_zone_follows_clocks_that_are_set_back() {
        // Summer time ended on the 25th: a week before the event, 11:10 UTC was 13:10 on the wall.
        let at: Timestamp = "2026-10-23T11:10:00Z".parse().unwrap();
        let slot = Slot::of(&event(Some("Europe/Berlin"))).unwrap();
        assert!(slot.holds(at), "{}", slot.shown(at));
        assert!(!Slot::of(&event(None)).unwrap().holds(at));
        assert_eq!(slot.shown(at), "Friday, 13:10");
        assert!(Slot::of(&event(Some("Mars/Olympus"))).is_none());
    }
}

//! The event's window on a firewall's clock.

use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan as _};

use crate::report::rules::ChangeRequest;

/// From when to when, in whole minutes of the venue's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub from: DateTime,
    /// The first minute in which it is closed again.
    pub until: DateTime,
    /// `UTC+01:00`.
    pub zone: String,
}

/// The schedule, when both ends are known.
pub fn of(request: &ChangeRequest) -> Option<Schedule> {
    let (from, until) = (request.from.as_ref()?, request.until.as_ref()?);
    let offset = until.offset();
    let minute = SignedDuration::from_mins(1);
    let floor = |at: DateTime| at.with().second(0).subsec_nanosecond(0).build().unwrap_or(at);
    let (begins, ends) = (offset.to_datetime(from.at()), offset.to_datetime(until.at()));
    let closed = if floor(ends) == ends { ends } else { floor(ends).saturating_add(minute) };
    let zone = match offset.seconds() / 60 {
        0 => "UTC".to_owned(),
        minutes => {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    };
    Some(Schedule { from: floor(begins), until: closed, zone })
}

impl Schedule {
    /// The last minute in which it is open: for firewalls whose ends belong to the window.
    pub fn last(&self) -> DateTime {
        self.until.saturating_sub(1.minute())
    }
}

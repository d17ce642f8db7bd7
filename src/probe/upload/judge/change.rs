//! What changed during the test, and what held TCP up: named whatever the limits are.

use super::super::change::{self, Kind};
use super::super::series::{Fall, Rates};
use super::super::{Over, Reading, findings as code};
use super::{AT_CAP, float, percent};
use crate::model::Finding;

/// Share of the time from which on something is what held TCP up.
const HELD_UP: f64 = 0.5;

pub(super) fn fell(reading: &Reading, fall: &Fall) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let megabytes = fall.after_bytes as f64 / 1e6;
    let observed = format!(
        "from {:.0} to {:.0} kb/s after {:.0} s ({megabytes:.1} MB)",
        fall.before_kbps, fall.after_kbps, fall.at_s
    );
    let (code, what, remedy) = match change::kind(reading, fall) {
        Kind::Policer => (
            code::POLICED,
            ", with losses and no longer round trip: a policer",
            "ask the network team or provider which policer drops above this rate, and to shape instead \
             or raise it; plan with the lower rate",
        ),
        Kind::Boost => (
            code::BOOST_ENDED,
            ", with a longer round trip from then on: a boost that ended",
            "plan with the lower rate: the provider grants the higher one for a while only; measure longer",
        ),
        Kind::Queue => (
            code::QUEUE_FILLED,
            ", with a longer round trip from then on: a queue on the way is full",
            "find who else uses the line from that moment, or why it became slower (radio, failover); plan \
             with the lower rate, and measure longer",
        ),
        Kind::Unknown => (
            code::FELL,
            "",
            "ask the provider or network team for an opening boost, a policer or a data cap; plan with the \
             lower rate, and measure longer",
        ),
    };
    Finding::warn(code, "a rate that lasts", format!("{observed}{what}"), remedy)
}

/// Pauses that keep time have one cause.
pub(super) fn rhythm(reading: &Reading) -> Option<Finding> {
    let rhythm = change::rhythm(&reading.gaps)?;
    let observed = format!(
        "{} pauses of about {:.1} s, one every {:.0} s",
        rhythm.pauses, rhythm.length_s, rhythm.every_s
    );
    let remedy = "look for what runs at this interval: Wi-Fi scans, a modem that loses its cell, a failover \
                  that flaps, a policer or shaper with long periods";
    Some(Finding::warn(code::PAUSES_RECUR, "no pauses that come again and again", observed, remedy))
}

/// What held TCP up, as the kernel tells; shown as evidence, since the rate has findings of its own.
pub(super) fn held_up_by(reading: &Reading, rates: Option<Rates>) -> Option<Finding> {
    let busy = reading.sender.busy_ms.filter(|busy| *busy > 0.0 && reading.transport == Over::Tcp)?;
    let share = |ms: Option<f64>| (ms.unwrap_or(0.0) / busy).clamp(0.0, 1.0);
    let receiver = share(reading.sender.receiver_limited_ms);
    let sender = share(reading.sender.buffer_limited_ms);
    let shares = format!(
        "the receiver's window {} of the time, our send buffer {}, else the line",
        percent(receiver),
        percent(sender)
    );
    let at_cap = rates.is_some_and(|rates| rates.median_kbps >= AT_CAP * float(reading.at_most_kbps));
    let (code, what) = if at_cap {
        (code::HELD_UP_BY_CAP, "the test's own cap")
    } else if receiver > HELD_UP {
        (code::HELD_UP_BY_RECEIVER, "the receiver's window")
    } else if sender > HELD_UP {
        (code::HELD_UP_BY_SENDER, "our send buffer")
    } else {
        (code::HELD_UP_BY_LINE, "the line")
    };
    Some(Finding::pass(code, "what held TCP up is known", format!("{what} ({shares})")))
}

//! A watch for people: the same facts as text, Markdown and a page.

mod lines;
pub mod strip;
#[cfg(test)]
mod tests;

pub use lines::{budget, markdown, rate, text};

use jiff::Timestamp;

use super::moment::{Clock, until};
use crate::judge::watch::Period;
use crate::model::Outcome;
use crate::report::{WatchDoc, WatchedDoc};

/// Periods of one check that are listed; the stored document has them all.
pub const MOST_LISTED: usize = 40;

/// The times of a watch, in the offset of its event.
pub fn clock(document: &WatchDoc) -> Clock {
    Clock::of_event(&document.event)
}

/// What the worst state says, in a sentence.
pub const fn meaning(worst: Outcome) -> &'static str {
    match worst {
        Outcome::Pass | Outcome::NotApplicable => "Everything that was watched stayed within its limits.",
        Outcome::Warn => "Something came close to its limits, or something that only advises was not well.",
        Outcome::Unknown => "Of something nobody can say how it was: it could not be asked, or too seldom.",
        Outcome::Fail => "Something that the policy requires failed while the event ran.",
    }
}

/// The periods to list: the newest, and how many older ones are left to the document.
pub fn listed(check: &WatchedDoc) -> (usize, &[Period]) {
    let all = check.timeline.periods();
    let older = all.len().saturating_sub(MOST_LISTED);
    (older, all.get(older..).unwrap_or_default())
}

/// The word of a period.
pub const fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(outcome) => outcome.word(),
        None => "not looked at",
    }
}

/// The state that a check ended in.
pub const fn state(check: &WatchedDoc) -> &'static str {
    match check.state {
        Some(outcome) => outcome.word(),
        None => "not decided",
    }
}

/// `14:02:10 to 14:03:40, 90 s`.
pub fn when(period: &Period, clock: &Clock) -> String {
    let took = until(period.from, period.until);
    format!("{} to {}, {took}", clock.time(period.from), clock.time(period.until))
}

/// How many looks, and what was put together.
pub fn looks(period: &Period) -> String {
    let looks = match period.looks {
        0 => String::new(),
        1 => "1 look".to_owned(),
        looks => format!("{looks} looks"),
    };
    match period.put_together {
        0 => looks,
        periods => format!("{looks} in {periods} periods, of which this is the worst"),
    }
}

/// `every 30 s`, `every 0.2 s`.
pub fn every(seconds: f64) -> String {
    format!("every {} s", super::text::number(seconds))
}

/// Shares of the whole watch in which a check was pass (or not applicable), anything else, and not looked
/// at: of a thousand.
pub fn shares(document: &WatchDoc, check: &WatchedDoc) -> Option<[i64; 2]> {
    let (from, to) = document.span();
    let whole = ms(from, to);
    if whole <= 0 || check.timeline.periods().is_empty() {
        return None;
    }
    let share = |take: fn(Option<Outcome>) -> bool| {
        let periods = check.timeline.periods().iter().filter(|period| take(period.outcome));
        periods.map(|period| ms(period.from, period.until)).sum::<i64>().saturating_mul(1000) / whole
    };
    let well = share(|outcome| matches!(outcome, Some(Outcome::Pass | Outcome::NotApplicable)));
    Some([well, share(|outcome| outcome.is_none())])
}

/// The share of the watch in which a check was within its limits, in words.
pub fn within(document: &WatchDoc, check: &WatchedDoc) -> String {
    let Some([well, gap]) = shares(document, check) else { return "never looked at".to_owned() };
    let percent = |share: i64| format!("{}.{} %", share / 10, share % 10);
    let together = check.timeline.periods().iter().any(|period| period.put_together > 0);
    let well = if together { format!("at least {}", percent(well)) } else { percent(well) };
    if gap == 0 { well } else { format!("{well}, {} not looked at", percent(gap)) }
}

fn ms(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond().saturating_sub(from.as_millisecond()).max(0)
}

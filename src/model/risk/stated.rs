//! The chance of a damaging gap in words for page 1, and against what a policy allows.

use super::{Chance, Watched, float};
use crate::model::{AtLeast, AtMost};

/// Stream that the risk is stated for when the policy knows no better, in seconds.
const HOUR: u64 = 3600;

/// What to do about pauses of the line.
pub const BRIDGE_PAUSES: &str = "find what pauses the line, use a cable, have a second way out ready, or send over SRT with a \
     latency beyond the pauses";

/// How a chance stands to what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The best estimate is allowed, or nothing is asked.
    Within,
    /// It is more than is allowed, with 95 % confidence.
    Beyond,
    /// Neither: what was watched is too little to say.
    Unproven,
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// How it stands.
    pub standing: Standing,
    /// The chance itself.
    pub chance: Chance,
    /// What was asked.
    pub expected: String,
    /// What was seen, and what follows.
    pub observed: String,
    /// How long to watch to know.
    pub longer: String,
}

impl Stated {
    /// The chance for a stream of the event's length (an hour when nobody says), against what is allowed.
    pub fn of(watched: Watched, stream_s: Option<AtLeast<u64>>, allowed: Option<AtMost<f64>>) -> Self {
        let stream_s = float(stream_s.map_or(HOUR, |limit| limit.0));
        let chance = watched.chance(stream_s);
        let length = span(stream_s);
        let seen = match watched.spells {
            0 => format!("no damaging gap in {}", span(watched.seconds)),
            1 => format!("one spell of damaging gaps in {}", span(watched.seconds)),
            n => format!("{n} spells of damaging gaps in {}", span(watched.seconds)),
        };
        let observed = format!("{seen}: {}", words(&chance, &length));
        let (standing, expected) = match allowed {
            None => (Standing::Within, format!("the risk for {length} is stated")),
            Some(AtMost(allowed)) => {
                let expected = format!("a chance of at most {} for {length}", percent(allowed));
                (chance.standing(allowed), expected)
            }
        };
        let longer = allowed.and_then(|allowed| watched.seconds_for(allowed.0, stream_s));
        let longer = longer.filter(|seconds| *seconds > watched.seconds).map_or_else(
            || "watch for longer, on the wire and at the hour of the event".to_owned(),
            |seconds| format!("watch for {}, on the wire and at the hour of the event", span(seconds)),
        );
        Self { standing, chance, expected, observed, longer }
    }
}

/// A confidence interval as wide as this says next to nothing.
const WIDE: f64 = 0.8;

/// The chance for a stream of that length. Where the look was too short to say, that comes first: a best estimate is
/// then what other networks did, and would be read as a finding about this one.
fn words(chance: &Chance, length: &str) -> String {
    let (likely, least, most) = (certain(chance.likely), certain(chance.at_least), certain(chance.at_most));
    if chance.at_most - chance.at_least > WIDE {
        return format!(
            "too short a look to foretell {length}, whose chance of one lies anywhere from {least} to {most} with 95 % \
             confidence (best estimate {likely}, taken from other networks)"
        );
    }
    let tenths = tenths(chance.likely);
    format!(
        "a stream of {length} meets one with a chance of {tenths} in 10 (best estimate {likely}; {least} to {most} with \
         95 % confidence)"
    )
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 9.95 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

/// A chance; never a certainty that is none.
fn certain(chance: f64) -> String {
    if chance > 0.99 { "over 99 %".to_owned() } else { percent(chance) }
}

/// Tenths from 0 to 10; never a certainty that is none.
fn tenths(chance: f64) -> String {
    match chance * 10.0 {
        low if low < 1.0 => "less than 1".to_owned(),
        high if high > 9.0 => "more than 9".to_owned(),
        some => format!("about {some:.0}"),
    }
}

fn span(seconds: f64) -> String {
    if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_look_is_longer_than_the_one_taken() {
        let longer = |seconds, spells, allowed| {
            Stated::of(Watched { seconds, spells }, Some(AtLeast(3_600)), Some(AtMost(allowed))).longer
        };
        let minutes = |said: String| -> f64 { said.split(' ').nth(2).unwrap().parse().unwrap() };
        assert!(minutes(longer(598.0, 1, 0.5)) > 10.0, "{}", longer(598.0, 1, 0.5));
        assert!(longer(1e6, 0, 0.9).starts_with("watch for longer"));
    }

    #[test]
    fn a_short_look_is_called_one_before_any_estimate() {
        let said = |seconds| {
            let stream_s = Some(AtLeast(5400));
            Stated::of(Watched { spells: 0, seconds }, stream_s, None).observed
        };
        let short = said(28.0);
        assert!(short.starts_with("no damaging gap in 28 s: too short a look to foretell 90 min"), "{short}");
        assert!(short.contains("from other networks"), "{short}");
        let long = said(6.0 * 3600.0);
        assert!(long.starts_with("no damaging gap in 360 min: a stream of 90 min meets one"), "{long}");
    }
}

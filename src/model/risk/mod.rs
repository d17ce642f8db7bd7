//! What a time that was watched says of a longer one: the chance that a stream meets a damaging gap.
//!
//! Gaps come in clusters (a roaming laptop, a passing lorry), so those that lie close together count as
//! one spell, and spells are taken to come independently of each other. What was watched then bounds their
//! rate, and only weakly while it is short: 60 s without one still allow 3 a minute (95 %).
//!
//! The bound alone would call every line unfit, so there is an estimate beside it. It starts from what
//! uplinks were recorded to do, and lets what was watched speak as it grows: a gamma distribution of the
//! rate of spells, fitted to streams replayed on the recorded uplinks of some places (each place counting
//! the same) and held against the others: `tests/networks study`, `reports/lab/study.md`. Those uplinks are mobile and Wi-Fi. Wired lines do better; how much is not in the
//! recordings, so golive does not claim it.

mod stated;

pub use stated::{BRIDGE_PAUSES, Standing, Stated};

/// What is known of uplinks before one is watched: a gamma distribution of the rate of spells, worth so many
/// spells in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Spells.
    pub spells: f64,
    /// Seconds.
    pub seconds: f64,
}

impl Prior {
    /// As fitted (`tests/networks study`).
    pub const FITTED: Self = Self { spells: 0.3, seconds: 10.0 };
}

/// Gaps that begin within this of the one before belong to its spell, in milliseconds.
const SPELL_MS: u64 = 10_000;
/// How sure the bounds are, each by itself.
pub const CONFIDENCE: f64 = 0.95;

/// How long a line was watched, and how often it failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watched {
    /// Seconds.
    pub seconds: f64,
    /// Spells of damaging gaps in them.
    pub spells: u64,
}

/// The chance that a stream meets at least one damaging gap, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Not less than this, with [`CONFIDENCE`].
    pub at_least: f64,
    /// Best estimate.
    pub likely: f64,
    /// Not more than this, with [`CONFIDENCE`], whatever the line's kind.
    pub at_most: f64,
}

impl Chance {
    /// How it stands to a chance that is allowed.
    pub fn standing(&self, allowed: f64) -> Standing {
        if self.likely <= allowed {
            Standing::Within
        } else if self.at_least > allowed {
            Standing::Beyond
        } else {
            Standing::Unproven
        }
    }
}

/// Spells among gaps, given by when each began, in milliseconds and in order.
pub fn spells(began_ms: impl IntoIterator<Item = u64>) -> u64 {
    let mut last: Option<u64> = None;
    began_ms.into_iter().fold(0, |count, at| {
        let close = last.is_some_and(|last| at.saturating_sub(last) < SPELL_MS);
        last = Some(at);
        count + u64::from(!close)
    })
}

impl Watched {
    /// Highest rate of spells, a second, at which so few would be seen in one case of twenty.
    pub fn rate_at_most(&self) -> f64 {
        let mean = solve(|mean| poisson_at_most(self.spells, mean) - (1.0 - CONFIDENCE));
        mean / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// Lowest rate of spells, a second, at which so many would be seen in one case of twenty.
    pub fn rate_at_least(&self) -> f64 {
        let Some(fewer) = self.spells.checked_sub(1) else { return 0.0 };
        let mean = solve(|mean| poisson_at_most(fewer, mean) - CONFIDENCE);
        mean / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// The chance that a stream of so many seconds meets a damaging gap.
    pub fn chance(&self, stream_seconds: f64) -> Chance {
        self.chance_from(Prior::FITTED, stream_seconds)
    }

    /// Likewise, had something else been known of uplinks before.
    pub fn chance_from(&self, prior: Prior, stream_seconds: f64) -> Chance {
        if self.seconds <= 0.0 || stream_seconds <= 0.0 {
            return Chance { at_least: 0.0, likely: 1.0, at_most: 1.0 };
        }
        let meets = |rate: f64| 1.0 - (-rate * stream_seconds).exp();
        let known = prior.seconds + self.seconds;
        let spared = (known / (known + stream_seconds)).powf(prior.spells + float(self.spells));
        let (at_least, at_most) = (meets(self.rate_at_least()), meets(self.rate_at_most()));
        Chance { at_least, likely: (1.0 - spared).clamp(at_least, at_most), at_most }
    }

    /// How long a line must be watched in all, without a gap beyond those seen, so that the likely chance for a
    /// stream of so many seconds falls to `chance`; `None` when no time is long enough.
    pub fn seconds_for(&self, chance: f64, stream_seconds: f64) -> Option<f64> {
        // (known / (known + stream))^spells = 1 - chance
        let root = (1.0 - chance).powf(1.0 / (Prior::FITTED.spells + float(self.spells)));
        let known = stream_seconds * root / (1.0 - root);
        (chance > 0.0 && known.is_finite()).then(|| (known - Prior::FITTED.seconds).max(0.0))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of spells")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// Chance of at most `count` where `mean` are expected.
fn poisson_at_most(count: u64, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut sum = term;
    for n in 1..=count.min(10_000) {
        term *= mean / float(n);
        sum += term;
    }
    sum
}

/// Where a falling function crosses zero.
fn solve(falls: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while falls(high) > 0.0 && high < 700.0 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if falls(middle) > 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn watched(seconds: f64, spells: u64) -> Watched {
        Watched { seconds, spells }
    }

    #[test]
    fn the_bounds_are_those_of_the_tables() {
        // Exact limits of a Poisson mean, one-sided 95 % (Garwood 1936).
        for (spells, lower, upper) in
            [(0, 0.0, 2.996), (1, 0.0513, 4.744), (2, 0.355, 6.296), (10, 5.425, 16.962)]
        {
            let one = watched(1.0, spells);
            assert!((one.rate_at_most() - upper).abs() < 0.002, "{spells}: {}", one.rate_at_most());
            assert!((one.rate_at_least() - lower).abs() < 0.002, "{spells}: {}", one.rate_at_least());
        }
    }

    #[test]
    fn a_clean_minute_says_little_of_an_hour_and_a_half() {
        let chance = watched(60.0, 0).chance(5_400.0);
        assert!(chance.at_least == 0.0 && chance.at_most > 0.999, "{chance:?}");
        assert!((0.7..0.9).contains(&chance.likely), "{chance:?}");
        let longer = watched(600.0, 0).chance(5_400.0);
        assert!((0.4..0.6).contains(&longer.likely), "{longer:?}");
        let seen = watched(600.0, 2).chance(5_400.0);
        assert!(seen.likely > 0.95 && seen.at_least > 0.9, "{seen:?}");
        let as_long_as_the_show = watched(5_400.0, 0).chance(5_400.0);
        assert!(as_long_as_the_show.likely < 0.3, "{as_long_as_the_show:?}");
    }

    #[test]
    fn gaps_close_together_are_one_spell() {
        assert_eq!(spells([]), 0);
        assert_eq!(spells([5_000, 8_000, 12_000, 40_000]), 2);
    }

    #[test]
    fn how_long_to_watch_is_told() {
        for spells in [0, 1] {
            let seconds = watched(60.0, spells).seconds_for(0.3, 3_600.0).unwrap();
            assert!((watched(seconds, spells).chance(3_600.0).likely - 0.3).abs() < 0.01, "{seconds}");
        }
        assert_eq!(watched(60.0, 0).seconds_for(0.0, 3_600.0), None);
    }

    proptest! {
        #[test]
        fn chances_are_in_order_and_longer_streams_meet_more(
            seconds in 0.0_f64..1e5, spells in 0_u64..300, stream in 0.0_f64..1e5, more in 0.0_f64..1e5,
        ) {
            let one = watched(seconds, spells);
            let chance = one.chance(stream);
            prop_assert!(0.0 <= chance.at_least && chance.at_least <= chance.likely);
            prop_assert!(chance.likely <= chance.at_most && chance.at_most <= 1.0);
            if stream > 0.0 {
                prop_assert!(one.chance(stream + more).likely >= chance.likely - 1e-9);
                prop_assert!(watched(seconds, spells + 1).chance(stream).likely >= chance.likely - 1e-9);
            }
        }
    }
}

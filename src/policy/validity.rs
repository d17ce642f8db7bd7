//! How long a reading holds, as people write it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How long a reading holds: a whole number and a unit, such as `"7d"`, `"12h"` or `"30m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Validity(#[schemars(with = "String", regex(pattern = r"^[1-9][0-9]{0,6}[smhdw]$"))] u64);

/// Longest validity: ten years. More is a slip of the keyboard.
const MAX_SECONDS: u64 = 10 * 366 * DAY;
const DAY: u64 = 86_400;
const UNITS: [(char, u64); 5] = [('w', 7 * DAY), ('d', DAY), ('h', 3600), ('m', 60), ('s', 1)];

/// Text that is no [`Validity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a validity is a whole number and a unit, up to ten years: \"30m\", \"12h\", \"7d\" or \"2w\"")]
pub struct BadValidity;

impl Validity {
    /// One day.
    pub const DAY: Self = Self(DAY);

    /// From seconds, as a checked policy holds it.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// In seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl std::str::FromStr for Validity {
    type Err = BadValidity;
    fn from_str(text: &str) -> Result<Self, BadValidity> {
        let unit = text.chars().next_back().ok_or(BadValidity)?;
        let number = text.strip_suffix(unit).unwrap_or_default();
        let factor = UNITS.iter().find(|(letter, _)| *letter == unit).map(|(_, factor)| *factor);
        if number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()) {
            return Err(BadValidity);
        }
        let seconds = number.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
        seconds.filter(|s| (1..=MAX_SECONDS).contains(s)).map(Self).ok_or(BadValidity)
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = UNITS
            .iter()
            .skip(1)
            .find(|(_, factor)| self.0.is_multiple_of(*factor))
            .copied()
            .unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl Serialize for Validity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Validity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_write_spans_of_time() {
        for (text, seconds) in [
            ("30m", 1800),
            ("12h", 43_200),
            ("7d", 7 * DAY),
            ("2w", 14 * DAY),
            ("1s", 1),
            ("3650d", 3650 * DAY),
        ] {
            assert_eq!(text.parse::<Validity>().unwrap().seconds(), seconds, "{text}");
        }
        for text in
            ["", "d", "0d", "-1d", "+1d", "1 d", "7", "7days", "1.5h", "1é", "99999999999999999999s", "600w"]
        {
            assert!(text.parse::<Validity>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(seconds in 1..=MAX_SECONDS, text in "\\PC{0,8}") {
            let validity = Validity::from_seconds(seconds);
            prop_assert_eq!(validity.to_string().parse(), Ok(validity));
            let _ = text.parse::<Validity>();
        }
    }
}

//! A date and time with its offset, as a person wrote it: never a bare date.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An RFC 3339 date-time. Keeps the offset that it was written with, for display.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("format" = "date-time"))]
pub struct When {
    text: String,
    at: Timestamp,
}

/// Text that is not a date-time with an offset.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is not a date-time with offset, such as 2026-12-04T14:00:00+01:00")]
pub struct BadWhen(String);

impl When {
    /// The instant.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The offset from UTC that it is written with.
    pub fn offset(&self) -> Offset {
        let pieces = jiff::fmt::temporal::Pieces::parse(&self.text);
        pieces.ok().and_then(|pieces| pieces.to_numeric_offset()).unwrap_or(Offset::UTC)
    }

    /// An instant, shown in UTC.
    pub fn utc(at: Timestamp) -> Self {
        Self { text: at.to_string(), at }
    }
}

impl TryFrom<String> for When {
    type Error = BadWhen;
    fn try_from(text: String) -> Result<Self, BadWhen> {
        match text.parse() {
            Ok(at) => Ok(Self { text, at }),
            Err(_) => Err(BadWhen(super::text::escape(&text).chars().take(64).collect())),
        }
    }
}

impl From<When> for String {
    fn from(when: When) -> Self {
        when.text
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

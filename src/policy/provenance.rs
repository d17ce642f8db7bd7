//! Where a layer's facts are from, and by when somebody must look whether they still hold.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Layer;

/// Where the facts of a policy file are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The documents that they were read in: addresses, or names.
    pub source: Vec<String>,
    /// The day on which they were last read: a date such as 2026-11-22, without quotes.
    pub verified: Date,
    /// The day by which they are to be read again: a date, without quotes. After it, `golive policy check`
    /// and the report say so.
    pub review_by: Date,
}

impl Provenance {
    /// What is wrong with it, if something is.
    pub(super) fn problem(&self) -> Option<&'static str> {
        if self.source.iter().all(|source| source.trim().is_empty()) {
            return Some("[provenance] names no source");
        }
        (self.review_by <= self.verified).then_some("`review_by` is not after `verified`")
    }

    /// True when the day by which the facts were to be read again is over everywhere on Earth.
    pub fn overdue(&self, now: Timestamp) -> bool {
        let latest = TimeZone::fixed(jiff::tz::Offset::constant(-12));
        now.to_zoned(latest).date() > self.review_by
    }
}

impl Layer {
    /// Says that this layer's facts were to be read again before `now`; nothing when they hold, or
    /// the layer names no day. Not escaped.
    pub fn overdue(&self, now: Timestamp) -> Option<String> {
        let facts = self.provenance.as_ref().filter(|facts| facts.overdue(now))?;
        let source = facts.source.first().map_or("", String::as_str);
        Some(format!(
            "the facts of {} were last read {} and were to be read again by {}: see {source}",
            self.name, facts.verified, facts.review_by
        ))
    }
}

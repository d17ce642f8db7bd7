//! What a line is like, as a scenario's TOML writes it.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

use crate::wan::trace::Trace;

/// A line: two ways, each by itself.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    /// From the near end (the laptop's side) to the far end.
    pub up: Way,
    /// From the far end to the near end.
    pub down: Way,
    /// Of all chance on the line.
    pub seed: u64,
    /// Of both interfaces: an honest one, of which ICMP tells.
    pub mtu: u16,
}

impl Default for Line {
    fn default() -> Self {
        Self { up: Way::default(), down: Way::default(), seed: 1, mtu: 1500 }
    }
}

/// One way of a line. The default is a wire that adds nothing.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Way {
    /// Packets larger than this many bytes vanish, and nobody says so.
    pub mtu_black_hole: Option<usize>,
    /// Drops what exceeds a rate, without a queue.
    pub policer: Option<Policer>,
    /// The bottleneck.
    #[serde(deserialize_with = "some_positive")]
    pub rate_mbps: Option<f64>,
    /// The bottleneck's rate over time, instead of `rate_mbps`.
    pub trace: Option<Trace>,
    /// A higher rate at first.
    pub boost: Option<Boost>,
    /// How much waits before the bottleneck. Default: 100 ms at its (mean) rate, at least 30 kB.
    pub queue_bytes: Option<u64>,
    /// When nothing comes through.
    pub outages: Outages,
    /// Lost, by chance and in bursts.
    pub loss: Loss,
    /// How far the other end is.
    #[serde(deserialize_with = "not_negative")]
    pub delay_ms: f64,
    /// Changes of the delay.
    pub jitter: Option<Jitter>,
    /// Of a hundred packets so many come twice.
    #[serde(deserialize_with = "percent")]
    pub duplicate_percent: f64,
}

/// A token bucket that begins full: passes `burst_bytes` at any speed, then `rate_mbps`.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policer {
    /// What it fills with.
    #[serde(deserialize_with = "positive")]
    pub rate_mbps: f64,
    /// What it holds. A packet larger than this never passes.
    pub burst_bytes: u64,
}

/// A higher rate that ends: after so many seconds of sending, or so many bytes.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boost {
    /// While it lasts.
    #[serde(deserialize_with = "positive")]
    pub rate_mbps: f64,
    /// Counted while the bottleneck sends, so that a few probes before do not use it up.
    #[serde(default, deserialize_with = "some_positive")]
    pub seconds: Option<f64>,
    /// Sent at the higher rate.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// Loss, by chance packet by packet and in bursts.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Loss {
    /// Of a hundred packets, each by itself.
    #[serde(deserialize_with = "percent")]
    pub percent: f64,
    /// Bad times.
    pub bursts: Option<Bursts>,
}

/// Bad times that come and go by the clock, whether packets come or not: about every `every_s`
/// one of about `for_ms` begins (both exponentially distributed).
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// From one beginning to the next, on average.
    #[serde(deserialize_with = "positive")]
    pub every_s: f64,
    /// On average; shorter than `every_s`.
    #[serde(deserialize_with = "positive")]
    pub for_ms: f64,
    /// Of a hundred packets in a bad time so many are lost.
    #[serde(default = "all", deserialize_with = "percent")]
    pub percent: f64,
}

/// Delay on top, evenly distributed between 0 and `ms`.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jitter {
    /// The most.
    #[serde(deserialize_with = "positive")]
    pub ms: f64,
    /// Drawn for each packet by itself, so that packets overtake each other. Else the delay
    /// changes by the clock, packets keep their order, and bunch up when it falls.
    #[serde(default)]
    pub reorder: bool,
    /// Without reordering: how long a drawn delay stays. Default: `ms`.
    #[serde(default, deserialize_with = "some_positive")]
    pub every_ms: Option<f64>,
}

/// A time in which whatever reaches the end of the bottleneck is lost.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "each names its unit")]
pub struct Outage {
    /// When the first begins. Default: after the first `every_s`.
    #[serde(default, deserialize_with = "some_not_negative")]
    pub at_s: Option<f64>,
    /// How long each is.
    #[serde(deserialize_with = "positive")]
    pub for_s: f64,
    /// From one beginning to the next. Without it there is one outage, `at_s`.
    #[serde(default, deserialize_with = "some_positive")]
    pub every_s: Option<f64>,
}

/// One `{ … }` or a list of them.
#[derive(Clone, Debug, Default)]
pub struct Outages(pub Vec<Outage>);

impl<'de> Deserialize<'de> for Outages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutagesVisitor)
    }
}

struct OutagesVisitor;

impl<'de> serde::de::Visitor<'de> for OutagesVisitor {
    type Value = Outages;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an outage such as { every_s = 30, for_s = 2 }, or a list of them")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Outages, A::Error> {
        let one = Outage::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Outages(vec![one]))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Outages, A::Error> {
        Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(list)).map(Outages)
    }
}

fn all() -> f64 {
    100.0
}

fn number<'de, D: Deserializer<'de>>(from: D, wanted: &str, holds: fn(f64) -> bool) -> Result<f64, D::Error> {
    let number = f64::deserialize(from)?;
    if number.is_finite() && holds(number) {
        Ok(number)
    } else {
        Err(D::Error::invalid_value(Unexpected::Float(number), &wanted))
    }
}

pub fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    number(from, "a number above 0", |number| number > 0.0)
}

pub fn not_negative<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    number(from, "a number not below 0", |number| number >= 0.0)
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    number(from, "a number from 0 to 100", |number| (0.0..=100.0).contains(&number))
}

fn some_positive<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    positive(from).map(Some)
}

fn some_not_negative<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    not_negative(from).map(Some)
}

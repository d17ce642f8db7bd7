//! A series to draw: live points while a probe runs, then the reading's own series.

use super::Charset;
use crate::model::Series;
use crate::probe::Sample;

/// Most points kept; beyond it every other one is dropped.
const MAX_POINTS: usize = 4096;
/// Most series of one check.
pub(super) const MAX_TRACES: usize = 8;

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The sample's series, or the title of the reading's.
    pub name: String,
    /// For people.
    pub title: String,
    /// Unit: `kb/s`, `ms`.
    pub unit: String,
    /// Seconds since the check started, value. Finite.
    pub points: Vec<(f64, f64)>,
    /// The line that the values are held against.
    pub required: Option<f64>,
}

impl Trace {
    /// An empty live series.
    pub(super) fn live(charset: Charset, name: &str, required: Option<f64>) -> Self {
        let (what, unit) = name.rsplit_once('_').unwrap_or((name, ""));
        let unit = match unit {
            "kbps" => "kb/s",
            other => other,
        };
        let title = match what {
            "rtt" => "round trip".to_owned(),
            other => other.replace('_', " "),
        };
        Self {
            name: name.to_owned(),
            title: charset.show(&title),
            unit: charset.show(unit),
            points: Vec::new(),
            required,
        }
    }

    /// Adds a live point; what is not a finite number is left out.
    pub(super) fn push(&mut self, sample: &Sample) {
        if !(sample.offset_ms.is_finite() && sample.value.is_finite()) {
            return;
        }
        if self.points.len() >= MAX_POINTS {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.points.push((sample.offset_ms / 1000.0, sample.value));
    }

    /// From a reading.
    pub(super) fn of(charset: Charset, series: &Series) -> Self {
        let stride = series.values.len().div_ceil(MAX_POINTS).max(1);
        let mut at = 0.0;
        let mut points = Vec::new();
        for (index, value) in series.values.iter().enumerate() {
            if let (0, Some(value)) = (index % stride, value.filter(|value| value.is_finite())) {
                points.push((at, value));
            }
            at += series.step_ms / 1000.0;
        }
        Self {
            name: charset.show(&series.title),
            title: charset.show(&series.title),
            unit: charset.show(&series.unit),
            points: if at.is_finite() { points } else { Vec::new() },
            required: series.required.filter(|value| value.is_finite()),
        }
    }

    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|point| point.1)
    }
}

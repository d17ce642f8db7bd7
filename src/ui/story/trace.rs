//! A series to draw: live points while a probe runs, then the reading's own series. One that
//! outgrows its room keeps the lowest and the highest point of each stretch, so that a short
//! dip stays in it.

use super::Charset;
use crate::model::Series;
use crate::probe::Sample;

/// Most stretches of one series; beyond it, two neighbours become one. Even, and its half is more than
/// the columns of a chart on the widest terminal.
pub(super) const MAX_STRETCHES: usize = 512;
/// Most series of one check.
pub(super) const MAX_TRACES: usize = 8;

/// Seconds since the check started, and a value. Finite.
pub type Point = (f64, f64);

/// What is kept of consecutive points.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    low: Point,
    high: Point,
}

impl Stretch {
    const fn of(point: Point) -> Self {
        Self { low: point, high: point }
    }

    /// Both together.
    fn with(self, other: Self) -> Self {
        Self {
            low: if other.low.1 < self.low.1 { other.low } else { self.low },
            high: if other.high.1 > self.high.1 { other.high } else { self.high },
        }
    }

    /// Its points in the order of time.
    fn points(self) -> impl Iterator<Item = Point> {
        let (first, second) =
            if self.high.0 < self.low.0 { (self.high, self.low) } else { (self.low, self.high) };
        std::iter::once(first).chain((first != second).then_some(second))
    }
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The sample's series, or the title of the reading's.
    pub name: String,
    /// For people.
    pub title: String,
    /// Unit: `kb/s`, `ms`.
    pub unit: String,
    /// The line that the values are held against.
    pub required: Option<f64>,
    stretches: Vec<Stretch>,
    /// Points in a stretch, and in the last one so far.
    points_each: usize,
    points_in_last: usize,
    last: Option<f64>,
}

impl Trace {
    fn empty(name: String, title: String, unit: String, required: Option<f64>) -> Self {
        let stretches = Vec::new();
        Self { name, title, unit, required, stretches, points_each: 1, points_in_last: 0, last: None }
    }

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
        Self::empty(name.to_owned(), charset.show(&title), charset.show(unit), required)
    }

    /// Adds a live point; what is not a finite number is left out.
    pub(super) fn push(&mut self, sample: &Sample) {
        self.take_in((sample.offset_ms / 1000.0, sample.value));
    }

    /// From a reading.
    pub(super) fn of(charset: Charset, series: &Series) -> Self {
        let title = charset.show(&series.title);
        let required = series.required.filter(|value| value.is_finite());
        let mut trace = Self::empty(title.clone(), title, charset.show(&series.unit), required);
        let mut at = 0.0;
        for value in &series.values {
            if let Some(value) = value {
                trace.take_in((at, *value));
            }
            at += series.step_ms / 1000.0;
        }
        trace
    }

    fn take_in(&mut self, point: Point) {
        if !(point.0.is_finite() && point.1.is_finite()) {
            return;
        }
        self.last = Some(point.1);
        if let Some(last) = self.stretches.last_mut().filter(|_| self.points_in_last < self.points_each) {
            *last = last.with(Stretch::of(point));
            self.points_in_last += 1;
            return;
        }
        if self.stretches.len() >= MAX_STRETCHES {
            let pairs = self.stretches.chunks(2);
            self.stretches = pairs.filter_map(|pair| pair.iter().copied().reduce(Stretch::with)).collect();
            self.points_each = self.points_each.saturating_mul(2);
        }
        self.stretches.push(Stretch::of(point));
        self.points_in_last = 1;
    }

    /// What there is to draw: every point, or of each stretch the lowest and the highest.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.stretches.iter().flat_map(|stretch| stretch.points())
    }

    /// Stretches that it holds: how fine it is.
    pub const fn stretches(&self) -> usize {
        self.stretches.len()
    }

    /// True when there is nothing to draw.
    pub const fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// The last value.
    pub const fn last(&self) -> Option<f64> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(values: impl IntoIterator<Item = f64>) -> Trace {
        let mut trace = Trace::live(Charset::Unicode, "upload_kbps", None);
        let mut offset_ms = 0.0;
        for value in values {
            trace.push(&Sample { series: trace.name.clone(), offset_ms, value });
            offset_ms += 100.0;
        }
        trace
    }

    #[test]
    fn a_short_series_is_kept_as_it_came() {
        let trace = live([3.0, 1.0, 1.0, 2.0]);
        let points: Vec<Point> = trace.points().collect();
        assert_eq!(points, [(0.0, 3.0), (0.1, 1.0), (0.2, 1.0), (0.3, 2.0)]);
        assert_eq!((trace.last(), trace.stretches()), (Some(2.0), 4));
    }

    #[test]
    fn an_outage_of_100_ms_in_an_hour_stays() {
        for outage in [0, 1, 511, 512, 1025, 17_777, 35_998, 35_999] {
            let trace = live((0..36_000).map(|step| if step == outage { 0.0 } else { 9000.0 }));
            let dips: Vec<Point> = trace.points().filter(|point| point.1 < 9000.0).collect();
            assert_eq!(dips, [(f64::from(outage) * 100.0 / 1000.0, 0.0)], "kept once, at its time");
            assert!(trace.points().is_sorted_by_key(|point| point.0));
            assert!(trace.stretches() <= MAX_STRETCHES && trace.stretches() > MAX_STRETCHES / 2);
        }
    }

    #[test]
    fn a_long_series_of_a_reading_keeps_its_extremes_too() {
        let values = (0..20_000).map(|at| Some(if at == 7_777 { 250.0 } else { 20.0 })).collect();
        let (title, unit) = ("Round trip".to_owned(), "ms".to_owned());
        let series = Series { title, unit, step_ms: 100.0, values, required: None };
        let trace = Trace::of(Charset::Unicode, &series);
        let highest = trace.points().map(|point| point.1).fold(0.0, f64::max);
        assert!(highest >= 250.0 && trace.stretches() <= MAX_STRETCHES);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let trace = live([f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY]);
        assert_eq!(trace.points().collect::<Vec<_>>(), [(0.2, 1.0)]);
        let series = Series {
            title: String::new(),
            unit: String::new(),
            step_ms: f64::INFINITY,
            values: vec![Some(1.0), Some(2.0)],
            required: Some(f64::NAN),
        };
        let trace = Trace::of(Charset::Unicode, &series);
        assert_eq!((trace.points().count(), trace.required), (1, None));
    }
}

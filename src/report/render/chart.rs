//! Charts as vectors, apart from any format: a series becomes marks, a format draws marks.

use super::text::{line, number};
use crate::model::Series;

/// Points per chart at most; longer series are drawn as lowest and highest value per column.
const COLUMNS: usize = 400;
/// How many times the highest value a limit may be and still be drawn to scale.
const BEYOND: f64 = 8.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 34.0;

/// What a mark stands for; a format chooses the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Axis lines.
    Axis,
    /// Grid lines.
    Grid,
    /// What was measured.
    Value,
    /// What is asked for.
    Required,
    /// Nothing was measured here.
    Gap,
    /// Words and numbers.
    Label,
}

/// Where text hangs on its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It starts there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// One thing to draw. Coordinates in points, origin at the top left.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A line through points.
    Path(Ink, Vec<(f64, f64)>),
    /// A filled outline.
    Area(Ink, Vec<(f64, f64)>),
    /// A single point.
    Dot(Ink, (f64, f64)),
    /// Text.
    Text(Ink, (f64, f64), Anchor, String),
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Title, inert.
    pub title: String,
    /// What it shows, for those who cannot see it.
    pub summary: String,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Back to front.
    pub marks: Vec<Mark>,
}

struct Scale {
    width: f64,
    height: f64,
    seconds: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (self.width - LEFT - RIGHT) * (seconds / self.seconds).clamp(0.0, 1.0)
    }
    fn y(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        TOP + (self.height - TOP - BOTTOM) * (1.0 - share)
    }
}

/// A column of values: lowest and highest, or nothing measured at all.
type Column = Option<(f64, f64)>;

/// Draws a series over its time; `None` when it holds no value.
pub fn chart(series: &Series, width: f64, height: f64) -> Option<Chart> {
    let step = if series.step_ms.is_finite() && series.step_ms > 0.0 { series.step_ms } else { 1000.0 };
    let step = step.clamp(1e-3, 1e9);
    let values = || series.values.iter().copied().filter_map(drawable);
    values().next()?;
    let required = drawable(series.required);
    let peak = values().chain(required).fold(0.0_f64, f64::max);
    let (factor, unit) =
        if series.unit == "kb/s" && peak >= 2000.0 { (0.001, "Mb/s") } else { (1.0, series.unit.as_str()) };
    let (lowest, highest) = values().fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    // a limit far above all values would press them flat: it is named, not drawn to scale
    let beyond = |required: &f64| !is_rate(unit) && highest > 0.0 && *required > BEYOND * highest;
    let drawn = required.filter(|required| !beyond(required));
    let ticks = ticks(lowest * factor, highest.max(drawn.unwrap_or(0.0)) * factor);
    let scale = Scale {
        width,
        height,
        seconds: real(series.values.len()) * step / 1000.0,
        low: ticks.first().copied().unwrap_or(0.0),
        high: ticks.last().copied().unwrap_or(1.0),
    };
    let per_column = series.values.len().div_ceil(COLUMNS).max(1);
    let columns: Vec<Column> = series.values.chunks(per_column).map(|part| column(part, factor)).collect();
    let at = |index: usize| (real(index) + 0.5) * real(per_column) * step / 1000.0;
    let mut marks = gaps(&columns, &scale, real(per_column) * step / 1000.0);
    marks.extend(axes(&scale, &ticks, unit));
    marks.extend(curve(&columns, &scale, at));
    if let Some(required) = required {
        marks.extend(bound(&scale, required * factor, unit, drawn.is_some()));
    }
    Some(Chart { title: line(&series.title), summary: summary(series), width, height, marks })
}

/// A value that can be drawn; what lies beyond any network is drawn at the edge.
fn drawable(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite()).map(|value| value.clamp(-1e15, 1e15))
}

fn column(part: &[Option<f64>], factor: f64) -> Column {
    let values = part.iter().copied().filter_map(drawable).map(|value| value * factor);
    values.fold(None, |range: Column, v| Some(range.map_or((v, v), |(l, h)| (l.min(v), h.max(v)))))
}

/// What was measured: one piece between gaps, filled down to zero.
fn curve(columns: &[Column], scale: &Scale, at: impl Fn(usize) -> f64) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut index = 0;
    for piece in columns.split(Option::is_none) {
        let start = index;
        index += piece.len() + 1;
        let mut points = Vec::with_capacity(piece.len() * 2);
        for (offset, range) in piece.iter().enumerate() {
            let Some((low, high)) = range else { continue };
            let x = scale.x(at(start + offset));
            points.push((x, scale.y(*high)));
            if low < high {
                points.push((x, scale.y(*low)));
            }
        }
        match points.as_slice() {
            [] => {}
            [point] => marks.push(Mark::Dot(Ink::Value, *point)),
            [first, .., last] => {
                let floor = scale.y(0.0);
                let mut area = vec![(first.0, floor)];
                area.extend(&points);
                area.push((last.0, floor));
                marks.push(Mark::Area(Ink::Value, area));
                marks.push(Mark::Path(Ink::Value, points));
            }
        }
    }
    marks
}

/// A band wherever nothing was measured, so that a gap is not read as a zero.
fn gaps(columns: &[Column], scale: &Scale, width_s: f64) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut start = None;
    for (index, column) in columns.iter().map(Some).chain([None]).enumerate() {
        match (start, column) {
            (None, Some(None)) => start = Some(index),
            (Some(first), None | Some(Some(_))) => {
                let (left, right) = (scale.x(real(first) * width_s), scale.x(real(index) * width_s));
                let (top, floor) = (TOP, scale.height - BOTTOM);
                marks.push(Mark::Area(
                    Ink::Gap,
                    vec![(left, floor), (left, top), (right, top), (right, floor)],
                ));
                start = None;
            }
            _ => {}
        }
    }
    marks
}

fn axes(scale: &Scale, ticks: &[f64], unit: &str) -> Vec<Mark> {
    let (left, right, floor) = (LEFT, scale.width - RIGHT, scale.height - BOTTOM);
    let mut marks = Vec::new();
    for (tick, words) in ticks.iter().zip(alike(ticks)) {
        let y = scale.y(*tick);
        marks.push(Mark::Path(Ink::Grid, vec![(left, y), (right, y)]));
        marks.push(Mark::Text(Ink::Label, (left - 6.0, y + 3.5), Anchor::End, words));
    }
    marks.push(Mark::Text(Ink::Label, (4.0, 9.0), Anchor::Start, line(unit)));
    let seconds = ticks_between(scale.seconds);
    for (tick, words) in seconds.iter().zip(alike(&seconds)) {
        let x = scale.x(*tick);
        marks.push(Mark::Path(Ink::Axis, vec![(x, floor), (x, floor + 4.0)]));
        marks.push(Mark::Text(Ink::Label, (x, floor + 15.0), Anchor::Middle, words));
    }
    let middle = f64::midpoint(left, right);
    let words = "seconds since the check began".to_owned();
    marks.push(Mark::Text(Ink::Label, (middle, scale.height - 3.0), Anchor::Middle, words));
    marks.push(Mark::Path(Ink::Axis, vec![(left, TOP), (left, floor), (right, floor)]));
    marks
}

fn bound(scale: &Scale, required: f64, unit: &str, drawn: bool) -> Vec<Mark> {
    let (y, right) = (scale.y(required), scale.width - RIGHT);
    let word = if is_rate(unit) { "needed" } else { "limit" };
    let label = format!("{word} {} {}", number(required), line(unit));
    if !drawn {
        let label = format!("{label}, far above this axis");
        return vec![Mark::Text(Ink::Required, (right - 2.0, TOP - 5.0), Anchor::End, label)];
    }
    let above = if y - 5.0 < TOP + 6.0 { y + 13.0 } else { y - 5.0 };
    vec![
        Mark::Path(Ink::Required, vec![(LEFT, y), (right, y)]),
        Mark::Text(Ink::Required, (right - 2.0, above), Anchor::End, label),
    ]
}

fn is_rate(unit: &str) -> bool {
    unit.ends_with("b/s")
}

/// Round values from at or below `low` to at or above `high`, at most a dozen.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = (high - low).max(1e-9);
    let step = round_step(span / 4.0);
    let first = (low / step).floor();
    let count = ((high / step).ceil() - first).clamp(1.0, 12.0);
    (0..=12).map(f64::from).filter(|n| *n <= count).map(|n| (first + n) * step).collect()
}

fn ticks_between(end: f64) -> Vec<f64> {
    let step = round_step(end.max(1e-9) / 8.0);
    (0..=12).map(|n| f64::from(n) * step).filter(|tick| *tick <= end * 1.0001).collect()
}

/// The next of 1, 2, 2.5, 5 × 10ⁿ.
fn round_step(least: f64) -> f64 {
    let ten = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * ten).find(|step| *step >= least).unwrap_or(ten * 10.0)
}

/// The numbers of an axis, all with as many decimals as the one that needs most.
fn alike(ticks: &[f64]) -> Vec<String> {
    let needs = |tick: &f64| {
        (0..3_u8).find(|n| {
            let shifted = tick * 10_f64.powi(i32::from(*n));
            (shifted - shifted.round()).abs() < 1e-6
        })
    };
    let decimals = ticks.iter().map(|tick| needs(tick).unwrap_or(3)).max().unwrap_or(0);
    if ticks.iter().any(|tick| tick.abs() >= 10_000.0) {
        return ticks.iter().map(|tick| number(*tick)).collect();
    }
    ticks.iter().map(|tick| format!("{tick:.0$}", usize::from(decimals))).collect()
}

/// In words: how many values, lowest, highest, how many absent.
fn summary(series: &Series) -> String {
    let values = || series.values.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let absent = series.values.len() - values().count();
    let required =
        series.required.map(|required| format!("; needed {}", number(required))).unwrap_or_default();
    let unit = line(&series.unit);
    let absent = if absent > 0 { format!("; {absent} not measured") } else { String::new() };
    format!(
        "{} values, lowest {}, highest {} {unit}{required}{absent}",
        values().count(),
        number(low),
        number(high)
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts of values in a file of bounded size")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(values: Vec<Option<f64>>, step_ms: f64, required: Option<f64>) -> Series {
        Series { title: "Upload".into(), unit: "kb/s".into(), step_ms, values, required }
    }

    #[test]
    fn an_absent_value_is_a_gap_and_never_a_zero() {
        let drawn =
            chart(&series(vec![Some(5.0), Some(6.0), None, Some(5.0), Some(6.0)], 100.0, None), 400.0, 200.0);
        let marks = drawn.unwrap().marks;
        let curves = marks.iter().filter(|mark| matches!(mark, Mark::Path(Ink::Value, _))).count();
        let bands = marks.iter().filter(|mark| matches!(mark, Mark::Area(Ink::Gap, _))).count();
        assert_eq!((curves, bands), (2, 1));
    }

    #[test]
    fn a_limit_far_above_is_named_and_a_need_is_always_drawn() {
        let lines = |unit: &str| {
            let unit = unit.to_owned();
            let drawn = chart(
                &Series { unit, ..series(vec![Some(1.0), Some(2.0)], 100.0, Some(90.0)) },
                400.0,
                200.0,
            );
            let marks = drawn.unwrap().marks;
            marks.iter().filter(|mark| matches!(mark, Mark::Path(Ink::Required, _))).count()
        };
        assert_eq!((lines("ms"), lines("kb/s")), (0, 1));
    }

    #[test]
    fn nothing_measured_is_no_chart() {
        assert!(chart(&series(vec![None, None], 100.0, Some(5.0)), 400.0, 200.0).is_none());
    }

    #[test]
    fn a_short_dip_survives_a_long_series() {
        let mut values = vec![Some(10.0); 100_000];
        values[50_000] = Some(0.0);
        let drawn = chart(&series(values, 100.0, Some(8.0)), 400.0, 200.0).unwrap();
        let lowest = drawn.marks.iter().filter_map(|mark| match mark {
            Mark::Path(Ink::Value, points) => points.iter().map(|(_, y)| *y).reduce(f64::max),
            _ => None,
        });
        assert!((lowest.fold(0.0, f64::max) - (200.0 - BOTTOM)).abs() < 1.0);
    }

    proptest! {
        #[test]
        fn any_series_stays_inside_its_frame(
            values in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..900),
            step in any::<f64>(),
            required in proptest::option::of(any::<f64>()),
        ) {
            let Some(drawn) = chart(&series(values, step, required), 400.0, 200.0) else { return Ok(()) };
            prop_assert!(drawn.marks.len() < 2000);
            for mark in &drawn.marks {
                let points = match mark {
                    Mark::Path(_, points) | Mark::Area(_, points) => points.clone(),
                    Mark::Dot(_, at) | Mark::Text(_, at, _, _) => vec![*at],
                };
                for (x, y) in points {
                    prop_assert!((0.0..=400.0).contains(&x) && (0.0..=200.0).contains(&y), "{x} {y} {mark:?}");
                }
            }
        }
    }
}

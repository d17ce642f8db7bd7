//! A series as columns. Each column shows what lies between its lowest (solid) and its
//! highest value (shaded), so that a short dip is never averaged away; the limit is a line.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::{framed, titled};
use crate::ui::story::{Card, Stage, Trace};
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

/// Eighths of a cell, for the top of a column.
const EIGHTHS: [&str; 8] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇"];

/// One line of one check.
#[derive(Clone, Copy)]
pub(super) struct Drawn<'a> {
    card: &'a Card,
    trace: &'a Trace,
}

/// The charts that belong on screen: the selected check's, else those of one that runs. What the
/// line carries comes first, whatever was measured first; turned by as many as the user asked.
pub(super) fn wanted(state: &State) -> Vec<Drawn<'_>> {
    let drawn = |card: &'_ Card| card.traces.iter().any(|trace| !trace.is_empty());
    let running = |card: &&Card| matches!(card.stage, Stage::Running { .. }) && drawn(card);
    let selected = state.card().filter(|card| drawn(card));
    let Some(card) = selected.or_else(|| state.story.cards.iter().find(running)) else { return Vec::new() };
    let traces = card.traces.iter().filter(|trace| !trace.is_empty());
    let mut all: Vec<_> = traces.map(|trace| Drawn { card, trace }).collect();
    all.sort_by_key(|drawn| (place(drawn.trace), drawn.trace.required.is_none()));
    let by = state.chart.checked_rem(all.len()).unwrap_or(0);
    all.rotate_left(by);
    all
}

/// Where a series stands among those of its check: the rate, round trips, loss, what was sent again.
fn place(trace: &Trace) -> u8 {
    let says = |word: &str| trace.name.to_lowercase().contains(word);
    match trace.unit.as_str() {
        "kb/s" => 0,
        "ms" => 1,
        _ if says("loss") || says("lost") => 2,
        _ => 3,
    }
}

/// Draws one chart; `others` is how many more there are that do not fit.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    drawn: Drawn<'_>,
    others: usize,
    theme: Theme,
) {
    let Drawn { card, trace } = drawn;
    let room = usize::from(area.width).saturating_sub(4);
    let mut block = framed(theme, titled(theme, &caption(state, drawn, theme, room)));
    if others > 0 {
        block = block.title_bottom(Line::from(format!(" c: {others} more ")).right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let scale = Scale::of(state, card, trace);
    let labels = scale.labels(trace);
    let gutter = labels.iter().map(|(_, text)| cells(text)).max().unwrap_or(0);
    let gutter = u16::try_from(gutter).unwrap_or(u16::MAX).saturating_add(1).min(inner.width);
    let plot = Rect {
        x: inner.x + gutter,
        width: inner.width - gutter,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    if plot.is_empty() {
        return;
    }
    let buffer = frame.buffer_mut();
    columns(buffer, plot, &scale, trace, theme);
    limit(buffer, plot, &scale, trace, theme);
    y_labels(buffer, inner, plot, &scale, &labels, theme);
    x_labels(buffer, plot, &scale, theme);
}

/// What is drawn, of which check when it is not the selected one, and its last value or unit.
fn caption(state: &State, Drawn { card, trace }: Drawn<'_>, theme: Theme, room: usize) -> String {
    let now = match (card.stage, trace.last()) {
        (Stage::Running { .. }, Some(last)) => format!("{}now {} {}", theme.dot(), number(last), trace.unit),
        _ => format!(", {}", trace.unit),
    };
    let other = state.card().is_none_or(|selected| selected.id != card.id);
    let title = if other { format!("{}: {}", card.id, trace.title) } else { trace.title.clone() };
    let title = clip(&title, room.saturating_sub(cells(&now)), theme.pick("…", "..."));
    format!("{title}{now}")
}

/// What the plot's edges stand for.
struct Scale {
    seconds: f64,
    top: f64,
}

impl Scale {
    fn of(state: &State, card: &Card, trace: &Trace) -> Self {
        let last = trace.points().map(|point| point.0).fold(0.0, f64::max);
        let running = state.running_ms(card).map(|ms| (ms / 1000.0).max(card.seconds));
        let highest = trace.points().map(|point| point.1).chain(trace.required).fold(0.0, f64::max);
        Self { seconds: running.unwrap_or(0.0).max(last).max(0.1), top: nice(highest * 1.05) }
    }

    /// Values to name at the left: the limit before all, then top and bottom.
    fn labels(&self, trace: &Trace) -> Vec<(f64, String)> {
        let limit = trace.required.map(|value| (value, number(value)));
        limit.into_iter().chain([(self.top, number(self.top)), (0.0, "0".to_owned())]).collect()
    }

    /// Row of a value, counted from the top of the plot.
    fn row(&self, value: f64, height: u16) -> u16 {
        let share = (value / self.top).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to height")]
        let up = (share * f64::from(height)) as u16;
        height.saturating_sub(1).saturating_sub(up)
    }
}

/// The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 × 10ⁿ.
fn nice(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let unit = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let top = steps.into_iter().map(|step| step * unit).find(|top| *top >= value).unwrap_or(value);
    if top.is_finite() && top > 0.0 { top } else { value }
}

/// Three or four digits: `9270`, `12.5`, `0.42`.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e7 => format!("{value:.1e}"),
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Lowest and highest value in each column; `None` where nothing was measured.
fn bins(trace: &Trace, seconds: f64, width: u16) -> Vec<Option<(f64, f64)>> {
    let mut bins = vec![None; usize::from(width)];
    for (at, value) in trace.points() {
        let share = (at / seconds).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to width")]
        let index = (share * f64::from(width)) as usize;
        let Some(bin) = bins.get_mut(index.min(usize::from(width).saturating_sub(1))) else { continue };
        let (low, high) = bin.unwrap_or((value, value));
        *bin = Some((value.min(low), value.max(high)));
    }
    // Narrower than the samples are apart: a column between two belongs to the one before.
    let gap = usize::from(width).div_ceil(trace.stretches().max(1)) + 1;
    let mut before: Option<(usize, (f64, f64))> = None;
    let last = bins.iter().rposition(Option::is_some).unwrap_or(0);
    for (index, bin) in bins.iter_mut().enumerate().take(last) {
        match (*bin, before) {
            (Some(values), _) => before = Some((index, values)),
            (None, Some((from, values))) if index - from < gap => *bin = Some(values),
            _ => {}
        }
    }
    bins
}

fn columns(buffer: &mut Buffer, plot: Rect, scale: &Scale, trace: &Trace, theme: Theme) {
    for (x, bin) in (plot.x..).zip(bins(trace, scale.seconds, plot.width)) {
        let Some((low, high)) = bin else { continue };
        let eighths = |value: f64| {
            let share = (value / scale.top).clamp(0.0, 1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8 × height")]
            let eighths = (share * f64::from(plot.height) * 8.0).round() as usize;
            eighths
        };
        let (low, high) = (eighths(low).max(1), eighths(high));
        for up in 0..plot.height {
            let floor = usize::from(up) * 8;
            let (symbol, style) = if low >= floor + 8 {
                (theme.pick("█", "#"), theme.busy())
            } else if low > floor {
                let part = EIGHTHS.get(low - floor).copied().unwrap_or(" ");
                (theme.pick(part, "#"), theme.busy())
            } else if high > floor {
                (theme.pick("░", ":"), theme.busy())
            } else {
                continue;
            };
            set(buffer, x, plot.bottom() - 1 - up, symbol, style);
        }
    }
}

/// The limit: a line across the plot; where a column stands, it is cut out of it.
fn limit(buffer: &mut Buffer, plot: Rect, scale: &Scale, trace: &Trace, theme: Theme) {
    let Some(required) = trace.required else { return };
    let y = plot.y + scale.row(required, plot.height);
    for x in plot.x..plot.right() {
        match buffer.cell((x, y)).map(ratatui::buffer::Cell::symbol) {
            Some(" ") => set(buffer, x, y, theme.pick("╌", "-"), theme.limit()),
            Some("█" | "#") => {
                let cut_out = theme.busy().add_modifier(Modifier::REVERSED);
                set(buffer, x, y, theme.pick("─", "="), cut_out);
            }
            _ => {}
        }
    }
}

fn y_labels(
    buffer: &mut Buffer,
    inner: Rect,
    plot: Rect,
    scale: &Scale,
    labels: &[(f64, String)],
    theme: Theme,
) {
    let mut taken: Vec<u16> = Vec::new();
    for (index, (value, text)) in labels.iter().enumerate() {
        let row = scale.row(*value, plot.height);
        if taken.contains(&row) {
            continue;
        }
        taken.push(row);
        let is_limit = index == 0 && labels.len() == 3;
        let style = if is_limit { theme.limit() } else { theme.faint() };
        let room = usize::from(plot.x - inner.x).saturating_sub(1);
        let text = format!("{text:>room$}");
        buffer.set_stringn(inner.x, plot.y + row, text, room, style);
    }
}

fn x_labels(buffer: &mut Buffer, plot: Rect, scale: &Scale, theme: Theme) {
    let y = plot.bottom();
    let decimals = usize::from(scale.seconds < 10.0);
    let right = format!("{:.decimals$} s", scale.seconds.min(1e9));
    buffer.set_stringn(plot.x, y, "0", usize::from(plot.width), theme.faint());
    let from = plot.right().saturating_sub(u16::try_from(cells(&right)).unwrap_or(0));
    if from > plot.x + 2 {
        buffer.set_stringn(from, y, right, usize::from(plot.right() - from), theme.faint());
    }
}

fn set(buffer: &mut Buffer, x: u16, y: u16, symbol: &'static str, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

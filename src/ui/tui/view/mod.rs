//! Drawing. Every function here turns [`State`] into cells and changes nothing.

mod areas;
mod banner;
mod chart;
mod detail;
mod dialog;
mod footer;
mod form;
mod header;
mod help;
mod history;
mod list;
mod matrix;
mod scroll;
mod sheet;
mod tabs;
mod way_out;
mod words;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::keys::Key;
use super::page::Page;
use super::pointer::Hit;
use super::state::{Fit, Overlay, State};
use super::theme::Theme;
use super::wrap::wrap;
use crate::ui::story::{Card, Stage};

/// Smallest terminal that everything fits in.
pub const MIN: (u16, u16) = (72, 20);

/// Height from which on there is room for a line of areas.
const ROOMY: u16 = 30;

/// Width from which on details and charts stand side by side.
const WIDE: u16 = 130;

/// Draws everything; says how far the details can be scrolled, and what can be clicked.
pub fn draw(frame: &mut Frame<'_>, state: &State, theme: Theme) -> Fit {
    let mut fit = Fit::default();
    drawn(frame, state, theme, &mut fit);
    theme.paint(frame.buffer_mut());
    fit
}

fn drawn(frame: &mut Frame<'_>, state: &State, theme: Theme, fit: &mut Fit) {
    let area = frame.area();
    if area.width < MIN.0 || area.height < MIN.1 {
        too_small(frame, area, state, theme);
        return;
    }
    let top = if state.story.ending.is_some() { banner::HEIGHT } else { header::HEIGHT };
    let areas = u16::from(area.height >= ROOMY && !state.story.cards.is_empty());
    let rows = [
        Constraint::Length(top),
        Constraint::Length(areas),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ];
    let [top, owners, tabs, body, bottom] = Layout::vertical(rows).areas(area);
    frame.render_widget(areas::line(state, theme, usize::from(owners.width)), owners);
    match &state.story.ending {
        Some(ending) => banner::draw(frame, top, state, ending, theme),
        None => header::draw(frame, top, state, theme),
    }
    tabs::draw(frame, tabs, state, theme, &mut fit.spots);
    page(frame, body, state, theme, fit);
    footer::draw(frame, bottom, state, theme, &mut fit.spots);
    if let Some(open) = &state.form {
        form::draw(frame, area, state, open, theme, &mut fit.spots);
    }
    if let Some(open) = &state.sheet {
        sheet::draw(frame, area, open, theme, &mut fit.spots);
    }
    if state.overlay == Overlay::Help {
        help::draw(frame, area, state.mouse, theme, &mut fit.spots);
    }
}

fn page(frame: &mut Frame<'_>, body: Rect, state: &State, theme: Theme, fit: &mut Fit) {
    match state.page {
        Page::Checks => {
            let columns = [Constraint::Length(list::width(body.width)), Constraint::Min(0)];
            let [left, right] = Layout::horizontal(columns).areas(body);
            list::draw(frame, left, state, theme, &mut fit.spots);
            right_side(frame, right, state, theme, fit);
        }
        Page::Matrix => matrix::draw(frame, body, state, theme, &mut fit.spots),
        Page::WayOut => way_out::draw(frame, body, state, theme, fit),
        Page::History => history::draw(frame, body, state, theme, fit),
    }
}

/// Details of the selected check above the charts that belong with them; beside them, where the
/// screen is wide.
fn right_side(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, fit: &mut Fit) {
    let charts = chart::wanted(state);
    if charts.is_empty() {
        detail::draw(frame, area, detail::lines(state, theme, area.width), state, theme, fit);
        return;
    }
    if area.width >= WIDE {
        let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
        stack(frame, right, state, charts, theme, fit);
        detail::draw(frame, left, detail::lines(state, theme, left.width), state, theme, fit);
        return;
    }
    // The charts take what the details leave.
    let lines = detail::lines(state, theme, area.width);
    let need = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let least = if state.moving() { 8 } else { 7 };
    let room = area.height.saturating_sub(need).max(area.height * 2 / 5).max(least);
    let shown = stacked(room, charts.len());
    let height = (room / shown).min(16) * shown;
    let [above, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(height)]).areas(area);
    stack(frame, below, state, charts, theme, fit);
    detail::draw(frame, above, lines, state, theme, fit);
}

/// How many of some charts are readable above one another in a height.
fn stacked(height: u16, charts: usize) -> u16 {
    (height / 9).clamp(1, u16::try_from(charts).unwrap_or(u16::MAX).max(1))
}

/// Charts above one another, as many as are readable.
fn stack(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    charts: Vec<chart::Drawn<'_>>,
    theme: Theme,
    fit: &mut Fit,
) {
    let shown = stacked(area.height, charts.len());
    let others = charts.len() - usize::from(shown);
    if others > 0 {
        fit.spots.put(area, Hit::Key(Key::Chart));
    }
    let areas = Layout::vertical(vec![Constraint::Fill(1); usize::from(shown)]).split(area);
    for (place, (drawn, area)) in (1..).zip(charts.into_iter().zip(areas.iter())) {
        chart::draw(frame, *area, state, drawn, if place == shown { others } else { 0 }, theme);
    }
}

/// A frame with a title.
fn framed<'a>(theme: Theme, title: impl Into<Line<'a>>) -> Block<'a> {
    Block::bordered().border_set(theme.border()).border_style(theme.faint()).title(title)
}

/// ` title ` for a frame.
fn titled(theme: Theme, text: &str) -> Line<'static> {
    Line::from(Span::styled(format!(" {text} "), theme.strong()))
}

/// Minutes and seconds: `1:07`.
fn minutes(ms: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at both ends")]
    let s = (ms.max(0.0) / 1000.0) as u64;
    format!("{}:{:02}", s / 60, s % 60)
}

/// A duration as it is said of one check: `31 ms`, `2.9 s`, `12 s`.
fn brief(ms: f64) -> String {
    match ms.max(0.0) {
        ms if ms < 1.0 => "<1 ms".to_owned(),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 9950.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{:.0} s", (ms / 1000.0).min(99_999.0)),
    }
}

/// UTC to the minute.
fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Outcome or state of a check, in a word.
const fn stage_word(card: &Card) -> &'static str {
    stage_text(card.stage)
}

/// The same of a state alone.
const fn stage_text(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Running { .. } => "running",
        Stage::Measured => "judging",
        Stage::Judged(outcome) => outcome.word(),
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme) {
    let so_far = match &state.story.ending {
        Some(ending) => format!("{} {}", theme.verdict_sign(ending.word), ending.word),
        None => format!("{} of {} checks done", state.story.done(), state.story.cards.len()),
    };
    let goes_on = if state.running() { " The run goes on; Ctrl-C stops it." } else { " q leaves." };
    let size = format!(
        "This terminal is {} by {}; golive needs {} by {}.{goes_on}",
        area.width, area.height, MIN.0, MIN.1
    );
    let mut lines = vec![Line::from(Span::styled(so_far, theme.strong()))];
    lines.extend(wrap(&size, usize::from(area.width)).into_iter().map(Line::from));
    frame.render_widget(Paragraph::new(lines), area);
}

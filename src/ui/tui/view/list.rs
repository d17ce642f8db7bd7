//! The checks in the order in which they run, by lane.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{brief, framed, stage_word, titled};
use crate::model::{Enforcement, Lane};
use crate::ui::story::Card;
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::state::{Filter, State};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

/// Columns of the list.
pub(super) fn width(whole: u16) -> u16 {
    (whole * 2 / 5).clamp(34, if whole >= 240 { 76 } else { 52 })
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, spots: &mut Spots) {
    let listed = state.listed();
    let title = title(state, listed.len(), theme, usize::from(area.width).saturating_sub(4));
    let block = framed(theme, titled(theme, &title));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    spots.put(area, Hit::Rows);
    if listed.is_empty() && state.narrowed() {
        let text = if state.moving() { " nothing so far" } else { " nothing" };
        frame.render_widget(Line::from(Span::styled(text, theme.faint())), inner);
        return;
    }
    let rows = rows(state, &listed);
    let selected = rows.iter().position(|row| *row == Row::Check(state.selected)).unwrap_or(0);
    let height = usize::from(inner.height);
    // The selected row stays in the middle, as far as the ends of the list allow.
    let top = selected.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let width = usize::from(inner.width);
    let shown = || rows.iter().skip(top).take(height);
    for (line, row) in inner.rows().zip(shown()) {
        if let Row::Check(index) = row {
            spots.put(line, Hit::Check(*index));
        }
    }
    let lines: Vec<Line<'_>> = shown().map(|row| row.line(state, theme, width)).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// What is listed, what was looked for, and how many of all that leaves.
fn title(state: &State, listed: usize, theme: Theme, room: usize) -> String {
    let kept = match &state.filter {
        Filter::All => "checks",
        Filter::Attention => "needs attention",
        Filter::Area(area) => area,
    };
    let all = state.story.cards.len();
    let count = if state.narrowed() { format!(": {listed} of {all}") } else { format!(": {all}") };
    let sought = match state.search.needle.as_str() {
        "" => String::new(),
        needle => format!(" /{}", state.story.charset().show(needle)),
    };
    let name = clip(&format!("{kept}{sought}"), room.saturating_sub(cells(&count)), theme.pick("…", "..."));
    format!("{name}{count}")
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    /// What the checks below it have in common.
    Lane(Lane),
    /// The check of this card.
    Check(usize),
}

/// All rows; only those on screen are written out.
fn rows(state: &State, listed: &[usize]) -> Vec<Row> {
    let mut rows = Vec::with_capacity(listed.len() + 4);
    let mut lane = None;
    for index in listed {
        let Some(card) = state.story.cards.get(*index) else { continue };
        if lane != Some(card.lane) {
            lane = Some(card.lane);
            rows.push(Row::Lane(card.lane));
        }
        rows.push(Row::Check(*index));
    }
    rows
}

impl Row {
    fn line(self, state: &State, theme: Theme, width: usize) -> Line<'static> {
        match self {
            Self::Lane(lane) => Line::from(Span::styled(format!(" {}", lane_title(lane)), theme.faint())),
            Self::Check(index) => match state.story.cards.get(index) {
                Some(card) => check(state, card, index == state.selected, theme, width),
                None => Line::default(),
            },
        }
    }
}

const fn lane_title(lane: Lane) -> &'static str {
    match lane {
        Lane::Person => "people",
        Lane::Ask => "questions, side by side",
        Lane::Delay => "delay, one at a time",
        Lane::Load => "load, alone on the line",
    }
}

/// Mark, shape, word, id, how long.
fn check(state: &State, card: &Card, selected: bool, theme: Theme, width: usize) -> Line<'static> {
    let sign = theme.stage_sign(card.stage, state.now_ms());
    let took = match (state.running_ms(card), &card.effort) {
        // A waiver never changes the outcome: it stands beside it.
        _ if card.waived.is_some() => "waived".to_owned(),
        (Some(ms), _) => brief(ms),
        (None, Some(effort)) if card.lane != Lane::Person => brief(effort.took_ms),
        (None, _) => String::new(),
    };
    let mark = if selected { theme.pick("▸", ">") } else { " " };
    let head = format!("{mark}{sign} {:<7} ", stage_word(card));
    let room = width.saturating_sub(cells(&head) + cells(&took) + 1);
    let advisory = card.enforcement == Enforcement::Advisory && room > cells(&card.id) + 10;
    let name = if advisory { format!("{} (advisory)", card.id) } else { card.id.clone() };
    let name = clip(&name, room, theme.pick("…", "..."));
    let gap = " ".repeat(room.saturating_sub(cells(&name)) + 1);
    let line = Line::from(vec![
        Span::styled(head, theme.stage(card.stage)),
        Span::raw(name),
        Span::styled(format!("{gap}{took}"), theme.faint()),
    ]);
    if selected { line.style(theme.selected()) } else { line }
}

//! The checks in the order in which they run, by lane.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{brief, framed, stage_word, titled};
use crate::model::{Enforcement, Lane};
use crate::ui::story::Card;
use crate::ui::tui::state::{Filter, State};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

/// Columns of the list.
pub(super) fn width(whole: u16) -> u16 {
    (whole * 2 / 5).clamp(34, if whole >= 240 { 76 } else { 52 })
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme) {
    let listed = state.listed();
    let title = title(state, listed.len(), theme, usize::from(area.width).saturating_sub(4));
    let block = framed(theme, titled(theme, &title));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (rows, selected) = rows(state, &listed, theme, usize::from(inner.width));
    let height = usize::from(inner.height);
    // The selected row stays in the middle, as far as the ends of the list allow.
    let top = selected.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let shown: Vec<Line<'_>> = rows.into_iter().skip(top).take(height).collect();
    frame.render_widget(Paragraph::new(shown), inner);
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

/// All rows, and which of them is selected.
fn rows(state: &State, listed: &[usize], theme: Theme, width: usize) -> (Vec<Line<'static>>, usize) {
    let mut rows = Vec::with_capacity(listed.len() + 4);
    let (mut selected, mut lane) = (0, None);
    if listed.is_empty() && state.narrowed() {
        let text = if state.moving() { " nothing so far" } else { " nothing" };
        rows.push(Line::from(Span::styled(text, theme.faint())));
    }
    for index in listed {
        let Some(card) = state.story.cards.get(*index) else { continue };
        if lane != Some(card.lane) {
            lane = Some(card.lane);
            rows.push(Line::from(Span::styled(format!(" {}", lane_title(card.lane)), theme.faint())));
        }
        if *index == state.selected {
            selected = rows.len();
        }
        rows.push(row(state, card, *index == state.selected, theme, width));
    }
    (rows, selected)
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
fn row(state: &State, card: &Card, selected: bool, theme: Theme, width: usize) -> Line<'static> {
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

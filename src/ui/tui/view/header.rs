//! While it runs: what is planned, how far the run is, what it found so far.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::minutes;
use crate::model::Outcome;
use crate::ui::tui::state::{Phase, State, Watching};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

pub(super) const HEIGHT: u16 = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme) {
    let width = usize::from(area.width);
    let lines = vec![title(state, theme, width), progress(state, theme, width), so_far(state, theme)];
    frame.render_widget(Paragraph::new(lines), area);
}

/// Event and venue, with what is being watched at the right.
pub(super) fn title(state: &State, theme: Theme, width: usize) -> Line<'static> {
    let name = match state.watching {
        Watching::Run => "golive",
        Watching::Recording => "golive, a recorded run",
    };
    let mut right = match &state.story.opening {
        Some(opening) => format!("{} ", opening.run),
        None => String::new(),
    };
    let mut left = match &state.story.opening {
        Some(opening) => opening.title.clone(),
        None => "waiting for the run to start".to_owned(),
    };
    let venue = state.story.opening.as_ref().and_then(|opening| opening.venue.as_ref());
    if let Some(venue) = venue {
        left = format!("{left}{}{venue}", theme.dot());
    }
    let mut fixed = cells(name) + cells(theme.dot()) + cells(&right) + 2;
    if fixed + cells(&left) > width {
        // The event says more to people than the run's id.
        fixed -= cells(&right);
        right.clear();
    }
    let left = clip(&left, width.saturating_sub(fixed), theme.pick("…", "..."));
    let gap = width.saturating_sub(fixed + cells(&left)) + 1;
    Line::from(vec![
        Span::styled(format!(" {name}"), theme.busy()),
        Span::styled(theme.dot(), theme.faint()),
        Span::styled(left, theme.strong()),
        Span::raw(" ".repeat(gap)),
        Span::styled(right, theme.faint()),
    ])
}

/// How many checks are done, a bar, elapsed and left.
fn progress(state: &State, theme: Theme, width: usize) -> Line<'static> {
    let (done, all) = (state.story.done(), state.story.cards.len());
    let word = match state.phase {
        Phase::Cut => "CUT SHORT",
        Phase::Stopping => "STOPPING",
        Phase::Going if state.story.stopping.is_some() => "STOPPING",
        Phase::Going => "RUNNING",
    };
    let left = format!(" {word}  {done} of {all} ");
    let right = format!(" {}  {} ", minutes(state.elapsed_ms()), time_left(state));
    let room = width.saturating_sub(cells(&left) + cells(&right));
    let full = share(state, room);
    Line::from(vec![
        Span::styled(left, theme.strong()),
        Span::styled(theme.pick("━", "=").repeat(full), theme.busy()),
        Span::styled(theme.pick("─", "-").repeat(room - full), theme.faint()),
        Span::raw(right),
    ])
}

/// Cells of the bar that are full: by time, as far as the plan knows it.
fn share(state: &State, room: usize) -> usize {
    if state.story.cards.is_empty() {
        return 0;
    }
    let (gone, left) = (state.elapsed_ms(), state.seconds_left().unwrap_or(0.0) * 1000.0);
    let share = if gone + left > 0.0 { gone / (gone + left) } else { 1.0 };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to a terminal's width"
    )]
    let full = (share.clamp(0.0, 1.0) * room as f64) as usize;
    full.min(room)
}

fn time_left(state: &State) -> String {
    if state.phase == Phase::Cut {
        return "no verdict was reached".to_owned();
    }
    if state.story.cards.is_empty() {
        return String::new();
    }
    match state.seconds_left() {
        Some(left) => format!("about {} left", minutes(left * 1000.0 + 999.0)),
        None => "longer than planned".to_owned(),
    }
}

/// Counts by outcome: the verdict itself is computed at the end only.
fn so_far(state: &State, theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::styled(" so far ", theme.faint())];
    spans.extend(tally(state, theme));
    if spans.len() == 1 {
        spans.push(Span::styled("nothing judged yet", theme.faint()));
    }
    Line::from(spans)
}

/// `✗ 1 fail  ✓ 5 pass`, worst first, zeros left out.
pub(super) fn tally(state: &State, theme: Theme) -> Vec<Span<'static>> {
    let order = [Outcome::Fail, Outcome::Unknown, Outcome::Warn, Outcome::Pass, Outcome::NotApplicable];
    let counts = order.map(|outcome| (outcome, state.story.count(outcome)));
    let shown = counts.into_iter().filter(|(_, count)| *count > 0);
    shown
        .map(|(outcome, count)| {
            let text = format!("{} {count} {}  ", theme.sign(outcome), outcome.word());
            Span::styled(text, theme.outcome(outcome))
        })
        .collect()
}

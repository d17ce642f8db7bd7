//! While it runs: what is planned, how far the run is, what it found so far.

use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::minutes;
use crate::judge::Rank;
use crate::model::{Outcome, When};
use crate::policy::Policy;
use crate::ui::tui::state::{Phase, State, Watching};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

pub(super) const HEIGHT: u16 = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme) {
    let width = usize::from(area.width);
    let lines = vec![title(state, theme, width), progress(state, theme, width), so_far(state, theme, width)];
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

/// Counts by outcome, what they say of the verdict, which is computed at the end only, and how
/// long it is to the event.
fn so_far(state: &State, theme: Theme, width: usize) -> Line<'static> {
    let mut spans = vec![Span::styled(" so far ", theme.faint())];
    spans.extend(tally(state, theme));
    let words = if spans.len() == 1 { "nothing judged yet" } else { stands(state) };
    let used = |spans: &[Span<'_>]| spans.iter().map(|span| cells(&span.content)).sum::<usize>();
    let event = state.instant().zip(state.story.policy()).and_then(|(now, policy)| event(policy, now));
    let event = event.unwrap_or_default();
    // the time is short and known to everybody: what it says against the event goes first
    if used(&spans) + cells(words) < width {
        spans.push(Span::styled(words, theme.strong()));
    }
    let gap = width.saturating_sub(used(&spans) + cells(&event) + 1);
    if gap > 1 {
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::raw(event));
    }
    Line::from(spans)
}

/// What was judged so far says of the verdict. Never that it will be GO: that is for the end.
fn stands(state: &State) -> &'static str {
    match state.story.against() {
        Some((Rank::Blocks, false)) => "NO-GO as it stands",
        Some((Rank::Blocks, true)) => "NO-GO unless waived",
        Some((Rank::Unknown, false)) => "INCONCLUSIVE as it stands",
        Some((Rank::Unknown, true)) => "INCONCLUSIVE unless waived",
        Some((Rank::Condition, _)) => "CONDITIONAL GO at best",
        None => "nothing against it yet",
    }
}

/// How long it is to the event, or since.
fn event(policy: &Policy, now: Timestamp) -> Option<String> {
    let starts = policy.event.starts.as_ref()?.at();
    let ends = policy.event.ends.as_ref().map(When::at);
    let over = ends.filter(|ends| *ends <= now);
    Some(match over {
        Some(ends) => format!("event ended {} ago", span(now.duration_since(ends))),
        None if starts <= now => format!("event began {} ago", span(now.duration_since(starts))),
        None => format!("event in {}", span(starts.duration_since(now))),
    })
}

/// `6 d 3 h`, `4 h 29 min`, `29 min`, and below ten minutes `9:05`.
fn span(time: SignedDuration) -> String {
    let s = time.as_secs().max(0);
    match s {
        86_400.. => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
        3600.. => format!("{} h {} min", s / 3600, s % 3600 / 60),
        600.. => format!("{} min", s / 60),
        _ => format!("{}:{:02}", s / 60, s % 60),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture;

    #[test]
    fn the_event_comes_nearer_begins_and_ends() {
        let policy = fixture::policy();
        let said = |at: &str| event(&policy, at.parse().unwrap()).unwrap();
        assert_eq!(said("2026-11-28T10:00:00Z"), "event in 6 d 3 h");
        assert_eq!(said("2026-12-04T08:30:31Z"), "event in 4 h 29 min");
        assert_eq!(said("2026-12-04T12:31:00Z"), "event in 29 min");
        assert_eq!(said("2026-12-04T12:50:55Z"), "event in 9:05");
        assert_eq!(said("2026-12-04T13:00:00Z"), "event began 0:00 ago");
        assert_eq!(said("2026-12-04T16:30:00Z"), "event ended 2 h 0 min ago");
    }
}

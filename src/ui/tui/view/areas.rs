//! Who answers for what, and how their checks stand, in one line.

use ratatui::text::{Line, Span};

use crate::model::Outcome;
use crate::ui::story::AreaSoFar;
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::cells;

/// Each area with its accountable person; without, where that does not fit; what still does not
/// fit is counted.
pub(super) fn line(state: &State, theme: Theme, width: usize) -> Line<'static> {
    let areas = state.story.areas();
    let full: Vec<_> = areas.iter().map(|area| one(area, true, theme)).collect();
    if full.iter().map(|spans| long(spans)).sum::<usize>() <= width {
        return Line::from(full.concat());
    }
    let short: Vec<_> = areas.iter().map(|area| one(area, false, theme)).collect();
    let mut spans = Vec::new();
    for (place, area) in short.iter().enumerate() {
        let more = format!(" +{} areas", short.len() - place);
        let last = place + 1 == short.len();
        let room = width.saturating_sub(if last { 0 } else { cells(&more) });
        if long(&spans) + long(area) > room {
            spans.push(Span::styled(more, theme.faint()));
            break;
        }
        spans.extend(area.iter().cloned());
    }
    Line::from(spans)
}

fn long(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| cells(&span.content)).sum()
}

/// ` network: it (Anna Berg) 3 of 8 ✗ 1 ✓ 2 `.
fn one(area: &AreaSoFar, named: bool, theme: Theme) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled(format!(" {}", area.name), theme.strong())];
    if named && let Some(accountable) = &area.accountable {
        spans.push(Span::raw(format!(": {accountable}")));
    }
    spans.push(Span::styled(format!(" {} of {}", area.done(), area.outcomes.len()), theme.faint()));
    for outcome in [Outcome::Fail, Outcome::Unknown, Outcome::Warn, Outcome::Pass, Outcome::NotApplicable] {
        let count = area.count(outcome);
        if count > 0 {
            spans.push(Span::styled(format!(" {} {count}", theme.sign(outcome)), theme.outcome(outcome)));
        }
    }
    spans.push(Span::raw(" "));
    spans
}

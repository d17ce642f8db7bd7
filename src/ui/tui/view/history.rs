//! Earlier runs of this event: each verdict, and what it said of the selected check.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{framed, minute, scroll};
use crate::ui::story::PastRun;
use crate::ui::tui::state::{Fit, State};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::wrap;

/// Cells before what a run says of the check.
const INDENT: usize = 4;

/// Draws the part that it is scrolled to; finds out how far it can be.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, fit: &mut Fit) {
    let title = match state.card() {
        Some(card) => format!("earlier runs of this event{}{}", theme.dot(), card.id),
        None => "earlier runs of this event".to_owned(),
    };
    let width = usize::from(framed(theme, "").inner(area).width);
    scroll::draw(frame, area, &title, lines(state, theme, width), state, theme, fit);
}

fn lines(state: &State, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let past = &state.story.past;
    let mut lines = Vec::new();
    let mut said = |text: &str, style: Style| {
        let wrapped = wrap(text, width.saturating_sub(2));
        lines.extend(wrapped.into_iter().map(|line| Line::from(Span::styled(format!(" {line}"), style))));
    };
    if let Some(trouble) = &past.trouble {
        said(&format!("earlier runs are not known: {trouble}"), theme.strong());
    } else if past.runs.is_empty() {
        said(
            "none: this is the event's first run here, or no ledger of it lies beside this run",
            theme.faint(),
        );
    }
    for run in &past.runs {
        lines.extend(self::run(run, state, theme, width));
    }
    if past.older > 0 {
        let text = format!(" and {} older, not read", past.older);
        lines.push(Line::from(Span::styled(text, theme.faint())));
    }
    lines
}

fn run(run: &PastRun, state: &State, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let verdict = match run.verdict {
        Some(word) => {
            Span::styled(format!("{} {word:<14} ", theme.verdict_sign(word)), theme.verdict_text(word))
        }
        None => Span::styled(format!("? {:<14} ", "no report"), theme.strong()),
    };
    let when = Span::raw(format!("{}  ", minute(run.at)));
    let mut lines =
        vec![Line::from(vec![Span::raw(" "), verdict, when, Span::styled(run.run.clone(), theme.faint())])];
    if let (Some(card), None) = (state.card(), run.trouble) {
        lines.extend(check(run, &card.id, theme, width));
    }
    // a run without a verdict says so already
    if let (Some(trouble), Some(_)) = (run.trouble, run.verdict) {
        lines.push(Line::from(Span::styled(format!("{}{trouble}", " ".repeat(INDENT)), theme.faint())));
    }
    lines
}

/// What a run said of a check.
pub(super) fn check(run: &PastRun, id: &str, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let Some(check) = run.check(id) else {
        let text = format!("{}not asked then", " ".repeat(INDENT));
        return vec![Line::from(Span::styled(text, theme.faint()))];
    };
    let waived = if check.waived { " (waived)" } else { "" };
    let other = if check.same_question { "" } else { "; another question then" };
    let said = if check.said.is_empty() { String::new() } else { format!(": {}", check.said) };
    let text = format!("{} {}{waived}{said}{other}", theme.sign(check.outcome), check.outcome.word());
    let style = theme.outcome(check.outcome);
    wrap(&text, width.saturating_sub(INDENT + 1))
        .into_iter()
        .map(|line| Line::from(Span::styled(format!("{}{line}", " ".repeat(INDENT)), style)))
        .collect()
}

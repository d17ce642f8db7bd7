//! The keys, over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{framed, titled};
use crate::judge::Word;
use crate::model::Outcome;
use crate::ui::tui::keys::HELP;
use crate::ui::tui::theme::Theme;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let mut lines: Vec<Line<'_>> = HELP
        .iter()
        .map(|(keys, what)| {
            Line::from(vec![Span::styled(format!(" {keys:<17}"), theme.strong()), Span::raw(*what)])
        })
        .collect();
    lines.push(Line::default());
    lines.push(outcomes(theme));
    lines.push(verdicts(theme));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [row] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    let [middle] = Layout::horizontal([Constraint::Length(70)]).flex(Flex::Center).areas(row);
    frame.render_widget(Clear, middle);
    frame.render_widget(Paragraph::new(lines).block(framed(theme, titled(theme, "keys and signs"))), middle);
}

fn outcomes(theme: Theme) -> Line<'static> {
    let all = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable];
    let spans = all.map(|outcome| {
        Span::styled(format!(" {} {}  ", theme.sign(outcome), outcome.word()), theme.outcome(outcome))
    });
    Line::from(spans.to_vec())
}

fn verdicts(theme: Theme) -> Line<'static> {
    let all = [Word::Go, Word::ConditionalGo, Word::NoGo, Word::Inconclusive];
    let text = all.map(|word| format!("{} {} {}", theme.verdict_sign(word), word.text(), word.exit_code()));
    Line::from(Span::styled(format!(" exit codes: {}", text.join("  ")), theme.faint()))
}

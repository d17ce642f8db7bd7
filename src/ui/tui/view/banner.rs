//! When it is over: the verdict in word, shape and colour, what it means, why, and where
//! the report is.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{header, minute, minutes};
use crate::judge::Rank;
use crate::ui::story::{Ending, meaning};
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{clip, wrap};

pub(super) const HEIGHT: u16 = 7;
/// Lines of reasons that fit: one for each weight.
const REASONS: usize = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, ending: &Ending, theme: Theme) {
    let [top, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    frame.render_widget(header::title(state, theme, usize::from(top.width)), top);
    let word = format!("{} {}", theme.verdict_sign(ending.word), ending.word);
    let [block, text] =
        Layout::horizontal([Constraint::Length(22), Constraint::Min(0)]).spacing(1).areas(rest);
    frame.render_widget(word_block(&word, ending, theme), inset(block));
    frame.render_widget(Paragraph::new(lines(state, ending, theme, text.width)), text);
}

/// One cell of air at the left and below.
fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(1), height: area.height.saturating_sub(1), ..area }
}

fn word_block(word: &str, ending: &Ending, theme: Theme) -> Paragraph<'static> {
    let exit = format!("exit {}", ending.exit);
    let lines = vec![
        Line::default(),
        Line::from(word.to_owned()).centered(),
        Line::default(),
        Line::from(exit).centered(),
    ];
    Paragraph::new(lines).style(theme.verdict(ending.word))
}

fn lines(state: &State, ending: &Ending, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width);
    let cut = |text: &str| clip(text, width.saturating_sub(1), theme.pick("…", "..."));
    let mut lines = vec![Line::from(Span::styled(cut(meaning(ending.word)), theme.strong()))];
    // what was measured again, and what it came to before, is no small print
    let again = ending.again.as_ref().map(|again| wrap(again, width.saturating_sub(1))).unwrap_or_default();
    let again = again.iter().take(REASONS - 1);
    let room = REASONS - again.len();
    lines.extend(again.map(|again| Line::from(Span::styled(again.clone(), theme.strong()))));
    let mut reasons = reasons(ending);
    let wrapped: Vec<String> = reasons.iter().flat_map(|text| wrap(text, width.saturating_sub(1))).collect();
    if wrapped.len() <= room {
        lines.extend(wrapped.into_iter().map(Line::from));
    } else {
        reasons.truncate(room);
        lines.extend(reasons.iter().map(|text| Line::from(cut(text))));
    }
    if ending.reasons.is_empty() {
        lines.push(Line::from(header::tally(state, theme)));
    }
    let took = format!("took {}", minutes(state.elapsed_ms()));
    let until = ending.expires.map(|at| format!("counts until {}{}", minute(at), theme.dot()));
    lines.push(Line::from(Span::styled(cut(&format!("{}{took}", until.unwrap_or_default())), theme.faint())));
    let report = ending.report.as_deref().unwrap_or("none was written");
    lines.push(Line::from(cut(&format!("report: {report}"))));
    lines
}

/// A line for each weight, with the checks that have it; what they say is in the details.
fn reasons(ending: &Ending) -> Vec<String> {
    let mut lines: Vec<(Rank, String)> = Vec::new();
    for reason in &ending.reasons {
        let what = reason.check.as_ref().unwrap_or(&reason.text);
        match lines.last_mut() {
            Some((rank, line)) if *rank == reason.rank => {
                line.push_str(", ");
                line.push_str(what);
            }
            _ => lines.push((reason.rank, format!("{}: {what}", reason.weight()))),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

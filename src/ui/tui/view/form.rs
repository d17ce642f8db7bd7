//! Questions to people, over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{framed, titled};
use crate::ui::story::Card;
use crate::ui::tui::form::{Field, Form};
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{clip, wrap};

/// Questions that are listed at once.
const LISTED: usize = 5;
const WIDTH: u16 = 70;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, form: &Form, theme: Theme) {
    let width = usize::from(WIDTH.saturating_sub(4));
    let mut lines = listed(form, state, theme, width);
    lines.push(Line::default());
    if let Some(asked) = form.question() {
        lines.extend(
            wrap(&asked.question, width)
                .into_iter()
                .map(|text| Line::from(format!(" {text}")).style(theme.strong())),
        );
        if let Some(wanted) = &asked.wanted {
            let wanted = wrap(&format!("what supports a yes: {wanted}"), width);
            lines.extend(
                wanted.into_iter().map(|text| Line::from(Span::styled(format!(" {text}"), theme.faint()))),
            );
        }
    }
    lines.push(Line::default());
    lines.extend(fields(form, theme, width));
    lines.push(Line::default());
    lines.push(match form.problem {
        Some(problem) => Line::from(format!(" {problem}")).style(theme.selected()),
        None => Line::from(Span::styled(
            " Tab: next field   Up Down: question   Enter: answer   Esc: close",
            theme.faint(),
        )),
    });
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [row] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    let [middle] = Layout::horizontal([Constraint::Length(WIDTH)]).flex(Flex::Center).areas(row);
    let title = if state.story.asking.is_empty() {
        "questions to people; the run goes on"
    } else {
        "questions to people; the report waits"
    };
    frame.render_widget(Clear, middle);
    frame.render_widget(Paragraph::new(lines).block(framed(theme, titled(theme, title))), middle);
}

/// The questions around the one that is being answered, each with what it came to.
fn listed(form: &Form, state: &State, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let from = form.at.saturating_sub(LISTED / 2).min(form.questions.len().saturating_sub(LISTED));
    let shown = form.questions.iter().enumerate().skip(from).take(LISTED);
    shown
        .map(|(index, asked)| {
            let mark = if index == form.at { theme.pick("▸", ">") } else { " " };
            // what it came to by now: an answer may have arrived since the form was opened
            let outcome = state.story.card(&asked.check).and_then(Card::outcome);
            let sign = outcome.map_or(" ", |outcome| theme.sign(outcome));
            let text = format!(" {mark} {sign} {:<28} {}", asked.check, asked.of);
            let line = Line::from(clip(&text, width, theme.pick("…", "...")));
            if index == form.at { line.style(theme.strong()) } else { line.style(theme.faint()) }
        })
        .collect()
}

fn fields(form: &Form, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let mark = |chosen: bool| if chosen { "(x)" } else { "( )" };
    let answer = format!("{} yes   {} no", mark(form.yes == Some(true)), mark(form.yes == Some(false)));
    let until = if form.until.is_empty() && form.field != Field::Until {
        "as long as the policy lets it".to_owned()
    } else {
        form.until.clone()
    };
    [
        (Field::Answer, "answer", answer),
        (Field::Evidence, "evidence", form.evidence.clone()),
        (Field::Until, "until", until),
    ]
    .into_iter()
    .map(|(field, name, value)| {
        let here = form.field == field;
        let cursor = if here && field != Field::Answer { theme.pick("▏", "_") } else { "" };
        let value = tail(&format!("{value}{cursor}"), width.saturating_sub(12));
        let name = Span::styled(format!(" {name:<10}"), if here { theme.strong() } else { theme.faint() });
        Line::from(vec![name, Span::raw(value)])
    })
    .collect()
}

/// The end of a text, where it is typed.
pub(super) fn tail(text: &str, width: usize) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(&text[at..at + c.len_utf8()]);
    }
    kept.into_iter().rev().collect()
}

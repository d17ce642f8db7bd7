//! Questions to people, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::dialog::{Dialog, ROOM};
use super::words::{Places, word};
use crate::ui::story::Card;
use crate::ui::tui::form::{Field, Form, Stroke};
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip, wrap};

/// Questions that are listed at once.
const LISTED: usize = 5;
/// Cells of a field's name.
const NAME: usize = 11;

pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    form: &Form,
    theme: Theme,
    spots: &mut Spots,
) {
    let mut dialog = Dialog::default();
    listed(form, state, theme, &mut dialog);
    dialog.gap();
    if let Some(asked) = form.question() {
        for text in wrap(&asked.question, ROOM) {
            dialog.line(Line::from(format!(" {text}")).style(theme.strong()));
        }
        if let Some(wanted) = &asked.wanted {
            for text in wrap(&format!("what supports a yes: {wanted}"), ROOM) {
                dialog.line(Span::styled(format!(" {text}"), theme.faint()));
            }
        }
    }
    dialog.gap();
    fields(form, theme, &mut dialog);
    dialog.gap();
    match form.problem {
        Some(problem) => dialog.line(Line::from(format!(" {problem}")).style(theme.selected())),
        None => dialog.keys(
            &[
                word("Tab: next field", Hit::Stroke(Stroke::Next)),
                ("Up Down: question".to_owned(), None),
                word("Enter: answer", Hit::Stroke(Stroke::Enter)),
                word("Esc: close", Hit::Stroke(Stroke::Close)),
            ],
            theme,
        ),
    }
    let title = if state.story.asking.is_empty() {
        "questions to people; the run goes on"
    } else {
        "questions to people; the report waits"
    };
    dialog.draw(frame, area, title, theme, spots);
}

/// The questions around the one that is being answered, each with what it came to.
fn listed(form: &Form, state: &State, theme: Theme, dialog: &mut Dialog) {
    let from = form.at.saturating_sub(LISTED / 2).min(form.questions.len().saturating_sub(LISTED));
    for (index, asked) in form.questions.iter().enumerate().skip(from).take(LISTED) {
        let mark = if index == form.at { theme.pick("▸", ">") } else { " " };
        // what it came to by now: an answer may have arrived since the form was opened
        let outcome = state.story.card(&asked.check).and_then(Card::outcome);
        let sign = outcome.map_or(" ", |outcome| theme.sign(outcome));
        let text = format!(" {mark} {sign} {:<28} {}", asked.check, asked.of);
        let line = Line::from(clip(&text, ROOM, theme.pick("…", "...")));
        let style = if index == form.at { theme.strong() } else { theme.faint() };
        dialog.whole(line.style(style), Hit::Question(index));
    }
}

fn fields(form: &Form, theme: Theme, dialog: &mut Dialog) {
    let mark = |chosen: bool| if chosen { "(x)" } else { "( )" };
    let (yes, no) = (mark(form.yes == Some(true)), mark(form.yes == Some(false)));
    let (yes, no) = (format!("{yes} yes"), format!("{no} no"));
    let answers: Places = vec![
        (NAME, cells(&yes), Hit::Answer(true)),
        (NAME + cells(&yes) + 3, cells(&no), Hit::Answer(false)),
    ];
    let until = if form.until.is_empty() && form.field != Field::Until {
        "as long as the policy lets it".to_owned()
    } else {
        form.until.clone()
    };
    let everywhere = |at: usize| vec![(0, ROOM, Hit::Field(at))];
    for (field, name, value, places) in [
        (Field::Answer, "answer", format!("{yes}   {no}"), answers),
        (Field::Evidence, "evidence", form.evidence.clone(), everywhere(1)),
        (Field::Until, "until", until, everywhere(2)),
    ] {
        let here = form.field == field;
        let cursor = if here && field != Field::Answer { theme.pick("▏", "_") } else { "" };
        let value = tail(&format!("{value}{cursor}"), ROOM.saturating_sub(NAME + 1));
        let style = if here { theme.strong() } else { theme.faint() };
        let name = Span::styled(format!(" {name:<room$}", room = NAME - 1), style);
        dialog.clickable(Line::from(vec![name, Span::raw(value)]), places);
    }
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

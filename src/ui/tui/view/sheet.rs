//! A sheet of fields, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::dialog::{Dialog, ROOM};
use super::form::tail;
use super::words::word;
use crate::ui::tui::form::Stroke;
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::sheet::{Field, Sheet, Value};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{clip, wrap};

/// Cells of a field's name.
const NAME: usize = 12;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, sheet: &Sheet, theme: Theme, spots: &mut Spots) {
    let show = |text: &str| theme.charset.show(text);
    let mut dialog = Dialog::default();
    let mut said = |text: &str, style| {
        for line in text.lines().flat_map(|line| wrap(&show(line), ROOM)) {
            dialog.line(Line::from(format!(" {line}")).style(style));
        }
    };
    match &sheet.done {
        Some(done) => said(done, theme.strong()),
        None => sheet.about.iter().for_each(|text| said(text, theme.faint())),
    }
    dialog.gap();
    for (index, field) in sheet.fields.iter().enumerate() {
        dialog.whole(row(field, index == sheet.at, theme, ROOM), Hit::Field(index));
    }
    if let Some(problem) = &sheet.problem {
        dialog.gap();
        for line in problem.lines().flat_map(|line| wrap(&show(line), ROOM)) {
            dialog.line(Line::from(format!(" {line} ")).style(theme.selected()));
        }
    }
    if !sheet.fields.is_empty() {
        dialog.gap();
    }
    let keys = match sheet.done {
        Some(_) => vec![word("Enter: close", Hit::Stroke(Stroke::Enter))],
        None => vec![
            word("Tab: next field", Hit::Stroke(Stroke::Next)),
            ("Up Down: choose".to_owned(), None),
            word("Enter: do it", Hit::Stroke(Stroke::Enter)),
            word("Esc: close", Hit::Stroke(Stroke::Close)),
        ],
    };
    dialog.keys(&keys, theme);
    dialog.draw(frame, area, sheet.title, theme, spots);
}

fn row(field: &Field, here: bool, theme: Theme, width: usize) -> Line<'static> {
    let room = width.saturating_sub(NAME + 2);
    let cursor = if here { theme.pick("▏", "_") } else { "" };
    let name =
        Span::styled(format!(" {:<NAME$}", field.name), if here { theme.strong() } else { theme.faint() });
    let hint = |empty: bool| if empty && !here { field.hint } else { "" };
    let value = match &field.value {
        Value::Text(text) if text.is_empty() => {
            Span::styled(format!("{}{cursor}", hint(true)), theme.faint())
        }
        Value::Text(text) => Span::raw(tail(&format!("{}{cursor}", theme.charset.show(text)), room)),
        // neither the text nor its length
        Value::Hidden(secret) if secret.reveal().is_empty() => {
            Span::styled(format!("{}{cursor}", hint(true)), theme.faint())
        }
        Value::Hidden(_) => Span::raw(format!("(typed, not shown){cursor}")),
        Value::One { of, at } => {
            let arrows = if here { theme.pick("↕ ", "<> ") } else { "" };
            let chosen = of.get(*at).map(String::as_str).unwrap_or_default();
            let text = format!("{arrows}{}", theme.charset.show(chosen));
            Span::raw(clip(&text, room, theme.pick("…", "...")))
        }
    };
    Line::from(vec![name, value])
}

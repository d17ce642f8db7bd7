//! A sheet of fields, over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::form::tail;
use super::{framed, titled};
use crate::ui::tui::sheet::{Field, Sheet, Value};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{clip, wrap};

const WIDTH: u16 = 70;
/// Cells of a field's name.
const NAME: usize = 12;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, sheet: &Sheet, theme: Theme) {
    let width = usize::from(WIDTH.saturating_sub(4));
    let show = |text: &str| theme.charset.show(text);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut said = |text: &str, style| {
        let wrapped = text.lines().flat_map(|line| wrap(&show(line), width));
        lines.extend(wrapped.map(|line| Line::from(format!(" {line}")).style(style)));
    };
    match &sheet.done {
        Some(done) => said(done, theme.strong()),
        None => sheet.about.iter().for_each(|text| said(text, theme.faint())),
    }
    lines.push(Line::default());
    for (index, field) in sheet.fields.iter().enumerate() {
        lines.push(row(field, index == sheet.at, theme, width));
    }
    if let Some(problem) = &sheet.problem {
        lines.push(Line::default());
        let wrapped = problem.lines().flat_map(|line| wrap(&show(line), width));
        lines.extend(wrapped.map(|line| Line::from(format!(" {line} ")).style(theme.selected())));
    }
    if !sheet.fields.is_empty() {
        lines.push(Line::default());
    }
    let keys = match sheet.done {
        Some(_) => " Enter: close",
        None => " Tab: next field   Up Down: choose   Enter: do it   Esc: close",
    };
    lines.push(Line::from(Span::styled(keys, theme.faint())));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [row] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    let [middle] = Layout::horizontal([Constraint::Length(WIDTH)]).flex(Flex::Center).areas(row);
    frame.render_widget(Clear, middle);
    frame.render_widget(Paragraph::new(lines).block(framed(theme, titled(theme, sheet.title))), middle);
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

//! The screen as a picture: what a terminal of a given size shows at a moment of a run, as SVG.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::state::{Fit, State, Watching};
use super::theme::{Palette, Theme, rgb};
use super::view;
use crate::ui::recording::Recording;
use crate::ui::story::Charset;

/// Width and height of a cell, in pixels: the proportions of the usual fonts of terminals.
const CELL: (f64, f64) = (8.43, 16.3);
/// From a line's top to the foot of its letters.
const FOOT: f64 = 12.9;
/// Around it all.
const MARGIN: f64 = 12.0;

/// What is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Seconds since the run began; its end, when absent.
    pub at_s: Option<f64>,
    /// Its colours.
    pub palette: Palette,
}

/// Draws a moment of a recorded run.
pub fn svg(recording: &Recording, picture: Picture) -> String {
    let theme = Theme { palette: picture.palette, charset: Charset::Unicode };
    let mut state = State::new(theme.charset, Watching::Recording);
    let until_ms = picture.at_s.map_or(f64::INFINITY, |seconds| seconds * 1000.0);
    let mut now_ms = 0.0;
    for (event, ms) in recording.events.iter().zip(recording.times()) {
        if ms > until_ms {
            break;
        }
        now_ms = ms;
        state.tick(ms);
        state.apply(event);
    }
    state.tick(if until_ms.is_finite() { until_ms } else { now_ms });
    if picture.at_s.is_none() {
        state.end();
    }
    drawn(&screen(&mut state, picture.size, theme), picture.palette)
}

/// Twice, as a terminal does: the first drawing finds out how far things scroll.
fn screen(state: &mut State, (width, height): (u16, u16), theme: Theme) -> Buffer {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    for _ in 0..2 {
        state.settle();
        let mut fit = Fit::default();
        let Ok(_) = terminal.draw(|frame| fit = view::draw(frame, state, theme));
        state.fit(fit);
    }
    terminal.backend().buffer().clone()
}

fn drawn(buffer: &Buffer, palette: Palette) -> String {
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * MARGIN, rows * CELL.1 + 2.0 * MARGIN);
    let (paper, ink) = match palette.ground().map(|(ground, letters)| (colour(ground), colour(letters))) {
        Some((Some(ground), Some(letters))) => (ground, letters),
        _ => ("#0d1117".to_owned(), "#d6dde5".to_owned()),
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{paper}\"/>\n"
    );
    let columns = usize::from(buffer.area.width.max(1));
    let mut top = MARGIN;
    for row in buffer.content.chunks(columns) {
        line(&mut out, row, top, (&paper, &ink));
        top += CELL.1;
    }
    out.push_str("</svg>\n");
    out
}

/// One row, in pieces of one look each.
fn line(out: &mut String, row: &[Cell], top: f64, (paper, ink): (&str, &str)) {
    let mut at = 0_usize;
    while let Some(first) = row.get(at) {
        let same = |cell: &&Cell| (cell.fg, cell.bg, cell.modifier) == (first.fg, first.bg, first.modifier);
        let piece: Vec<&Cell> = row.iter().skip(at).take_while(same).collect();
        let text: String = cells(&piece);
        let mut front = colour(first.fg).unwrap_or_else(|| ink.to_owned());
        let mut back = colour(first.bg).unwrap_or_else(|| paper.to_owned());
        if first.modifier.contains(Modifier::REVERSED) {
            (front, back) = (back, front);
        }
        #[expect(clippy::cast_precision_loss, reason = "columns of a screen")]
        let (x, width) = (MARGIN + at as f64 * CELL.0, piece.len() as f64 * CELL.0);
        if back != paper {
            let height = CELL.1;
            let _ = writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{back}\"/>"
            );
        }
        if !text.trim().is_empty() {
            let weight = if first.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
            let faint = if first.modifier.contains(Modifier::DIM) { " opacity=\"0.62\"" } else { "" };
            let (fill, foot) = (front, top + FOOT);
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{foot:.1}\" textLength=\"{width:.1}\" xml:space=\"preserve\" fill=\"{fill}\"{weight}{faint}>{text}</text>"
            );
        }
        at += piece.len();
    }
}

/// Their text as XML takes it. The second cell of a wide sign holds nothing.
fn cells(piece: &[&Cell]) -> String {
    let mut text = String::new();
    let mut covered = 0;
    for cell in piece {
        if covered > 0 {
            covered -= 1;
            continue;
        }
        covered = cell.symbol().width().saturating_sub(1);
        for sign in cell.symbol().chars() {
            match sign {
                '&' => text.push_str("&amp;"),
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                // a space that XML readers do not fold
                ' ' => text.push('\u{a0}'),
                sign if sign.is_control() => text.push('\u{a0}'),
                sign => text.push(sign),
            }
        }
    }
    text
}

/// The terminal's own colours as readable on dark, and the others as they are.
fn colour(colour: Color) -> Option<String> {
    let own = match colour {
        Color::Black => "#0d1117",
        Color::Red => "#ff7b72",
        Color::Green => "#56d364",
        Color::Yellow => "#e3b341",
        Color::Magenta => "#d2a8ff",
        Color::Cyan => "#56d4dd",
        other => return rgb(other).map(|(red, green, blue)| format!("#{red:02x}{green:02x}{blue:02x}")),
    };
    Some(own.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture::{self, End};
    use ratatui::layout::Rect;

    fn picture(at_s: Option<f64>, palette: Palette) -> String {
        let recording = Recording { events: fixture::run(End::NoGo), remarks: Vec::new() };
        svg(&recording, Picture { size: (100, 30), at_s, palette })
    }

    #[test]
    fn a_run_and_its_end_are_drawn() {
        let (running, over) = (picture(Some(12.9), Palette::Dark), picture(None, Palette::Light));
        assert!(running.contains("RUNNING") && !running.contains("exit\u{a0}2"), "{running}");
        assert!(over.contains("NO-GO") && over.contains("fill=\"#ffffff\""), "{over}");
        for svg in [running, over] {
            assert_eq!(svg.matches("<text ").count(), svg.matches("</text>").count());
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        }
    }

    #[test]
    fn what_stands_in_a_cell_is_no_markup() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 1));
        buffer.set_string(0, 0, "<script>&\"'", ratatui::style::Style::new());
        let svg = drawn(&buffer, Palette::Dark);
        assert!(svg.contains("&lt;script&gt;&amp;") && !svg.contains("<script"), "{svg}");
    }
}

//! Text into lines no wider than they may be. Breaks at spaces; inside a word only when it is
//! longer than a line, then best after the signs that part names and addresses. A figure and its
//! unit stay together where there is another place to break.

use super::face::{Face, Faces};
use super::palette::Colour;
use crate::report::render::sign::Sign;

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// The cut.
    pub face: Face,
    /// Size in points.
    pub size: f32,
    /// Colour.
    pub colour: Colour,
}

/// A stretch of text in one style, or a sign in its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Span {
    /// Words.
    Words(String, Style),
    /// A shape as high as a capital letter.
    Sign(Sign, Style),
}

/// Stretches that follow one another in one paragraph.
pub type Text = Vec<Span>;

/// A stretch in its place on a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Distance from the line's start.
    pub x: f32,
    /// What stands there.
    pub span: Span,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its stretches, the first one first.
    pub placed: Vec<Placed>,
    /// From its top to the next line's top.
    pub height: f32,
    /// From its top to its base.
    pub base: f32,
}

/// Distance between bases, in sizes.
const LEADING: f32 = 1.38;
/// From the top of a line to its base, in sizes.
const BASE: f32 = 1.04;
/// Width of a sign with the space behind it, in sizes.
const SIGN: f32 = 1.15;
/// Signs after which a long word may be broken.
const PARTS: [char; 11] = ['/', '.', '-', ':', '_', ',', '=', '@', '?', '&', ';'];

/// Units that stay with their figure.
const UNITS: [&str; 12] = ["%", "ms", "s", "min", "h", "kb/s", "Mb/s", "kB", "MB", "bytes", "days", "Hz"];
/// Signs that stay with the figure behind them.
const BOUNDS: [char; 3] = ['≤', '≥', '±'];

#[derive(Clone, Copy)]
struct Cell {
    /// `None` for a sign.
    c: Option<char>,
    span: usize,
    width: f32,
}

/// Lines of at most `width` points; what exceeds `most` lines ends in `…`.
pub fn lines(faces: &Faces, text: &[Span], width: f32, most: usize) -> Vec<Line> {
    let cells = cells(faces, text);
    let mut lines = Vec::new();
    let mut start = 0;
    while start < cells.len() && lines.len() < most {
        let end = start + fitting(&cells[start..], width);
        let rest = cells.get(end..).unwrap_or_default();
        let next = end + rest.iter().take_while(|cell| cell.c == Some(' ')).count();
        let cut = lines.len() + 1 == most && next < cells.len();
        lines.push(line(text, cells.get(start..end).unwrap_or_default(), cut));
        start = next;
    }
    lines
}

fn cells(faces: &Faces, text: &[Span]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (span, piece) in text.iter().enumerate() {
        match piece {
            Span::Words(words, style) => cells.extend(words.chars().map(|c| Cell {
                c: Some(c),
                span,
                width: faces.width(style.face, c) * style.size,
            })),
            Span::Sign(_, style) => cells.push(Cell { c: None, span, width: SIGN * style.size }),
        }
    }
    cells
}

/// How many cells the next line takes; at least one.
fn fitting(cells: &[Cell], width: f32) -> usize {
    let (mut x, mut space, mut joint, mut part) = (0.0, None, None, None);
    for (at, cell) in cells.iter().enumerate() {
        x += cell.width;
        if cell.c == Some(' ') {
            // a space may hang over the edge: nobody sees it
            *(if joins(cells, at) { &mut joint } else { &mut space }) = Some(at).filter(|at| *at > 0);
        } else if x > width && at > 0 {
            return space.or(joint).or(part).unwrap_or(at);
        } else if cell.c.is_some_and(|c| PARTS.contains(&c)) {
            part = Some(at + 1);
        }
    }
    cells.len()
}

/// Whether the space there stands in a quantity: `12 ms`, `≤ 5`.
fn joins(cells: &[Cell], space: usize) -> bool {
    let before = space.checked_sub(1).and_then(|at| cells.get(at)?.c);
    let behind = cells.get(space + 1..).unwrap_or_default();
    let word: String = behind.iter().map_while(|cell| cell.c.filter(|c| *c != ' ')).take(6).collect();
    let unit = word.trim_end_matches([',', '.', ';', ':', ')']);
    before.is_some_and(|c| BOUNDS.contains(&c) || (c.is_ascii_digit() && UNITS.contains(&unit)))
}

fn line(text: &[Span], cells: &[Cell], cut: bool) -> Line {
    let mut placed: Vec<Placed> = Vec::new();
    let (mut x, mut last, mut size) = (0.0, None, 0.0_f32);
    for cell in cells {
        match (text.get(cell.span), cell.c) {
            (Some(Span::Words(_, style)), Some(c)) => {
                size = size.max(style.size);
                match placed.last_mut() {
                    Some(Placed { span: Span::Words(words, _), .. }) if last == Some(cell.span) => {
                        words.push(c);
                    }
                    _ => placed.push(Placed { x, span: Span::Words(c.into(), *style) }),
                }
            }
            (Some(Span::Sign(sign, style)), _) => {
                size = size.max(style.size);
                placed.push(Placed { x, span: Span::Sign(*sign, *style) });
            }
            _ => {}
        }
        x += cell.width;
        last = Some(cell.span);
    }
    if cut && let Some(Placed { span: Span::Words(words, _), .. }) = placed.last_mut() {
        words.pop();
        words.push('…');
    }
    Line { placed, height: size * LEADING, base: size * BASE }
}

/// How wide a text is on one line.
pub fn width(faces: &Faces, text: &[Span]) -> f32 {
    cells(faces, text).iter().map(|cell| cell.width).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::render::pdf::palette::INK;

    const STYLE: Style = Style { face: Face::Regular, size: 10.0, colour: INK };

    fn shown(text: &str, width: f32, most: usize) -> Vec<String> {
        let faces = Faces::embedded().unwrap();
        let lines = lines(&faces, &[Span::Words(text.into(), STYLE)], width, most);
        lines.iter().map(words).collect()
    }

    fn words(line: &Line) -> String {
        let words = |placed: &Placed| match &placed.span {
            Span::Words(words, _) => words.clone(),
            Span::Sign(..) => String::new(),
        };
        line.placed.iter().map(words).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_long_names_at_their_parts() {
        assert_eq!(
            shown("a stream to rtmps://a.example.net/live2", 90.0, 9),
            ["a stream to", "rtmps://a.example.", "net/live2"]
        );
        assert_eq!(shown("1.5 Mb/s", 200.0, 9), ["1.5 Mb/s"], "what fits is not broken");
    }

    #[test]
    fn a_figure_stays_with_its_unit() {
        assert_eq!(shown("alive after 12 ms, twice", 75.0, 9), ["alive after", "12 ms, twice"]);
        assert_eq!(shown("never above ≤ 5 %", 70.0, 9), ["never above", "≤ 5 %"]);
        assert_eq!(shown("12 ms", 15.0, 9), ["12", "ms"], "unless there is no room");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(shown("one two three four five six", 50.0, 2), ["one two", "three fou…"]);
    }

    proptest! {
        #[test]
        fn any_text_fits_and_nothing_but_spaces_is_lost(text in "\\PC{0,300}", width in 1.0_f32..400.0) {
            let faces = Faces::embedded().unwrap();
            let span = [Span::Words(text.clone(), STYLE)];
            let lines = lines(&faces, &span, width, usize::MAX);
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.iter().map(words).collect::<String>()), bare(&text));
            for line in lines.iter().filter(|line| words(line).trim_end().chars().count() > 1) {
                let words = words(line);
                let wide = faces.text_width(Face::Regular, words.trim_end()) * STYLE.size;
                prop_assert!(wide <= width + 0.01, "{wide} > {width}: {words}");
            }
        }
    }
}

//! Blocks of text, lists, cards and columns, laid out one below the other into slabs.

use super::face::{Face, Faces};
use super::lines::{Span, Style, Text, lines};
use super::palette::{Colour, INK, RULE, SOFT, of_outcome};
use super::slab::{Mark, Pen, Slab, rectangle, rounded, straight};
use super::tags::{Part, Role, Tags};
use crate::model::Outcome;
use crate::report::render::{sign, text};

/// Size of running text, in points.
pub const BODY: f32 = 8.4;
/// Size of what explains.
pub const SMALL: f32 = 7.4;
/// Tallest block that is kept in one piece: well below a page, so that little room is lost.
const WHOLE: f32 = 420.0;
/// Lines of one paragraph at most; report.json, which the PDF carries, holds the whole.
const MOST: usize = 18;

/// Running text.
pub const TEXT: Style = Style { face: Face::Regular, size: BODY, colour: INK };
/// What must not be missed.
pub const STRONG: Style = Style { face: Face::Bold, size: BODY, colour: INK };
/// What explains.
pub const QUIET: Style = Style { face: Face::Regular, size: SMALL, colour: SOFT };
/// Names, addresses, commands.
pub const CODE: Style = Style { face: Face::Mono, size: SMALL, colour: INK };

/// A stretch of words.
pub fn words(text: impl Into<String>, style: Style) -> Span {
    Span::Words(text.into(), style)
}

/// One line of inert text, cut after so many characters.
pub fn short(raw: &str, most: usize) -> String {
    let line = text::line(raw);
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

/// Prose of the document, in which a pair of backquotes marks code.
pub fn prose(raw: &str, style: Style) -> Text {
    let line = text::line(raw);
    if !line.matches('`').count().is_multiple_of(2) {
        return vec![words(line, style)];
    }
    let code = Style { face: Face::Mono, size: style.size * 0.92, ..style };
    let pieces = line.split('`').enumerate();
    pieces.map(|(at, piece)| words(piece, if at % 2 == 1 { code } else { style })).collect()
}

/// Shape and word of an outcome.
pub fn badge(outcome: Outcome, size: f32) -> Text {
    let style = Style { face: Face::Bold, size, colour: of_outcome(outcome) };
    vec![Span::Sign(sign::of_outcome(outcome), style), words(outcome.word(), style)]
}

/// A column of blocks that grows downwards.
pub struct Flow<'a> {
    /// The fonts.
    pub faces: &'a Faces,
    /// The structure.
    pub tags: &'a mut Tags,
    /// Width of the column.
    pub width: f32,
    /// The part of the structure that the blocks belong to.
    pub within: Part,
    /// What has been laid out, from the top.
    pub slabs: Vec<Slab>,
}

impl Flow<'_> {
    /// Lays out blocks of a part and width apart.
    pub fn apart(&mut self, width: f32, within: Part, build: impl FnOnce(&mut Flow<'_>)) -> Vec<Slab> {
        let mut flow = Flow { faces: self.faces, tags: self.tags, width, within, slabs: Vec::new() };
        build(&mut flow);
        flow.slabs
    }

    /// Distance.
    pub fn space(&mut self, height: f32) {
        self.slabs.push(Slab::space(height));
    }

    /// The heading of a section, with a line below it; stays with what follows.
    pub fn heading(&mut self, level: u16, title: &str) {
        let size = if level == 2 { 10.6 } else { 9.2 };
        let style = Style { face: Face::Bold, size, colour: INK };
        let part = self.tags.add(self.within, Role::Heading(level, title.to_owned()));
        let mut slabs = self.set(Some(part), &[words(title, style)], 0.0, self.width, 3);
        if let Some(first) = slabs.first_mut() {
            first.bookmark = Some((1, title.to_owned()));
        }
        if let Some(last) = slabs.last_mut().filter(|_| level == 2) {
            let under = last.height + 1.6;
            last.shape(straight((0.0, under), (self.width, under)), None, Some(Pen::new(INK, 1.1)));
            last.height += 5.6;
        }
        for slab in &mut slabs {
            slab.keep = true;
        }
        self.slabs.extend(slabs);
    }

    /// A thin line above what follows, and with it.
    pub fn rule(&mut self) {
        let mut slab = Slab { height: 7.0, keep: true, ..Slab::default() };
        slab.shape(straight((0.0, 0.0), (self.width, 0.0)), None, Some(Pen::new(SOFT, 0.8)));
        self.slabs.push(slab);
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &[Span]) {
        let part = self.tags.add(self.within, Role::Paragraph);
        let slabs = self.set(Some(part), text, 0.0, self.width, MOST);
        self.slabs.extend(slabs);
    }

    /// A list with bullets.
    pub fn list(&mut self, items: &[Text]) {
        const INDENT: f32 = 9.0;
        let list = self.tags.add(self.within, Role::List);
        for item in items {
            let part = self.tags.add(list, Role::Item);
            let mut slabs = self.set(Some(part), item, INDENT, self.width - INDENT, MOST);
            if let Some(first) = slabs.first_mut() {
                let middle = BODY * 0.7;
                first.shape(rounded(2.0, middle - 1.4, 2.8, 2.8, 1.4), Some(SOFT), None);
            }
            self.slabs.extend(slabs);
            self.slabs.push(Slab::space(1.2));
        }
    }

    /// Names beside values.
    pub fn facts(&mut self, names: f32, facts: &[(&str, Text)]) {
        let list = self.tags.add(self.within, Role::List);
        for (name, value) in facts {
            let part = self.tags.add(list, Role::Item);
            let mut slabs = self.set(Some(part), value, names, self.width - names, MOST);
            if slabs.is_empty() {
                slabs.push(Slab { height: BODY * 1.38, ..Slab::default() });
            }
            if let Some(first) = slabs.first_mut() {
                let base = first.marks.iter().find_map(Mark::base).unwrap_or(BODY);
                // the name before the value, so that it is read first
                let values = std::mem::take(&mut first.marks);
                first.words(0.0, base, *name, QUIET, Some(part));
                first.marks.extend(values);
            }
            self.slabs.extend(slabs);
            self.slabs.push(Slab::space(1.2));
        }
    }

    /// Framed blocks side by side, as tall as the tallest; with a coloured edge, or in dark ink.
    /// Too tall for a page, they stand below one another without a frame.
    pub fn boxes<T>(
        &mut self,
        columns: u8,
        items: &[T],
        edge: impl Fn(&T) -> Option<Colour>,
        build: impl Fn(&mut Flow<'_>, &T),
    ) {
        const BETWEEN: f32 = 12.0;
        const PAD: f32 = 9.0;
        let columns = f32::from(columns.max(1));
        let width = (self.width - BETWEEN * (columns - 1.0)) / columns;
        let mut sides: Vec<Vec<Slab>> = Vec::new();
        for item in items {
            let part = self.tags.add(self.within, Role::Section);
            sides.push(self.apart(width - 2.0 * PAD - 3.0, part, |flow| build(flow, item)));
        }
        let inner = sides.iter().map(|slabs| height(slabs)).fold(0.0, f32::max);
        if inner > WHOLE {
            self.slabs.extend(sides.into_iter().flatten());
            return;
        }
        let mut whole = Slab { height: inner + 13.0, ..Slab::default() };
        let mut x = 0.0;
        for (item, slabs) in items.iter().zip(sides) {
            let edge = edge(item);
            let pen = edge.map_or(Pen::new(INK, 0.8), |_| Pen::new(RULE, 0.7));
            whole.shape(rounded(x + 0.4, 0.4, width - 0.8, whole.height - 0.8, 3.0), None, Some(pen));
            if let Some(edge) = edge {
                whole.shape(rectangle(x, 0.0, 3.2, whole.height), Some(edge), None);
            }
            whole.marks.extend(Slab::stacked(slabs).moved(x + PAD + 3.0, 6.5).marks);
            x += width + BETWEEN;
        }
        self.slabs.push(whole);
    }

    /// Blocks that stay on one page with what follows them.
    pub fn together(&mut self, build: impl FnOnce(&mut Flow<'_>)) {
        let mut slabs = self.apart(self.width, self.within, build);
        for slab in &mut slabs {
            slab.keep = true;
        }
        self.slabs.extend(slabs);
    }

    /// Two columns side by side; below one another when they are too tall for a page.
    pub fn columns(&mut self, share: f32, left: impl Fn(&mut Flow<'_>), right: impl Fn(&mut Flow<'_>)) {
        const BETWEEN: f32 = 18.0;
        let first = (self.width - BETWEEN) * share;
        let second = self.width - BETWEEN - first;
        let built = self.apart(first, self.within, &left);
        let beside = self.apart(second, self.within, &right);
        if height(&built).max(height(&beside)) > WHOLE {
            // what was laid out for the columns is never drawn, and leaves no trace in the structure
            left(self);
            right(self);
            return;
        }
        let mut whole = Slab::stacked(built);
        let beside = Slab::stacked(beside).moved(first + BETWEEN, 0.0);
        whole.height = whole.height.max(beside.height);
        whole.marks.extend(beside.marks);
        self.slabs.push(whole);
    }

    /// A text as slabs of one line each; its first two lines stay together.
    pub fn set(&self, part: Option<Part>, text: &[Span], x: f32, width: f32, most: usize) -> Vec<Slab> {
        let lines = lines(self.faces, text, width, most);
        let last = lines.len().saturating_sub(1);
        let slab = |(at, line): (usize, &super::lines::Line)| {
            let keep = last > 0 && (at == 0 || at + 1 == last);
            let mut slab = Slab { height: line.height, keep, ..Slab::default() };
            slab.line(x, 0.0, line, part);
            slab
        };
        lines.iter().enumerate().map(slab).collect()
    }
}

/// How tall slabs are on top of one another.
pub fn height(slabs: &[Slab]) -> f32 {
    slabs.iter().map(|slab| slab.height).sum()
}

//! The smallest pieces that a page is stacked of, and what is drawn on them. Pure geometry:
//! points, from the top left.

use std::rc::Rc;

use kurbo::{Affine, BezPath, Rect, RoundedRect, Shape as _};

use super::lines::{Line, Span, Style};
use super::palette::Colour;
use super::tags::Part;
use crate::report::render::sign::{Sign, Stroke};

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pen {
    /// Colour.
    pub colour: Colour,
    /// Width.
    pub width: f32,
    /// In dashes.
    pub dashed: bool,
}

impl Pen {
    /// An unbroken line.
    pub const fn new(colour: Colour, width: f32) -> Self {
        Self { colour, width, dashed: false }
    }
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawing {
    /// Words from a point on their base line on.
    Words(f32, f32, String, Style),
    /// An outline, filled, drawn, or both.
    Shape(BezPath, Option<Colour>, Option<Pen>),
}

/// A drawing, and the part of the structure that it belongs to; `None` = decoration.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What is drawn.
    pub drawing: Drawing,
    /// What it is part of.
    pub part: Option<Part>,
}

impl Mark {
    /// The base line of words.
    pub const fn base(&self) -> Option<f32> {
        match self.drawing {
            Drawing::Words(_, base, ..) => Some(base),
            Drawing::Shape(..) => None,
        }
    }
}

/// A full-width piece that never stands on two pages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slab {
    /// Height.
    pub height: f32,
    /// Back to front.
    pub marks: Vec<Mark>,
    /// It stands on the same page as the slab below it.
    pub keep: bool,
    /// Nothing but distance: left out at the top of a page.
    pub space: bool,
    /// It begins a page.
    pub new_page: bool,
    /// Drawn above it when it begins a page: the head of its table.
    pub head: Option<Rc<Slab>>,
    /// Level and words of the entry that it gets among the document's bookmarks.
    pub bookmark: Option<(u8, String)>,
}

impl Slab {
    /// Distance.
    pub fn space(height: f32) -> Self {
        Self { height, space: true, ..Self::default() }
    }

    /// Draws decoration.
    pub fn shape(&mut self, path: BezPath, fill: Option<Colour>, pen: Option<Pen>) {
        self.marks.push(Mark { drawing: Drawing::Shape(path, fill, pen), part: None });
    }

    /// Draws words, their base at `base`.
    pub fn words(&mut self, x: f32, base: f32, words: impl Into<String>, style: Style, part: Option<Part>) {
        let drawing = Drawing::Words(x, base, words.into(), style);
        self.marks.push(Mark { drawing, part });
    }

    /// Draws a line of text, its top at `top`.
    pub fn line(&mut self, x: f32, top: f32, line: &Line, part: Option<Part>) {
        for placed in &line.placed {
            match &placed.span {
                Span::Words(words, style) => {
                    self.words(x + placed.x, top + line.base, words.clone(), *style, part);
                }
                Span::Sign(sign, style) => {
                    let side = style.size * 0.84;
                    let high = top + line.base - style.size * 0.79;
                    self.sign(*sign, x + placed.x, high, side, style.colour);
                }
            }
        }
    }

    /// Draws a sign in a square of this side.
    pub fn sign(&mut self, sign: Sign, x: f32, y: f32, side: f32, colour: Colour) {
        let scale = side / f32::from(sign.side);
        let place = Affine::translate((f64::from(x), f64::from(y))) * Affine::scale(f64::from(scale));
        for stroke in sign.strokes {
            let (outline, fill, width) = match stroke {
                Stroke::Frame(outline) => (outline, None, 2.6),
                Stroke::Mark(outline) => (outline, None, 4.4),
                Stroke::Line(outline) => (outline, None, 2.8),
                Stroke::Fill(outline) => (outline, Some(colour), 0.0),
            };
            // a sign's outlines are its own, and a test reads them all
            let Ok(path) = BezPath::from_svg(outline) else { continue };
            let pen = fill.is_none().then(|| Pen::new(colour, width * scale));
            self.shape(place * path, fill, pen);
        }
    }

    /// All marks moved.
    pub fn moved(mut self, x: f32, y: f32) -> Self {
        for mark in &mut self.marks {
            match &mut mark.drawing {
                Drawing::Words(at, base, ..) => {
                    *at += x;
                    *base += y;
                }
                Drawing::Shape(path, ..) => {
                    path.apply_affine(Affine::translate((f64::from(x), f64::from(y))));
                }
            }
        }
        self
    }

    /// Slabs on top of one another as a single one.
    pub fn stacked(slabs: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for slab in slabs {
            whole.bookmark = whole.bookmark.or_else(|| slab.bookmark.clone());
            let (height, top) = (slab.height, whole.height);
            whole.marks.extend(slab.moved(0.0, top).marks);
            whole.height += height;
        }
        whole
    }
}

/// A rectangle.
pub fn rectangle(x: f32, y: f32, width: f32, height: f32) -> BezPath {
    corners(x, y, width, height).to_path(0.1)
}

/// A rectangle with round corners.
pub fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> BezPath {
    RoundedRect::from_rect(corners(x, y, width, height), f64::from(radius)).to_path(0.05)
}

/// A straight line.
pub fn straight(from: (f32, f32), to: (f32, f32)) -> BezPath {
    let mut path = BezPath::new();
    path.move_to((f64::from(from.0), f64::from(from.1)));
    path.line_to((f64::from(to.0), f64::from(to.1)));
    path
}

fn corners(x: f32, y: f32, width: f32, height: f32) -> Rect {
    let (x, y) = (f64::from(x), f64::from(y));
    Rect::new(x, y, x + f64::from(width), y + f64::from(height))
}

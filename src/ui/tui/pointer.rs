//! The mouse: what it did, and what lies where on the screen. Every drawing says anew where a click means
//! something, so that nothing is clicked that is not seen.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::form::Stroke;
use super::keys::Key;

/// What the mouse did, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// The left button went down.
    Click(Position),
    /// The wheel was turned by a notch.
    Wheel {
        /// Where.
        at: Position,
        /// Towards the user.
        down: bool,
    },
}

impl Pointer {
    /// From the terminal's event; `None` for what means nothing here.
    pub const fn from_event(event: &MouseEvent) -> Option<Self> {
        let at = Position { x: event.column, y: event.row };
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Self::Click(at)),
            MouseEventKind::ScrollUp => Some(Self::Wheel { at, down: false }),
            MouseEventKind::ScrollDown => Some(Self::Wheel { at, down: true }),
            _ => None,
        }
    }
}

/// What lies somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A check, by the index of its card.
    Check(usize),
    /// A cell of the matrix, by row and column.
    Cell(usize, usize),
    /// A word that does what a key does.
    Key(Key),
    /// A word that does what a key does while something is filled in or typed.
    Stroke(Stroke),
    /// A field of what is filled in, counted from 0.
    Field(usize),
    /// One of the questions to people, counted from 0.
    Question(usize),
    /// Yes or no to the question.
    Answer(bool),
    /// Rows of which one is selected.
    Rows,
    /// Text that may go on below.
    Text,
}

/// What lies where; of two that overlap, the later is on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spots(Vec<(Rect, Hit)>);

impl Spots {
    /// Adds one on top.
    pub fn put(&mut self, area: Rect, hit: Hit) {
        self.0.push((area, hit));
    }

    /// Something was drawn that lies over all of them.
    pub fn cover(&mut self) {
        self.0.clear();
    }

    /// What a click there means.
    pub fn at(&self, at: Position) -> Option<Hit> {
        self.topmost(at, |_| true)
    }

    /// What the wheel moves there.
    pub fn moved_at(&self, at: Position) -> Option<Hit> {
        self.topmost(at, |hit| matches!(hit, Hit::Rows | Hit::Text))
    }

    fn topmost(&self, at: Position, wanted: impl Fn(Hit) -> bool) -> Option<Hit> {
        let mut down = self.0.iter().rev();
        down.find(|(area, hit)| area.contains(at) && wanted(*hit)).map(|(_, hit)| *hit)
    }
}

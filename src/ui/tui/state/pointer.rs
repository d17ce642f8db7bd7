//! What the mouse does to the screen. What a key does as well becomes that key.

use crossterm::event::KeyEvent;

use super::State;
use crate::ui::tui::form::{Field, Stroke};
use crate::ui::tui::keys::Key;
use crate::ui::tui::pointer::{Hit, Pointer};

/// Rows or lines that a notch of the wheel moves.
const NOTCH: usize = 3;

/// What the user did, by what is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// A key of the screen.
    Key(Key),
    /// A key for what is being filled in or typed.
    Stroke(Stroke),
}

impl State {
    /// What a key of the keyboard means now.
    pub fn meant(&self, event: &KeyEvent) -> Option<Meant> {
        if self.form.is_some() || self.sheet.is_some() || self.search.typing {
            return Stroke::from_event(event).map(Meant::Stroke);
        }
        Key::from_event(event).map(Meant::Key)
    }

    /// Takes in what the mouse did; the key that it stands for, if any. A click on nothing is any other
    /// key: it takes a question back.
    pub fn point(&mut self, pointer: Pointer) -> Option<Meant> {
        match pointer {
            Pointer::Click(at) => Some(self.click(self.fit.spots.at(at))),
            Pointer::Wheel { down, .. } if self.form.is_some() || self.sheet.is_some() => {
                Some(Meant::Stroke(if down { Stroke::Down } else { Stroke::Up }))
            }
            Pointer::Wheel { at, down } => {
                match self.fit.spots.moved_at(at) {
                    Some(Hit::Rows) => self.go(if down { NOTCH.cast_signed() } else { -NOTCH.cast_signed() }),
                    Some(_) if down => self.scroll = (self.scroll + NOTCH).min(self.fit.beyond),
                    Some(_) => self.scroll = self.scroll.saturating_sub(NOTCH),
                    None => {}
                }
                None
            }
        }
    }

    fn click(&mut self, hit: Option<Hit>) -> Meant {
        match hit {
            Some(Hit::Stroke(stroke)) => return Meant::Stroke(stroke),
            Some(Hit::Answer(yes)) => {
                self.field(0);
                return Meant::Stroke(Stroke::Char(if yes { 'y' } else { 'n' }));
            }
            Some(Hit::Key(key)) => {
                // as Enter does, but for a word that is looked for no more
                self.search.typing = false;
                return Meant::Key(key);
            }
            Some(Hit::Check(index)) if index < self.story.cards.len() => {
                self.follow = false;
                self.select(index);
            }
            Some(Hit::Cell(row, column)) => self.click_cell((row, column)),
            Some(Hit::Field(at)) => self.field(at),
            Some(Hit::Question(at)) => {
                if let Some(form) = &mut self.form {
                    form.turn(at);
                }
            }
            Some(Hit::Check(_) | Hit::Rows | Hit::Text) | None => {}
        }
        Meant::Key(Key::Other)
    }

    /// Goes to a field; on a sheet, a choice that is clicked once more is the next one.
    fn field(&mut self, at: usize) {
        if let Some(form) = &mut self.form {
            form.field =
                [Field::Answer, Field::Evidence, Field::Until].get(at).copied().unwrap_or(form.field);
        } else if let Some(sheet) = &mut self.sheet {
            sheet.click(at);
        }
    }
}

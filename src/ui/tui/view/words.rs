//! Words in a line of which some can be clicked.

use ratatui::layout::Rect;

use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::wrap::cells;

/// Some words and, if they can be clicked, what that does.
pub(super) type Word = (String, Option<Hit>);

/// A word that does what a key does.
pub(super) fn word(text: impl Into<String>, hit: Hit) -> Word {
    (text.into(), Some(hit))
}

/// Where words of a line can be clicked: first cell, cells, and what that does.
pub(super) type Places = Vec<(usize, usize, Hit)>;

/// The words behind one cell of air, so far apart.
pub(super) fn laid(words: &[Word], gap: &str) -> (String, Places) {
    let mut line = String::new();
    let mut places = Vec::new();
    for (place, (text, hit)) in words.iter().enumerate() {
        line.push_str(if place == 0 { " " } else { gap });
        places.extend(hit.map(|hit| (cells(&line), cells(text), hit)));
        line.push_str(text);
    }
    (line, places)
}

/// Puts the words of a line that begins at the left of this area.
pub(super) fn put(spots: &mut Spots, row: Rect, places: Places) {
    for (from, width, hit) in places {
        let (from, width) =
            (u16::try_from(from).unwrap_or(u16::MAX), u16::try_from(width).unwrap_or(u16::MAX));
        let area = Rect { x: row.x.saturating_add(from), width, height: 1, ..row };
        spots.put(area.intersection(row), hit);
    }
}

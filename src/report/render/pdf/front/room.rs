//! How much of its lists page 1 writes out, so that the decision stands on it whatever was found.

use super::super::flow::{STRONG, short, words};
use super::super::lines::Text;

/// What there is room for.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Checks of one group that are written out; those beyond are named.
    pub checks: usize,
    /// A check takes a card with all that is to be known, not two lines.
    pub cards: bool,
    /// Findings in a card.
    pub findings: usize,
    /// Things at stake in one group.
    pub stakes: usize,
    /// Questions without an answer.
    pub open: usize,
    /// Waivers.
    pub waivers: usize,
    /// Nothing is shortened that another page would have to show.
    pub whole: bool,
    /// Height of a plot; none at 0. Below 70 points its scale cannot be read.
    pub plot: f32,
    /// Longest text in characters.
    pub text: usize,
    /// A sentence that must be understood is not cut below so many characters.
    pub sentence: usize,
}

impl Room {
    /// Everything, as far as a report can be held on paper.
    pub const WHOLE: Self = Self {
        checks: 24,
        cards: true,
        findings: 3,
        stakes: 12,
        open: usize::MAX,
        waivers: usize::MAX,
        whole: true,
        plot: 90.0,
        text: usize::MAX,
        sentence: usize::MAX,
    };

    /// From everything to what fits whatever the report holds.
    pub const ALL: [Self; 12] = [
        Self::WHOLE,
        Self { whole: false, plot: 76.0, stakes: 6, open: 6, waivers: 6, ..Self::WHOLE },
        Self { checks: 6, findings: 2, stakes: 4, open: 4, waivers: 4, text: 400, ..Self::SHORT },
        Self { checks: 4, stakes: 3, open: 3, waivers: 3, text: 220, ..Self::SHORT },
        Self { cards: false, stakes: 3, open: 3, waivers: 3, text: 220, plot: 70.0, ..Self::SHORT },
        Self { cards: false, plot: 0.0, ..Self::SHORT },
        Self { checks: 4, text: 120, sentence: 130, ..Self::LEAST },
        Self { checks: 3, text: 90, sentence: 130, ..Self::LEAST },
        Self { checks: 3, text: 64, sentence: 130, ..Self::LEAST },
        Self { checks: 2, text: 64, sentence: 130, ..Self::LEAST },
        Self { sentence: 130, ..Self::LEAST },
        Self::LEAST,
    ];

    const SHORT: Self = Self {
        checks: 5,
        cards: true,
        findings: 1,
        stakes: 2,
        open: 2,
        waivers: 2,
        whole: false,
        plot: 70.0,
        text: 160,
        sentence: 130,
    };

    const LEAST: Self = Self {
        checks: 1,
        cards: false,
        stakes: 1,
        open: 1,
        waivers: 1,
        plot: 0.0,
        text: 40,
        sentence: 0,
        ..Self::SHORT
    };

    /// One line of inert text that fits.
    pub fn short(&self, raw: &str) -> String {
        short(raw, self.text)
    }

    /// The same of a text that is not worth much when it is cut to a few words.
    pub fn sentence(&self, raw: &str) -> String {
        short(raw, self.text.max(self.sentence))
    }

    /// Says how many of a list are left out here; nothing when none are.
    pub fn more(&self, more: usize) -> Option<Text> {
        let place = if self.whole { "in the pages behind" } else { "on page 2" };
        (more > 0).then(|| vec![words(format!("and {more} more {place}"), STRONG)])
    }

    /// The first so many of a list, and how many more there are.
    pub fn first<T>(list: &[T], most: usize) -> (&[T], usize) {
        let shown = list.get(..most).unwrap_or(list);
        (shown, list.len() - shown.len())
    }
}

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
    /// Height of a plot; none at 0.
    pub plot: f32,
    /// Longest text in characters.
    pub text: usize,
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
        plot: 58.0,
        text: usize::MAX,
    };

    /// From everything to what fits whatever the report holds.
    pub const ALL: [Self; 8] = [
        Self::WHOLE,
        Self { whole: false, plot: 46.0, stakes: 6, open: 6, waivers: 6, ..Self::WHOLE },
        Self { checks: 6, findings: 2, stakes: 4, open: 4, waivers: 4, text: 400, ..Self::SHORT },
        Self { checks: 4, stakes: 3, open: 3, waivers: 3, text: 220, ..Self::SHORT },
        Self { cards: false, stakes: 3, open: 3, waivers: 3, text: 220, plot: 46.0, ..Self::SHORT },
        Self { cards: false, plot: 0.0, ..Self::SHORT },
        Self { checks: 3, cards: false, stakes: 1, open: 1, waivers: 1, text: 90, plot: 0.0, ..Self::SHORT },
        Self { checks: 1, cards: false, stakes: 1, open: 1, waivers: 1, text: 40, plot: 0.0, ..Self::SHORT },
    ];

    const SHORT: Self = Self {
        checks: 5,
        cards: true,
        findings: 1,
        stakes: 2,
        open: 2,
        waivers: 2,
        whole: false,
        plot: 40.0,
        text: 160,
    };

    /// One line of inert text that fits.
    pub fn short(&self, raw: &str) -> String {
        short(raw, self.text)
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

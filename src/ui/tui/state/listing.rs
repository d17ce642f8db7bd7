//! Which checks the list holds, and which of them is selected.

use super::State;
use crate::ui::story::Card;
use crate::ui::tui::form::Stroke;
use crate::ui::tui::page::Page;

/// Longest text to look for, in characters.
const MAX_NEEDLE: usize = 60;

/// Which checks are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those that do not simply pass.
    Attention,
    /// Those of one area.
    Area(String),
}

/// What is looked for in the checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// As typed; empty looks for nothing.
    pub needle: String,
    /// Keys go into it.
    pub typing: bool,
}

impl State {
    /// True while the list leaves checks out by choice.
    pub fn narrowed(&self) -> bool {
        self.filter != Filter::All || !self.search.needle.is_empty()
    }

    /// Indices of the cards that are listed.
    pub fn listed(&self) -> Vec<usize> {
        let needle = self.search.needle.to_lowercase();
        let cards = self.story.cards.iter().enumerate();
        cards.filter(|(_, card)| self.lists(card, &needle)).map(|(index, _)| index).collect()
    }

    /// The selected card, if it is listed.
    pub fn card(&self) -> Option<&Card> {
        let card = self.story.cards.get(self.selected)?;
        self.lists(card, &self.search.needle.to_lowercase()).then_some(card)
    }

    fn lists(&self, card: &Card, needle: &str) -> bool {
        let kept = match &self.filter {
            Filter::All => true,
            Filter::Attention => card.needs_attention(),
            Filter::Area(area) => card.owner == *area,
        };
        kept && (needle.is_empty() || card.mentions(needle))
    }

    /// All, what needs attention, then area by area, and around.
    pub(super) fn next_filter(&mut self) {
        let areas = self.story.areas();
        let area = |at: usize| areas.get(at).map_or(Filter::All, |area| Filter::Area(area.name.clone()));
        self.filter = match &self.filter {
            Filter::All => Filter::Attention,
            Filter::Attention => area(0),
            Filter::Area(here) => area(areas.iter().position(|one| one.name == *here).map_or(0, |at| at + 1)),
        };
        self.settle();
    }

    pub(super) fn open_search(&mut self) {
        self.open(Page::Checks);
        self.search.typing = true;
    }

    /// Takes in a key while what to look for is typed.
    pub fn seek(&mut self, stroke: Stroke) {
        match stroke {
            Stroke::Char(c) if !c.is_control() && self.search.needle.chars().count() < MAX_NEEDLE => {
                self.search.needle.push(c);
            }
            Stroke::Erase => {
                self.search.needle.pop();
            }
            Stroke::Enter => self.search.typing = false,
            Stroke::Close => self.search = Search::default(),
            Stroke::Up => self.step(-1),
            Stroke::Down => self.step(1),
            Stroke::Char(_) | Stroke::Next | Stroke::Previous => {}
        }
        self.settle();
    }

    pub(super) fn step(&mut self, by: isize) {
        self.follow = false;
        let listed = self.listed();
        let at = listed.iter().position(|index| *index == self.selected).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(listed.len().saturating_sub(1));
        if let Some(index) = listed.get(to) {
            self.select(*index);
        }
    }

    pub(super) fn select(&mut self, index: usize) {
        if self.selected != index {
            (self.selected, self.at_nothing) = (index, false);
            (self.scroll, self.chart) = (0, 0);
        }
    }

    /// When the filter or the search hides the selected card, the nearest listed one is selected: before
    /// each drawing and each key, not for each of thousands of events.
    pub fn settle(&mut self) {
        // the other pages show any check
        if self.page != Page::Checks || !self.narrowed() || self.card().is_some() {
            return;
        }
        let nearest = self.listed().into_iter().min_by_key(|index| index.abs_diff(self.selected));
        if let Some(index) = nearest {
            self.select(index);
        }
    }
}

//! Lines in a frame that lies over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::words::{self, Places, Word};
use super::{framed, titled};
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::theme::Theme;

const WIDTH: u16 = 70;
/// Cells for the text of a line, with air at both sides.
pub(super) const ROOM: usize = 66;

/// The lines, and what can be clicked in each.
#[derive(Default)]
pub(super) struct Dialog {
    lines: Vec<(Line<'static>, Places)>,
}

impl Dialog {
    /// A line that does nothing.
    pub(super) fn line(&mut self, line: impl Into<Line<'static>>) {
        self.lines.push((line.into(), Vec::new()));
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.line(Line::default());
    }

    /// A line with words in it, each of which does something.
    pub(super) fn clickable(&mut self, line: impl Into<Line<'static>>, places: Places) {
        self.lines.push((line.into(), places));
    }

    /// A line that does the same everywhere.
    pub(super) fn whole(&mut self, line: impl Into<Line<'static>>, hit: Hit) {
        self.clickable(line, vec![(0, usize::from(WIDTH), hit)]);
    }

    /// Keys and what they do.
    pub(super) fn keys(&mut self, keys: &[Word], theme: Theme) {
        let (line, places) = words::laid(keys, "   ");
        self.clickable(Span::styled(line, theme.faint()), places);
    }

    /// In the middle of the screen; what lies below cannot be clicked any more.
    pub(super) fn draw(
        self,
        frame: &mut Frame<'_>,
        area: Rect,
        title: &str,
        theme: Theme,
        spots: &mut Spots,
    ) -> Rect {
        let height = u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let [row] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
        let [middle] = Layout::horizontal([Constraint::Length(WIDTH)]).flex(Flex::Center).areas(row);
        let block = framed(theme, titled(theme, title));
        let inner = block.inner(middle);
        spots.cover();
        let (lines, places): (Vec<_>, Vec<_>) = self.lines.into_iter().unzip();
        for (row, places) in inner.rows().zip(places) {
            words::put(spots, row, places);
        }
        frame.render_widget(Clear, middle);
        frame.render_widget(Paragraph::new(lines).block(block), middle);
        middle
    }
}

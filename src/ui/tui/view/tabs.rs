//! The pages, as tabs.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words;
use crate::ui::tui::keys::Key;
use crate::ui::tui::page::Page;
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, spots: &mut Spots) {
    let title = |(tab, page): (usize, &Page)| format!(" {} {} ", tab + 1, page.title());
    let titles: Vec<String> = Page::ALL.iter().enumerate().map(title).collect();
    let tabs: Vec<_> =
        (0..).zip(&titles).map(|(tab, text)| words::word(text, Hit::Key(Key::Page(tab)))).collect();
    let (_, places) = words::laid(&tabs, " ");
    words::put(spots, area, places);
    let mut line = Line::default();
    for (page, title) in Page::ALL.iter().zip(titles) {
        let style = if *page == state.page { theme.selected() } else { theme.faint() };
        line.extend([Span::raw(" "), Span::styled(title, style)]);
    }
    frame.render_widget(line, area);
}

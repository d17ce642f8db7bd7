//! A frame of lines that may be more than fit.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{framed, titled};
use crate::ui::tui::pointer::Hit;
use crate::ui::tui::state::{Fit, State};
use crate::ui::tui::theme::Theme;

/// Draws the lines that the state is scrolled to, and how many are below; finds out how far it can be.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    lines: Vec<Line<'static>>,
    state: &State,
    theme: Theme,
    fit: &mut Fit,
) {
    let mut block = framed(theme, titled(theme, title));
    let page = usize::from(block.inner(area).height);
    (fit.beyond, fit.page) = (lines.len().saturating_sub(page), page);
    fit.spots.put(area, Hit::Text);
    let scroll = state.scroll.min(fit.beyond);
    if fit.beyond > 0 {
        let more = match fit.beyond - scroll {
            0 => " PgUp: back ".to_owned(),
            1 => " PgDn: 1 more line ".to_owned(),
            below => format!(" PgDn: {below} more lines "),
        };
        block = block.title_bottom(Line::from(more).right_aligned());
    }
    let shown: Vec<Line<'_>> = lines.into_iter().skip(scroll).take(page).collect();
    frame.render_widget(Paragraph::new(shown).block(block), area);
}

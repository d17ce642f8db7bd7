//! The last line: keys, questions and words to the user.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::tui::state::{Overlay, State, Watching};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme) {
    if state.overlay == Overlay::StopQuestion {
        let text = " Stop the run? What was measured is kept.   y: stop   any other key: go on ";
        frame.render_widget(Line::from(text).style(theme.selected()), area);
        return;
    }
    if let Some(notice) = state.notice {
        frame.render_widget(Line::from(format!(" {notice}")).style(theme.selected()), area);
        return;
    }
    if state.search.typing {
        let needle = state.story.charset().show(&state.search.needle);
        let (hint, mark) = ("   Enter: keep   Esc: no more ", theme.pick("▏", "_"));
        let room = usize::from(area.width).saturating_sub(cells(hint) + 3);
        let needle = clip(&needle, room, theme.pick("…", "..."));
        frame.render_widget(Line::from(format!(" /{needle}{mark}{hint}")).style(theme.selected()), area);
        return;
    }
    if !state.story.asking.is_empty() {
        let count = state.story.asking.len();
        let open = if count == 1 {
            "1 question to people is open".to_owned()
        } else {
            format!("{count} questions to people are open")
        };
        let text = format!(" All is measured; {open}.   a: answer   Enter: write the report ");
        frame.render_widget(Line::from(text).style(theme.selected()), area);
        return;
    }
    let leave = if state.can_stop() {
        "q: stop"
    } else if state.running() {
        "q: leave, the report is still written"
    } else {
        "q: leave"
    };
    let narrow =
        if state.search.needle.is_empty() { "f: filter  /: search" } else { "f: filter  Esc: no search" };
    let arrows = theme.pick("↑↓: select", "Up Down: select");
    let over = state.story.ending.is_some() && state.watching == Watching::Run;
    let more = if over { "s: sign  w: waiver  e: export" } else { narrow };
    let text = [arrows, "Tab: pages", more, "?: keys", leave].join("  ");
    frame.render_widget(Line::from(Span::styled(format!(" {text}"), theme.faint())), area);
}

//! The last line: keys, questions and words to the user.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words::{self, Word, word};
use crate::ui::tui::form::Stroke;
use crate::ui::tui::keys::Key;
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::state::{Overlay, State, Watching};
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, spots: &mut Spots) {
    if state.overlay == Overlay::StopQuestion {
        spots.cover();
        let asked = [
            ("Stop the run? What was measured is kept.".to_owned(), None),
            word("y: stop", Hit::Key(Key::Yes)),
            ("any other key: go on ".to_owned(), None),
        ];
        question(frame, area, &asked, theme, spots);
        return;
    }
    if let Some(notice) = state.notice {
        frame.render_widget(Line::from(format!(" {notice}")).style(theme.selected()), area);
        return;
    }
    if state.search.typing {
        let needle = state.story.charset().show(&state.search.needle);
        let (keep, close) = ("Enter: keep", "Esc: no more ");
        let room = usize::from(area.width).saturating_sub(cells(keep) + cells(close) + 9);
        let needle = clip(&needle, room, theme.pick("…", "..."));
        let typed = [
            (format!("/{needle}{}", theme.pick("▏", "_")), None),
            word(keep, Hit::Stroke(Stroke::Enter)),
            word(close, Hit::Stroke(Stroke::Close)),
        ];
        question(frame, area, &typed, theme, spots);
        return;
    }
    if !state.story.asking.is_empty() {
        let count = state.story.asking.len();
        let open = if count == 1 {
            "1 question to people is open".to_owned()
        } else {
            format!("{count} questions to people are open")
        };
        let waits = [
            (format!("All is measured; {open}."), None),
            word("a: answer", Hit::Key(Key::Answer)),
            word("Enter: write the report ", Hit::Key(Key::Done)),
        ];
        question(frame, area, &waits, theme, spots);
        return;
    }
    let (text, places) = words::laid(&keys(state, theme, usize::from(area.width)), "  ");
    words::put(spots, area, places);
    frame.render_widget(Line::from(Span::styled(text, theme.faint())), area);
}

/// What wants an answer, across the whole line.
fn question(frame: &mut Frame<'_>, area: Rect, words: &[Word], theme: Theme, spots: &mut Spots) {
    let (text, places) = words::laid(words, "   ");
    words::put(spots, area, places);
    frame.render_widget(Line::from(text).style(theme.selected()), area);
}

/// The keys of the moment, in short.
fn keys(state: &State, theme: Theme, width: usize) -> Vec<Word> {
    let key = |text: &str, key| word(text, Hit::Key(key));
    let leave = if state.can_stop() {
        "q: stop"
    } else if state.running() {
        "q: leave, the report is still written"
    } else {
        "q: leave"
    };
    let over = state.story.ending.is_some() && state.watching == Watching::Run;
    let mut keys = vec![key("Tab: pages", Key::NextPage)];
    // A narrow screen has no room for what every list does.
    if over {
        keys.extend([key("s: sign", Key::Sign), key("w: waiver", Key::Waive), key("e: export", Key::Export)]);
        keys.push(key("r: again", Key::Again));
    } else {
        keys.insert(0, (theme.pick("↑↓: select", "Up Down: select").to_owned(), None));
        let sought = !state.search.needle.is_empty();
        let search = if sought { key("Esc: no search", Key::Back) } else { key("/: search", Key::Search) };
        keys.extend([key("f: filter", Key::Filter), search]);
    }
    let used: usize = keys.iter().map(|(text, _)| cells(text) + 2).sum();
    let (long, short) = ("?: keys, mouse", "?: keys");
    let help = if state.mouse && used + cells(long) + cells(leave) + 3 <= width { long } else { short };
    keys.extend([key(help, Key::Help), key(leave, Key::Quit)]);
    keys
}

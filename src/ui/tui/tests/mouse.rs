//! Clicks and the wheel.

use ratatui::layout::Position;

use super::*;
use crate::ui::tui::page::Page;
use crate::ui::tui::pointer::Pointer;
use crate::ui::tui::state::Meant;

/// Where this text stands on the screen.
fn place(state: &mut State, size: (u16, u16), words: &str) -> Position {
    let shown = screen(state, size);
    let (y, line) = shown.lines().enumerate().find(|(_, line)| line.contains(words)).expect(words);
    let x = line.find(words).map(|at| line[..at].chars().count()).unwrap();
    Position { x: u16::try_from(x).unwrap(), y: u16::try_from(y).unwrap() }
}

/// Clicks on this text, as the terminal does it.
fn click(state: &mut State, size: (u16, u16), words: &str) -> Action {
    let at = place(state, size, words);
    point(state, Pointer::Click(at))
}

fn point(state: &mut State, pointer: Pointer) -> Action {
    match state.point(pointer) {
        Some(Meant::Key(key)) => state.key(key),
        Some(Meant::Stroke(stroke)) => {
            if state.form.is_some() {
                state.stroke(stroke);
            } else if state.sheet.is_some() {
                state.fill(stroke);
            } else {
                state.seek(stroke);
            }
            Action::None
        }
        None => Action::None,
    }
}

fn wheel(state: &mut State, at: Position, down: bool) {
    assert_eq!(point(state, Pointer::Wheel { at, down }), Action::None);
}

#[test]
fn a_click_selects_a_check_also_in_a_narrowed_list() {
    let mut state = over(End::NoGo);
    for id in ["tls.ingest", "dns.ingest", "uplink.backup"] {
        // in the list, not among the reasons above it
        assert_eq!(click(&mut state, LARGE, &format!("  {id}")), Action::None);
        assert_eq!(state.card().unwrap().id, id);
    }
    state.key(Key::Filter);
    click(&mut state, LARGE, "unknown path.primary");
    assert_eq!(state.card().unwrap().id, "path.primary");
    let lane = place(&mut state, LARGE, "delay, one at a time");
    point(&mut state, Pointer::Click(lane));
    assert_eq!(state.card().unwrap().id, "path.primary", "a heading is no check");
}

#[test]
fn a_click_opens_a_page_and_a_cell_and_then_its_check() {
    let mut state = over(End::NoGo);
    for (title, page) in
        [("3 Way out", Page::WayOut), ("4 Earlier runs", Page::History), ("2 Matrix", Page::Matrix)]
    {
        click(&mut state, SMALL, title);
        assert_eq!(state.page, page);
    }
    let at = place(&mut state, SMALL, "srt://backup");
    click(&mut state, SMALL, "srt://backup");
    assert!(screen(&mut state, SMALL).contains("Enter: ingest.backup"));
    point(&mut state, Pointer::Click(at));
    assert_eq!((state.page, state.card().unwrap().id.as_str()), (Page::Checks, "ingest.backup"));
}

#[test]
fn words_of_the_last_line_do_what_their_keys_do() {
    let mut state = after(End::Go, 12.0, COLOUR);
    click(&mut state, SMALL, "q: stop");
    assert_eq!(state.overlay, Overlay::StopQuestion);
    click(&mut state, SMALL, "uplink.primary");
    assert_eq!((state.overlay, state.can_stop()), (Overlay::None, true), "anything else goes on");
    click(&mut state, SMALL, "q: stop");
    let question = place(&mut state, SMALL, "Stop the run?");
    wheel(&mut state, question, true);
    assert_eq!(state.overlay, Overlay::StopQuestion, "the wheel answers nothing");
    assert_eq!(click(&mut state, SMALL, "y: stop"), Action::Cancel);
    click(&mut state, SMALL, "?: keys");
    assert_eq!(state.overlay, Overlay::Help);
    click(&mut state, SMALL, "exit codes");
    assert_eq!(state.overlay, Overlay::None);
    click(&mut state, SMALL, "/: search");
    assert!(state.search.typing);
    state.seek(Stroke::Char('u'));
    click(&mut state, SMALL, "Enter: keep");
    assert_eq!((state.search.typing, state.search.needle.as_str()), (false, "u"));
    assert_eq!(click(&mut over(End::Go), SMALL, "q: leave"), Action::Quit);
}

#[test]
fn a_dialog_is_filled_in_with_the_mouse_and_hides_what_lies_below() {
    let mut state = over(End::NoGo);
    let below = place(&mut state, LARGE, "tls.ingest");
    click(&mut state, LARGE, "s: sign");
    let selected = state.selected;
    assert_eq!(point(&mut state, Pointer::Click(below)), Action::None);
    assert!(state.sheet.is_some() && state.selected == selected);
    click(&mut state, LARGE, "dissent");
    assert_eq!(state.sheet.as_ref().unwrap().at, 3);
    let means = place(&mut state, LARGE, "signed by");
    point(&mut state, Pointer::Click(means));
    point(&mut state, Pointer::Click(means));
    assert!(screen(&mut state, LARGE).contains("a key file"), "clicked once more, the next choice");
    wheel(&mut state, means, false);
    assert!(screen(&mut state, LARGE).contains("the role's key in the SSH agent"));
    click(&mut state, LARGE, "Esc: close");
    assert!(state.sheet.is_none());

    let mut state = with_questions();
    state.key(Key::Answer);
    let first = state.form.clone().unwrap();
    click(&mut state, SMALL, &first.questions[1].check.to_string());
    assert_eq!(state.form.as_ref().unwrap().at, 1);
    click(&mut state, SMALL, "( ) no");
    assert_eq!(state.form.as_ref().unwrap().yes, Some(false));
    click(&mut state, SMALL, "evidence");
    assert_eq!(state.form.as_ref().unwrap().field, crate::ui::tui::form::Field::Evidence);
    click(&mut state, SMALL, "Esc: close");
    assert!(state.form.is_none());
}

#[test]
fn the_wheel_moves_what_is_below_it() {
    let mut state = over(End::NoGo);
    let (list, details) =
        (place(&mut state, SMALL, "dns.ingest"), place(&mut state, SMALL, "cannot be waived"));
    let selected = state.selected;
    wheel(&mut state, details, true);
    assert_eq!((state.selected, state.scroll), (selected, 3));
    for _ in 0..100 {
        wheel(&mut state, details, true);
        screen(&mut state, SMALL);
    }
    let end = screen(&mut state, SMALL);
    assert!(end.contains("PgUp: back"), "{end}");
    wheel(&mut state, list, false);
    assert_eq!((state.selected, state.scroll), (selected - 3, 0));
    let title = place(&mut state, SMALL, "golive ");
    wheel(&mut state, title, true);
    assert_eq!(state.selected, selected - 3);
}

#[test]
fn a_chart_that_is_clicked_makes_room_for_the_next() {
    let mut state = demo(600.0);
    let words = "line.upload";
    click(&mut state, SMALL, words);
    let shown = screen(&mut state, SMALL);
    assert!(shown.contains("Upload in windows"), "{shown}");
    click(&mut state, SMALL, "c: 1 more");
    assert!(!screen(&mut state, SMALL).contains("Upload in windows"));
}

mod after;
mod board;
mod charts;
mod hostile;
mod listing;
mod mouse;
mod themes;

use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::form::Stroke;
use super::keys::Key;
use super::state::{Action, Overlay, State, Watching};
use super::theme::{Palette, Theme};
use super::view;
use crate::judge::Word;
use crate::model::{Cause, Effect, NotMeasured, Outcome};
use crate::run::Event;
use crate::run::people::Said;
use crate::ui::fixture::{self, End};
use crate::ui::recording::Recording;
use crate::ui::story::Charset;

const COLOUR: Theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };
const MONO: Theme = Theme { palette: Palette::Mono, charset: Charset::Unicode };
const ASCII: Theme = Theme { palette: Palette::Mono, charset: Charset::Ascii };
const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

/// The state after the first `seconds` of a run.
fn after(end: End, seconds: f64, theme: Theme) -> State {
    let recording = Recording { events: fixture::run(end), remarks: Vec::new() };
    let mut state = State::new(theme.charset, Watching::Run);
    for (event, ms) in recording.events.iter().zip(recording.times()) {
        if ms > seconds * 1000.0 {
            break;
        }
        state.tick(ms);
        state.apply(event);
    }
    state.tick(seconds * 1000.0);
    state
}

fn over(end: End) -> State {
    let mut state = after(end, 60.0, COLOUR);
    state.end();
    state
}

/// Draws twice, as a terminal does: the first drawing finds out how far things scroll.
fn draw(state: &mut State, (width, height): (u16, u16), theme: Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    for _ in 0..2 {
        state.settle();
        let mut fit = super::state::Fit::default();
        terminal.draw(|frame| fit = view::draw(frame, state, theme)).unwrap();
        state.fit(fit);
    }
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width.max(1));
    let rows = buffer.content.chunks(width).map(|row| {
        let row: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn screen(state: &mut State, size: (u16, u16)) -> String {
    text(&draw(state, size, COLOUR))
}

#[test]
fn before_the_first_event() {
    let mut state = State::new(Charset::Unicode, Watching::Run);
    assert!(screen(&mut state, SMALL).contains("waiting for the run to start"));
}

#[test]
fn running() {
    let mut state = after(End::NoGo, 12.9, COLOUR);
    assert_snapshot!("running_80x24", screen(&mut state, SMALL));
    assert_snapshot!("running_120x40", screen(&mut state, LARGE));
}

#[test]
fn finished() {
    for (name, end) in [("go", End::Go), ("no_go", End::NoGo), ("inconclusive", End::Stopped)] {
        let mut state = over(end);
        assert_snapshot!(format!("{name}_80x24"), screen(&mut state, SMALL));
        assert_snapshot!(format!("{name}_120x40"), screen(&mut state, LARGE));
    }
}

#[test]
fn details_of_what_failed_and_of_what_was_not_measured() {
    let mut state = over(End::NoGo);
    state.key(Key::PageDown);
    screen(&mut state, SMALL);
    state.key(Key::PageDown);
    assert_snapshot!("failing_scrolled_80x24", screen(&mut state, SMALL));
    for _ in 0..3 {
        state.key(Key::Down);
    }
    assert_snapshot!("not_measured_80x24", screen(&mut state, SMALL));
}

#[test]
fn only_what_needs_attention() {
    let mut state = over(End::NoGo);
    state.key(Key::Filter);
    state.key(Key::Last);
    assert_snapshot!("attention_80x24", screen(&mut state, SMALL));
    let mut state = over(End::Go);
    state.key(Key::Filter);
    assert!(screen(&mut state, SMALL).contains("nothing"));
}

#[test]
fn help_and_the_question() {
    let mut state = after(End::Go, 5.0, COLOUR);
    state.key(Key::Help);
    assert_snapshot!("help_80x24", screen(&mut state, SMALL));
    state.mouse = false;
    assert!(!screen(&mut state, SMALL).contains("mouse"), "it was left to the terminal");
    state.key(Key::Back);
    assert_eq!(state.key(Key::Quit), Action::None);
    assert!(screen(&mut state, SMALL).contains("Stop the run? What was measured is kept."));
}

#[test]
fn a_small_terminal_says_so() {
    let mut state = after(End::Go, 5.0, COLOUR);
    assert_snapshot!("too_small_60x10", screen(&mut state, (60, 10)));
    assert!(screen(&mut over(End::NoGo), (40, 5)).contains("✗ NO-GO"));
}

#[test]
fn quitting_asks_first_and_keeps_what_was_measured() {
    let mut state = after(End::Go, 12.0, COLOUR);
    assert_eq!(state.key(Key::Quit), Action::None);
    assert_eq!(state.key(Key::Other), Action::None, "any other key goes on");
    assert_eq!(state.key(Key::Quit), Action::None);
    assert_eq!(state.key(Key::Yes), Action::Cancel);
    assert!(screen(&mut state, SMALL).contains("STOPPING"));
    assert_eq!(state.key(Key::Quit), Action::Quit, "asked already: leave");

    let mut state = after(End::Go, 12.0, COLOUR);
    assert_eq!(state.key(Key::Interrupt), Action::Cancel);
    assert_eq!(state.key(Key::Interrupt), Action::Quit);

    assert_eq!(over(End::Go).key(Key::Quit), Action::Quit);
    assert_eq!(over(End::Go).key(Key::Interrupt), Action::Quit);
}

#[test]
fn golive_sleeps_when_nothing_is_measured() {
    let mut state = after(End::Go, 12.0, COLOUR);
    assert_eq!(state.key(Key::Suspend), Action::None);
    assert!(screen(&mut state, SMALL).contains("that would spoil what is being measured"));
    assert_eq!(over(End::Go).key(Key::Suspend), Action::Suspend);
    let mut state = State::new(Charset::Unicode, Watching::Recording);
    state.apply(&fixture::started());
    assert_eq!(state.key(Key::Suspend), Action::Suspend, "a recording measures nothing");
}

#[test]
fn a_question_does_not_outlive_the_run() {
    let mut state = after(End::Go, 12.0, COLOUR);
    state.key(Key::Quit);
    state.apply(fixture::run(End::Go).last().unwrap());
    assert_eq!(state.overlay, Overlay::None);
}

#[test]
fn leaving_a_recording_stops_nothing() {
    let mut state = State::new(Charset::Unicode, Watching::Recording);
    state.apply(&fixture::started());
    assert_eq!(state.key(Key::Quit), Action::Quit);
}

#[test]
fn a_cut_recording_never_shows_a_verdict() {
    let mut state = after(End::Go, 12.0, COLOUR);
    state.end();
    let shown = screen(&mut state, SMALL);
    assert!(shown.contains("CUT SHORT") && shown.contains("no verdict was reached"), "{shown}");
}

#[test]
fn colour_is_never_alone() {
    for mut state in [after(End::NoGo, 12.9, COLOUR), over(End::NoGo), over(End::Go), over(End::Stopped)] {
        let (colour, mono) = (draw(&mut state, SMALL, COLOUR), draw(&mut state, SMALL, MONO));
        assert_eq!(text(&colour), text(&mono));
        assert!(colour.content.iter().any(|cell| cell.fg != Color::Reset));
        assert!(mono.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
}

#[test]
fn ascii_where_there_is_no_utf8() {
    for seconds in [0.5, 2.0, 5.0, 12.9, 60.0] {
        let mut state = after(End::NoGo, seconds, ASCII);
        for key in [Key::Other, Key::Help, Key::Back, Key::Quit] {
            state.key(key);
            let shown = text(&draw(&mut state, SMALL, ASCII));
            assert!(shown.is_ascii(), "{shown}");
        }
    }
    assert_snapshot!("ascii_80x24", text(&draw(&mut after(End::NoGo, 12.9, ASCII), SMALL, ASCII)));
}

/// A run of `golive demo` as its journal has it.
fn demo(seconds: f64) -> State {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/demo.jsonl");
    let recording = Recording::read(std::fs::read(path).unwrap().as_slice()).unwrap();
    assert_eq!(recording.remarks, Vec::<String>::new());
    let mut state = State::new(Charset::Unicode, Watching::Recording);
    for (event, ms) in
        recording.events.iter().zip(recording.times()).filter(|(_, ms)| *ms <= seconds * 1000.0)
    {
        state.tick(ms);
        state.apply(event);
    }
    state.tick(seconds * 1000.0);
    state
}

#[test]
fn a_real_run() {
    let mut running = demo(15.0);
    assert_snapshot!("demo_running_80x24", screen(&mut running, SMALL));
    assert_snapshot!("demo_running_120x40", screen(&mut running, LARGE));
    let mut over = demo(600.0);
    assert_snapshot!("demo_over_80x24", screen(&mut over, SMALL));
    assert_snapshot!("demo_over_120x40", screen(&mut over, LARGE));
}

#[test]
fn each_chart_can_be_seen() {
    let mut state = demo(600.0);
    let first = screen(&mut state, SMALL);
    state.key(Key::Chart);
    let second = screen(&mut state, SMALL);
    assert_ne!(first, second);
    state.key(Key::Chart);
    let third = screen(&mut state, SMALL);
    assert!(third != first && third != second);
    state.key(Key::Chart);
    assert_eq!(first, screen(&mut state, SMALL), "three charts");
}

#[test]
fn how_long_a_run_took_is_the_recording_s_word_not_the_viewer_s() {
    let mut state = State::new(Charset::Unicode, Watching::Recording);
    for event in fixture::run(End::Go) {
        state.apply(&event);
    }
    assert!((state.elapsed_ms() - 29_000.0).abs() < f64::EPSILON);
}

/// A run that asks people two questions.
fn with_questions() -> State {
    let mut state = State::new(Charset::Unicode, Watching::Run);
    let Event::RunStarted(mut started) = fixture::started() else { unreachable!() };
    let check = |id: &str, question: &str, of: &str| {
        serde_json::json!({
            "id": id, "path": null, "enforcement": "hard", "owner": "brand", "why": "…", "valid_for_s": 3600,
            "question": { "attest": { "target": { "question": question, "of": of, "evidence": "the run sheet" }, "limits": {} } },
        })
    };
    let checks = [
        check("moderator", "Who moderates the chat, and can they stop it?", "marketing"),
        check("backup", "Is there a second way out?", "it"),
    ];
    started.policy.checks = serde_json::from_value(checks.to_vec().into()).unwrap();
    state.apply(&Event::RunStarted(started));
    state
}

/// Keys of a form, as they come from the terminal.
fn strokes(state: &mut State, keys: &[&str]) -> Vec<Said> {
    let stroke = |name: &str| match name {
        "enter" => vec![Stroke::Enter],
        "tab" => vec![Stroke::Next],
        "esc" => vec![Stroke::Close],
        "erase" => vec![Stroke::Erase],
        "down" => vec![Stroke::Down],
        text => text.chars().map(Stroke::Char).collect(),
    };
    let all: Vec<Stroke> = keys.iter().flat_map(|name| stroke(name)).collect();
    all.into_iter().filter_map(|stroke| state.stroke(stroke)).filter(|said| *said != Said::Busy).collect()
}

#[test]
fn questions_to_people_are_answered_in_a_form() {
    let mut state = with_questions();
    state.key(Key::Answer);
    let asked = state.form.as_ref().unwrap().question().unwrap().clone();
    for size in [SMALL, LARGE] {
        let shown = screen(&mut state, size);
        for words in [
            "questions to people; the run goes on",
            "a yes: the run sheet",
            "marketing (Tom Lind)",
            asked.check.as_str(),
            "( ) yes   ( ) no",
        ] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
    assert!(strokes(&mut state, &["enter"]).is_empty(), "neither yes nor no");
    assert!(screen(&mut state, SMALL).contains("say yes or no first"));
    let said = strokes(&mut state, &["y", "sheet\u{1b}\u{202e} 3", "tab", "tomorrow", "enter"]);
    assert!(said.is_empty(), "{said:?}");
    assert!(screen(&mut state, SMALL).contains("write the time like"));
    let erase = ["erase"; 8];
    let said = strokes(&mut state, &[&erase[..], &["2020-01-01T00:00:00Z", "enter"]].concat());
    assert!(said.is_empty(), "{said:?}");
    assert!(screen(&mut state, SMALL).contains("lies in the past"));
    let erase = ["erase"; 20];
    let said = strokes(&mut state, &[&erase[..], &["2090-01-01T00:00:00+01:00", "enter"]].concat());
    let [Said::Answer(given)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((&given.check, given.yes, given.evidence.as_str()), (&asked.check, true, "sheet 3"));
    assert_eq!(given.expires, Some("2089-12-31T23:00:00Z".parse().unwrap()));
    assert_eq!(state.phase, super::state::Phase::Going, "nothing of the run is touched");
}

#[test]
fn a_form_never_outlives_the_run_and_a_recording_has_none() {
    let mut state = with_questions();
    state.key(Key::Answer);
    assert!(state.form.is_some());
    strokes(&mut state, &["esc"]);
    assert!(state.form.is_none());
    let mut state = over(End::NoGo);
    state.key(Key::Answer);
    assert!(state.form.is_none() && screen(&mut state, SMALL).contains("golive attest"));
    let mut state = State::new(Charset::Unicode, Watching::Recording);
    fixture::run(End::NoGo).iter().take(20).for_each(|event| state.apply(event));
    state.key(Key::Answer);
    assert!(state.form.is_none());
    let mut state = after(End::NoGo, 12.9, COLOUR);
    state.key(Key::Answer);
    assert!(state.form.is_none() && screen(&mut state, SMALL).contains("asks nothing of people"));
}

#[test]
fn a_report_that_waits_says_so() {
    let mut state = after(End::NoGo, 12.9, COLOUR);
    assert_eq!(state.waiting(Key::Done), None, "nothing waits");
    let check = fixture::id("moderator");
    state.apply(&Event::Asking { at: fixture::start(), checks: vec![check] });
    assert!(screen(&mut state, SMALL).contains("1 question to people is open"));
    assert_eq!(state.waiting(Key::Up), Some(Said::Busy));
    assert_eq!(state.waiting(Key::Done), Some(Said::Done));
}

use std::path::Path;

use super::fixture::{self, End};
use super::recording::Recording;
use super::*;
use crate::model::{Effect, Outcome};

#[test]
fn the_user_s_word_wins_then_the_terminal() {
    for (plain, json, terminal, term, mode) in [
        (false, false, true, Some("xterm-256color"), Mode::Tui),
        (true, false, true, Some("xterm"), Mode::Plain),
        (false, true, true, Some("xterm"), Mode::Json),
        (true, true, true, Some("xterm"), Mode::Json),
        (false, false, false, Some("xterm"), Mode::Plain),
        (false, false, true, Some("dumb"), Mode::Plain),
        (false, false, true, Some(""), Mode::Plain),
        (false, false, true, None, Mode::Plain),
    ] {
        assert_eq!(Mode::choose(plain, json, terminal, term), mode, "{plain} {json} {terminal} {term:?}");
    }
}

/// Written anew by `UPDATE_GOLDEN=1`; the recordings of a made-up run that the tests and
/// `golive replay` show.
#[test]
fn golden_recordings_are_fresh() {
    for (end, name) in [(End::Go, "go"), (End::NoGo, "no-go"), (End::Stopped, "stopped")] {
        let mut lines = JsonLines::new(Vec::new());
        for event in fixture::run(end) {
            lines.event(&event).unwrap();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.jsonl"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, lines.into_inner()).unwrap();
            continue;
        }
        assert_eq!(String::from_utf8(lines.into_inner()).unwrap(), std::fs::read_to_string(&path).unwrap());
    }
}

fn plain(events: &[Event], charset: Charset) -> String {
    let mut plain = Plain::with(Vec::new(), charset);
    for event in events {
        plain.event(event).unwrap();
    }
    String::from_utf8(plain.into_inner()).unwrap()
}

#[test]
fn the_plain_log_says_what_a_person_needs() {
    for (name, end) in [("go", End::Go), ("no_go", End::NoGo), ("inconclusive", End::Stopped)] {
        insta::assert_snapshot!(format!("plain_{name}"), plain(&fixture::run(end), Charset::Unicode));
    }
    assert!(plain(&fixture::run(End::NoGo), Charset::Ascii).is_ascii());
}

#[test]
fn json_lines_read_back_as_the_same_events() {
    let events = fixture::run(End::NoGo);
    let mut lines = JsonLines::new(Vec::new());
    for event in &events {
        lines.event(event).unwrap();
    }
    let read = Recording::read(lines.into_inner().as_slice()).unwrap();
    assert_eq!(read, Recording { events, remarks: Vec::new() });
}

/// ESC, CSI as one character (C1), a right-to-left override and more, in a finding.
fn hostile() -> Vec<Event> {
    let evil = "\u{1b}[31m\u{9b}31m\u{202e}\r\u{7}\u{e0041}end";
    let finding = fixture::finding(evil, Effect::Fail, evil, evil, evil);
    let judged = fixture::judgement("dns.ingest", Outcome::Fail, vec![finding]);
    vec![fixture::started(), Event::Judged { judged }, fixture::run(End::NoGo).pop().unwrap()]
}

#[test]
fn hostile_text_is_inert_in_logs_and_reads_back_unchanged() {
    let events = hostile();
    let log = plain(&events, Charset::Unicode);
    let mut lines = JsonLines::new(Vec::new());
    for event in &events {
        lines.event(event).unwrap();
    }
    let json = String::from_utf8(lines.into_inner()).unwrap();
    for line in log.lines().chain(json.lines()) {
        assert!(matches!(crate::model::text::escape(line), std::borrow::Cow::Borrowed(_)), "{line:?}");
    }
    assert_eq!(Recording::read(json.as_bytes()).unwrap().events, events);
}

#[test]
fn a_torn_a_damaged_and_a_newer_line_are_said_and_left_out() {
    let mut lines = JsonLines::new(Vec::new());
    lines.event(&fixture::started()).unwrap();
    lines.event(&fixture::check_started("dns.ingest", 1.0)).unwrap();
    let mut text = String::from_utf8(lines.into_inner()).unwrap();
    text.push_str(
        "{\"event\":\"tea_break\",\"minutes\":5}\n\n{\"event\":\"judged\"}\nno json\n{\"event\":\"samp",
    );
    let read = Recording::read(text.as_bytes()).unwrap();
    assert_eq!(read.events.len(), 2);
    let [newer, damaged, garbage, torn] = read.remarks.as_slice() else { panic!("{:?}", read.remarks) };
    assert_eq!(newer, "line 3: `tea_break` is an event of another version of golive");
    assert!(damaged.starts_with("line 5: not an event"), "{damaged}");
    assert!(garbage.starts_with("line 6: not an event"), "{garbage}");
    assert!(torn.starts_with("line 7: the last line is torn"), "{torn}");
}

#[test]
fn times_of_a_recording_never_run_backwards() {
    let recording = Recording { events: fixture::run(End::Go), remarks: Vec::new() };
    let times = recording.times();
    assert_eq!(times.len(), recording.events.len());
    assert!(times.is_sorted());
    assert_eq!(times.last(), Some(&29_000.0));
}

//! What stands above everything: the verdict so far, the time to the event, areas and owners.

use super::*;

#[test]
fn the_words_so_far_never_promise_go() {
    for (end, seconds) in [(End::Go, 12.9), (End::NoGo, 12.9), (End::NoGo, 0.02), (End::Go, 28.0)] {
        let mut state = after(end, seconds, COLOUR);
        let shown = screen(&mut state, LARGE);
        let line = shown.lines().nth(2).unwrap();
        assert!(line.contains(" so far ") && line.contains("event in 4 h "), "{line}");
        let words = line.replace("NO-GO", "").replace("CONDITIONAL GO at best", "");
        assert!(!words.contains("GO"), "{line}");
    }
    let mut state = after(End::NoGo, 12.9, COLOUR);
    assert!(screen(&mut state, LARGE).contains("NO-GO as it stands"));
    assert!(screen(&mut after(End::Go, 0.0, COLOUR), LARGE).contains("nothing judged yet"));
}

#[test]
fn the_time_to_the_event_goes_by_the_viewer_s_clock_and_a_recording_s_stands_still() {
    let later = |watching| {
        let mut state = over(End::Go);
        state.watching = watching;
        let before = state.instant().unwrap();
        state.tick(3_600_000.0 * 2.0);
        state.instant().unwrap().duration_since(before).as_secs()
    };
    assert!(later(Watching::Run) > 7000);
    assert_eq!(later(Watching::Recording), 0);
}

#[test]
fn areas_stand_with_their_owners_and_a_narrow_line_counts_what_it_leaves_out() {
    let mut state = after(End::NoGo, 12.9, COLOUR);
    let shown = screen(&mut state, LARGE);
    let line = shown.lines().nth(3).unwrap();
    for words in ["brand: marketing (Tom Lind) 1 of 1 ✓ 1", "network: it (Anna Berg)"] {
        assert!(line.contains(words), "{line}");
    }
    for card in &mut state.story.cards {
        card.owner = format!("an area with a rather long name for {}", card.id);
    }
    let shown = screen(&mut state, LARGE);
    let line = shown.lines().nth(3).unwrap();
    assert!(line.contains("+8 areas") && !line.contains("Anna"), "{line}");
}

#[test]
fn a_wide_screen_has_details_and_charts_side_by_side() {
    for (width, height) in [(200, 60), (320, 90)] {
        let shown = screen(&mut demo(15.0), (width, height));
        assert_snapshot!(format!("demo_running_{width}x{height}"), shown);
        let shown = screen(&mut demo(600.0), (width, height));
        assert_snapshot!(format!("demo_over_{width}x{height}"), shown);
        let title = shown.lines().find(|line| line.contains(" checks: ")).unwrap();
        assert_eq!(title.matches('╭').count(), 3, "{title}");
    }
}

#[test]
fn while_it_runs_upload_and_round_trip_have_the_lines_of_their_limits() {
    let state = demo(17.0);
    let card = state.story.cards.iter().find(|card| card.id == "line.upload").unwrap();
    let lines: Vec<_> = card.traces.iter().map(|trace| (trace.name.as_str(), trace.required)).collect();
    for line in [("upload_kbps", Some(9468.0)), ("rtt_ms", Some(300.0))] {
        assert!(lines.contains(&line), "{lines:?}");
    }
    let shown = screen(&mut demo(17.0), LARGE);
    assert!(shown.contains("9468") && shown.contains("now"), "{shown}");
}

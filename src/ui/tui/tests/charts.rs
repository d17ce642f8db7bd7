//! What charts show of long series, and which comes first.

use super::*;
use crate::probe::Sample;

fn sampled(state: &mut State, series: &str, step: u32, value: f64) {
    let sample = Sample { series: series.to_owned(), offset_ms: f64::from(step) * 100.0, value };
    state.apply(&Event::Sample { check: fixture::id("uplink.primary"), sample });
}

fn measuring() -> State {
    let mut state = State::new(Charset::Unicode, Watching::Run);
    state.apply(&fixture::started());
    state.apply(&fixture::check_started("uplink.primary", 0.0));
    state
}

#[test]
fn an_outage_of_100_ms_in_an_hour_is_a_notch_in_the_chart() {
    for size in [SMALL, LARGE, (320, 90)] {
        let mut state = measuring();
        for step in 0..36_000 {
            sampled(&mut state, "upload_kbps", step, if step == 12_345 { 0.0 } else { 12_000.0 });
        }
        state.tick(3_600_000.0);
        let shown = screen(&mut state, size);
        let notched = shown.lines().find(|line| line.contains('█') && line.contains('░'));
        let line = notched.unwrap_or_else(|| panic!("{shown}"));
        assert_eq!(line.matches('░').count(), 1, "{shown}");
    }
}

#[test]
fn what_the_line_carries_comes_first_then_round_trips_loss_and_what_was_sent_again() {
    let mut state = measuring();
    for step in 0..100 {
        for series in ["resent_packets", "loss_percent", "rtt_ms", "upload_kbps"] {
            sampled(&mut state, series, step, 10.0);
        }
    }
    state.tick(10_000.0);
    for title in ["upload", "round trip", "loss", "resent"] {
        let shown = screen(&mut state, SMALL);
        assert!(shown.contains(&format!(" {title} · now")), "{title}: {shown}");
        state.key(Key::Chart);
    }
}

//! What a run of any length can make the story hold.

use super::card::Card;
use super::trace::{MAX_STRETCHES, MAX_TRACES};
use super::*;
use crate::probe::Sample;
use crate::ui::fixture::{self, End};

/// Everything in it that can grow: series and their stretches, findings, routers, questions.
fn held(story: &Story) -> [usize; 6] {
    let sum = |of: &dyn Fn(&Card) -> usize| story.cards.iter().map(of).sum();
    [
        story.cards.len(),
        sum(&|card| card.traces.len()),
        sum(&|card| card.traces.iter().map(Trace::stretches).sum()),
        sum(&|card| card.findings.len()),
        sum(&|card| card.families.len() + card.trails.len()),
        story.asking.len(),
    ]
}

#[test]
fn a_run_without_an_end_holds_no_more_than_its_bounds() {
    let mut story = Story::new(Charset::Unicode);
    let run = fixture::run(End::NoGo);
    for event in &run {
        story.apply(event);
    }
    let [cards, ..] = held(&story);
    let ids: Vec<CheckId> = story.cards.iter().map(|card| fixture::id(&card.id)).collect();
    let asking =
        Event::Asking { at: fixture::start(), checks: ids.iter().cycle().take(5000).cloned().collect() };
    let mut after_a_round = None;
    for round in 0..2 {
        for event in run.iter().skip(1) {
            story.apply(event);
        }
        for (place, check) in ids.iter().enumerate() {
            story.apply(&Event::CheckStarted { check: check.clone(), offset_ms: 0.0 });
            for step in 0..(12 * 2 * MAX_STRETCHES) {
                let (series, offset_ms) =
                    (format!("series_{}", step % 12), f64::from(u32::try_from(step).unwrap()));
                let sample = Sample { series, offset_ms, value: f64::from(u32::try_from(place).unwrap()) };
                story.apply(&Event::Sample { check: check.clone(), sample });
            }
        }
        story.apply(&asking);
        let now = held(&story);
        assert_eq!(now[1], cards * MAX_TRACES, "four of twelve series are not drawn");
        assert!(now[2] <= cards * MAX_TRACES * MAX_STRETCHES && now[5] == cards, "round {round}: {now:?}");
        assert_eq!(*after_a_round.get_or_insert(now), now, "round {round}");
    }
}

#[test]
fn each_check_has_its_own_card_and_a_stranger_none() {
    let story = Story::new(Charset::Unicode);
    assert!(story.card(&fixture::id("uplink.primary")).is_none());
    let mut story = Story::new(Charset::Unicode);
    for event in fixture::run(End::Go) {
        story.apply(&event);
    }
    for card in &story.cards {
        assert_eq!(story.card(&fixture::id(&card.id)).map(|found| &found.id), Some(&card.id));
    }
    assert!(story.card(&fixture::id("nobody")).is_none());
    let mut twice = fixture::started();
    let Event::RunStarted(started) = &mut twice else { unreachable!() };
    started.checks.extend(started.checks.clone());
    story.apply(&twice);
    story.apply(&fixture::check_started("dns.ingest", 0.0));
    let running = story.cards.iter().position(|card| matches!(card.stage, Stage::Running { .. }));
    assert_eq!(running, story.cards.iter().position(|card| card.id == "dns.ingest"), "the first is meant");
}

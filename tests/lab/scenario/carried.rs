//! The truth of a scenario: a real stream through the same network, beside golive's verdict.

use serde_json::Value;

use super::format::Scenario;
use super::lanes::{SIDE_BY_SIDE, lane};
use super::run::World;
use crate::truth::stand::late;
use crate::truth::table::{Row, Said};
use crate::truth::{Outcome, Receiver, Stream, Survival, carry, side_by_side};
use crate::venue::name;

/// Seconds of stream in the short form of the table.
pub const SHORT_S: u32 = 20;

/// Times that a stream is sent again after the rig failed it.
const AGAIN: usize = 2;

/// Runs golive and then each stream in every scenario that has streams; tells each row as it comes.
/// `seconds` shortens the streams.
pub fn carry_all(scenarios: &[Scenario], seconds: Option<u32>, told: impl Fn(&Row) + Sync) -> Vec<Row> {
    let told = &told;
    let job = |scenario| move || carried(scenario, seconds, told);
    let jobs = scenarios
        .iter()
        .filter(|scenario| !scenario.truth.is_empty())
        .map(|scenario| Box::new(job(scenario)) as Box<dyn FnOnce() -> Vec<Row> + Send + '_>);
    side_by_side(jobs.collect(), SIDE_BY_SIDE).into_iter().flatten().collect()
}

/// The rows of one scenario.
pub fn carried(scenario: &Scenario, seconds: Option<u32>, told: &(impl Fn(&Row) + Sync)) -> Vec<Row> {
    // A stream in real time minds what else this machine does, as a measurement does.
    let _lane = lane(true);
    let (said, because) = verdict(scenario);
    let short = |stream: &Stream| Stream {
        seconds: seconds.map_or(stream.seconds, |most| stream.seconds.min(most)),
        ..stream.clone()
    };
    let carried = scenario.truth.iter().map(|stream| {
        let truth = survival(scenario, &short(stream));
        let row = Row { scenario: scenario.name.clone(), truth, said, because: because.clone() };
        told(&row);
        row
    });
    carried.collect()
}

/// golive's verdict, and the check that decided it.
fn verdict(scenario: &Scenario) -> (Said, String) {
    for _ in 0..=AGAIN {
        let world = World::build(scenario);
        let Ok(report) = world.check(scenario) else { continue };
        if world.slow().is_none() {
            return read(&report);
        }
    }
    (Said::Inconclusive, "the rig was too slow".to_owned())
}

fn read(report: &Value) -> (Said, String) {
    let code = report["verdict"]["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
    let because = report["verdict"]["reasons"][0]["check"].as_str().unwrap_or_default();
    (code.and_then(Said::of_exit).unwrap_or(Said::Inconclusive), because.to_owned())
}

/// What becomes of the stream in a world that nothing else has used.
fn survival(scenario: &Scenario, stream: &Stream) -> Survival {
    let mut truth = Survival::invalid(stream, "never sent");
    for _ in 0..=AGAIN {
        let mut world = World::build(scenario);
        // The stream goes to the ports that golive asked about.
        world.venue.stop_platform();
        let receiver = Receiver::start(&world.venue.platform, 1935, 9000);
        world.venue.restart_lines();
        truth = carry(&world.venue.laptop, &receiver, name::PLATFORM, stream);
        truth = truth.spoilt(late(&world.venue.uplink));
        if truth.outcome != Outcome::Invalid {
            return truth;
        }
    }
    truth
}

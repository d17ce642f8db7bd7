//! The truth of a scenario: a real stream through the same network, beside golive's verdict.

use serde_json::Value;

use super::format::{Run, Scenario};
use super::lanes::{SIDE_BY_SIDE, lane};
use super::run::World;
use crate::truth::baseline::{arrived, mean, wizard};
use crate::truth::stand::late;
use crate::truth::table::{Row, Said, Simpler};
use crate::truth::{Outcome, Receiver, Stream, Survival, carry, side_by_side};
use crate::venue::name;

/// Seconds of stream in the short form of the table.
pub const SHORT_S: u32 = 20;

/// Seconds of a speed test: ten, and what OBS's wizard lets pass before.
const SPEED_TEST_S: u32 = 13;

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
    let report = report(scenario);
    // The short form has no time for it.
    let speed = if seconds.is_none() { speed_test(scenario) } else { None };
    let short = |stream: &Stream| Stream {
        seconds: seconds.map_or(stream.seconds, |most| stream.seconds.min(most)),
        ..stream.clone()
    };
    let carried = scenario.truth.iter().map(|stream| {
        let truth = survival(scenario, &short(stream));
        let simpler =
            speed.as_ref().map(|slots| Simpler { mean: mean(slots, stream), wizard: wizard(slots, stream) });
        let (said, because) = report.as_ref().map_or_else(
            || (Said::Inconclusive, "the rig was too slow".to_owned()),
            |report| stream.check.as_ref().map_or_else(|| verdict(report), |check| answer(report, check)),
        );
        let row = Row { scenario: scenario.name.clone(), truth, said, because, simpler };
        told(&row);
        row
    });
    carried.collect()
}

/// golive's report; none when the rig was too slow.
fn report(scenario: &Scenario) -> Option<Value> {
    for _ in 0..=AGAIN {
        let world = World::build(scenario);
        let Ok(report) = world.check(scenario) else { continue };
        if world.slow().is_none() {
            return Some(report);
        }
    }
    None
}

/// What a test of [`SPEED_TEST_S`] to the cloud sees arrive in the same network, slot by slot; nothing where it could
/// not be made, none when the rig failed.
fn speed_test(scenario: &Scenario) -> Option<Vec<u64>> {
    let asked = format!(
        "[[check.upload]]\n\
         id = 'line.speed'\n\
         target = {{ far_end = 'cloud', seconds = {SPEED_TEST_S}, at_most_kbps = 20000 }}\n\
         limits = {{ stall_ms = 60000 }}\n"
    );
    let asks = Scenario {
        ask: Vec::new(),
        policy: toml::from_str(&asked).expect("a policy's table"),
        answer: Vec::new(),
        run: Run {
            freeze: None,
            stop_after_s: None,
            judged_after_h: None,
            at_most_s: 120,
            ..scenario.run.clone()
        },
        ..scenario.clone()
    };
    for _ in 0..=AGAIN {
        let world = World::build(&asks);
        world.venue.restart_lines();
        match world.check(&asks) {
            Ok(report) if world.slow().is_none() => return Some(arrived(&report)),
            Ok(_) => {}
            Err(said) => eprintln!("{}: {said}", scenario.name),
        }
    }
    None
}

/// The verdict, and the check that decided it.
fn verdict(report: &Value) -> (Said, String) {
    let code = report["verdict"]["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
    let because = report["verdict"]["reasons"][0]["check"].as_str().unwrap_or_default();
    (code.and_then(Said::of_exit).unwrap_or(Said::Inconclusive), because.to_owned())
}

/// What this check alone says.
fn answer(report: &Value, id: &str) -> (Said, String) {
    let mut checks = report["checks"].as_array().into_iter().flatten();
    let check = checks.find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id} was asked"));
    let said = match check["outcome"].as_str() {
        Some("pass") => Said::Go,
        Some("warn") => Said::ConditionalGo,
        Some("fail") => Said::NoGo,
        _ => Said::Inconclusive,
    };
    (said, id.to_owned())
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

//! Every network of `tests/lab/scenarios/` as a test of its own: what golive must find there.
//!
//! `cargo test --test scenarios -- NAME` runs some of them. The same by hand, with a table:
//! `cargo run --example lab -- scenarios`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::format_collect,
    dead_code,
    unused_imports,
    reason = "tests: a panic is the report, and not every program uses every part of the lab"
)]

mod ground;
mod middlebox;
mod scenario;
mod truth;
mod venue;
mod wan;

use std::process::ExitCode;
use std::sync::RwLock;

use libtest_mimic::{Arguments, Failed, Trial};
use scenario::{Scenario, all, golive, run, without_scenario};

fn main() -> ExitCode {
    if let Some(code) = golive::as_golive() {
        return code;
    }
    let arguments = Arguments { test_threads: Some(threads()), ..Arguments::from_args() };
    let mut trials: Vec<Trial> = Vec::new();
    let mut read: Vec<Scenario> = Vec::new();
    for scenario in all() {
        match scenario {
            Ok(scenario) => {
                read.push(scenario.clone());
                trials.push(trial(scenario));
            }
            Err(error) => {
                let name = format!("unreadable {}", error.lines().next().unwrap_or_default());
                trials.push(Trial::test(name, move || Err(Failed::from(error))));
            }
        }
    }
    trials.push(Trial::test("every finding code has a scenario", move || {
        let missing = without_scenario(&read);
        if missing.is_empty() { Ok(()) } else { Err(format!("no scenario expects {missing:?}").into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Scenarios side by side: they mostly wait for what does not come.
fn threads() -> usize {
    6
}

fn trial(scenario: Scenario) -> Trial {
    // Who measures the line holds this alone; all others share it.
    static LINE: RwLock<()> = RwLock::new(());
    Trial::test(scenario.name.clone(), move || {
        let outcome = if scenario.is_alone() {
            let _alone = LINE.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            run(&scenario)
        } else {
            let _beside = LINE.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            run(&scenario)
        };
        if outcome.differences.is_empty() { Ok(()) } else { Err(outcome.differences.join("\n").into()) }
    })
}

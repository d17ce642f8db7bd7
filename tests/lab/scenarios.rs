//! Every network of `tests/lab/scenarios/` as a test of its own: what golive must find there.
//!
//! `cargo test --test scenarios -- NAME` runs some of them. The same by hand, with a table:
//! `cargo run --example lab -- scenarios`, or here: with `GOLIVE_TABLES=FOLDER` the table is written there.
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

mod change;
mod ground;
mod middlebox;
mod scenario;
mod truth;
mod venue;
mod wan;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use libtest_mimic::{Arguments, Failed, Trial};
use scenario::{
    Outcome, SHORT_S, SIDE_BY_SIDE, Scenario, all, carried, golive, run, table, without_scenario,
};
use truth::table::{Agreement, Row, plain_row};

fn main() -> ExitCode {
    if let Some(code) = golive::as_golive() {
        return code;
    }
    let arguments = Arguments { test_threads: Some(SIDE_BY_SIDE), ..Arguments::from_args() };
    let mut trials: Vec<Trial> = Vec::new();
    let mut read: Vec<Scenario> = Vec::new();
    // First those that measure, then those that only ask: neither waits for the other kind to end.
    let mut found = all();
    found.sort_by_key(|scenario| scenario.as_ref().is_ok_and(|scenario| !scenario.is_alone()));
    for scenario in found {
        match scenario {
            Ok(scenario) => {
                read.push(scenario.clone());
                if scenario.run.short_truth {
                    trials.push(truth(scenario.clone()));
                }
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
    trials.extend(change::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(folder) = std::env::var_os("GOLIVE_TABLES") {
        let mut results = RESULTS.lock().unwrap();
        results.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        std::fs::write(PathBuf::from(folder).join("scenarios.md"), table::markdown(&results)).unwrap();
    }
    conclusion.exit_code()
}

/// What came of each network so far.
static RESULTS: Mutex<Vec<(Scenario, Outcome)>> = Mutex::new(Vec::new());

/// What golive must find.
fn trial(scenario: Scenario) -> Trial {
    Trial::test(scenario.name.clone(), move || {
        let outcome = run(&scenario);
        let differences = outcome.differences.join("\n");
        RESULTS.lock().unwrap().push((scenario, outcome));
        if differences.is_empty() { Ok(()) } else { Err(differences.into()) }
    })
}

/// What becomes of a real stream: the short form of `tests/networks truth`.
fn truth(scenario: Scenario) -> Trial {
    Trial::test(format!("truth {}", scenario.name), move || {
        let rows = carried(&scenario, Some(SHORT_S), &|_| ());
        let wrong = |row: &&Row| matches!(row.agreement(), Agreement::FalseGo | Agreement::NoTruth);
        let wrong: String = rows.iter().filter(wrong).map(plain_row).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
    })
}

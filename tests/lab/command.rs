//! The lab by hand: `cargo run --example lab -- scenarios`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::format_collect,
    dead_code,
    unused_imports,
    reason = "a program of the tests: a panic is the report, and it uses not every part of the lab"
)]

mod ground;
mod middlebox;
mod scenario;
mod truth;
mod venue;
mod wan;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use scenario::{Scenario, all, golive, run_all, table, without_scenario};

/// Networks that lie, break and throttle: what golive finds on them.
#[derive(Debug, Parser)]
#[command(name = "lab")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the networks.
    List,
    /// Build each network, run golive in it and compare with what it must find.
    Scenarios {
        /// Only those with one of these words in their name.
        names: Vec<String>,
        /// Write the table to reports/lab/scenarios.md (all scenarios only).
        #[arg(long, conflicts_with = "names")]
        write: bool,
        /// Say all that golive said.
        #[arg(long)]
        verbose: bool,
    },
}

fn main() -> ExitCode {
    if let Some(code) = golive::as_golive() {
        return code;
    }
    match Cli::parse().command {
        Command::List => list(),
        Command::Scenarios { names, write, verbose } => scenarios(&names, write, verbose),
    }
}

fn read() -> Result<Vec<Scenario>, ExitCode> {
    let (mut good, mut bad) = (Vec::new(), 0);
    for scenario in all() {
        match scenario {
            Ok(scenario) => good.push(scenario),
            Err(error) => {
                eprintln!("{error}");
                bad += 1;
            }
        }
    }
    if bad == 0 { Ok(good) } else { Err(ExitCode::FAILURE) }
}

fn list() -> ExitCode {
    let scenarios = match read() {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    for scenario in &scenarios {
        println!("{:<34} {:<14} {}", scenario.name, scenario.expect.verdict, scenario.network);
    }
    let missing = without_scenario(&scenarios);
    println!("\n{} networks; finding codes without a network: {}", scenarios.len(), missing.len());
    for code in missing {
        println!("  {code}");
    }
    ExitCode::SUCCESS
}

fn scenarios(names: &[String], write: bool, verbose: bool) -> ExitCode {
    let mut scenarios = match read() {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    scenarios.retain(|scenario| names.is_empty() || names.iter().any(|name| scenario.name.contains(name)));
    let results = run_all(scenarios, |scenario, outcome| {
        println!("{}", table::line(scenario, outcome));
        if verbose {
            println!("{}\n{:#?}", outcome.log, outcome.seen.findings);
        }
    });
    let differing = results.iter().filter(|(_, outcome)| !outcome.differences.is_empty()).count();
    let (false_go, false_no_go) = table::false_verdicts(&results);
    println!(
        "\n{} networks, {differing} differ; false GO: {false_go}, false NO-GO: {false_no_go}",
        results.len()
    );
    if write {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/lab/scenarios.md");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, table::markdown(&results)).unwrap();
        println!("written to {}", file.display());
    }
    if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

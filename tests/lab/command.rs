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
mod recorded;
mod sample;
mod scenario;
mod truth;
mod venue;
mod wan;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use scenario::{SHORT_S, Scenario, all, carry_all, golive, run_all, table, without_scenario};
use truth::table::{Counts, markdown, plain_row, summary};

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
    /// Send real streams through the networks and hold golive's verdict against what became of them.
    Truth {
        /// Only those with one of these words in their name.
        names: Vec<String>,
        /// The short form: some networks, and at most 20 s of stream.
        #[arg(long)]
        short: bool,
        /// Write the table to reports/lab/truth.md (the long form, all networks).
        #[arg(long, conflicts_with_all = ["names", "short"])]
        write: bool,
    },
    /// Let golive look at parts of recorded uplinks, and send real streams over the next and the
    /// same parts. The recordings are in the folder that `GOLIVE_TRACES` names.
    Recorded {
        /// Only those with one of these words in their name.
        names: Vec<String>,
        /// Seconds that golive looks.
        #[arg(long, default_value_t = 60)]
        look: u32,
        /// Seconds that each stream runs.
        #[arg(long, default_value_t = 60)]
        stream: u32,
        /// Parts of each recording, where it is long enough.
        #[arg(long, default_value_t = 3)]
        parts: u32,
        /// Rows at once.
        #[arg(long, default_value_t = 3)]
        at_once: usize,
        /// Only so many rows, taken evenly from all.
        #[arg(long)]
        rows: Option<usize>,
        /// Write the table to reports/lab/recorded.md.
        #[arg(long)]
        write: bool,
    },
    /// Make the signed sample reports anew, in reports/samples/signed: run golive on each sample's
    /// network and sign what it reports.
    Samples {
        /// Only those of this name.
        names: Vec<String>,
    },
    /// Ask the same by arithmetic on every part of the recordings: thresholds chosen on some places and
    /// scored on the others.
    Study {
        /// Write it to reports/lab/study.md.
        #[arg(long)]
        write: bool,
    },
}

fn main() -> ExitCode {
    if let Some(code) = golive::as_golive() {
        return code;
    }
    match Cli::parse().command {
        Command::List => list(),
        Command::Scenarios { names, write, verbose } => scenarios(&names, write, verbose),
        Command::Truth { names, short, write } => truth(&names, short, write),
        Command::Recorded { names, look, stream, parts, at_once, rows, write } => {
            let form = recorded::Form { look_s: look.max(15), stream_s: stream, at_once, parts };
            recorded(&names, form, rows, write)
        }
        Command::Samples { names } => samples(&names),
        Command::Study { write } => study(write),
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
    let scenarios = match named(names) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    let results = run_all(scenarios, |scenario, outcome| {
        println!("{}", table::line(scenario, outcome));
        if verbose {
            println!("{}\n{:#?}", outcome.log, outcome.seen.findings);
        }
    });
    let differing = results.iter().filter(|(_, outcome)| !outcome.differences.is_empty()).count();
    let (false_go, false_no_go) = table::false_verdicts(&results);
    let (clean, accused) = table::clean(&results);
    println!(
        "\n{} networks, {differing} differ; false GO: {false_go}, false NO-GO: {false_no_go}; clean: {clean}, of them accused: {accused}",
        results.len()
    );
    if write {
        keep("scenarios.md", &table::markdown(&results));
    }
    if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The scenarios whose name holds one of these words; all without words.
fn named(names: &[String]) -> Result<Vec<Scenario>, ExitCode> {
    let mut scenarios = read()?;
    scenarios.retain(|scenario| names.is_empty() || names.iter().any(|name| scenario.name.contains(name)));
    Ok(scenarios)
}

fn truth(names: &[String], short: bool, write: bool) -> ExitCode {
    let mut scenarios = match named(names) {
        Ok(scenarios) => scenarios,
        Err(code) => return code,
    };
    scenarios.retain(|scenario| !short || scenario.run.short_truth);
    let rows = carry_all(&scenarios, short.then_some(SHORT_S), |row| print!("{}", plain_row(row)));
    let counts = Counts::of(rows.iter().map(|row| (&row.truth, row.said)));
    println!("\n{}", summary(&rows));
    if write {
        keep("truth.md", &(TRUTH_HEAD.to_owned() + &markdown(&rows)));
    }
    if counts.false_go + counts.no_truth == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn recorded(names: &[String], form: recorded::Form, rows: Option<usize>, write: bool) -> ExitCode {
    let cases = match recorded::cases(form, names) {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let wanted = rows.unwrap_or(cases.len()).clamp(1, cases.len().max(1));
    let cases: Vec<_> =
        (0..wanted).filter_map(|row| cases.get(row * cases.len() / wanted)).cloned().collect();
    let rows = recorded::run(&cases, form, |row| println!("{}", recorded::line(row)));
    println!("\n{}", recorded::summary(&rows));
    if write {
        keep("recorded.md", &(RECORDED_HEAD.to_owned() + &recorded::markdown(&rows, form)));
    }
    ExitCode::SUCCESS
}

fn samples(names: &[String]) -> ExitCode {
    match sample::make(names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn study(write: bool) -> ExitCode {
    match recorded::study() {
        Ok(text) => {
            println!("{text}");
            if write {
                keep("study.md", &(STUDY_HEAD.to_owned() + text.trim_end() + "\n"));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

const STUDY_HEAD: &str = "# Thresholds: chosen on some places, scored on others\n\n\
    Written by `tests/networks study --write`; do not edit.\n\n";

const RECORDED_HEAD: &str = "# Recorded uplinks: what golive said, and what became of real streams\n\n\
    Written by `tests/networks recorded --write`; do not edit.\n\n";

const TRUTH_HEAD: &str = "# What becomes of real streams, and what golive said before\n\n\
    Written by `tests/networks truth --write`; do not edit. The last two columns are what a speed test of ten\n\
    seconds to the same cloud says (GO where it could reach it and was fast enough), by its mean and by OBS's\n\
    wizard's rule.\n\n";

/// Writes a table into reports/lab/.
fn keep(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/lab").join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    println!("written to {}", file.display());
}

//! What drawing costs: the same upload as fast as it goes, with the terminal UI and without.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Effort;
use crate::far_end::{GOLIVE, Process};
use crate::ground::peer::need;
use crate::page::{Section, median};
use crate::processor;

/// How a run is watched.
#[derive(Debug, Clone, Copy)]
enum Watched {
    Screen,
    Lines,
}

/// Gb/s that arrived, seconds of processor time of the checking side for each.
type Run = (f64, f64);

pub fn compare(effort: Effort) -> Section {
    let far_end = Process::start();
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, self::policy(&far_end, effort.seconds)).unwrap();
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        for (watched, runs) in [(Watched::Screen, &mut on), (Watched::Lines, &mut off)] {
            let out = folder.path().join(format!("{round}-{watched:?}"));
            runs.push(check(&far_end, &policy, &out, watched));
        }
        eprintln!("  {:?} {:?}", on.last().unwrap(), off.last().unwrap());
    }
    let rate = |runs: &[Run]| median(runs.iter().map(|run| run.0).collect());
    let cost = |runs: &[Run]| median(runs.iter().map(|run| run.1).collect());
    let row = |what: &str, on: f64, off: f64, digits: usize| {
        vec![what.to_owned(), format!("{on:.digits$}"), format!("{off:.digits$}"), format!("{:.2}", on / off)]
    };
    Section {
        title: "The terminal UI on and off".to_owned(),
        how: "`golive check` of one upload over loopback as fast as it goes, on a terminal of 120 × 40 and with \
              `--plain`."
            .to_owned(),
        head: vec!["", "UI on", "UI off", "ratio"],
        rows: vec![
            row("received, Gb/s", rate(&on), rate(&off), 2),
            row("processor of the checking side, s per Gb", cost(&on), cost(&off), 4),
        ],
    }
}

fn policy(far_end: &Process, seconds: u32) -> String {
    let table = far_end.table();
    format!(
        r#"schema = "golive-policy/1"
[event]
title = "Bench"
[people.it]
name = "A. Person"
[accountable]
network = "it"
brand = "it"
production = "it"
{table}
[[check.upload]]
id = "line"
target = {{ far_end = "cloud", seconds = {seconds}, at_most_kbps = 40000000 }}
limits = {{ rate_kbps = 1000, stall_ms = 5000 }}
enforcement = "hard"
owner = "network"
why = "the bench asks"
"#
    )
}

/// Waits for the report, and leaves the screen then.
fn leave(mut run: Child, report: &Path) {
    let patience = Instant::now() + Duration::from_mins(1);
    while run.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(200));
        if report.exists() {
            let _ = run.stdin.as_ref().map(|mut keys| keys.write_all(b"q"));
        }
        if Instant::now() > patience {
            let _ = run.kill();
        }
    }
}

fn check(far_end: &Process, policy: &Path, out: &Path, watched: Watched) -> Run {
    let golive = format!("{GOLIVE} check {} --out {}", policy.display(), out.display());
    let mut command = match watched {
        Watched::Screen => {
            let mut script = Command::new(need("script", "bsdutils"));
            let inside = format!("stty rows 40 cols 120; {golive}");
            script.args(["--quiet", "--return", "--command", &inside, "/dev/null"]);
            script.env("TERM", "xterm-256color");
            script
        }
        Watched::Lines => {
            let mut plain = Command::new("sh");
            plain.args(["-c", &format!("{golive} --plain")]);
            plain
        }
    };
    command.env("GOLIVE_TOKEN", far_end.token()).stdin(Stdio::piped()).stdout(Stdio::null());
    let before = processor::ended_children();
    leave(command.spawn().unwrap(), &out.join("report.json"));
    let cost = processor::ended_children() - before;
    let report = std::fs::read(out.join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let slots = report.pointer("/checks/0/reading/upload/arrived_bytes").and_then(Value::as_array).unwrap();
    let gigabits: f64 = slots.iter().filter_map(Value::as_f64).sum::<f64>() * 8.0 / 1e9;
    (gigabits / (slots.len() as f64 / 10.0), cost / gigabits)
}

//! `golive replay`: a recorded run, shown by the same readers as a live one.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{exit, session};
use crate::run::{Event, journal};
use crate::ui::recording::Recording;
use crate::ui::tui::state::Watching;
use crate::ui::tui::terminal::{self, Options};
use crate::ui::{JsonLines, Mode, Plain};

/// Show a recorded run again, as it was seen.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's folder, or its journal.
    run: PathBuf,
    /// How many times as fast as it was, on the terminal UI; --plain and --json take no time.
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    #[command(flatten)]
    show: session::Show,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 10000".to_owned()),
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let recording = read(&args.run)?;
    let mode = args.show.mode();
    match mode {
        Mode::Tui => session::runtime()?.block_on(watch(&recording, args.speed))?,
        Mode::Plain => show(Plain::new(io::stdout()), &recording.events)?,
        Mode::Json => show(JsonLines::new(io::stdout()), &recording.events)?,
    }
    let mut stderr = io::stderr().lock();
    for remark in &recording.remarks {
        let _ = writeln!(stderr, "golive: {remark}; left out");
    }
    Ok(ExitCode::SUCCESS)
}

fn read(run: &Path) -> anyhow::Result<Recording> {
    let path = if run.is_dir() { run.join(journal::FILE) } else { run.to_owned() };
    let unreadable = |error: io::Error| {
        let hint = "name a run's folder or its journal";
        exit::Failure::new(exit::DATA, format!("cannot read {}: {error}; {hint}", path.display()))
    };
    let file = File::open(&path).map_err(unreadable)?;
    let recording = Recording::read(BufReader::new(file)).map_err(unreadable)?;
    if recording.events.is_empty() {
        let message = format!("{} holds no event of a run", path.display());
        return Err(exit::Failure::new(exit::DATA, message).into());
    }
    Ok(recording)
}

fn show(mut reader: impl crate::ui::Reader, events: &[Event]) -> io::Result<()> {
    events.iter().try_for_each(|event| reader.event(event))
}

async fn watch(recording: &Recording, speed: f64) -> anyhow::Result<()> {
    let (out, events) = unbounded_channel();
    let stop = CancellationToken::new();
    let options = Options { speed, ..Options::from_env(Watching::Recording) };
    let shown = terminal::watch(events, stop, None, options);
    tokio::pin!(shown);
    tokio::select! {
        left = &mut shown => return left.context("the terminal UI failed"),
        () = play(recording, speed, out) => {}
    }
    shown.await.context("the terminal UI failed")
}

/// Sends each event when its time has come; returns early when nobody watches any more.
async fn play(recording: &Recording, speed: f64, out: UnboundedSender<Event>) {
    let origin = Instant::now();
    for (event, ms) in recording.events.iter().zip(recording.times()) {
        let due = Duration::try_from_secs_f64(ms / 1000.0 / speed).unwrap_or(Duration::MAX);
        if let Some(at) = origin.checked_add(due) {
            tokio::time::sleep_until(at).await;
        }
        if out.send(event.clone()).is_err() {
            return;
        }
    }
}

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
use crate::run::earlier::Earlier;
use crate::run::{Event, journal};
use crate::ui::recording::Recording;
use crate::ui::tui::picture::{self, Picture};
use crate::ui::tui::state::Watching;
use crate::ui::tui::terminal::{self, Beside, Options};
use crate::ui::tui::theme::Palette;
use crate::ui::{JsonLines, Mode, Plain};

/// Show a recorded run again, as it was seen.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's folder, or its journal.
    run: PathBuf,
    /// How many times as fast as it was, on the terminal UI; --plain and --json take no time.
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Draw the screen as an SVG picture into this file, instead of showing the run.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plain", "json"])]
    picture: Option<PathBuf>,
    /// The picture's moment, in seconds since the run began; its end, when absent.
    #[arg(long, value_name = "SECONDS", requires = "picture", value_parser = moment)]
    at: Option<f64>,
    /// Columns and rows of the picture, from 72x20 to 400x200.
    #[arg(long, value_name = "COLUMNSxROWS", requires = "picture", default_value = "110x32", value_parser = size)]
    size: (u16, u16),
    #[command(flatten)]
    show: session::Show,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 10000".to_owned()),
    }
}

fn moment(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=1e7).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds".to_owned()),
    }
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let size = text.split_once('x').and_then(|(columns, rows)| columns.parse().ok().zip(rows.parse().ok()));
    size.filter(|(columns, rows)| (72..=400).contains(columns) && (20..=200).contains(rows))
        .ok_or_else(|| "columns and rows, such as 110x32".to_owned())
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let recording = read(&args.run)?;
    if let Some(file) = &args.picture {
        // the same picture everywhere: only the command's own words count
        let palette = args.show.theme().unwrap_or(Palette::Dark);
        let svg = picture::svg(&recording, Picture { size: args.size, at_s: args.at, palette });
        crate::report::write_whole(file, svg.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mode = args.show.mode();
    match mode {
        Mode::Tui => session::runtime()?.block_on(watch(&recording, args))?,
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

async fn watch(recording: &Recording, args: &Args) -> anyhow::Result<()> {
    let speed = args.speed;
    let (out, events) = unbounded_channel();
    let stop = CancellationToken::new();
    let options = Options { speed, ..args.show.options(Watching::Recording)? };
    let earlier = if args.run.is_dir() { session::recorded(&args.run) } else { Earlier::default() };
    let shown = terminal::run(events, stop, Beside { earlier, ..Beside::default() }, options);
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

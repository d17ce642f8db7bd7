//! One run with its reader: shared by `check`, `demo` and `resume`.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::again::{self, Prepared};
use super::clerk::{OfRun, Wish};
use super::exit;
use crate::run::earlier::{self, Earlier};
use crate::run::people::People;
use crate::run::{self, Event, Finished, Job, RunError, Stop};
use crate::ui::tui::state::Watching;
use crate::ui::tui::terminal::{self, Beside, Options};
use crate::ui::tui::theme::Palette;
use crate::ui::{self, Mode};

/// How to show a run.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Show {
    /// One line after another, for logs and screen readers (by itself when stdout is no terminal).
    #[arg(long)]
    plain: bool,
    /// The event stream as JSON lines.
    #[arg(long, conflicts_with = "plain")]
    json: bool,
    /// Colours of the terminal UI: dark, light, high-contrast or mono; by default what
    /// `GOLIVE_THEME` names, none where `NO_COLOR` is set, else dark.
    #[arg(long, value_name = "THEME", value_parser = themes())]
    theme: Option<Palette>,
    /// Leave the mouse to the terminal, which selects text with it; so does `GOLIVE_NO_MOUSE`.
    #[arg(long)]
    no_mouse: bool,
}

fn themes() -> impl TypedValueParser<Value = Palette> {
    PossibleValuesParser::new(Palette::ALL.map(|(name, _)| name)).try_map(|name| Palette::named(&name))
}

impl Show {
    /// How the terminal UI looks.
    pub(super) fn options(self, watching: Watching) -> anyhow::Result<Options> {
        let options = Options::from_env(watching, self.theme);
        let options = options.map_err(|error| exit::Failure::new(exit::USAGE, error))?;
        Ok(Options { mouse: options.mouse && !self.no_mouse, ..options })
    }

    /// The theme that was asked for in the command itself.
    pub(super) const fn theme(self) -> Option<Palette> {
        self.theme
    }

    pub(super) fn mode(self) -> Mode {
        let term = std::env::var("TERM").ok();
        Mode::choose(self.plain, self.json, io::stdout().is_terminal(), term.as_deref())
    }
}

/// Folder of a run: the one asked for, else `reports/TIME`.
pub(super) fn folder(asked: Option<&Path>) -> PathBuf {
    asked.map_or_else(
        || Path::new("reports").join(run::opening::run_id(crate::net::clock::now())),
        Path::to_owned,
    )
}

/// Whether a run starts or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Start,
    Journal,
}

/// What the screen has beside the run's events, and where it leaves the wish to measure again.
fn beside(job: &mut Job, from: From) -> (Beside, Wish) {
    let (desk, people) = People::at_a_desk();
    job.people = people;
    let wish = Wish::default();
    let clerk = OfRun {
        folder: job.folder.clone(),
        policy_source: job.policy_source.clone(),
        policy: job.policy.clone(),
        again: wish.clone(),
    };
    let earlier = match from {
        From::Start => earlier::read(&job.folder, &job.policy, None),
        From::Journal => recorded(&job.folder),
    };
    (Beside { desk: Some(desk), clerk: Some(Box::new(clerk)), earlier }, wish)
}

/// Runs before the one that is recorded in a folder.
pub(super) fn recorded(folder: &Path) -> Earlier {
    let events = run::Recorded::read(folder).map(|recorded| recorded.events).unwrap_or_default();
    match events.first() {
        Some(Event::RunStarted(started)) => earlier::read(folder, &started.policy, Some(&started.run)),
        _ => Earlier::default(),
    }
}

/// How it ended, all told.
#[derive(Debug)]
pub(super) struct Done {
    /// The exit code of the last run.
    pub code: ExitCode,
    /// Its folder.
    pub folder: PathBuf,
}

/// Carries a job out while one of the readers shows it; then whatever the person at the screen wants
/// measured again, each a run of its own.
pub(super) async fn carry_out(mut job: Job, mut from: From, show: Show) -> anyhow::Result<Done> {
    let (source, answers_source) = (job.policy_source.clone(), job.answers_source.clone());
    let answers = job.answers.clone();
    loop {
        let folder = job.folder.clone();
        // a run's future is large: kept on the heap
        let (code, wanted) = Box::pin(once(job, from, show)).await?;
        let Some(Prepared { policy, carried, folder }) = wanted else { return Ok(Done { code, folder }) };
        job = Job {
            policy,
            policy_source: source.clone(),
            carried: Some(Box::new(carried)),
            answers: answers.clone(),
            answers_source: answers_source.clone(),
            folder,
            people: People::default(),
            stop: Stop::default(),
        };
        from = From::Start;
    }
}

/// One run; and the next one, if the person at the screen wants one.
async fn once(mut job: Job, from: From, show: Show) -> anyhow::Result<(ExitCode, Option<Prepared>)> {
    let mode = show.mode();
    let options = (mode == Mode::Tui).then(|| show.options(Watching::Run)).transpose()?;
    let stop = job.stop.clone();
    let (out, events) = unbounded_channel();
    let signals = tokio::spawn(signals(stop.clone()));
    let (beside, wish) = if mode == Mode::Tui { beside(&mut job, from) } else { Default::default() };
    let reader = tokio::spawn(read(mode, options, events, stop, beside));
    let done = match from {
        From::Start => run::run(job, out).await,
        From::Journal => run::dispatcher::resume(job, out).await,
    };
    let shown = reader.await;
    signals.abort();
    let Finished { verdict, interrupted } = done.map_err(|error| failure(&error))?;
    if let Ok(Err(error)) = shown {
        // The report is written: a screen that went away does not change the answer.
        note_screen(&error);
    }
    Ok((exit::of(verdict.word, interrupted), wish.take()))
}

pub(super) fn note_screen(error: &io::Error) {
    use std::io::Write as _;
    if error.kind() != io::ErrorKind::BrokenPipe {
        let _ = writeln!(io::stderr(), "golive: the screen failed ({error}); the report is complete");
    }
}

pub(super) fn failure(error: &RunError) -> anyhow::Error {
    let code = match error {
        RunError::Journal(run::JournalError::Io { .. }) | RunError::Report(_) => exit::SOFTWARE,
        RunError::Journal(_) | RunError::Complete(_) | RunError::Signed(_) | RunError::Elsewhere { .. } => {
            exit::DATA
        }
        RunError::PolicyChanged => exit::BAD_POLICY,
        RunError::Again(error) => again::code(error),
    };
    exit::Failure::new(code, error.to_string()).into()
}

async fn read(
    mode: Mode,
    options: Option<Options>,
    events: UnboundedReceiver<Event>,
    stop: Stop,
    beside: Beside,
) -> io::Result<()> {
    match options {
        Some(options) => terminal::run(events, stop.token(), beside, options).await,
        None if mode == Mode::Json => ui::drain(&mut ui::JsonLines::new(io::stdout()), events).await,
        None => ui::drain(&mut ui::Plain::new(io::stdout()), events).await,
    }
}

/// The first signal asks the run to stop; a second one ends the process at once (the journal
/// holds what was measured).
pub(super) async fn signals(stop: Stop) {
    let name = signal().await;
    stop.ask(name);
    signal().await;
    terminal::restore();
    std::process::exit(i32::from(exit::INTERRUPTED));
}

/// Done when the process is asked to end; by what.
#[cfg(unix)]
pub(super) async fn signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut hup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        let _ = tokio::signal::ctrl_c().await;
        return "SIGINT";
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "SIGINT",
        _ = term.recv() => "SIGTERM",
        _ = hup.recv() => "SIGHUP",
    }
}

/// Done when the process is asked to end; by what.
#[cfg(not(unix))]
pub(super) async fn signal() -> &'static str {
    let _ = tokio::signal::ctrl_c().await;
    "Ctrl-C"
}

/// The runtime for subcommands that touch the network.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

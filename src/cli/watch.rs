//! `golive watch`: light checks again and again while the event runs.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc::unbounded_channel;

use super::{exit, load, session};
use crate::judge::watch::exit_code;
use crate::model::{NotMeasured, PathName, Secret, SecretSource};
use crate::net::exposition::Exposition;
use crate::net::webhook::{PATIENCE, Webhook};
use crate::policy::Policy;
use crate::run::watch::{self, Recorded, WatchEvent, WatchJob, WatchPlan, Wish, heads};
use crate::run::{RunError, Stop};
use crate::ui::watch::{PlainWatch, plan};
use crate::ui::{self, JsonLines};

/// Least time between two looks at a check.
const FLOOR: Duration = Duration::from_millis(200);
/// Longest watch and longest interval: a week.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Watch while the event runs: light checks of the policy again and again, with alerts and a timeline.
///
/// Asks only what never loads the line and sends no media: handshakes, names, certificates, a few small
/// packets. Checks that load it, hold it or ask people are left out, each with its reason (--plan lists
/// them and sends nothing). Where the policy has a path `backup`, checks of other paths are left out,
/// unless --path names them; checks of no path are asked over the system's own way out.
///
/// A check changes its state when two of its last three looks agree, and then there is an alert: a line,
/// the terminal's bell, a message to --webhook. "Could not ask" (unknown) is a state of its own. It ends
/// at the event's end, after --for, when the policy's authorisation ends, or by Ctrl-C, and leaves
/// watch.json, watch.html, watch.md and watch.pdf with each check's timeline. A watch is no verdict on the event.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes, by the worst state that was (what is advisory counts as a warning at most): \
                        0 all passed, 1 a warning, 2 something required failed, 3 something could not be asked or \
                        was looked at less than twice. Stopping it by Ctrl-C changes nothing of that. \
                        65, 70, 77, 78 as of every run."
)]
pub(super) struct Args {
    /// Policy file, or `builtin:NAME`; golive.toml when none is given.
    policy: Option<PathBuf>,
    /// How often each check is looked at: `30s`, `2m`; some kinds are asked less often by themselves.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = interval)]
    every: Duration,
    /// For how long (`90m`, `2h`); until the event's end by default.
    #[arg(long = "for", value_name = "TIME", value_parser = interval)]
    lasting: Option<Duration>,
    /// All looks together send at most so many kb/s, were every server as slow and wordy as it can be
    /// (usually it is a small part of that): intervals grow until they keep to it.
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    at_most_kbps: u64,
    /// Watch the checks of this path; may be given more than once.
    #[arg(long, value_name = "NAME", value_parser = PathName::new)]
    path: Vec<PathName>,
    /// Post alerts as JSON to this address. An address that is a secret by itself belongs into the
    /// environment variable `GOLIVE_WEBHOOK`, which is read when this is not given.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The file whose first line is the token to send with it (Bearer); `GOLIVE_WEBHOOK_TOKEN` by default.
    #[arg(long, value_name = "FILE")]
    webhook_token_file: Option<PathBuf>,
    /// Let Prometheus fetch /metrics here; at 127.0.0.1:9464 when no address follows.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9464")]
    metrics: Option<SocketAddr>,
    /// No bell.
    #[arg(long)]
    quiet: bool,
    /// How often the log says how it stands.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = interval)]
    status: Duration,
    /// Folder for the report; a new folder under reports/ by default.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the watch in this folder that died: its looks are kept, the time between is a gap, and
    /// interval, budget, paths and end are as they were.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["policy", "every", "lasting", "at_most_kbps", "path"])]
    resume: Option<PathBuf>,
    /// Show what would be asked and what is left out, and send nothing.
    #[arg(long)]
    plan: bool,
    /// The events as JSON lines.
    #[arg(long)]
    json: bool,
}

/// A duration as people write it: `90s`, `2m`, `1h 30m`.
fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || format!("a time such as 30s, 5m or 2h, from {} ms to a week", FLOOR.as_millis());
    let time = text.parse::<SignedDuration>().map_err(|_| wrong())?;
    Duration::try_from(time).ok().filter(|time| (FLOOR..=LONGEST).contains(time)).ok_or_else(wrong)
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let recorded = args.resume.as_deref().map(Recorded::read).transpose();
    let recorded = recorded.map_err(|error| load::unreadable(&error))?;
    let before = recorded.as_ref().and_then(|recorded| recorded.started.as_deref());
    let file = match before {
        Some(started) => PathBuf::from(&started.policy_source),
        None => load::found(args.policy.as_deref())?,
    };
    let policy = load::policy(&file)?;
    let wish = before.map_or_else(|| asked(args), |started| Wish::from(&started.wish));
    known(&policy, &wish)?;
    let planned = WatchPlan::new(&policy, &wish);
    if args.plan {
        return show_plan(&planned);
    }
    if planned.watched.is_empty() {
        let message = "nothing of this policy can be watched beside a live stream; `--plan` says why";
        return Err(exit::Failure::new(exit::BAD_POLICY, message).into());
    }
    load::authorised(&planned.policy)?;
    let lasting = args.lasting.and_then(|time| SignedDuration::try_from(time).ok());
    if before.is_none() {
        not_over(&planned, lasting)?;
    }
    let job = WatchJob {
        policy,
        policy_source: load::absolute(&file),
        wish,
        lasting,
        folder: args.resume.clone().unwrap_or_else(|| folder(args.out.as_deref())),
        webhook: webhook(args)?,
        metrics: None,
        status: args.status,
        stop: Stop::default(),
    };
    session::runtime()?.block_on(carry_out(job, args))
}

fn asked(args: &Args) -> Wish {
    let most_sent_bps = args.at_most_kbps.saturating_mul(1000);
    Wish { every: args.every, most_sent_bps, paths: args.path.clone() }
}

/// Paths that are named must be there.
fn known(policy: &Policy, wish: &Wish) -> anyhow::Result<()> {
    match wish.paths.iter().find(|path| !policy.paths.contains_key(path)) {
        Some(path) => {
            let message = format!("this policy has no path {path}");
            Err(exit::Failure::new(exit::USAGE, message).into())
        }
        None => Ok(()),
    }
}

/// An event that is over is not watched by mistake.
fn not_over(planned: &WatchPlan, lasting: Option<SignedDuration>) -> anyhow::Result<()> {
    let now = crate::net::clock::now();
    match planned.ends(lasting, now) {
        Some((at, by)) if at <= now => {
            let message = format!("{by} was at {at}: say for how long to watch by --for");
            Err(exit::Failure::new(exit::USAGE, message).into())
        }
        _ => Ok(()),
    }
}

fn show_plan(planned: &WatchPlan) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    plan(&mut out, &heads(planned), planned.most_bps(), planned.stretched)?;
    for left in &planned.left_out {
        writeln!(out, "  not {} ({}): {}", left.check, left.probe.name(), left.why)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `reports/TIME-watch`: beside the runs.
fn folder(asked: Option<&Path>) -> PathBuf {
    let run = session::folder(asked);
    if asked.is_some() { run } else { run.with_file_name(format!("{}-watch", file_name(&run))) }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn webhook(args: &Args) -> anyhow::Result<Option<Webhook>> {
    const ADDRESS: &str = "GOLIVE_WEBHOOK";
    const TOKEN: &str = "GOLIVE_WEBHOOK_TOKEN";
    let usage = |message: String| exit::Failure::new(exit::USAGE, message);
    let in_environment = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let secret = |source: SecretSource| {
        crate::net::secret::read(&source)
            .map_err(|NotMeasured { detail, remedy, .. }| usage(format!("webhook: {detail}; {remedy}")))
    };
    let address = match &args.webhook {
        Some(url) => Secret::from(url.clone()),
        None if in_environment(ADDRESS) => secret(SecretSource::Env(ADDRESS.to_owned()))?,
        None => return Ok(None),
    };
    let token = match &args.webhook_token_file {
        Some(file) => Some(secret(SecretSource::File(file.clone()))?),
        None if in_environment(TOKEN) => Some(secret(SecretSource::Env(TOKEN.to_owned()))?),
        None => None,
    };
    let webhook = Webhook::new(&address, token, PATIENCE);
    Ok(Some(webhook.map_err(|error| usage(format!("webhook: {error}")))?))
}

async fn carry_out(mut job: WatchJob, args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(at) = args.metrics {
        let bound = Exposition::bind(at).await;
        let message = |error| format!("cannot serve metrics at {at}: {error}; name another address");
        job.metrics = Some(bound.map_err(|error| exit::Failure::new(exit::SOFTWARE, message(error)))?);
    }
    let (out, events) = unbounded_channel::<WatchEvent>();
    let signals = tokio::spawn(session::signals(job.stop.clone()));
    let bell = io::stdout().is_terminal() && !args.quiet;
    let json = args.json;
    let reader = tokio::spawn(async move {
        if json {
            ui::drain(&mut JsonLines::new(io::stdout()), events).await
        } else {
            ui::drain(&mut PlainWatch::new(io::stdout(), bell), events).await
        }
    });
    let done =
        if args.resume.is_some() { watch::resume(job, out).await } else { watch::watch(job, out).await };
    let shown = reader.await;
    signals.abort();
    let ended = done.map_err(|error: RunError| session::failure(&error))?;
    if let Ok(Err(error)) = shown {
        session::note_screen(&error);
    }
    Ok(ExitCode::from(exit_code(ended.worst)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(interval("200ms"), Ok(FLOOR));
        assert_eq!(interval("1h 30m"), Ok(Duration::from_mins(90)));
        for wrong in ["", "30", "0s", "-5s", "199ms", "8d", "soon"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_watch_lies_beside_the_runs() {
        assert!(folder(None).to_string_lossy().ends_with("Z-watch"));
        assert_eq!(folder(Some(Path::new("x/y"))), Path::new("x/y"));
    }
}

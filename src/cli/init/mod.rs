//! `golive init`: a few questions, and a policy to begin with.

mod answers;
mod ask;
mod day;
mod document;
mod ways;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::exit;
use super::load::DEFAULT;
use crate::model::text::escape;
use crate::net::clock;
use crate::policy::{self, Policy};
use answers::Answers;
use ask::Asker;

/// Write a policy to begin with, and a short one for the day of the show: asks a few questions, and says
/// what to do next.
///
/// Every answer can be given as an argument; what is not is asked at the terminal. Without a terminal,
/// what must be known and is not given ends with 64 and the argument's name. A file that is there is never
/// written over.
///
/// For example: golive init --platform youtube --title "Autumn launch" --starts "2026-12-04 14:00"
/// --ends "2026-12-04 15:30" --time-zone Europe/Berlin --video-kbps 6000 --it "Ida Tellers" --marketing
/// "Mark Etting"
#[derive(Debug, Default, Clone, clap::Args)]
pub(super) struct Args {
    /// A platform of `golive policy list`, such as youtube; several times for several; or `other`.
    #[arg(long = "platform", value_name = "NAME")]
    platforms: Vec<String>,
    /// Address of an ingest, without a key, where the platform gives one for each event: once for each, in the
    /// platforms' order.
    #[arg(long = "ingest", value_name = "URL")]
    ingests: Vec<String>,
    /// What is going live.
    #[arg(long)]
    title: Option<String>,
    /// When it starts: "2026-12-04 14:00" in the venue's time zone, or with an offset.
    #[arg(long, value_name = "TIME")]
    starts: Option<String>,
    /// When it ends.
    #[arg(long, value_name = "TIME")]
    ends: Option<String>,
    /// The venue's time zone, such as Europe/Berlin (default: this machine's).
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Where it takes place.
    #[arg(long)]
    venue: Option<String>,
    /// Marketing's objective, in one sentence.
    #[arg(long, value_name = "TEXT")]
    objective: Option<String>,
    /// Bit rate of the video, kb/s.
    #[arg(long, visible_alias = "bitrate", value_name = "KBPS")]
    video_kbps: Option<u64>,
    /// Bit rate of the sound, kb/s (default: 128).
    #[arg(long, value_name = "KBPS")]
    audio_kbps: Option<u64>,
    /// Who answers for the network, and allows that it is probed.
    #[arg(long, value_name = "NAME")]
    it: Option<String>,
    /// Who answers for the brand.
    #[arg(long, value_name = "NAME")]
    marketing: Option<String>,
    /// Who produces the stream (default: marketing, with its own staff).
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Who answers for security (default: who answers for the network).
    #[arg(long, value_name = "NAME")]
    security: Option<String>,
    /// The change request or mail by which the network may be probed.
    #[arg(long, value_name = "REF")]
    change: Option<String>,
    /// Interface of the way out, such as eth0 (default: the system's).
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Interface of a second way out, such as wwan0.
    #[arg(long, value_name = "NAME")]
    backup_interface: Option<String>,
    /// Address of the far end, as `golive far-end` prints it; without one no upload is measured.
    #[arg(long, value_name = "HOST:PORT", requires = "pin")]
    far_end: Option<String>,
    /// The far end's pin, as it prints it.
    #[arg(long, value_name = "PIN", requires = "far_end")]
    pin: Option<String>,
    /// It is a company's own network: ask IT what company networks do to streams.
    #[arg(long)]
    corporate_lan: bool,
    /// The file to write; the one for the day lies beside it (show-day.toml, NAME-show-day.toml).
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let day = day::path(&args.out);
    free(&args.out)?;
    free(&day)?;
    let now = clock::now();
    let answers = if io::stdin().is_terminal() {
        let mut asker = Asker::new(io::stdin().lock(), io::stderr());
        ask::complete(args, &mut asker)?
    } else {
        Answers::of(args)?
    };
    let text = document::text(&answers, now);
    let policy = good(&args.out, &text)?;
    let mut of_the_day = day::text(&answers, &policy, &day, now);
    of_the_day.push_str(&day::of_the_layers(&good(&day, &of_the_day)?));
    let short = good(&day, &of_the_day)?;
    write(&args.out, &text)?;
    write(&day, &of_the_day)?;
    io::stdout().lock().write_all(next(&answers, &policy, &args.out, &short, &day).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Made new: somebody else's file of that name is not written over, whatever happened since it was looked
/// for.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}

/// Before anything is asked.
fn free(out: &Path) -> anyhow::Result<()> {
    if std::fs::symlink_metadata(out).is_ok() {
        let shown = escape(&out.display().to_string()).into_owned();
        let message = format!("{shown} is there already, and is not written over: name another by --out");
        return Err(exit::Failure::new(exit::USAGE, message).into());
    }
    Ok(())
}

/// The policy as golive will read it; an answer that it refuses is said in its own words.
fn good(out: &Path, text: &str) -> anyhow::Result<Policy> {
    struct One<'a>(&'a str);
    impl policy::Files for One<'_> {
        fn read(&self, _: &Path, limit: u64) -> io::Result<Vec<u8>> {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Ok(self.0.as_bytes().iter().copied().take(limit).collect())
        }
    }
    policy::load_from(out, &One(text)).map_err(|error| {
        let message = format!("these answers make no good policy; nothing was written:\n{error}");
        exit::Failure::new(exit::USAGE, message).into()
    })
}

/// What to do next.
fn next(answers: &Answers, policy: &Policy, out: &Path, short: &Policy, day: &Path) -> String {
    let shown = escape(&out.display().to_string()).into_owned();
    let day = escape(&day.display().to_string()).into_owned();
    let file = if out == Path::new(DEFAULT) { String::new() } else { format!(" {shown}") };
    let measured = if answers.far_end.is_some() {
        ("export GOLIVE_TOKEN=…".to_owned(), "the token that the far end printed")
    } else {
        (
            "golive far-end --help".to_owned(),
            "NO UPLOAD IS MEASURED YET: start a far end, fill in the file's end",
        )
    };
    let steps = [
        (format!("golive policy check{file}"), "what is wrong, and what is worth a word"),
        (format!("golive plan{file}"), "hosts, ports, bytes, seconds; sends nothing"),
        measured,
        (format!("golive check{file}"), "the run, and its report under reports/"),
        ("golive attest reports/RUN".to_owned(), "people answer what no probe can see"),
        ("golive sign reports/RUN".to_owned(), "who says so; `golive change` is for the ticket"),
        (
            format!("golive check {day} --compare reports/RUN"),
            "on the day: under 3 minutes, and what changed",
        ),
    ];
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    let steps: Vec<String> = steps
        .iter()
        .enumerate()
        .map(|(at, (command, words))| format!("  {}. {command:width$}   {words}\n", at + 1))
        .collect();
    format!(
        "wrote {shown}: {} checks on {} layers. It is commented, and yours to change.\n\
         wrote {day}: {} of them once more, for the day of the show.\n\nnext:\n{}",
        policy.checks.len(),
        policy.layers.len(),
        short.checks.len(),
        steps.concat()
    )
}

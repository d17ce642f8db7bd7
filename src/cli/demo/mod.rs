//! `golive demo`: every probe against peers on loopback in this process.

mod world;

use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::{load, session};
use crate::model::text::escape;
use crate::run::{Job, Stop, people::People};
use crate::ui::Mode;
use world::World;

/// The policy that the demo runs, before its addresses are filled in.
const POLICY: &str = include_str!("../../../policies/demo.toml");
/// The answers that go with it.
const ANSWERS: &str = include_str!("../../../policies/demo-answers.toml");

/// Run every probe against a far end, an RTMP and an SRT ingest, a name server and a time server on loopback,
/// all in this process. About 40 seconds; nothing leaves the machine.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for the report; a new folder under reports/ by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    show: session::Show,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let folder = session::folder(args.out.as_deref());
    session::runtime()?.block_on(async {
        refuse_used(&folder)?;
        let world = World::start(&folder).await?;
        let policy_file = folder.join("policy.toml");
        let answers_file = folder.join("answers.toml");
        write(&policy_file, &world.policy(POLICY))?;
        write(&answers_file, &world::answers(ANSWERS, crate::net::clock::now()))?;
        let job = job(&folder, &policy_file, &answers_file)?;
        let done = session::carry_out(job, session::From::Start, args.show).await;
        world.stop().await;
        let done = done?;
        if args.show.mode() != Mode::Json {
            std::io::stdout().lock().write_all(next(&done.folder, &program()).as_bytes())?;
        }
        Ok(done.code)
    })
}

/// What to do with the report.
fn next(folder: &Path, program: &str) -> String {
    let run = folder.display();
    let rows = [
        (format!("{run}/report.html"), "the report; report.pdf is for paper, report.md for a ticket"),
        (
            format!("{program} sign {run} --role it --decision go --named"),
            "decide: a name, no key (--new-key FILE makes one)",
        ),
        (
            format!("{program} sign {run} --role marketing --decision go --named"),
            "in each of the demo's roles",
        ),
        (format!("{program} sign {run} --role provider --decision go --named"), ""),
        (format!("{program} verify {run}"), "holds it all against the readings: exit 0"),
        (format!("{program} init"), "then your own policy"),
    ];
    let rows: Vec<String> = rows
        .iter()
        .map(|(command, words)| match *words {
            "" => format!("  {command}\n"),
            words => format!("  {command}\n      {words}\n"),
        })
        .collect();
    let text = format!("\nnext:\n{}", rows.concat());
    // folders can have any name
    let lines: Vec<Cow<'_, str>> = text.lines().map(escape).collect();
    lines.join("\n") + "\n"
}

/// As it was called: after `./demo` no `golive` is on the path.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "golive".to_owned())
}

/// Goes on with a demo that died: the same peers, on the same ports, with the same keys.
/// `None` when `folder` holds no demo.
pub(super) async fn revive(folder: &Path) -> anyhow::Result<Option<World>> {
    if world::is_demo(folder) { World::start(folder).await.map(Some) } else { Ok(None) }
}

fn job(folder: &Path, policy: &Path, answers: &Path) -> anyhow::Result<Job> {
    let source = load::absolute(policy);
    let policy = load::policy(policy)?;
    Ok(Job {
        answers: load::answers(Some(answers), &policy)?,
        policy,
        policy_source: source,
        carried: None,
        answers_source: Some(load::absolute(answers)),
        folder: folder.to_owned(),
        people: People::default(),
        stop: Stop::default(),
    })
}

/// Before anything is written: the policy of an earlier run must not be written over.
fn refuse_used(folder: &Path) -> anyhow::Result<()> {
    let used = [crate::run::journal::FILE, "policy.toml", "answers.toml"]
        .iter()
        .any(|file| folder.join(file).exists());
    if used {
        let error = crate::run::JournalError::Exists(folder.to_owned());
        return Err(load::unreadable(&error).into());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

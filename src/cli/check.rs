//! `golive check`: the main job.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{load, session};
use crate::run::{Job, Stop, people::People};

/// Probe the network against a policy and write the go/no-go report.
///
/// The run's folder holds report.json, report.html, report.md, report.junit.xml and the
/// journal, from which `golive resume` goes on after a crash.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policy file.
    policy: PathBuf,
    /// Folder for the report; a new folder under reports/ by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// People's answers to the policy's attest questions: a TOML file of [[answer]] tables.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    show: session::Show,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let policy = load::policy(&args.policy)?;
    load::authorised(&policy)?;
    let answers = load::answers(args.answers.as_deref())?;
    let job = Job {
        policy,
        policy_source: load::absolute(&args.policy),
        answers,
        answers_source: args.answers.as_deref().map(load::absolute),
        folder: session::folder(args.out.as_deref()),
        people: People::default(),
        stop: Stop::default(),
    };
    session::runtime()?.block_on(session::carry_out(job, session::From::Start, args.show))
}

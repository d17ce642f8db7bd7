//! `golive check`: the main job.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{exit, load, session};
use crate::model::CheckId;
use crate::policy::{self, Policy};
use crate::report::rules::{Scope, of_report};
use crate::run::{Job, Stop, people::People};

/// Probe the network against a policy and write the go/no-go report.
///
/// The run's folder holds report.json, report.html, report.pdf, report.md, report.junit.xml and
/// the journal, from which `golive resume` goes on after a crash.
///
/// With --close-out, after the event: each port that the policy wants open (port, rtmp, srt and
/// rehearsal checks) must be blocked again, beside a control that answers. GO then means closed; the
/// report says that it is a close-out, and what was not asked.
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
    /// After the event: what was opened for it must be closed again.
    #[arg(long, conflicts_with = "answers")]
    close_out: bool,
    /// A report from before anything was opened: only what it shows to be blocked was opened for
    /// the event. Without it every port that the policy wants open counts as opened for it.
    #[arg(long, value_name = "REPORT", requires = "close_out")]
    before: Option<PathBuf>,
    #[command(flatten)]
    show: session::Show,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut policy = load::policy(&args.policy)?;
    if args.close_out {
        policy = closing(&policy, args.before.as_deref())?;
    }
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

/// The policy of a close-out.
fn closing(policy: &Policy, before: Option<&Path>) -> anyhow::Result<Policy> {
    let opened = before.map(opened).transpose()?;
    let closing = policy::close_out(policy, opened.as_ref());
    if closing.checks.is_empty() {
        let why =
            "there is nothing to close: no port, rtmp, srt or rehearsal check of this policy was opened";
        return Err(exit::Failure::new(exit::BAD_POLICY, why).into());
    }
    Ok(closing)
}

/// The checks that a report shows to be blocked.
fn opened(report: &Path) -> anyhow::Result<BTreeSet<CheckId>> {
    let request = of_report(&load::report(report)?, Scope::Blocked)
        .map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    Ok(request.rules.into_iter().flat_map(|rule| rule.reasons).map(|reason| reason.check).collect())
}

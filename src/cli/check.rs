//! `golive check`: the main job.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{again, exit, load, session};
use crate::model::CheckId;
use crate::policy::{self, Policy};
use crate::report::comparison::compare;
use crate::report::rules::{Scope, of_report};
use crate::report::{Document, comparison_markdown, comparison_text, write_whole};
use crate::run::{Job, Stop, people::People};
use crate::ui::Mode;

/// Probe the network against a policy and write the go/no-go report.
///
/// The run's folder holds report.json, report.html, report.pdf, report.md, report.junit.xml and
/// the journal, from which `golive resume` goes on after a crash.
///
/// With --close-out, after the event: each port that the policy wants open (port, rtmp, srt and
/// rehearsal checks) must be blocked again, beside a control that answers. GO then means closed; the
/// report says that it is a close-out, and what was not asked.
///
/// With --again and --from, once something was mended: only these checks are measured, as a run of its
/// own; the others are carried from the earlier run's report, and page 1 says so, with what each check
/// came to every time. Only from the event's last run, with the same policy, from the same machine and
/// network, and while what is carried is young enough ([again] `carry_at_most`, 4 h by default).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policy file, or `builtin:NAME`; golive.toml when none is given.
    policy: Option<PathBuf>,
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
    /// An earlier report, such as the survey's: say what changed since, on screen and in the run's
    /// comparison.md. It changes no verdict and no exit code.
    #[arg(long, value_name = "REPORT")]
    compare: Option<PathBuf>,
    /// Measure only these checks again and carry the others from an earlier run.
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = CheckId::new, requires = "from")]
    again: Vec<CheckId>,
    /// The earlier run's folder; its report's verdict stays what it was.
    #[arg(long, value_name = "RUN", requires = "again")]
    from: Option<PathBuf>,
    #[command(flatten)]
    show: session::Show,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let file = load::found(args.policy.as_deref())?;
    let mut policy = load::policy(&file)?;
    if args.close_out {
        policy = closing(&policy, args.before.as_deref())?;
    }
    load::authorised(&policy)?;
    let answers = load::answers(args.answers.as_deref(), &policy)?;
    // before the run: a report that cannot be read must not be found out after it
    let earlier = args.compare.as_deref().map(load::report).transpose()?;
    let (policy, carried, folder) = match &args.from {
        None => (policy, None, session::folder(args.out.as_deref())),
        Some(from) => {
            let checks = args.again.iter().cloned().collect();
            let prepared = again::prepare(from, policy, &checks, args.out.as_deref())?;
            prepared.carried.holds_against(&answers).map_err(|error| again::failure(&error))?;
            (prepared.policy, Some(Box::new(prepared.carried)), prepared.folder)
        }
    };
    let job = Job {
        policy,
        policy_source: load::absolute(&file),
        carried,
        answers,
        answers_source: args.answers.as_deref().map(load::absolute),
        folder,
        people: People::default(),
        stop: Stop::default(),
    };
    let done = session::runtime()?.block_on(session::carry_out(job, session::From::Start, args.show))?;
    if let Some(earlier) = earlier {
        compared(&earlier, &done.folder, args.show)?;
    }
    Ok(done.code)
}

/// Says what changed since an earlier report, and leaves it beside the new one.
fn compared(earlier: &Document, folder: &Path, show: session::Show) -> anyhow::Result<()> {
    let later = load::report(folder)?;
    let comparison =
        compare(earlier, &later).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    write_whole(&folder.join("comparison.md"), comparison_markdown(&comparison).as_bytes())?;
    let text = format!("\nsince the earlier report:\n{}", comparison_text(&comparison));
    // the event stream on stdout is for programs
    if show.mode() == Mode::Json {
        std::io::stderr().lock().write_all(text.as_bytes())?;
    } else {
        std::io::stdout().lock().write_all(text.as_bytes())?;
    }
    Ok(())
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

//! `golive resume`: goes on with a run that died or was stopped.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{demo, exit, load, session};
use crate::run::{Job, Recorded, Stop, people::People, watch};

/// Go on with a run that died or was stopped: what is measured is kept, the rest is asked.
///
/// Asked again: what could not be measured, what ended after the stop was asked for (it was cut short),
/// questions with a later answer in --answers, and what is older than [again] `carry_at_most` (4 h by
/// default). Only from the same machine and network; a run that is complete, or whose report is signed, is
/// left as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's folder.
    run: PathBuf,
    /// People's answers; the file given at the start by default.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    show: session::Show,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    session::runtime()?.block_on(async {
        // A demo's peers died with it.
        let world = demo::revive(&args.run).await?;
        let code = go_on(args).await;
        if let Some(world) = world {
            world.stop().await;
        }
        code
    })
}

async fn go_on(args: &Args) -> anyhow::Result<ExitCode> {
    let recorded = Recorded::read(&args.run).map_err(|error| {
        if watch::Recorded::read(&args.run).is_ok() {
            let message =
                format!("this is a watch: go on with it by `golive watch --resume {}`", args.run.display());
            return exit::Failure::new(exit::DATA, message);
        }
        load::unreadable(&error)
    })?;
    let source = PathBuf::from(&recorded.started.policy_source);
    let mut policy = load::policy(&source)?;
    if let Some(record) = &recorded.started.policy.close_out {
        policy = crate::policy::close_out(&policy, record.opened.as_ref());
    }
    let policy = policy.named_as(&recorded.started.policy);
    load::authorised(&policy)?;
    let answers_source = args.answers.clone().or(recorded.started.answers_source.map(PathBuf::from));
    let answers = load::answers(answers_source.as_deref(), &policy)?;
    let job = Job {
        policy,
        policy_source: recorded.started.policy_source,
        carried: None,
        answers,
        answers_source: answers_source.as_deref().map(load::absolute),
        folder: args.run.clone(),
        people: People::default(),
        stop: Stop::default(),
    };
    Ok(session::carry_out(job, session::From::Journal, args.show).await?.code)
}

//! `golive verify`: whether a report, its decisions and what they rest on still stand. Offline.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use super::{exit, load};
use crate::report::seal::{self, Choice, Gravity, Problem, Standing};

/// Verify a report offline: signatures, who signed, whether all that it shows follows from the stored
/// readings and still counts, the ledger of runs, and that report.pdf and report.html beside it are its own.
///
/// Ends with 79 when something is not what it says it is, with 3 when it does not carry a
/// decision (stale, not signed by all who must), else with the verdict's code; 2 when a signer
/// said no-go.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, or the run's folder; decisions and signatures lie beside it.
    file: PathBuf,
    /// A policy that you trust: where it names a role's key, only that one counts, whatever the
    /// report's own policy says; who must sign, how strongly, and revoked keys are taken from both.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The full report of a redacted copy: proves that the copy was made from it, and verifies it, too.
    #[arg(long, value_name = "REPORT")]
    against: Option<PathBuf>,
    /// Verify as of this time, such as 2026-12-04T14:00:00+01:00; now by default.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bundle = load::bundle(&args.file)?;
    let today = args.policy.as_deref().map(load::policy).transpose()?;
    let now = args.at.unwrap_or_else(crate::net::clock::now);
    let mut standing = load::with_papers(&bundle, load::verified(&bundle, today.as_ref(), now))?;
    if let Some(file) = &args.against {
        let whole = load::bundle(file)?;
        let full = load::with_papers(&whole, load::verified(&whole, today.as_ref(), now))?;
        standing = seal::against(standing, &bundle, full, &whole);
    }
    io::stdout().lock().write_all(seal::show(&standing).as_bytes())?;
    Ok(ExitCode::from(code(&standing)))
}

fn code(standing: &Standing) -> u8 {
    let Some(document) = &standing.document else {
        let only_unreadable =
            standing.problems.iter().all(|problem| matches!(problem, Problem::Report { .. }));
        return if only_unreadable { exit::DATA } else { exit::BAD_SIGNATURE };
    };
    let said = |choice| standing.signed.iter().any(|signed| signed.decision.decision == choice);
    match standing.gravity() {
        Some(Gravity::Forged) => exit::BAD_SIGNATURE,
        Some(Gravity::Open) => crate::judge::Word::Inconclusive.exit_code(),
        None if said(Choice::NoGo) => crate::judge::Word::NoGo.exit_code(),
        None if said(Choice::GoWithConditions) => document.verdict.exit_code.max(1),
        None => document.verdict.exit_code,
    }
}

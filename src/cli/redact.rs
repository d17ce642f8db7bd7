//! `golive redact`: a copy of a report that may be shown to others.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{exit, load};
use crate::report::{self, line, seal};

/// Make a copy of a report in which addresses, host names, people, certificates and free text are
/// replaced, the same by the same.
///
/// What is replaced, and who may be asked for the full report, stands in the policy's
/// `[redaction]` table; without one, all kinds are. The copy states the full report's SHA-256, its
/// verdict follows from its own redacted readings, and `golive verify COPY --against REPORT`
/// proves that it was made from that report.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    file: PathBuf,
    /// Where to write the copy; report.redacted.json beside the report by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A policy whose `[redaction]` table counts instead of the one in the report.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bundle = load::bundle(&args.file)?;
    let document = load::read(&args.file, &bundle.report)?;
    let data = |error: String| exit::Failure::new(exit::DATA, error);
    let redaction = match args.policy.as_deref() {
        Some(file) => load::policy(file)?.redaction,
        None => report::judged_from(&document).map_err(|error| data(error.to_string()))?.0.redaction,
    };
    let sha256 = seal::sha256(&bundle.report);
    let copy = report::redact(&document, &sha256, &redaction).map_err(|error| data(error.to_string()))?;
    let out = args.out.clone().unwrap_or_else(|| bundle.names.path(&bundle.names.beside("redacted.json")));
    report::write_whole(&out, report::to_json(&copy)?.as_bytes())?;
    let shown = line(&out.display().to_string());
    let mut told = std::io::stdout().lock();
    if let Some(redacted) = &copy.redacted {
        writeln!(told, "{shown}: {}", line(&redacted.words()))?;
    }
    writeln!(told, "to show it: golive report {shown} --format html")?;
    writeln!(
        told,
        "to prove what it was made from: golive verify {shown} --against {}",
        line(&args.file.display().to_string())
    )?;
    Ok(ExitCode::SUCCESS)
}

//! `golive judge`: the verdict again, from stored readings.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use super::{exit, load};
use crate::evidence::Evidence;
use crate::judge;
use crate::model::CheckId;
use crate::policy::Policy;
use crate::report::{self, CarriedOver, Document};

/// Judge a stored report again, from its readings: now, as of another time, or by another policy.
///
/// Says what differs from the stored verdict and ends with the new verdict's exit code.
/// Readings grow old: to compute the verdict that the report was written with, give
/// its own time, which the report states, with --at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    file: PathBuf,
    /// Judge by this policy instead of the one in the report.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Judge as of this time, such as 2026-12-04T14:00:00+01:00; now by default.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stored = load::report(&args.file)?;
    let (own, evidence) =
        report::judged_from(&stored).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    let other = args.policy.as_deref().map(load::policy).transpose()?;
    let at = args.at.unwrap_or_else(crate::net::clock::now);
    let reproduced = again(&stored, &own, &evidence, stored.verdict.evaluated_at);
    let carried = other.as_ref().map(|policy| report::carry_over(policy, &own, &evidence));
    let judged = match (&other, &carried) {
        (Some(policy), Some(carried)) => again(&stored, policy, &carried.evidence, at),
        _ => again(&stored, &own, &evidence, at),
    };
    show(&mut io::stdout().lock(), &stored, &reproduced, &judged, carried.as_ref())?;
    Ok(ExitCode::from(judged.verdict.exit_code))
}

fn again(stored: &Document, policy: &Policy, evidence: &Evidence, at: Timestamp) -> Document {
    let verdict = judge::evaluate(policy, evidence, at);
    let mut document = report::build(stored.run.clone(), policy, evidence, &verdict);
    document.again.clone_from(&stored.again);
    document
}

fn show(
    out: &mut impl Write,
    stored: &Document,
    reproduced: &Document,
    judged: &Document,
    carried: Option<&CarriedOver>,
) -> io::Result<()> {
    write!(out, "{}", report::summary(judged))?;
    writeln!(out, "\njudged as of {}", judged.verdict.evaluated_at)?;
    if let Some(carried) = carried {
        writeln!(out, "by another policy, sha256 {}", judged.policy.sha256)?;
        for (what, checks) in [
            ("not in the report, so unknown", &carried.added),
            ("in the report, not in this policy", &carried.dropped),
            ("asks something else than was measured, so unknown", &carried.changed),
        ] {
            if !checks.is_empty() {
                let names: Vec<&str> = checks.iter().map(CheckId::as_str).collect();
                writeln!(out, "{what}: {}", names.join(", "))?;
            }
        }
    }
    section(
        out,
        &format!("as stored ({}, judged {}):", stored.verdict.word, stored.verdict.evaluated_at),
        "nothing differs",
        &report::differences(stored, judged),
    )?;
    section(
        out,
        "the stored verdict does not follow from the stored readings (changed by hand, or another version):",
        "the stored verdict follows from the stored readings",
        &report::differences(stored, reproduced),
    )
}

/// A heading with its lines, or the sentence for none.
fn section(out: &mut impl Write, heading: &str, none: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return writeln!(out, "{none}");
    }
    writeln!(out, "{heading}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

//! `golive diff`: what changed between two reports.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{exit, load};
use crate::report::comparison::compare;
use crate::report::{comparison_markdown, comparison_text};

/// Something got worse.
const WORSE: u8 = 2;
/// Nothing got worse, but something cannot be compared.
const NOT_COMPARABLE: u8 = 3;

/// Say what changed between two reports: before and after a rule, survey day and show day.
///
/// Verdict, outcomes, findings that came and went, measured figures with their direction (by the
/// sense of their limits), and the policy. A check is compared only where both runs asked the same;
/// the others are named.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing got worse, 2 the verdict or a check's outcome got worse, \
                        3 nothing got worse, but some checks cannot be compared, 65 a report that cannot be read.")]
pub(super) struct Args {
    /// The earlier report.json, or its run's folder.
    before: PathBuf,
    /// The later one.
    after: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A few lines.
    Text,
    /// Markdown, for a ticket.
    Md,
    /// Plain data.
    Json,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (before, after) = (load::report(&args.before)?, load::report(&args.after)?);
    let comparison =
        compare(&before, &after).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?;
    let shown = match args.format {
        Format::Text => comparison_text(&comparison),
        Format::Md => comparison_markdown(&comparison),
        Format::Json => serde_json::to_string_pretty(&comparison)? + "\n",
    };
    std::io::stdout().lock().write_all(shown.as_bytes())?;
    Ok(ExitCode::from(match &comparison {
        comparison if comparison.worse() => WORSE,
        comparison if !comparison.not_comparable.is_empty() => NOT_COMPARABLE,
        _ => 0,
    }))
}

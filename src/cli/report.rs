//! `golive report`: a stored report in another form.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::load;
use crate::report;

/// Show a stored report as text, HTML, Markdown, `JUnit` XML or JSON.
///
/// Every form is made from the JSON alone; nothing is judged or measured again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    file: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where to write it (whole or not at all); stdout by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A few lines: verdict, reasons, what to do.
    Text,
    /// One self-contained page, for people and paper.
    Html,
    /// Markdown, for a ticket.
    Md,
    /// `JUnit` XML, for pipelines.
    Junit,
    /// The stored document.
    Json,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let document = load::report(&args.file)?;
    let shown = match args.format {
        Format::Text => report::summary(&document),
        Format::Html => report::html(&document),
        Format::Md => report::markdown(&document),
        Format::Junit => report::junit(&document),
        Format::Json => report::to_json(&document)?,
    };
    match &args.out {
        Some(file) => report::write_whole(file, shown.as_bytes())?,
        None => std::io::stdout().lock().write_all(shown.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

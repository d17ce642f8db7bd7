//! `golive report`: a stored report in another form.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{exit, load};
use crate::report::seal::{Gravity, Names};
use crate::report::{self, Filed, WatchDoc};

/// Show a stored report as text, HTML, PDF, Markdown, `JUnit` XML or JSON; a watch as text, HTML,
/// Markdown or JSON.
///
/// Every form is made from the JSON alone; nothing is judged or measured again. HTML, PDF
/// and Markdown also show the decisions that lie beside it and hold, and name those that do not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, a watch's watch.json, or the folder of either.
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
    /// PDF/A-3 that carries report.json, for people, paper and archives.
    Pdf,
    /// `JUnit` XML, for pipelines.
    Junit,
    /// The stored document.
    Json,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let shown = match load::watch(&args.file)? {
        Some(watch) => watched(&watch, args.format)?,
        None => reported(args)?,
    };
    match &args.out {
        Some(file) => report::write_whole(file, &shown)?,
        None => write(args.format, &shown)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn watched(watch: &WatchDoc, format: Format) -> anyhow::Result<Vec<u8>> {
    let shown = match format {
        Format::Html => report::watch_html(watch),
        Format::Md => report::watch_markdown(watch),
        Format::Text => report::watch_text(watch),
        Format::Json => watch.to_json()?,
        Format::Pdf => return Ok(report::watch_pdf(watch, watch.to_json()?.as_bytes())?),
        Format::Junit => {
            let what = "a watch is no verdict, and has the forms text, html, md, pdf and json only";
            return Err(exit::Failure::new(exit::USAGE, what.to_owned()).into());
        }
    };
    Ok(shown.into_bytes())
}

fn reported(args: &Args) -> anyhow::Result<Vec<u8>> {
    Ok(match args.format {
        Format::Html => on_paper(&args.file, |filed| Ok(report::html_of(filed).into_bytes()))?,
        Format::Md => on_paper(&args.file, |filed| Ok(report::markdown_of(filed).into_bytes()))?,
        Format::Pdf => on_paper(&args.file, |filed| Ok(report::pdf(filed)?))?,
        Format::Text => report::summary(&load::report(&args.file)?).into_bytes(),
        Format::Junit => report::junit(&load::report(&args.file)?).into_bytes(),
        Format::Json => report::to_json(&load::report(&args.file)?)?.into_bytes(),
    })
}

fn write(format: Format, shown: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    if format == Format::Pdf && stdout.is_terminal() {
        let what = "a PDF is nothing for a terminal: say --out FILE, or send it on";
        return Err(exit::Failure::new(exit::USAGE, what.to_owned()).into());
    }
    Ok(stdout.write_all(shown)?)
}

/// Writes those forms beside a report anew that are there and show who decided.
pub(super) fn decided(file: &Path, names: &Names) -> anyhow::Result<()> {
    on_paper(file, |filed| {
        let there = |ending: &str| Some(names.path(&names.beside(ending))).filter(|path| path.is_file());
        if let Some(path) = there("html") {
            report::write_whole(&path, report::html_of(filed).as_bytes())?;
        }
        if let Some(path) = there("md") {
            report::write_whole(&path, report::markdown_of(filed).as_bytes())?;
        }
        if let Some(path) = there("pdf") {
            report::write_whole(&path, &report::pdf(filed)?)?;
        }
        Ok(())
    })
}

/// Files of an export.
const FORMS: [&str; 5] = ["report.json", "report.html", "report.pdf", "report.md", "report.junit.xml"];

/// Writes every form of a run's report into `folder`, with what was decided about it; the files.
pub(super) fn export(run: &Path, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    // another run's report, or this one where it was written
    if let Some(taken) = FORMS.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
        let shown = report::line(&taken.display().to_string());
        return Err(exit::Failure::new(
            exit::USAGE,
            format!("{shown} is there already: name another folder"),
        )
        .into());
    }
    std::fs::create_dir_all(folder)?;
    on_paper(run, |filed| {
        let forms = [
            filed.bytes.to_vec(),
            report::html_of(filed).into_bytes(),
            report::pdf(filed)?,
            report::markdown_of(filed).into_bytes(),
            report::junit(filed.document).into_bytes(),
        ];
        let mut written = Vec::new();
        for (name, bytes) in FORMS.iter().zip(forms) {
            let path = folder.join(name);
            report::write_whole(&path, &bytes)?;
            written.push(path);
        }
        Ok(written)
    })
}

/// The report with what was decided about it, for the forms that show both.
fn on_paper<T>(file: &Path, render: impl FnOnce(&Filed<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let document = load::report(file)?;
    let bundle = load::bundle(file)?;
    if bundle.words.is_empty() {
        return render(&Filed::alone(&document, &bundle.report));
    }
    let standing = load::verified(&bundle, None, crate::net::clock::now());
    let forged = standing.problems.iter().filter(|problem| problem.gravity() == Gravity::Forged);
    let refused: Vec<String> = forged.map(|problem| report::line(&problem.to_string())).collect();
    let (bytes, signed) = (&bundle.report, &standing.signed);
    render(&Filed { document: &document, bytes, signed, refused: &refused })
}

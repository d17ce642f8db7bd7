//! `golive change`: a report as the fields of a change request.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::load;
use crate::report::{self, Document, Field, seal};

/// Write a report as the fields of a change request, ready to paste, and a Markdown comment.
///
/// The fields have ServiceNow's names and at most 4,000 characters each; what is longer ends with
/// a sentence and says where the rest is. Nothing is sent: `golive attach` does that.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A run's report.json, or the run's folder.
    file: PathBuf,
    /// One of them only.
    #[arg(long, value_enum, value_name = "NAME")]
    field: Option<Part>,
    /// How to print them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write one file each (NAME.txt, comment.md) into this folder, which is made if needed.
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Part {
    /// Why: the event, the verdict, who answers for what.
    Justification,
    /// What must be done first, by whom, and when the stream runs.
    ImplementationPlan,
    /// What viewers would notice, what was accepted, what is not known.
    RiskImpactAnalysis,
    /// The way back.
    BackoutPlan,
    /// What was measured against what is needed, and how to verify it.
    TestPlan,
    /// The Markdown comment.
    Comment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Each under its name.
    Text,
    /// One object, for scripts.
    Json,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Justification,
        Self::ImplementationPlan,
        Self::RiskImpactAnalysis,
        Self::BackoutPlan,
        Self::TestPlan,
        Self::Comment,
    ];

    const fn field(self) -> Option<Field> {
        match self {
            Self::Justification => Some(Field::Justification),
            Self::ImplementationPlan => Some(Field::ImplementationPlan),
            Self::RiskImpactAnalysis => Some(Field::RiskImpactAnalysis),
            Self::BackoutPlan => Some(Field::BackoutPlan),
            Self::TestPlan => Some(Field::TestPlan),
            Self::Comment => None,
        }
    }

    fn name(self) -> &'static str {
        self.field().map_or("comment", Field::name)
    }

    fn text(self, document: &Document, sha256: &str) -> String {
        match self.field() {
            Some(field) => report::field(document, sha256, field) + "\n",
            None => report::comment(document, sha256),
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bytes = load::report_bytes(&args.file)?;
    let document = load::read(&args.file, &bytes)?;
    let sha256 = seal::sha256(&bytes);
    let parts: Vec<(Part, String)> = Part::ALL
        .into_iter()
        .filter(|part| args.field.is_none_or(|wanted| wanted == *part))
        .map(|part| (part, part.text(&document, &sha256)))
        .collect();
    if let Some(folder) = &args.out {
        return written(folder, &parts);
    }
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => {
            let fields: Map<String, Value> =
                parts.iter().map(|(part, text)| (part.name().to_owned(), text.trim_end().into())).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&fields)?)?;
        }
        Format::Text if args.field.is_some() => {
            parts.iter().try_for_each(|(_, text)| out.write_all(text.as_bytes()))?;
        }
        Format::Text => {
            for (part, text) in &parts {
                writeln!(out, "=== {} ===\n{text}", part.name())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn written(folder: &Path, parts: &[(Part, String)]) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (part, text) in parts {
        let ending = if *part == Part::Comment { "md" } else { "txt" };
        report::write_whole(&folder.join(format!("{}.{ending}", part.name())), text.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

//! `golive policy`: check policies, show what they come to, write their schema.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;

use super::exit::{BAD_POLICY, NOT_AUTHORISED, USAGE};
use super::{library, load};
use crate::model::text::escape;
use crate::net::clock;
use crate::policy::{self, Disk, Policy};
use load::DEFAULT;

/// Check a policy, show what its layers come to, or look into the library that golive carries.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check policies: every mistake with file, line and column; exit 78 when there is one.
    Check {
        /// Policy files, or `builtin:NAME`; golive.toml when none is given.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Check files that only others extend: what they leave open is no mistake.
        #[arg(long)]
        layer: bool,
        /// What is only pointed out (one person for two areas, a waiver that has expired, …) is a
        /// mistake, too.
        #[arg(long)]
        strict: bool,
    },
    /// Print the policy with all its layers as one file; comments say where each value comes from.
    Resolve {
        /// Policy file, or `builtin:NAME`; golive.toml when none is given.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Say what differs between two policies: files, `builtin:NAME`, or the policy in a report.
    Diff {
        /// The earlier one.
        #[arg(value_name = "FILE")]
        before: PathBuf,
        /// The later one.
        #[arg(value_name = "FILE")]
        after: PathBuf,
    },
    /// List the policies that golive carries: platforms, baseline, examples.
    List,
    /// Print one of them as it is written: to read, or to start from.
    Show {
        /// Its name, such as `platforms/youtube`; `youtube` will do.
        name: String,
    },
    /// Print the JSON Schema of policy files, for editors.
    Schema,
}

/// Runs it.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Command::Diff { before, after } = &args.command {
        return differences(before, after);
    }
    let command = match &args.command {
        Command::Check { files, layer, strict } if files.is_empty() => {
            &Command::Check { files: vec![load::found(None)?], layer: *layer, strict: *strict }
        }
        Command::Resolve { file } => &Command::Resolve { file: Some(load::found(file.as_deref())?) },
        given => given,
    };
    let (out, notes) = (io::stdout().lock(), io::stderr().lock());
    match execute(command, out, notes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        done => Ok(done?),
    }
}

fn execute(command: &Command, mut out: impl Write, mut notes: impl Write) -> io::Result<ExitCode> {
    match command {
        // needs no policy file at all where both are reports, and has errors of its own
        Command::Diff { .. } => {}
        Command::List => library::list(&mut out)?,
        Command::Show { name } => match library::find(name) {
            Ok(text) => out.write_all(text.as_bytes())?,
            Err(why) => {
                writeln!(notes, "golive: {}", escape(&why))?;
                return Ok(USAGE.into());
            }
        },
        Command::Schema => out.write_all(policy::schema_file().as_bytes())?,
        Command::Resolve { file } => {
            match policy::resolve(file.as_deref().unwrap_or(Path::new(DEFAULT)), &Disk) {
                Ok(text) => out.write_all(text.as_bytes())?,
                Err(mistakes) => {
                    writeln!(notes, "{mistakes}")?;
                    return Ok(BAD_POLICY.into());
                }
            }
        }
        Command::Check { files, layer, strict } => {
            let mut worst = 0;
            for file in files {
                worst = worst.max(check(file, *layer, *strict, &mut out, &mut notes)?);
            }
            out.flush()?;
            return Ok(worst.into());
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Each difference on a line; nothing is said of what is the same.
fn differences(before: &Path, after: &Path) -> anyhow::Result<ExitCode> {
    let lines = policy::diff(&either(before)?, &either(after)?);
    let mut out = io::stdout().lock();
    if lines.is_empty() {
        writeln!(out, "nothing differs")?;
    }
    for line in lines {
        writeln!(out, "{}", escape(&line))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A policy file, or the policy in a report.
fn either(file: &Path) -> anyhow::Result<Policy> {
    let report = file.is_dir() || file.extension().is_some_and(|ending| ending == "json");
    if !report {
        return load::policy(file);
    }
    let document = load::report(file)?;
    let (policy, _) = crate::report::judged_from(&document)
        .map_err(|error| super::exit::Failure::new(super::exit::DATA, error.to_string()))?;
    Ok(policy)
}

/// Checks one file; gives the exit code that it deserves.
fn check(
    file: &Path,
    layer: bool,
    strict: bool,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> io::Result<u8> {
    let name = file.display().to_string();
    let name = escape(&name);
    let loaded =
        if layer { policy::load_layer(file, &Disk).map(|_| None) } else { policy::load(file).map(Some) };
    let policy = match loaded {
        Ok(policy) => policy,
        Err(mistakes) => {
            let count = counted(mistakes.list().len(), "mistake");
            writeln!(notes, "{mistakes}\n\n{name}: bad policy: {count}")?;
            return Ok(BAD_POLICY);
        }
    };
    let Some(policy) = policy else {
        writeln!(out, "{name}: good, as a layer")?;
        return Ok(0);
    };
    // Its window is looked at when something is about to be sent.
    if policy.authorisation.is_none()
        && let Err(refusal) = policy::authorise(&policy, Timestamp::UNIX_EPOCH)
    {
        writeln!(notes, "{name}: {refusal}")?;
        return Ok(NOT_AUTHORISED);
    }
    let remarks = policy::remarks(&policy, clock::now());
    let told = counted(remarks.len(), "remark");
    for remark in remarks.iter().map(|remark| escape(remark)) {
        writeln!(notes, "{name}: {}: {remark}", if strict { "mistake" } else { "note" })?;
    }
    if strict && !remarks.is_empty() {
        writeln!(notes, "{name}: bad policy: {told}, and --strict")?;
        return Ok(BAD_POLICY);
    }
    writeln!(out, "{name}: good: {}", summary(&policy))?;
    Ok(0)
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What a policy holds, in one line.
fn summary(policy: &Policy) -> String {
    let required = policy.checks.iter().filter(|check| check.enforcement.required()).count();
    let mut parts = vec![
        format!("{} ({required} required)", counted(policy.checks.len(), "check")),
        counted(policy.layers.len(), "layer"),
    ];
    if !policy.waivers.is_empty() {
        parts.push(counted(policy.waivers.len(), "waiver"));
    }
    parts.join(", ")
}

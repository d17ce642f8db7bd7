//! The parts of the README that the program writes itself: probe table, finding codes, exit codes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::exit;
use crate::model::Lane;
use crate::probe;

/// Rewrite the generated parts of the README (between `<!-- generated:NAME -->` marks).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The README.
    #[arg(default_value = "README.md")]
    file: PathBuf,
    /// Change nothing; fail when a part is out of date.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let shown = args.file.display();
    let old = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let new = rewrite(&old).map_err(|error| exit::Failure::new(exit::DATA, format!("{shown}: {error}")))?;
    if args.check && new != old {
        let message = format!("{shown} is out of date: run `cargo run -- readme`");
        return Err(exit::Failure::new(exit::DATA, message).into());
    }
    if new != old {
        std::fs::write(&args.file, new).with_context(|| format!("cannot write {shown}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rewrite(old: &str) -> Result<String, String> {
    let mut text = old.to_owned();
    for (name, body) in [("probes", probes()), ("codes", codes()), ("exit-codes", exit_codes())] {
        let (begin, end) = (format!("<!-- generated:{name} -->\n"), "<!-- /generated -->");
        let from = text.find(&begin).ok_or(format!("there is no mark {}", begin.trim_end()))? + begin.len();
        let length = text[from..].find(end).ok_or(format!("{} is not closed by {end}", begin.trim_end()))?;
        text.replace_range(from..from + length, &format!("\n{body}\n"));
    }
    Ok(text)
}

fn probes() -> String {
    let mut out =
        String::from("| probe | asks | how it can mislead | needs | runs |\n|---|---|---|---|---|\n");
    for (kind, about) in probe::catalogue() {
        let lane = match kind.lane() {
            Lane::Person => "asks a person",
            Lane::Ask => "side by side",
            Lane::Delay => "while no load runs",
            Lane::Load => "alone",
        };
        let (asks, misleads, needs) = (about.asks, about.misleads, about.needs);
        let _ = writeln!(out, "| `{}` | {asks} | {misleads} | {needs} | {lane} |", kind.name());
    }
    out
}

fn codes() -> String {
    let mut out = String::from("| code | means |\n|---|---|\n");
    let probes = probe::catalogue().flat_map(|(kind, _)| kind.codes());
    for code in probes.chain(crate::judge::CODES) {
        let _ = writeln!(out, "| `{}` | {} |", code.id, code.means);
    }
    out
}

fn exit_codes() -> String {
    let mut out = String::from("| exit | means |\n|---|---|\n");
    for (code, what) in exit::TABLE {
        let _ = writeln!(out, "| {code} | {what} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_is_fresh() {
        let readme = include_str!("../../README.md");
        assert_eq!(rewrite(readme).unwrap(), readme, "out of date: run `cargo run -- readme`");
    }

    #[test]
    fn a_lost_mark_is_named() {
        assert!(rewrite("nothing here").unwrap_err().contains("generated:probes"));
    }
}

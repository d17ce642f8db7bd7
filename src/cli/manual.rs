//! `golive man` and `golive completions`: what a package installs beside the program.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Command;

/// Print the manual page (roff), or write one page for each subcommand.
///
/// Read it by `golive man | man -l -`; install it by
/// `golive man --out /usr/local/share/man/man1`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder for golive.1, golive-check.1 and so on; it must be there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Print completions for a shell.
///
/// For bash: `golive completions bash > ~/.local/share/bash-completion/completions/golive`; for zsh
/// into a folder of `$fpath` as `_golive`; for fish into `~/.config/fish/completions/golive.fish`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Writes the manual of `command`.
pub(super) fn man(command: Command, args: &ManArgs) -> anyhow::Result<ExitCode> {
    match &args.out {
        Some(folder) => pages(command, folder)?,
        None => clap_mangen::Man::new(command).render(&mut io::stdout().lock())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn pages(command: Command, folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("cannot write manual pages into {shown}"))
}

/// Writes the completions of `command`.
pub(super) fn completions(mut command: Command, args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "golive", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

//! The command line: one file per subcommand, exit codes; the only place with anyhow.

mod again;
mod attach;
mod attest;
mod change;
mod check;
mod clerk;
mod demo;
mod diff;
mod exit;
mod explain;
mod far_end;
mod init;
mod judge;
mod library;
mod load;
mod manual;
mod passphrase;
mod plan;
mod policy;
mod readme;
mod redact;
mod report;
mod replay;
mod resume;
mod rules;
mod session;
mod sign;
mod signer;
mod verify;
mod watch;
mod wrap;

pub use exit::TABLE as EXIT_CODES;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::model::text;
use crate::run::crash;

/// May we go live from this network, at this hour, and who says so?
///
/// golive probes the network for what a live stream needs, against a policy that IT and
/// marketing agreed on, and issues one go/no-go report that both sign.
#[derive(Debug, Parser)]
#[command(name = "golive", version, after_help = after_help(), max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Check(check::Args),
    Plan(plan::Args),
    Policy(policy::Args),
    Demo(demo::Args),
    FarEnd(far_end::Args),
    Resume(resume::Args),
    Watch(watch::Args),
    Report(report::Args),
    Judge(judge::Args),
    Rules(rules::Args),
    Diff(diff::Args),
    Attest(attest::Args),
    Sign(sign::Args),
    Verify(verify::Args),
    Redact(redact::Args),
    Change(change::Args),
    Attach(attach::Args),
    Replay(replay::Args),
    Explain(explain::Args),
    Man(manual::ManArgs),
    Completions(manual::CompletionsArgs),
    #[command(hide = true)]
    Readme(readme::Args),
}

fn after_help() -> String {
    let rows: Vec<String> = exit::TABLE.iter().map(|(code, what)| format!("  {code:>3}  {what}")).collect();
    format!(
        "Exit codes:\n{}\n\nStart with `golive demo`: it needs no network and no policy. `golive init` writes the first policy.",
        rows.join("\n")
    )
}

/// Parses the arguments, runs the subcommand and gives its exit code.
pub fn main() -> ExitCode {
    crate::net::process::keep_memory_private();
    crate::net::process::allow_many_sockets();
    main_from(std::env::args_os())
}

/// A panic is told of without words that may hold a secret.
fn hear_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "{}", crash::hear(panic));
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            let _ = writeln!(stderr, "{trace}");
        }
    }));
}

/// The same for arguments that the caller gives, the program's name first.
pub fn main_from(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    hear_panics();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS };
        }
    };
    // rustls must never have to guess between providers that other crates bring along.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) => report_error(&error),
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::FarEnd(args) => far_end::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Attest(args) => attest::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Change(args) => change::run(&args),
        Command::Attach(args) => attach::run(&args),
        Command::Readme(args) => readme::run(&args),
        Command::Resume(args) => resume::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Man(args) => manual::man(Cli::command(), &args),
        Command::Completions(args) => manual::completions(Cli::command(), &args),
    }
}

/// Says what went wrong on stderr, escaped line by line, and gives the code that belongs to it.
fn report_error(error: &anyhow::Error) -> ExitCode {
    let broken_pipe =
        error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
    if broken_pipe {
        return ExitCode::SUCCESS;
    }
    let mut stderr = std::io::stderr().lock();
    for line in format!("golive: {error:#}").lines() {
        let _ = writeln!(stderr, "{}", text::escape(line));
    }
    ExitCode::from(error.downcast_ref::<exit::Failure>().map_or(exit::SOFTWARE, |failure| failure.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn exit_codes_are_unique_and_in_the_help() {
        let mut codes: Vec<u8> = exit::TABLE.iter().map(|row| row.0).collect();
        codes.dedup();
        assert_eq!(codes.len(), exit::TABLE.len());
        let help = Cli::command().render_long_help().to_string();
        assert!(exit::TABLE.iter().all(|(code, _)| help.contains(&format!("{code:>3}  "))));
    }
}

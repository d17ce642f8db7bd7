//! golive itself, with the lab's public authority in the place of Mozilla's.
//!
//! The lab's programs start themselves again as golive, so that a scenario runs the whole
//! program, command line to report, in a process of its own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::ground::authority::read_pem;

/// Names a file: golive panics, with the file's words, where a probe's TLS handshake begins.
pub const BREAKS: &str = "GOLIVE_LAB_BREAKS_WITH";

/// First argument by which a program of the lab becomes golive.
const WORD: &str = "golive";
pub use crate::ground::authority::VARIABLE as AUTHORITY;

/// The program and the arguments before golive's own.
pub fn program() -> Vec<PathBuf> {
    vec![std::env::current_exe().unwrap(), WORD.into()]
}

/// Runs golive when this process was started as such.
pub fn as_golive() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != WORD {
        return None;
    }
    if let Some(file) = std::env::var_os(AUTHORITY) {
        golive::net::tls::Roots::replace_mozilla(read_pem(file.as_ref())).expect("nothing is verified yet");
    }
    if let Some(file) = std::env::var_os(BREAKS) {
        let words = std::fs::read_to_string(file).expect("the file of the words that it breaks with");
        log::set_logger(Box::leak(Box::new(Breaking(words)))).expect("no other logger is set");
        log::set_max_level(log::LevelFilter::Trace);
    }
    let args: Vec<OsString> = std::iter::once(WORD.into()).chain(args).collect();
    Some(golive::cli::main_from(args))
}

/// A logger that panics when rustls tells of a handshake, inside the probe that makes it: a defect
/// of a library that golive uses, with a secret in its words.
struct Breaking(String);

impl log::Log for Breaking {
    fn enabled(&self, about: &log::Metadata<'_>) -> bool {
        about.target().starts_with("rustls::client")
    }

    fn log(&self, record: &log::Record<'_>) {
        assert!(!self.enabled(record.metadata()), "cannot log: {}", self.0);
    }

    fn flush(&self) {}
}

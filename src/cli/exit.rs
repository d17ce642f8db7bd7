//! Exit codes: documented constants (design, section 7; 64, 77, 78 after `sysexits.h`).

use std::process::ExitCode;

use crate::judge::Word;

/// Wrong arguments.
pub const USAGE: u8 = 64;
/// A file that cannot be read or is not a golive report or run.
pub const DATA: u8 = 65;
/// A ticket system that cannot be reached, or refuses (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;
/// An error of the machine: disk, sockets, terminal.
pub const SOFTWARE: u8 = 70;
/// Traffic beyond loopback that nobody authorised.
pub const NOT_AUTHORISED: u8 = 77;
/// A bad policy.
pub const BAD_POLICY: u8 = 78;
/// A report, a decision or a signature is not what it says it is.
pub const BAD_SIGNATURE: u8 = 79;
/// Stopped by a person or a signal.
pub const INTERRUPTED: u8 = 130;

/// The table of the README, in its order.
pub const TABLE: &[(u8, &str)] = &[
    (0, "GO"),
    (1, "CONDITIONAL GO: go, with the conditions that the report lists"),
    (2, "NO-GO: something required failed"),
    (3, "INCONCLUSIVE: something required could not be established"),
    (USAGE, "wrong arguments"),
    (DATA, "a report or run that cannot be read"),
    (UNAVAILABLE, "a ticket system that cannot be reached, or refuses"),
    (SOFTWARE, "this machine failed golive: disk, sockets, terminal"),
    (NOT_AUTHORISED, "the policy has no [authorisation] for traffic beyond loopback"),
    (BAD_POLICY, "bad policy"),
    (BAD_SIGNATURE, "a report, decision or signature that is not what it says it is"),
    (
        INTERRUPTED,
        "stopped; what was measured is kept, the verdict is INCONCLUSIVE unless it was NO-GO already",
    ),
];

/// The code that a verdict ends a run with.
pub fn of(word: Word, interrupted: bool) -> ExitCode {
    ExitCode::from(if interrupted { INTERRUPTED } else { word.exit_code() })
}

/// An error that knows its exit code; anything else ends with [`SOFTWARE`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What, where, what to do.
    pub message: String,
}

impl Failure {
    /// An error with its exit code.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

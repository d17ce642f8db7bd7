//! The lab: golive against real peers, on loopback and in namespaces of its own.
//!
//! `tests/test` installs what it needs. What is missing fails a test and says what to install.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::format_collect,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    dead_code,
    reason = "tests: a panic is the report, figures are small, and not every area uses every helper"
)]

mod arithmetic;
mod ground;
mod harness;
mod middlebox;
mod probes;
mod truth;
mod wan;

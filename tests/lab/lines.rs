//! What the lab measures on lines: a program of its own, so that no other test runs beside it.
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

mod ground;
mod line;
mod truth;
mod wan;

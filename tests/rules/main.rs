//! The firewall change request: its text for every vendor in golden files, held against
//! aerleon's for the same request, and against hostile policies.
//!
//! `GOLIVE_UPDATE_GOLDEN=1 cargo test --test rules` writes the golden files anew: read the
//! difference before you commit it (`tests/golden/rules/README.md`).
#![allow(clippy::unwrap_used, reason = "a test stops where its own making fails")]

mod aerleon;
mod golden;
mod hostile;
mod request;

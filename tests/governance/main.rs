//! Who decides, who signs, and a report that stands up a year later: golive's binary against
//! OpenSSH's own `ssh-keygen`.
#![allow(clippy::unwrap_used, reason = "a test stops where its own making fails")]

mod again;
mod answers;
mod event;
mod keys;
mod ledger;
mod policies;
mod redacted;
mod refused;
mod screen;
mod secrets;
mod story;
mod whole;
mod tickets;
mod trusted;

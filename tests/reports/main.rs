//! The report layer: documents rendered, read back, judged again; hostile text held harmless.
#![allow(clippy::unwrap_used, reason = "a test stops where its own making fails")]

mod cases;
mod change;
mod comparing;
mod corpus;
mod hostile;
mod judging;
mod outcomes;
mod paper;
mod redacted;
mod renderings;
mod samples;
mod seen;
mod signed;
mod stored;

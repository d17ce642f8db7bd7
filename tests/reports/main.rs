//! The report layer: documents rendered, read back, judged again; hostile text held harmless.
#![allow(clippy::unwrap_used, reason = "a test stops where its own making fails")]

mod hostile;
mod renderings;
mod samples;

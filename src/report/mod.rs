//! The report: one frozen document; every rendering is a function of it.

mod build;
mod short;
pub mod v1;
mod write;

pub use build::{build, policy_digest};
pub use short::target_text;
pub use v1::Document;
pub use write::{WriteError, to_json, write_all, write_whole};

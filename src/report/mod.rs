//! The report: one frozen document; every rendering is a function of it.

mod again;
mod build;
mod compare;
pub mod comparison;
mod filed;
mod follows;
mod json;
pub mod ledger;
mod read;
mod redact;
mod render;
pub mod rules;
pub mod seal;
pub mod v1;
mod watch;
mod write;

pub use again::AgainDoc;
pub use build::{build, policy_digest};
pub use compare::{CarriedOver, carry_over, differences};
pub use filed::Filed;
pub use follows::{Departures, departures};
use json::inert;
pub use json::to_json;
pub use ledger::Ledger;
pub use read::{MAX_BYTES, ReadError, judged_from, read};
pub use redact::{RedactError, RedactedDoc, made_from, redact};
pub use render::change_request;
pub use render::comparison::{markdown as comparison_markdown, text as comparison_text};
pub use render::{
    Field, MAX_FIELD, PdfError, again, comment, field, html, html_of, junit, line, markdown, markdown_of,
    pdf, summary, watch_every, watch_html, watch_markdown, watch_pdf, watch_rate, watch_text,
};
pub use v1::Document;
pub use watch::{
    BadWatch, LeftOutDoc, WATCH_FILE, WATCH_SCHEMA, WatchDoc, WatchedDoc, WebhookDoc, write_watch,
};
pub use write::{WriteError, is_decided, is_there, write_all, write_whole};

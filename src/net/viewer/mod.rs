//! What a viewer's browser or player on this machine does: it goes through the proxy that is named here,
//! keeps connections, and asks for pages, playlists and segments.

mod client;
mod download;
pub(in crate::net) mod lines;
mod way;

pub use client::{Ended, Exchange, LONGEST, Viewer, Want};
pub use download::{Download, Load, Stopped, download};
pub use way::{Chosen, Via, Way, choose, direct};

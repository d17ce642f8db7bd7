#![allow(clippy::all, clippy::pedantic, unused_qualifications)] // stand-in until the real one lands
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Stream {}

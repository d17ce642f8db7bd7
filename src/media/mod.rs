//! The test stream: a real H.264/AAC loop that says "network rehearsal" on its picture.
//!
//! `loop.flv` was made once by `make-loop.sh`, which stands beside it.

pub mod flv; // tags of an FLV file
mod rehearsal;

pub use rehearsal::{Frame, Rehearsal};

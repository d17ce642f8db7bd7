//! The test stream: a real H.264/AAC loop that says "network rehearsal" on its picture.
//!
//! `loop.flv` was made once by `make-loop.sh`, which stands beside it. [`Padded`] brings it to any bit rate,
//! [`SendQueue`] is what an encoder puts between itself and the network, [`ts`] packs it for SRT, [`Segments`] for
//! HLS, and [`Realtime`] is what of it goes over WebRTC.

pub mod flv; // tags of an FLV file
pub mod nal; // H.264 NAL units within a tag
mod padded;
mod queue;
mod realtime;
mod rehearsal;
mod segments;
pub mod ts;

pub use nal::Priority;
pub use padded::{LEAST_KBPS, MOST_KBPS, Padded, Piece};
pub use queue::{B_FRAMES_MS, DELTA_FRAMES_MS, SendQueue, Waiting};
pub use realtime::{Moment, Realtime};
pub use rehearsal::{Frame, Rehearsal};
pub use segments::{SEGMENT_MS, Segments};

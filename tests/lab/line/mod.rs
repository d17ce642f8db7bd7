//! What is measured on a line, and so needs this machine to itself: each test holds [`quiet`], or a
//! seat [`beside_others`] where a few percent are neither here nor there.
//!
//! [`quiet`]: crate::ground::quiet::quiet
//! [`beside_others`]: crate::ground::quiet::beside_others

mod cable;
mod emulator;
mod rehearsal;
mod streams;
mod upload;
mod upload_https;
mod upload_ingest;
mod upload_iperf3;

//! What is measured on a line, and so needs this machine to itself: each test holds [`quiet`].
//!
//! [`quiet`]: crate::ground::quiet::quiet

mod cable;
mod emulator;
mod rehearsal;
mod streams;
mod upload;
mod upload_https;
mod upload_iperf3;

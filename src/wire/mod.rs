//! Protocols without sockets or clocks: bytes and time in, steps out.

pub mod control;
pub mod srt;
pub mod stamp;

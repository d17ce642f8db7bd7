//! The lab's own models by arithmetic, on made-up packets, records and bytes: no root, no clock.

mod emulator;
mod encoder;
mod format;
mod readers;
mod tables;
mod traces;

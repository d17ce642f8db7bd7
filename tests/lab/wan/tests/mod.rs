//! The emulator held against what others measure over it, and against arithmetic.

mod course;
mod format;
mod rate;

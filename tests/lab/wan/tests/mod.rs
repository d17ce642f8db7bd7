//! The emulator held against what others measure over it, and against arithmetic.

mod course;
mod delay;
mod fates;
mod format;
mod limits;
mod probe;
mod properties;
mod rate;
mod traces;

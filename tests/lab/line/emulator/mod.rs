//! The emulator held against what others measure over it.

mod course;
mod delay;
mod fates;
mod limits;
mod probe;
mod rate;

//! The full-screen terminal UI. [`state`] is pure and holds everything, [`view`] draws it,
//! [`terminal`] is the only part that touches a terminal or a clock.

pub mod errand;
pub mod form;
pub mod keys;
pub mod page;
pub mod picture;
pub mod pointer;
pub mod sheet;
mod signals;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod view;
mod wrap;

#[cfg(test)]
mod tests;

//! The report: one frozen document; every rendering is a function of it.

pub mod v1;

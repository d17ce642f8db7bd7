//! Running a policy: plan, events, dispatcher, executor, journal.

pub mod event;

pub use event::Event;

//! Running a policy: plan, events, dispatcher, executor, journal.

pub mod dispatcher;
pub mod event;
pub mod executor;
pub mod journal;
pub mod ledger;
pub mod plan;

#[cfg(test)]
mod tests;

pub use dispatcher::{Finished, Job, RunError, run};
pub use event::Event;
pub use journal::{Journal, JournalError, Recorded};
pub use plan::Plan;

//! Running a policy: plan, events, dispatcher, executor, journal.

pub mod again;
pub mod crash;
pub mod dispatcher;
pub mod earlier;
pub mod event;
pub mod executor;
pub mod job;
pub mod journal;
pub mod kept;
pub mod ledger;
pub mod opening;
pub mod people;
pub mod plan;
pub mod watch;

#[cfg(test)]
mod tests;

pub use again::{AgainError, Carried};
pub use dispatcher::run;
pub use event::Event;
pub use job::{Finished, Job, RunError, Stop};
pub use journal::{Journal, JournalError, Recorded};
pub use plan::Plan;

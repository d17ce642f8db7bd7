//! What to run, how to stop it, and how it ended.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::JournalError;
use super::again::{AgainError, Carried};
use super::people::People;
use crate::judge::Verdict;
use crate::model::Answer;
use crate::policy::Policy;
use crate::report::WriteError;

/// What to run.
#[derive(Debug)]
pub struct Job {
    /// The policy.
    pub policy: Policy,
    /// Where it came from, for resume.
    pub policy_source: String,
    /// Readings that it takes over; it measures the others.
    pub carried: Option<Box<Carried>>,
    /// People's answers.
    pub answers: Vec<Answer>,
    /// Where they came from, for resume.
    pub answers_source: Option<String>,
    /// People at the screen who may answer.
    pub people: People,
    /// Folder of journal and report.
    pub folder: PathBuf,
    /// Asked to stop, and by what.
    pub stop: Stop,
}

/// A request to stop the run, with the word that is journalled.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    by: Arc<std::sync::OnceLock<String>>,
}

impl Stop {
    /// Asks the run to stop; the first word stays.
    pub fn ask(&self, by: &str) {
        let _ = self.by.set(by.to_owned());
        self.token.cancel();
    }

    /// A token that asks when it is cancelled: for a screen's own key.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Done when somebody asked.
    pub async fn asked(&self) {
        self.token.cancelled().await;
    }

    /// True when somebody asked.
    pub fn is_asked(&self) -> bool {
        self.token.is_cancelled()
    }

    pub(in crate::run) fn by(&self) -> String {
        self.by.get().cloned().unwrap_or_else(|| "a key".to_owned())
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// The answer.
    pub verdict: Verdict,
    /// It was stopped before it was over.
    pub interrupted: bool,
}

/// What keeps a run from being carried out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The report.
    #[error("the run is kept in its journal, but its report is not: {0}")]
    Report(#[from] WriteError),
    /// The policy is not the one that the run began with.
    #[error("the policy changed since this run began; start a new run with `golive check`")]
    PolicyChanged,
    /// It came to its end, and its report is there.
    #[error(
        "this run is complete: there is nothing to resume. {0} holds its report; answer what is open by `golive attest {0}`, measure again by `golive check`"
    )]
    Complete(PathBuf),
    /// Somebody decided about its report.
    #[error(
        "the report in {0} is signed: going on would write over what was signed; start a new run with `golive check`"
    )]
    Signed(PathBuf),
    /// What is measured was measured from elsewhere.
    #[error(
        "run {run} was measured {what}, and one report cannot speak of both: go on with it there, or start a new run here with `golive check`; what is measured stays in its journal"
    )]
    Elsewhere {
        /// The run.
        run: String,
        /// From where.
        what: &'static str,
    },
    /// The readings that it took over can no longer be carried.
    #[error(transparent)]
    Again(#[from] AgainError),
}

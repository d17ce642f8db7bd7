//! Earlier runs of the event, ready to be shown.

use jiff::Timestamp;

use super::Charset;
use crate::judge::Word;
use crate::model::{CheckId, Outcome};
use crate::run::earlier::{Earlier, EarlierRun};

/// What earlier runs say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The newest first.
    pub runs: Vec<PastRun>,
    /// Older runs that were not looked at.
    pub older: usize,
    /// Why nothing is known, if so.
    pub trouble: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its id.
    pub run: String,
    /// When it began.
    pub at: Timestamp,
    /// Its verdict; none when it ended without a report.
    pub verdict: Option<Word>,
    /// Why its checks are not known, if so.
    pub trouble: Option<&'static str>,
    checks: Vec<(CheckId, PastCheck)>,
}

/// One check in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCheck {
    /// What it came to.
    pub outcome: Outcome,
    /// A waiver covered it.
    pub waived: bool,
    /// Its figures with their limits, or what was seen.
    pub said: String,
    /// False when another question was asked then.
    pub same_question: bool,
}

impl Past {
    pub(super) fn new(charset: Charset, earlier: &Earlier) -> Self {
        Self {
            runs: earlier.runs.iter().map(|run| PastRun::new(charset, run)).collect(),
            older: earlier.older,
            trouble: earlier.trouble.as_deref().map(|trouble| charset.show(trouble)),
        }
    }
}

impl PastRun {
    fn new(charset: Charset, earlier: &EarlierRun) -> Self {
        let (checks, trouble) = match &earlier.checks {
            Err(why) => (Vec::new(), Some(*why)),
            Ok(checks) => {
                let shown = checks.iter().map(|(id, check)| {
                    let said = check.said.iter().map(|one| charset.show(one)).collect::<Vec<_>>().join("; ");
                    let (outcome, waived) = (check.outcome, check.waived);
                    (id.clone(), PastCheck { outcome, waived, said, same_question: check.same_question })
                });
                (shown.collect(), None)
            }
        };
        Self { run: charset.show(&earlier.run), at: earlier.at, verdict: earlier.verdict, trouble, checks }
    }

    /// What it says of a check.
    pub fn check(&self, id: &str) -> Option<&PastCheck> {
        self.checks.iter().find(|(known, _)| known.as_str() == id).map(|(_, check)| check)
    }
}

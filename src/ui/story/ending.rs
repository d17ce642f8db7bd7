//! How a run ended.

use jiff::Timestamp;

use super::Charset;
use crate::judge::{Rank, Verdict, Word};

/// Exit code of an interrupted run, whatever its verdict (design, section 7).
const INTERRUPTED: u8 = 130;

/// The verdict, ready to be shown.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The word.
    pub word: Word,
    /// The code that the process exits with: an interrupted run has its own.
    pub exit: u8,
    /// Why it is not GO, worst first.
    pub reasons: Vec<ReasonText>,
    /// When the run ended.
    pub at: Timestamp,
    /// When the verdict stops counting.
    pub expires: Option<Timestamp>,
    /// Where the report is.
    pub report: Option<String>,
    /// What the report says of checks that were measured again, if any were.
    pub again: Option<String>,
}

/// One reason.
#[derive(Debug, Clone)]
pub struct ReasonText {
    /// How much it weighs.
    pub rank: Rank,
    /// The check that it comes from.
    pub check: Option<String>,
    /// For people.
    pub text: String,
}

impl ReasonText {
    /// How much it weighs, in a word.
    pub const fn weight(&self) -> &'static str {
        match self.rank {
            Rank::Blocks => "blocked by",
            Rank::Unknown => "still open",
            Rank::Condition => "condition",
        }
    }
}

impl Ending {
    pub(super) fn new(
        charset: Charset,
        at: Timestamp,
        verdict: &Verdict,
        interrupted: bool,
        report: Option<&str>,
    ) -> Self {
        let reason = |reason: &crate::judge::Reason| ReasonText {
            rank: reason.rank,
            check: reason.check.as_ref().map(|check| charset.show(check.as_str())),
            text: charset.show(&reason.text),
        };
        Self {
            word: verdict.word,
            exit: if interrupted { INTERRUPTED } else { verdict.word.exit_code() },
            reasons: verdict.reasons.iter().map(reason).collect(),
            at,
            expires: verdict.expires,
            report: report.map(|path| charset.show(path)),
            again: None,
        }
    }
}

/// What a verdict means, in one sentence for a person who is no engineer.
pub const fn meaning(word: Word) -> &'static str {
    match word {
        Word::Go => "Everything required is measured and within its limits.",
        Word::ConditionalGo => "You may go live if these conditions are accepted.",
        Word::NoGo => "Do not go live from here: something required failed.",
        Word::Inconclusive => "No answer yet: something required is not established.",
    }
}

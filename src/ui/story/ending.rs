//! How a run ended.

use jiff::Timestamp;

use super::Charset;
use crate::judge::{Rank, Verdict, Word};

/// The verdict, ready to be shown.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The word.
    pub word: Word,
    /// Why it is not GO, worst first.
    pub reasons: Vec<ReasonText>,
    /// When the run ended.
    pub at: Timestamp,
    /// When the verdict stops counting.
    pub expires: Option<Timestamp>,
    /// Where the report is.
    pub report: Option<String>,
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
            Rank::Blocks => "blocks",
            Rank::Unknown => "open",
            Rank::Condition => "condition",
        }
    }
}

impl Ending {
    pub(super) fn new(charset: Charset, at: Timestamp, verdict: &Verdict, report: Option<&str>) -> Self {
        let reason = |reason: &crate::judge::Reason| ReasonText {
            rank: reason.rank,
            check: reason.check.as_ref().map(|check| charset.show(check.as_str())),
            text: charset.show(&reason.text),
        };
        Self {
            word: verdict.word,
            reasons: verdict.reasons.iter().map(reason).collect(),
            at,
            expires: verdict.expires,
            report: report.map(|path| charset.show(path)),
        }
    }
}

/// What a verdict means, in one sentence for a person who is no engineer.
pub const fn meaning(word: Word) -> &'static str {
    match word {
        Word::Go => "Everything required was measured and is within its limits.",
        Word::ConditionalGo => "You may go live if the conditions below are accepted.",
        Word::NoGo => "Do not go live from this network: something required failed.",
        Word::Inconclusive => "Not an answer yet: something required could not be established.",
    }
}

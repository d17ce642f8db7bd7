//! The fields of a change request, ready to paste: approvers may see them and not the attachment.
//!
//! Plain text under ServiceNow's names, each at most [`MAX_FIELD`] characters, and a short
//! Markdown comment. All of it comes from the document; only the digest of the report's file is
//! given, because a document does not know its file.

mod comment;
mod cut;
mod plan;
mod risk;
mod tested;

use std::fmt::Write as _;

pub use comment::comment;
pub use cut::MAX as MAX_FIELD;

use super::again::again;
use super::facts;
use super::moment::Clock;
use super::text::line;
use crate::judge::Rank;
use crate::report::v1::{CheckDoc, Document};

/// A field of ServiceNow's change request (`change_request`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Why: the event, the verdict, who answers for what.
    Justification,
    /// What must be done first, by whom, and when the stream runs.
    ImplementationPlan,
    /// What viewers would notice, what was accepted, what is not known.
    RiskImpactAnalysis,
    /// The way back.
    BackoutPlan,
    /// What was measured against what is needed, and how to verify it.
    TestPlan,
}

impl Field {
    /// In the order of ServiceNow's form.
    pub const ALL: [Self; 5] = [
        Self::Justification,
        Self::ImplementationPlan,
        Self::RiskImpactAnalysis,
        Self::BackoutPlan,
        Self::TestPlan,
    ];

    /// The column's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Justification => "justification",
            Self::ImplementationPlan => "implementation_plan",
            Self::RiskImpactAnalysis => "risk_impact_analysis",
            Self::BackoutPlan => "backout_plan",
            Self::TestPlan => "test_plan",
        }
    }
}

/// The text of a field: inert, at most [`MAX_FIELD`] characters. `sha256` is the digest of the
/// report's file.
pub fn field(document: &Document, sha256: &str, field: Field) -> String {
    let mut out = String::new();
    let clock = Clock::of(document);
    if let Some(words) = facts::redacted(document) {
        let _ = writeln!(out, "{words}\n");
    }
    // writing to a String cannot fail
    let _ = match field {
        Field::Justification => plan::justification(&mut out, document, &clock),
        Field::ImplementationPlan => plan::implementation(&mut out, document, &clock),
        Field::RiskImpactAnalysis => risk::risk(&mut out, document, &clock),
        Field::BackoutPlan => risk::backout(&mut out, document, &clock),
        Field::TestPlan => tested::test_plan(&mut out, document, &clock, sha256),
    };
    let short = line(sha256).chars().take(16).collect::<String>();
    let pointer = format!("[cut here; the whole is in the attached report, sha256 {short}…]");
    cut::fit(&out, &pointer)
}

/// `NO-GO: Something … Counts until …`, the words that head every field.
fn verdict(document: &Document, clock: &Clock) -> String {
    let verdict = &document.verdict;
    let mut words = format!("{}. {}", verdict.word, facts::meaning(verdict.word));
    let _ = match verdict.expires {
        Some(expires) => write!(words, " It counts until {}.", clock.at(expires)),
        None => write!(words, " Nothing that it rests on was measured."),
    };
    if let Some(again) = again(document) {
        let _ = write!(words, " {again}");
    }
    words
}

/// The event's window, as far as the policy states it.
fn window(document: &Document, clock: &Clock) -> String {
    let event = &document.event;
    match (&event.starts, &event.ends) {
        (Some(starts), Some(ends)) => clock.span(starts.at(), ends.at()),
        (Some(starts), None) => format!("from {}", clock.at(starts.at())),
        (None, Some(ends)) => format!("until {}", clock.at(ends.at())),
        (None, None) => "the policy does not say when".to_owned(),
    }
}

/// Every check that is not as it should be, with its rank, worst first.
fn troubles(document: &Document) -> impl Iterator<Item = (Rank, &CheckDoc)> {
    [Rank::Blocks, Rank::Unknown, Rank::Condition]
        .into_iter()
        .flat_map(|rank| facts::checks_of(document, rank).into_iter().map(move |check| (rank, check)))
}

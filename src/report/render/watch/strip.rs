//! A timeline as a strip: one block a period, told apart by height as well as by colour.

use crate::model::Outcome;
use crate::report::{WatchDoc, WatchedDoc};

/// One block, in thousandths of the strip's width and hundredths of its height from the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Where it begins.
    pub x: i64,
    /// How wide it is: at least 2, so that a short failure is seen.
    pub width: i64,
    /// How high it is: the worse, the higher.
    pub height: i64,
    /// What it stands for; `None` when nobody looked.
    pub outcome: Option<Outcome>,
}

/// The blocks of a check, what is well first and what is worst last, so that it lies on top.
pub fn blocks(document: &WatchDoc, check: &WatchedDoc) -> Vec<Block> {
    let (from, to) = document.span();
    let whole = super::ms(from, to).max(1);
    let place = |at| (super::ms(from, at).saturating_mul(1000) / whole).clamp(0, 1000);
    let mut blocks: Vec<Block> = check
        .timeline
        .periods()
        .iter()
        .map(|period| {
            let x = place(period.from).min(998);
            let width = (place(period.until) - x).max(2);
            Block { x, width, height: height(period.outcome), outcome: period.outcome }
        })
        .collect();
    blocks.sort_by_key(|block| block.outcome);
    blocks
}

const fn height(outcome: Option<Outcome>) -> i64 {
    match outcome {
        None => 8,
        Some(Outcome::NotApplicable | Outcome::Pass) => 35,
        Some(Outcome::Warn) => 60,
        Some(Outcome::Unknown) => 80,
        Some(Outcome::Fail) => 100,
    }
}

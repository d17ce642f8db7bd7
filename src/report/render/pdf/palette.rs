//! The colours of the report on paper; those of the style sheet's print part.

use crate::judge::Word;
use crate::model::Outcome;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Paper.
pub const PAPER: Colour = Colour(0xff, 0xff, 0xff);
/// Text.
pub const INK: Colour = Colour(0x16, 0x19, 0x1f);
/// Text that may be passed over.
pub const SOFT: Colour = Colour(0x4d, 0x55, 0x62);
/// Thin lines.
pub const RULE: Colour = Colour(0xcf, 0xd4, 0xdc);
/// Where nothing was measured.
pub const GAP: Colour = Colour(0xe6, 0xe0, 0xd2);
/// What was measured.
pub const VALUE: Colour = Colour(0x1f, 0x5f, 0xa8);
/// Below a curve.
pub const VALUE_AREA: Colour = Colour(0xe4, 0xec, 0xf5);
/// What is asked for.
pub const REQUIRED: Colour = FAIL;

const PASS: Colour = Colour(0x0b, 0x6b, 0x3a);
const WARN: Colour = Colour(0x8a, 0x4b, 0x00);
const FAIL: Colour = Colour(0xa8, 0x1e, 0x1e);
const UNKNOWN: Colour = Colour(0x3d, 0x4a, 0x66);

/// Of a verdict.
pub const fn of_word(word: Word) -> Colour {
    match word {
        Word::Go => PASS,
        Word::ConditionalGo => WARN,
        Word::NoGo => FAIL,
        Word::Inconclusive => UNKNOWN,
    }
}

/// Of an outcome.
pub const fn of_outcome(outcome: Outcome) -> Colour {
    match outcome {
        Outcome::Pass => PASS,
        Outcome::Warn => WARN,
        Outcome::Fail => FAIL,
        Outcome::Unknown => UNKNOWN,
        Outcome::NotApplicable => SOFT,
    }
}

//! The shapes that stand beside each word, so that nothing is told by colour alone: outlines in
//! the path language of SVG, which HTML takes as it is and the PDF draws.

use crate::judge::Word;
use crate::model::Outcome;

/// One shape in a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// Side of the square.
    pub side: u16,
    /// Outlines, back to front.
    pub strokes: &'static [Stroke],
}

/// How an outline of a sign is drawn, and where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// The frame of a verdict's sign.
    Frame(&'static str),
    /// What stands in the frame.
    Mark(&'static str),
    /// A line.
    Line(&'static str),
    /// Filled.
    Fill(&'static str),
}

/// Of a verdict: disc with tick, triangle, octagon with cross, diamond with question mark.
pub const fn of_word(word: Word) -> Sign {
    use Stroke::{Frame, Mark};
    let strokes: &[Stroke] = match word {
        Word::Go => &[Frame("M3 24a21 21 0 1 0 42 0a21 21 0 1 0-42 0z"), Mark("M14 25l7 7 14-16")],
        Word::ConditionalGo => &[Frame("M24 4L46 43H2z"), Mark("M24 18v12M24 36.5v.5")],
        Word::NoGo => &[Frame("M15 3h18l12 12v18L33 45H15L3 33V15z"), Mark("M16 16l16 16M32 16L16 32")],
        Word::Inconclusive => &[
            Frame("M24 1l23 23-23 23L1 24z"),
            Mark("M18.5 19.5a5.5 5.5 0 1 1 8 4.9c-1.7.9-2.5 1.9-2.5 3.8M24 34v.5"),
        ],
    };
    Sign { side: 48, strokes }
}

/// Of an outcome: tick, triangle, cross, diamond, dash.
pub const fn of_outcome(outcome: Outcome) -> Sign {
    use Stroke::{Fill, Line};
    let strokes: &[Stroke] = match outcome {
        Outcome::Pass => &[Line("M2.5 8.5l3.5 3.5 7.5-8")],
        Outcome::Warn => &[Fill("M8 1.5L15.5 14.5H.5z")],
        Outcome::Fail => &[Line("M3 3l10 10M13 3L3 13")],
        Outcome::Unknown => &[Fill("M8 .8L15.2 8 8 15.2.8 8z")],
        Outcome::NotApplicable => &[Line("M3 8h10")],
    };
    Sign { side: 16, strokes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outline_can_be_read() {
        let words = [Word::Go, Word::ConditionalGo, Word::NoGo, Word::Inconclusive].map(of_word);
        let outcomes =
            [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable]
                .map(of_outcome);
        for sign in words.iter().chain(&outcomes) {
            for stroke in sign.strokes {
                let (Stroke::Frame(d) | Stroke::Mark(d) | Stroke::Line(d) | Stroke::Fill(d)) = stroke;
                let path = kurbo::BezPath::from_svg(d).unwrap();
                let around = kurbo::Shape::bounding_box(&path);
                let side = f64::from(sign.side);
                assert!(
                    around.x0 >= 0.0 && around.y0 >= 0.0 && around.x1 <= side && around.y1 <= side,
                    "{d}"
                );
            }
        }
    }
}

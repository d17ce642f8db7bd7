//! Signs and colours. Every meaning has a word and a shape; colour only repeats it.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::judge::Word;
use crate::model::Outcome;
use crate::ui::story::{Charset, Stage};

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen colours.
    Colour,
    /// None: bold, dim and reversed only (<https://no-color.org>).
    Mono,
}

impl Palette {
    /// `NO_COLOR` set and not empty means [`Palette::Mono`].
    pub fn from_no_color(value: Option<&str>) -> Self {
        if value.is_some_and(|value| !value.is_empty()) { Self::Mono } else { Self::Colour }
    }
}

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Colours.
    pub palette: Palette,
    /// Signs.
    pub charset: Charset,
}

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ASCII_SPINNER: [&str; 4] = ["|", "/", "-", "\\"];

impl Theme {
    /// The first in Unicode, the second in ASCII.
    pub const fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        match self.charset {
            Charset::Unicode => unicode,
            Charset::Ascii => ascii,
        }
    }

    /// Frames.
    pub const fn border(self) -> border::Set<'static> {
        match self.charset {
            Charset::Unicode => border::ROUNDED,
            Charset::Ascii => ASCII_BORDER,
        }
    }

    /// Between parts of a line.
    pub const fn dot(self) -> &'static str {
        self.pick(" · ", " - ")
    }

    /// The shape of an outcome.
    pub const fn sign(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::NotApplicable => self.pick("–", "-"),
            Outcome::Pass => self.pick("✓", "+"),
            Outcome::Warn => self.pick("▲", "!"),
            Outcome::Unknown => "?",
            Outcome::Fail => self.pick("✗", "x"),
        }
    }

    /// The shape of a check's state; a running one turns.
    pub fn stage_sign(self, stage: Stage, now_ms: f64) -> &'static str {
        match stage {
            Stage::Waiting => self.pick("·", "."),
            Stage::Running { .. } => self.spinner(now_ms),
            Stage::Measured => self.pick("•", "o"),
            Stage::Judged(outcome) => self.sign(outcome),
        }
    }

    fn spinner(self, now_ms: f64) -> &'static str {
        let frames: &[&'static str] = match self.charset {
            Charset::Unicode => &SPINNER,
            Charset::Ascii => &ASCII_SPINNER,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates; any frame will do"
        )]
        let frame = (now_ms.max(0.0) / 125.0) as usize;
        frames.get(frame % frames.len()).copied().unwrap_or(" ")
    }

    /// The shape of a verdict.
    pub const fn verdict_sign(self, word: Word) -> &'static str {
        match word {
            Word::Go => self.pick("✓", "+"),
            Word::ConditionalGo => self.pick("▲", "!"),
            Word::NoGo => self.pick("✗", "X"),
            Word::Inconclusive => "?",
        }
    }

    /// The look of an outcome.
    pub fn outcome(self, outcome: Outcome) -> Style {
        match outcome {
            Outcome::NotApplicable => self.faint(),
            Outcome::Pass => self.coloured(Color::Green),
            Outcome::Warn => self.coloured(Color::Yellow).add_modifier(Modifier::BOLD),
            Outcome::Unknown => self.coloured(Color::Magenta).add_modifier(Modifier::BOLD),
            Outcome::Fail => self.coloured(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    /// The look of a check's state.
    pub fn stage(self, stage: Stage) -> Style {
        match stage {
            Stage::Waiting => self.faint(),
            Stage::Running { .. } | Stage::Measured => self.busy(),
            Stage::Judged(outcome) => self.outcome(outcome),
        }
    }

    /// The look of the verdict's block.
    pub fn verdict(self, word: Word) -> Style {
        let colour = match word {
            Word::Go => Color::Green,
            Word::ConditionalGo => Color::Yellow,
            Word::NoGo => Color::Red,
            Word::Inconclusive => Color::Magenta,
        };
        match self.palette {
            Palette::Mono => Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
            Palette::Colour => Style::new().fg(Color::Black).bg(colour).add_modifier(Modifier::BOLD),
        }
    }

    /// The look of a verdict in a line of text.
    pub fn verdict_text(self, word: Word) -> Style {
        match word {
            Word::Go => self.outcome(Outcome::Pass),
            Word::ConditionalGo => self.outcome(Outcome::Warn),
            Word::NoGo => self.outcome(Outcome::Fail),
            Word::Inconclusive => self.outcome(Outcome::Unknown),
        }
    }

    /// What is going on.
    pub fn busy(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// A line of keys, a caption.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What stands out.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The selected line, and questions to the user.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The limit's line in a chart.
    pub fn limit(self) -> Style {
        self.coloured(Color::Yellow)
    }

    fn coloured(self, colour: Color) -> Style {
        match self.palette {
            Palette::Colour => Style::new().fg(colour),
            Palette::Mono => Style::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_counts_when_it_is_not_empty() {
        assert_eq!(Palette::from_no_color(None), Palette::Colour);
        assert_eq!(Palette::from_no_color(Some("")), Palette::Colour);
        assert_eq!(Palette::from_no_color(Some("1")), Palette::Mono);
    }

    #[test]
    fn each_outcome_has_a_shape_of_its_own() {
        for charset in [Charset::Unicode, Charset::Ascii] {
            let theme = Theme { palette: Palette::Mono, charset };
            let mut signs: Vec<_> =
                [Outcome::NotApplicable, Outcome::Pass, Outcome::Warn, Outcome::Unknown, Outcome::Fail]
                    .map(|outcome| theme.sign(outcome))
                    .to_vec();
            signs.sort_unstable();
            signs.dedup();
            assert_eq!(signs.len(), 5);
            assert!(charset == Charset::Unicode || signs.iter().all(|sign| sign.is_ascii()));
        }
    }
}

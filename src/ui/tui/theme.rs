//! Signs and colours. Every meaning has a word and a shape; colour only repeats it.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::judge::Word;
use crate::model::Outcome;
use crate::ui::story::{Charset, Stage};

/// Which colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen colours on its own, dark ground.
    Dark,
    /// Dark colours on white, whatever the terminal's ground is.
    Light,
    /// Bright colours on black, and nothing dim.
    HighContrast,
    /// None: bold, dim and reversed only (<https://no-color.org>).
    Mono,
}

impl Palette {
    /// All, by the names that [`Palette::named`] takes.
    pub const ALL: [(&'static str, Self); 4] = [
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
        ("mono", Self::Mono),
    ];

    /// By its name; an error names those that there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, palette)| *palette);
        found.ok_or_else(|| format!("a theme is one of {}", Self::ALL.map(|(known, _)| known).join(", ")))
    }

    /// The one asked for; else none at all where `NO_COLOR` is set and not empty (what is asked for
    /// in the command wins over it, as <https://no-color.org> has it); else the one that
    /// `GOLIVE_THEME` names; else dark.
    pub fn choose(asked: Option<Self>, no_color: Option<&str>, named: Option<&str>) -> Result<Self, String> {
        match (asked, named) {
            (Some(asked), _) => Ok(asked),
            _ if no_color.is_some_and(|value| !value.is_empty()) => Ok(Self::Mono),
            (None, Some(name)) if !name.is_empty() => {
                Self::named(name).map_err(|error| format!("GOLIVE_THEME: {error}"))
            }
            (None, _) => Ok(Self::Dark),
        }
    }

    /// Ground and letters, where they are not the terminal's own.
    pub const fn ground(self) -> Option<(Color, Color)> {
        match self {
            Self::Dark | Self::Mono => None,
            Self::Light => Some((Color::Indexed(231), Color::Indexed(235))),
            Self::HighContrast => Some((Color::Indexed(16), Color::Indexed(231))),
        }
    }

    const fn hue(self, hue: Hue) -> Color {
        match (self, hue) {
            (Self::Mono, _) => Color::Reset,
            (Self::Dark, Hue::Good) => Color::Green,
            (Self::Dark, Hue::Doubtful) => Color::Yellow,
            (Self::Dark, Hue::Open) => Color::Magenta,
            (Self::Dark, Hue::Bad) => Color::Red,
            (Self::Dark, Hue::Busy) => Color::Cyan,
            (Self::Light, Hue::Good) => Color::Indexed(22),
            (Self::Light, Hue::Doubtful) => Color::Indexed(94),
            (Self::Light, Hue::Open) => Color::Indexed(91),
            (Self::Light, Hue::Bad) => Color::Indexed(124),
            (Self::Light, Hue::Busy) => Color::Indexed(25),
            (Self::HighContrast, Hue::Good) => Color::Indexed(46),
            (Self::HighContrast, Hue::Doubtful) => Color::Indexed(226),
            (Self::HighContrast, Hue::Open) => Color::Indexed(213),
            (Self::HighContrast, Hue::Bad) => Color::Indexed(210),
            (Self::HighContrast, Hue::Busy) => Color::Indexed(51),
        }
    }
}

/// What a colour repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hue {
    Good,
    Doubtful,
    Open,
    Bad,
    Busy,
}

/// Red, green and blue of one of the 256 colours that every terminal shows alike (xterm's cube and
/// greys); `None` for the first sixteen, which are the terminal's own.
pub fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |at: u8| LEVELS.get(usize::from(at % 6)).copied().unwrap_or(0);
    match colour {
        Color::Indexed(index @ 16..=231) => {
            let at = index - 16;
            Some((level(at / 36), level(at / 6), level(at)))
        }
        Color::Indexed(index @ 232..) => {
            let grey = 8 + 10 * (index - 232);
            Some((grey, grey, grey))
        }
        _ => None,
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
    /// The first in Unicode, the second in ASCII: every console has that, those of Windows with code page
    /// 437 too.
    pub const fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        debug_assert!(ascii.is_ascii(), "a sign that an old console may lack");
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
            Outcome::Pass => self.coloured(Hue::Good),
            Outcome::Warn => self.coloured(Hue::Doubtful).add_modifier(Modifier::BOLD),
            Outcome::Unknown => self.coloured(Hue::Open).add_modifier(Modifier::BOLD),
            Outcome::Fail => self.coloured(Hue::Bad).add_modifier(Modifier::BOLD),
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
        let hue = match word {
            Word::Go => Hue::Good,
            Word::ConditionalGo => Hue::Doubtful,
            Word::NoGo => Hue::Bad,
            Word::Inconclusive => Hue::Open,
        };
        if self.palette == Palette::Mono {
            return Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
        }
        let letters = self.palette.ground().map_or(Color::Black, |(ground, _)| ground);
        Style::new().fg(letters).bg(self.palette.hue(hue)).add_modifier(Modifier::BOLD)
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
        self.coloured(Hue::Busy)
    }

    /// A line of keys, a caption.
    pub fn faint(self) -> Style {
        match self.palette {
            Palette::HighContrast => Style::new(),
            Palette::Dark | Palette::Light | Palette::Mono => Style::new().add_modifier(Modifier::DIM),
        }
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
        self.coloured(Hue::Doubtful)
    }

    /// Gives every cell that has no colour of its own the ground and the letters of the theme.
    pub fn paint(self, buffer: &mut Buffer) {
        let Some((ground, letters)) = self.palette.ground() else { return };
        for cell in &mut buffer.content {
            if cell.bg == Color::Reset {
                cell.bg = ground;
            }
            if cell.fg == Color::Reset {
                cell.fg = letters;
            }
        }
    }

    fn coloured(self, hue: Hue) -> Style {
        match self.palette {
            Palette::Mono => Style::new(),
            palette => Style::new().fg(palette.hue(hue)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_wins_then_no_color_then_the_name() {
        let choose = Palette::choose;
        assert_eq!(choose(None, None, None), Ok(Palette::Dark));
        assert_eq!(choose(None, Some(""), Some("light")), Ok(Palette::Light));
        assert_eq!(choose(None, Some("1"), Some("light")), Ok(Palette::Mono));
        assert_eq!(choose(Some(Palette::HighContrast), Some("1"), Some("?")), Ok(Palette::HighContrast));
        assert_eq!(choose(None, None, Some("")), Ok(Palette::Dark));
        assert!(choose(None, None, Some("pink")).unwrap_err().contains("dark, light, high-contrast, mono"));
    }

    /// WCAG 2.2's contrast ratio: 4.5 is asked of text (AA), 7 of enhanced contrast (AAA).
    fn contrast(one: Color, other: Color) -> f64 {
        let light = |colour| {
            let (red, green, blue) = rgb(colour).unwrap();
            let part = |value: u8| {
                let share = f64::from(value) / 255.0;
                if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
        };
        let (one, other): (f64, f64) = (light(one), light(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn colours_stand_out_from_their_ground() {
        for (palette, least) in [(Palette::Light, 4.5), (Palette::HighContrast, 7.0)] {
            let (ground, letters) = palette.ground().unwrap();
            let hues = [Hue::Good, Hue::Doubtful, Hue::Open, Hue::Bad, Hue::Busy].map(|hue| palette.hue(hue));
            for colour in hues.into_iter().chain([letters]) {
                let ratio = contrast(colour, ground);
                assert!(ratio >= least, "{palette:?} {colour:?}: {ratio:.1}");
            }
        }
    }

    #[test]
    fn frames_and_what_turns_need_nothing_but_ascii() {
        let theme = Theme { palette: Palette::Mono, charset: Charset::Ascii };
        let border = theme.border();
        let corners = [border.top_left, border.top_right, border.bottom_left, border.bottom_right];
        let edges =
            [border.vertical_left, border.vertical_right, border.horizontal_top, border.horizontal_bottom];
        let turning = (0..40).map(|turn| theme.spinner(f64::from(turn) * 125.0));
        for sign in corners.into_iter().chain(edges).chain(turning).chain([theme.dot()]) {
            assert!(sign.is_ascii() && !sign.is_empty(), "{sign}");
        }
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

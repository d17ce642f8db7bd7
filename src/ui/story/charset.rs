//! Which characters the terminal can show, and the one door that text passes on its way there.

use std::borrow::Cow;

use crate::model::text;

/// Longest text on a screen, in characters; a forged recording cannot make drawing slow.
const MAX_SHOWN: usize = 2000;

/// The characters that a terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    #[default]
    Unicode,
    /// ASCII only.
    Ascii,
}

impl Charset {
    /// From the locale's variables in POSIX order of precedence (`LC_ALL`, `LC_CTYPE`, `LANG`)
    /// and `TERM`: the Linux console has UTF-8 but few of its signs.
    pub fn from_locale(
        lc_all: Option<&str>,
        lc_ctype: Option<&str>,
        lang: Option<&str>,
        term: Option<&str>,
    ) -> Self {
        if term == Some("linux") {
            return Self::Ascii;
        }
        let set = [lc_all, lc_ctype, lang].into_iter().flatten().find(|value| !value.is_empty());
        let utf8 = set.is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        });
        if utf8 { Self::Unicode } else { Self::Ascii }
    }

    /// On Windows there is no locale to ask. Windows Terminal names itself (`WT_SESSION`), others do with
    /// `TERM_PROGRAM` or `TERM`; the old console host sets none of them, and its fonts have little more
    /// than code page 437.
    pub fn from_windows(wt_session: Option<&str>, term_program: Option<&str>, term: Option<&str>) -> Self {
        let named = [wt_session, term_program, term].into_iter().flatten().any(|value| !value.is_empty());
        if named { Self::Unicode } else { Self::Ascii }
    }

    /// Text as it may be shown: escaped, bounded, in this character set.
    pub fn show(self, raw: &str) -> String {
        let cut = raw.char_indices().nth(MAX_SHOWN).map_or(raw, |(at, _)| &raw[..at]);
        let mut escaped = text::escape(cut);
        if cut.len() < raw.len() {
            escaped = Cow::Owned(escaped.into_owned() + "…");
        }
        match self {
            Self::Unicode => escaped.into_owned(),
            Self::Ascii if escaped.is_ascii() => escaped.into_owned(),
            Self::Ascii => escaped.chars().map(ascii).collect(),
        }
    }
}

/// The nearest ASCII; what has none is `?`.
fn ascii(c: char) -> Cow<'static, str> {
    let known = match c {
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '…' => "...",
        '×' => "x",
        '→' => "->",
        '←' => "<-",
        '·' | '•' | '–' | '—' | '−' => "-",
        '‘' | '’' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        'ß' => "ss",
        'ä' | 'à' | 'á' | 'â' | 'å' => "a",
        'Ä' | 'À' | 'Á' | 'Â' | 'Å' => "A",
        'ö' | 'ò' | 'ó' | 'ô' | 'ø' => "o",
        'Ö' | 'Ò' | 'Ó' | 'Ô' | 'Ø' => "O",
        'µ' | 'μ' | 'ü' | 'ù' | 'ú' | 'û' => "u",
        'Ü' | 'Ù' | 'Ú' | 'Û' => "U",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'È' | 'É' | 'Ê' | 'Ë' => "E",
        'ç' => "c",
        'ñ' => "n",
        c if c.is_ascii() => return Cow::Owned(c.to_string()),
        _ => "?",
    };
    Cow::Borrowed(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_and_on_windows_the_terminal_s_name() {
        let locale = Charset::from_locale;
        assert_eq!(locale(None, Some(""), Some("de_DE.UTF-8"), Some("xterm")), Charset::Unicode);
        assert_eq!(locale(Some("C"), None, Some("de_DE.UTF-8"), Some("xterm")), Charset::Ascii);
        assert_eq!(locale(None, None, Some("C.UTF-8"), Some("linux")), Charset::Ascii, "few signs");
        assert_eq!(locale(None, None, None, None), Charset::Ascii);
        let windows = Charset::from_windows;
        assert_eq!(windows(None, None, None), Charset::Ascii, "the old console host");
        assert_eq!(windows(None, Some(""), Some("")), Charset::Ascii);
        for (wt_session, program, term) in
            [(Some("9c0b"), None, None), (None, Some("vscode"), None), (None, None, Some("xterm-256color"))]
        {
            assert_eq!(windows(wt_session, program, term), Charset::Unicode);
        }
    }

    #[test]
    fn whatever_comes_is_shown_in_ascii_where_there_is_no_more() {
        let every = (0..=0x2_ffff_u32).filter_map(char::from_u32);
        let shown: String = every.map(|c| Charset::Ascii.show(c.encode_utf8(&mut [0; 4]))).collect();
        assert!(shown.is_ascii() && !shown.contains('\u{1b}'));
        assert_eq!(Charset::Ascii.show("Jürgen: ≤ 5 ms → ok"), "Jurgen: <= 5 ms -> ok");
    }
}

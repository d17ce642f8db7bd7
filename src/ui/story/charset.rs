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
        if utf8 || cfg!(windows) { Self::Unicode } else { Self::Ascii }
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

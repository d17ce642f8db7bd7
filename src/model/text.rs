//! Text from the network: bounded and escaped at the door, so that it cannot act
//! on a terminal, a report or a log (design, "What may never happen", 8).

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest [`WireText`], in characters after escaping; more ends in `…`.
pub const MAX_WIRE_TEXT: usize = 400;

/// True for characters that act on a terminal or on the order of text: C0, DEL, C1,
/// bidirectional and invisible format characters (Unicode TR 36).
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Bytes as lower-case hexadecimal digits, two a byte.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Shows each acting character as `\u{…}`. Text that has none is returned as it is.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Text that came from the network: at most [`MAX_WIRE_TEXT`] characters, every acting
/// character escaped. Reading it back from a file escapes again, so a forged report
/// cannot carry one in.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String")]
pub struct WireText(String);

impl WireText {
    /// From bytes; what is not UTF-8 becomes U+FFFD. Looks at a bounded prefix only.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let prefix = bytes.get(..MAX_WIRE_TEXT * 4).unwrap_or(bytes);
        Self::from(String::from_utf8_lossy(prefix).as_ref())
    }

    /// The escaped text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for WireText {
    fn from(text: &str) -> Self {
        let cut = text.char_indices().nth(MAX_WIRE_TEXT).map_or(text, |(at, _)| &text[..at]);
        let escaped = escape(cut);
        let mut out: String = escaped.chars().take(MAX_WIRE_TEXT - 1).collect();
        if out.len() < escaped.len() || cut.len() < text.len() {
            out.push('…');
        }
        Self(out)
    }
}

impl From<String> for WireText {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for WireText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_what_acts() {
        assert_eq!(escape("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(escape("x\u{202e}y"), "x\\u{202e}y");
        assert!(matches!(escape("grüße"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_megabyte_is_bounded() {
        assert_eq!(WireText::from_bytes(&vec![b'A'; 1 << 20]).as_str().chars().count(), MAX_WIRE_TEXT);
    }

    proptest! {
        #[test]
        fn any_bytes_are_bounded_and_inert(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let text = WireText::from_bytes(&bytes);
            prop_assert!(text.as_str().chars().count() <= MAX_WIRE_TEXT);
            prop_assert!(!text.as_str().contains(acts));
            prop_assert_eq!(WireText::from(text.as_str()), text);
        }
    }
}

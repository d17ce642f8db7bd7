//! Text of a document on its way to people: bounded and inert, whoever wrote the document.

use crate::model::text;

/// Longest text shown, in characters; the JSON holds the whole.
const MAX: usize = 1200;

/// One line: line breaks and tabs become spaces, every acting character is shown as an
/// escape, more than 1,200 characters end in `…`.
pub fn line(raw: &str) -> String {
    let cut = raw.char_indices().nth(MAX).map_or(raw, |(at, _)| raw.get(..at).unwrap_or(raw));
    let spaced: String = cut.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    let mut shown = text::escape(&spaced).trim().to_owned();
    if cut.len() < raw.len() {
        shown.push('…');
    }
    shown
}

/// A number for people: thousands apart by a narrow space, few decimals.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() >= 1e9 {
        return format!("{value:.2e}");
    }
    let decimals = match value.abs() {
        size if size >= 100.0 || size.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("−", digits));
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(line("a\n| b\u{1b}[31m\u{202e}"), "a | b\\u{1b}[31m\\u{202e}");
        assert_eq!(line(&"x".repeat(1 << 20)).chars().count(), MAX + 1);
    }

    #[test]
    fn numbers_read_well() {
        let shown: Vec<String> = [0.0, 0.25, 9.5, 1234.4, -1_234_567.0, f64::NAN].map(number).into();
        assert_eq!(shown, ["0", "0.25", "9.50", "1\u{202f}234", "−1\u{202f}234\u{202f}567", "–"]);
    }
}

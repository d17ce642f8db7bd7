//! Figures in findings: what was measured, with the limit that says which way is better.

use serde::Serialize;

use super::Sense;
use crate::model::Finding;
use crate::report::v1::CheckDoc;

/// Less than this share of the earlier figure is no change: no network measures the same twice.
const NOISE: f64 = 0.05;

/// One measured figure of both reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What it is, in the words of the finding: `RTMP handshake`.
    pub what: String,
    /// Its unit; empty when it has none.
    pub unit: String,
    /// Earlier and later.
    pub values: [f64; 2],
    /// The limits, earlier and later.
    pub limits: [f64; 2],
    /// Which way it went; same when it moved by less than a twentieth.
    pub sense: Sense,
}

/// A finding's figure.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    what: String,
    unit: String,
    /// More is better (`≥`).
    more: bool,
    limit: f64,
    value: f64,
}

/// Figures that both checks have; of several addresses the worst.
pub(super) fn between(was: &CheckDoc, is: &CheckDoc) -> Vec<Figure> {
    let (was, is) = (worst(was), worst(is));
    let pair = |later: &Measured| {
        let earlier = was.iter().find(|earlier| {
            (&earlier.what, &earlier.unit, earlier.more) == (&later.what, &later.unit, later.more)
        })?;
        Some(Figure {
            what: later.what.clone(),
            unit: later.unit.clone(),
            values: [earlier.value, later.value],
            limits: [earlier.limit, later.limit],
            sense: sense(earlier.value, later.value, later.more),
        })
    };
    is.iter().filter_map(pair).collect()
}

/// A check's figures with their limits: `RTMP handshake 80.2 ms (≤ 1500)`.
pub fn words(check: &CheckDoc) -> Vec<String> {
    let word = |found: Measured| {
        let sign = if found.more { '≥' } else { '≤' };
        let Measured { what, unit, value, limit, .. } = found;
        let unit = if unit.is_empty() { unit } else { format!(" {unit}") };
        format!("{what} {value}{unit} ({sign} {limit})")
    };
    worst(check).into_iter().map(word).collect()
}

fn sense(before: f64, after: f64, more: bool) -> Sense {
    if (after - before).abs() <= before.abs() * NOISE {
        return Sense::Same;
    }
    if (after > before) == more { Sense::Better } else { Sense::Worse }
}

fn worst(check: &CheckDoc) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    for found in check.findings.iter().filter_map(measured) {
        match all.iter_mut().find(|have| have.what == found.what && have.unit == found.unit) {
            Some(have) if (found.value < have.value) == found.more => *have = found,
            Some(_) => {}
            None => all.push(found),
        }
    }
    all
}

/// `RTMP handshake ≤ 1500 ms`, `127.0.0.1:1935: 80.2 ms`: what was asked gives sense and unit, and
/// the figure is the number that has this unit behind it.
fn measured(finding: &Finding) -> Option<Measured> {
    let (at, sign) = finding.expected.char_indices().find(|(_, c)| matches!(c, '≤' | '≥'))?;
    let (before, after) = (&finding.expected[..at], &finding.expected[at + sign.len_utf8()..]);
    let (limit, rest) = number(after.trim_start())?;
    let unit: String = rest.trim_start().chars().take_while(|c| !c.is_whitespace()).collect();
    let unit = unit.trim_end_matches([',', ';', ':']).to_owned();
    let context = rest.trim_start().strip_prefix(unit.as_str()).unwrap_or_default();
    let value = with_unit(&finding.observed, &unit)?;
    let probe = finding.code.split('.').next().unwrap_or_default();
    let what = match (before.trim(), context.trim()) {
        ("", "") => probe.to_owned(),
        ("", context) => context.to_owned(),
        (before, _) => before.to_owned(),
    };
    Some(Measured { what, unit, more: sign == '≥', limit, value })
}

/// The first number in `text` that is followed by `unit`; without a unit, the first word that is
/// a number as a whole.
fn with_unit(text: &str, unit: &str) -> Option<f64> {
    let starts = |at: usize| {
        let digit = text[at..].starts_with(|c: char| c.is_ascii_digit());
        let before = text[..at].chars().next_back();
        digit && before.is_none_or(|c| c.is_whitespace() && c != '\u{202f}' || matches!(c, '(' | '≤' | '≥'))
    };
    text.char_indices().filter(|(at, _)| starts(*at)).find_map(|(at, _)| {
        let (value, rest) = number(&text[at..])?;
        let follows = if unit.is_empty() {
            rest.is_empty() || rest.starts_with([' ', ',', ';'])
        } else {
            let rest = rest.trim_start().strip_prefix(unit);
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        follows.then_some(value)
    })
}

/// A number at the beginning, thousands apart by (narrow) spaces or not, and what follows.
fn number(text: &str) -> Option<(f64, &str)> {
    let mut digits = String::new();
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let digit_next = text[at + c.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
        match c {
            '0'..='9' => digits.push(c),
            '.' if digit_next && !digits.contains('.') => digits.push(c),
            '\u{202f}' | '\u{a0}' if digit_next => {}
            // thousands: exactly three digits behind a plain space
            ' ' if !digits.is_empty() && thousands(&text[at + 1..]) => {}
            _ => break,
        }
        end = at + c.len_utf8();
    }
    Some((digits.parse().ok()?, &text[end..]))
}

fn thousands(rest: &str) -> bool {
    rest.len() >= 3
        && rest.bytes().take(3).all(|c| c.is_ascii_digit())
        && !rest[3..].starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Code, Finding};

    const CODE: Code = Code { id: "upload.rate", means: "" };

    fn read(expected: &str, observed: &str) -> Option<(String, String, bool, f64, f64)> {
        measured(&Finding::pass(CODE, expected, observed))
            .map(|found| (found.what, found.unit, found.more, found.limit, found.value))
    }

    #[test]
    fn the_figure_is_the_number_with_the_limits_unit() {
        let row =
            |what: &str, unit: &str, more, limit, value| Some((what.into(), unit.into(), more, limit, value));
        for (expected, observed, found) in [
            (
                "RTMP handshake ≤ 1500 ms",
                "127.0.0.1:11935: 80.2 ms",
                row("RTMP handshake", "ms", false, 1500.0, 80.2),
            ),
            (
                "≥ 9467 kb/s in 95 % of seconds",
                "11 840 kb/s (5th percentile)",
                row("in 95 % of seconds", "kb/s", true, 9467.0, 11840.0),
            ),
            ("loss ≤ 1 %", "0.25 % of 1 800 packets", row("loss", "%", false, 1.0, 0.25)),
            ("gaps ≤ 0", "2 gaps", row("gaps", "", false, 0.0, 2.0)),
        ] {
            assert_eq!(read(expected, observed), found, "{expected} / {observed}");
        }
        assert_eq!(read("an address within 500 ms", "203.0.113.10 after 12 ms"), None);
        assert_eq!(read("handshake ≤ 5 ms", "203.0.113.10: no answer"), None);
    }

    #[test]
    fn the_limit_gives_the_sense() {
        assert_eq!(sense(100.0, 103.0, true), Sense::Same);
        assert_eq!(sense(100.0, 80.0, true), Sense::Worse);
        assert_eq!(sense(100.0, 80.0, false), Sense::Better);
        assert_eq!(sense(0.0, 1.0, false), Sense::Worse);
    }
}

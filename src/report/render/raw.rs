//! A raw reading as text for people: indented, but with rows of plain values on one line.

use std::fmt::Write as _;

use serde_json::Value;

use super::text::line;

/// Longest text made of one reading, in bytes; the JSON holds the whole.
const MAX: usize = 60_000;
/// Longest row of plain values on one line, in values.
const ROW: usize = 24;

/// The reading, indented by two spaces; every string inert.
pub fn raw(reading: &Value) -> String {
    let mut out = String::new();
    put(&mut out, reading, 0);
    if out.len() > MAX {
        let cut = (0..=MAX).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(cut);
        out.push_str("\n… (report.json holds the whole)");
    }
    out
}

fn put(out: &mut String, value: &Value, depth: usize) {
    if out.len() > MAX {
        return;
    }
    match value {
        Value::Object(object) if !object.is_empty() => {
            out.push('{');
            for (at, (key, value)) in object.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                new_line(out, depth + 1);
                let _ = write!(out, "{}: ", quoted(key));
                put(out, value, depth + 1);
            }
            new_line(out, depth);
            out.push('}');
        }
        Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                new_line(out, depth + 1);
                put(out, value, depth + 1);
            }
            new_line(out, depth);
            out.push(']');
        }
        Value::Array(values) => row(out, values, depth),
        Value::String(text) => out.push_str(&quoted(text)),
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

fn row(out: &mut String, values: &[Value], depth: usize) {
    out.push('[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if values.len() > ROW && at.is_multiple_of(ROW) {
            new_line(out, depth + 1);
        }
        put(out, value, depth);
    }
    if values.len() > ROW {
        new_line(out, depth);
    }
    out.push(']');
}

fn quoted(text: &str) -> String {
    Value::String(line(text)).to_string()
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth.min(40)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_rows_stay_on_a_line() {
        let shown = raw(&json!({"a": [1, null, 3], "b": [{"c": "x\u{1b}"}], "d": {}, "e": []}));
        let want = "{\n  \"a\": [1, null, 3],\n  \"b\": [\n    {\n      \"c\": \"x\\\\u{1b}\"\n    }\n  ],\n  \"d\": {},\n  \"e\": []\n}";
        assert_eq!(shown, want);
    }

    #[test]
    fn a_huge_reading_is_cut() {
        assert!(raw(&json!(vec![json!("é"); 100_000])).len() < MAX + 200);
    }
}

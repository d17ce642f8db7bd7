//! The event stream as JSON lines (`--json`).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::Reader;
use crate::model::text;

/// Writes one JSON object a line, flushed line by line.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Lines go to `out`.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write, E: Serialize> Reader<E> for JsonLines<W> {
    fn event(&mut self, event: &E) -> io::Result<()> {
        let mut line = Vec::with_capacity(512);
        event.serialize(&mut Serializer::with_formatter(&mut line, Inert)).map_err(io::Error::other)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

/// Compact JSON that also escapes what JSON itself would let through and a terminal would
/// act on: C1, bidirectional and invisible characters. It reads back as the same text.
struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if matches!(text::escape(fragment), std::borrow::Cow::Borrowed(_)) {
            return out.write_all(fragment.as_bytes());
        }
        let mut utf8 = [0; 4];
        for c in fragment.chars() {
            let one = c.encode_utf8(&mut utf8);
            if matches!(text::escape(one), std::borrow::Cow::Borrowed(_)) {
                out.write_all(one.as_bytes())?;
            } else {
                let mut utf16 = [0; 2];
                for unit in c.encode_utf16(&mut utf16) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

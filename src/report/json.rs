//! The stored form: indented JSON in which no character acts on a terminal.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::v1::Document;
use crate::model::text;

/// The document as it is stored: indented JSON, one final line feed. Characters that act on a
/// terminal or on the order of text are written as `\uXXXX`, which reads back the same.
pub fn to_json(document: &Document) -> serde_json::Result<String> {
    inert(document)
}

/// The same for anything that is stored beside a report.
pub(super) fn inert(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::with_capacity(1 << 16);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Inert(PrettyFormatter::new())))?;
    bytes.push(b'\n');
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct Inert<'a>(PrettyFormatter<'a>);

/// Passes the calls that lay out arrays and objects on.
macro_rules! pass_on {
    ($($call:ident($($arg:ident: $Type:ty),*);)*) => {
        $(fn $call<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $arg: $Type)*) -> io::Result<()> {
            self.0.$call(writer $(, $arg)*)
        })*
    };
}

impl Formatter for Inert<'_> {
    pass_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| text::acts(*c)) {
            writer.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        writer.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }
}

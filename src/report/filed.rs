//! A report together with what lies beside it, for the forms that show both.

use super::Document;
use super::seal::{Signed, sha256};

/// A report as it lies in its folder. What is shown of it follows from this alone.
#[derive(Debug, Clone, Copy)]
pub struct Filed<'a> {
    /// The report.
    pub document: &'a Document,
    /// Its file's bytes: what was signed, and what the PDF carries.
    pub bytes: &'a [u8],
    /// The decisions about it that hold.
    pub signed: &'a [Signed],
    /// Why other files beside it are none, or count for nothing; inert text.
    pub refused: &'a [String],
}

impl<'a> Filed<'a> {
    /// A report that nobody has decided about.
    pub const fn alone(document: &'a Document, bytes: &'a [u8]) -> Self {
        Self { document, bytes, signed: &[], refused: &[] }
    }

    /// SHA-256 of the report's file, hexadecimal.
    pub fn sha256(&self) -> String {
        sha256(self.bytes)
    }
}

//! Which files go into a ticket: those that are there, under names that ticket systems take.

use std::path::Path;

use super::exit;
use crate::net::ticket::Attachment;
use crate::report::seal::{Bundle, Standing, Words};
use crate::report::{self, Document, Filed, MAX_BYTES, line};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// The PDF if there is one, the report, and what was decided about it, in this order. The
/// report's and the decisions' bytes are those that were verified; what people will read is made
/// from them here, since nothing signs the pages that lie beside.
pub(super) fn of(
    bundle: &Bundle,
    standing: &Standing,
    document: &Document,
    with_html: bool,
) -> anyhow::Result<Vec<Attachment>> {
    let names = &bundle.names;
    let whole = Filed { document, bytes: &bundle.report, signed: &standing.signed, refused: &[] };
    let mut files = Vec::new();
    if names.path(&names.beside("pdf")).is_file() {
        let (name, bytes) = (names.beside("pdf"), report::pdf(&whole)?);
        files.push(Attachment { name, content_type: "application/pdf", bytes });
    }
    files.push(Attachment {
        name: names.report().to_owned(),
        content_type: JSON,
        bytes: bundle.report.clone(),
    });
    if with_html {
        let (name, bytes) = (names.beside("html"), report::html_of(&whole).into_bytes());
        files.push(Attachment { name, content_type: "text/html", bytes });
    }
    for (role, Words { decision, signature }) in &bundle.words {
        let (decided, signed) = (names.decision(role.as_str()), names.signature(role.as_str()));
        let given = [(decided, JSON, decision), (signed, TEXT, signature)];
        files.extend(given.into_iter().filter_map(|(name, content_type, bytes)| {
            Some(Attachment { name, content_type, bytes: bytes.clone()? })
        }));
    }
    for list in [names.allowed_signers(), names.revoked_keys()] {
        files.extend(beside(&names.path(&list), TEXT)?);
    }
    Ok(files)
}

/// A file if it is there.
fn beside(path: &Path, content_type: &'static str) -> anyhow::Result<Option<Attachment>> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_BYTES => {}
        Ok(_) => return Err(failed(path, "it is no file of a report's size")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error.to_string())),
    }
    let bytes = std::fs::read(path).map_err(|error| failed(path, &error.to_string()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some(Attachment { name, content_type, bytes }))
}

fn failed(path: &Path, why: &str) -> anyhow::Error {
    exit::Failure::new(exit::DATA, format!("{}: {why}", line(&path.display().to_string()))).into()
}

//! What would be sent, and what became of it, in lines.

use std::fmt::Write as _;

use crate::net::ticket::{Attachment, Body, Call, Fate, Site};
use crate::report::line;
use crate::report::seal::sha256;

/// Every call with its address, headers and the size of its body; never the token.
pub(super) fn calls(site: &Site, basic: bool, calls: &[Call<'_>]) -> String {
    let mut out = String::from("nothing is sent; without --dry-run these calls would be made:\n");
    let scheme = if basic { "Basic" } else { "Bearer" };
    for call in calls {
        let _ = writeln!(out, "\n{} {}", call.method, site.url(call));
        let _ =
            writeln!(out, "  Accept: application/json\n  Authorization: {scheme} {}", crate::model::REDACTED);
        for (name, value) in &call.headers {
            let _ = writeln!(out, "  {name}: {value}");
        }
        let _ = match &call.body {
            Body::Empty => Ok(()),
            Body::Raw(file) => writeln!(out, "  Content-Type: {}\n  {}", file.content_type, bytes(file)),
            Body::Form(file) => {
                let kind = file.content_type;
                writeln!(
                    out,
                    "  Content-Type: multipart/form-data, one part `file` ({kind})\n  {}",
                    bytes(file)
                )
            }
            Body::Json(value) => {
                let shown = serde_json::to_string_pretty(value).unwrap_or_default();
                let shown: Vec<String> = shown.lines().map(|text| format!("  {}", line(text))).collect();
                writeln!(out, "  Content-Type: application/json\n{}", shown.join("\n"))
            }
        };
    }
    out
}

fn bytes(file: &Attachment) -> String {
    format!("{}: {} bytes, sha256 {}", line(&file.name), file.bytes.len(), sha256(&file.bytes))
}

/// One line about a file.
pub(super) fn fate(file: &Attachment, fate: Fate, host: &str) -> String {
    let (name, size) = (line(&file.name), file.bytes.len());
    match fate {
        Fate::Attached => format!("attached: {name} ({size} bytes) to {host}"),
        Fate::FoundAttached => {
            format!(
                "attached: {name} ({size} bytes) to {host}; its answer was lost, and its list shows the file"
            )
        }
        Fate::AlreadyThere => format!("there already, the same bytes: {name}; not sent again"),
    }
}

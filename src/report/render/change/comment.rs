//! A short Markdown comment for the ticket; the whole report is attached.

use std::fmt::{self, Write as _};

use super::{troubles, window};
use crate::report::render::again::again_as;
use crate::report::render::facts;
use crate::report::render::markdown::{code, plain, sign};
use crate::report::render::moment::Clock;
use crate::report::v1::Document;

/// The comment. `sha256` is the digest of the report's file.
pub fn comment(document: &Document, sha256: &str) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write_all(&mut out, document, sha256);
    out
}

fn write_all(out: &mut String, document: &Document, sha256: &str) -> fmt::Result {
    let clock = Clock::of(document);
    let verdict = &document.verdict;
    writeln!(out, "**{} {}**: {}\n", sign(verdict.word), verdict.word, plain(&document.event.title))?;
    writeln!(out, "{}\n", facts::meaning(verdict.word))?;
    if let Some(words) = facts::redacted(document) {
        writeln!(out, "**{}**\n", plain(&words))?;
    }
    if let Some(words) = again_as(document, code) {
        writeln!(out, "{words}\n")?;
    }
    if let Some(expires) = verdict.expires {
        writeln!(out, "- Counts until **{}**", clock.at(expires))?;
    }
    writeln!(out, "- Event: {}", window(document, &clock))?;
    for reason in facts::whole_run(document) {
        writeln!(out, "- {}", plain(&reason.text))?;
    }
    for (_, check) in troubles(document) {
        let owner = plain(&facts::owner(document, &check.owner));
        let doing = match (&check.not_measured, facts::telling(check)) {
            (Some(not), _) => plain(&not.remedy),
            (None, Some(finding)) => plain(&finding.remedy),
            (None, None) => "measure it".to_owned(),
        };
        let waived = check.waiver.as_ref().map(|waiver| plain(&facts::who(document, &waiver.by)));
        let waived = waived.map(|by| format!(", accepted by {by}")).unwrap_or_default();
        writeln!(out, "- **{}** `{}`{waived}: {doing} ({owner})", check.outcome.word(), check.id)?;
    }
    let open: Vec<String> = facts::unanswered(document).map(|check| format!("`{}`", check.id)).collect();
    if !open.is_empty() {
        writeln!(out, "- Not tested: {}", open.join(", "))?;
    }
    match &document.event.way_back {
        Some(way) => writeln!(out, "- The way back: {}", plain(way))?,
        None => writeln!(out, "- The way back: **the policy does not say who stops the stream, and how**")?,
    }
    writeln!(
        out,
        "\nreport.json has SHA-256 {}; `golive verify report.json` checks it offline.",
        code(sha256)
    )
}

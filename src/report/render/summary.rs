//! A few lines of text for a terminal or a mail: no colour, no control characters.

use std::fmt::{self, Write as _};

use super::again::again;
use super::facts;
use super::moment::Clock;
use super::text::line;
use crate::judge::Rank;
use crate::model::Outcome;
use crate::report::v1::{CheckDoc, Document};

/// The verdict, why it is not GO, what to do and who does it, and what was not tested.
pub fn summary(document: &Document) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write_all(&mut out, document);
    out
}

fn write_all(out: &mut String, document: &Document) -> fmt::Result {
    let clock = Clock::of(document);
    let verdict = &document.verdict;
    writeln!(out, "{}  {}", verdict.word, line(&document.event.title))?;
    writeln!(out, "{}", facts::meaning(verdict.word))?;
    if let Some(words) = facts::redacted(document) {
        writeln!(out, "{words}")?;
    }
    if let Some(says) = facts::close_out(document) {
        writeln!(out, "{says}")?;
    }
    if let Some(words) = again(document) {
        writeln!(out, "{words}")?;
    }
    if let Some(expires) = verdict.expires {
        writeln!(out, "counts until {}", clock.at(expires))?;
    }
    if let Some(ledger) = &document.ledger {
        writeln!(out, "{}", line(&ledger.words(&document.run.id)))?;
    }
    for reason in facts::whole_run(document) {
        writeln!(out, "! {}", line(&reason.text))?;
    }
    for (rank, title) in
        [(Rank::Blocks, "in the way"), (Rank::Unknown, "not known"), (Rank::Condition, "conditions")]
    {
        let checks = facts::checks_of(document, rank);
        if !checks.is_empty() {
            writeln!(out, "\n{title}:")?;
        }
        for check in checks {
            trouble(out, document, check)?;
        }
    }
    tally(out, document)
}

fn trouble(out: &mut String, document: &Document, check: &CheckDoc) -> fmt::Result {
    let waived =
        check.waiver.as_ref().map(|waiver| format!(", accepted by {}", waiver.by)).unwrap_or_default();
    writeln!(out, "  {:7} {} ({}{waived})", check.outcome.word(), check.id, check.enforcement.word())?;
    if let Some(not) = &check.not_measured {
        writeln!(out, "          {}: {}", not.cause.word(), line(&not.detail))?;
        writeln!(out, "          do: {}", line(&not.remedy))?;
    }
    for finding in facts::troubles(check).into_iter().take(3) {
        writeln!(out, "          asked {}, seen {}", line(&finding.expected), line(&finding.observed))?;
        if !finding.remedy.is_empty() {
            writeln!(out, "          do: {}", line(&finding.remedy))?;
        }
    }
    writeln!(out, "          owner: {}", facts::owner(document, &check.owner))
}

fn tally(out: &mut String, document: &Document) -> fmt::Result {
    let all = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable];
    let counts = all.map(|outcome| (facts::count(document, outcome), outcome.word()));
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    writeln!(out, "\n{} checks: {}", document.checks.len(), counts.join(", "))?;
    let open: Vec<&str> = facts::unanswered(document).map(|check| check.id.as_str()).collect();
    if !open.is_empty() {
        writeln!(out, "not tested: {}", open.join(", "))?;
    }
    let left: Vec<String> =
        facts::left_open(document).map(|(check, why)| format!("{check} ({})", line(why))).collect();
    if !left.is_empty() {
        writeln!(out, "not asked in a close-out: {}", left.join("; "))?;
    }
    if !document.not_asked.is_empty() {
        let kinds: Vec<String> = document.not_asked.iter().map(|kind| line(&kind.probe)).collect();
        writeln!(out, "the policy does not ask about: {}", kinds.join(", "))?;
    }
    for words in facts::overdue(document) {
        writeln!(out, "! {words}")?;
    }
    Ok(())
}

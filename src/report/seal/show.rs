//! What verifying came to, for people. Inert text.

use std::fmt::{self, Write as _};

use super::{Gravity, Signed, Standing};
use crate::policy::Level;
use crate::report::{self, line};

/// The report, who decided what and how that is tied to them, what to know, what is wrong.
pub fn standing(standing: &Standing) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write_all(&mut out, standing);
    out
}

fn write_all(out: &mut String, standing: &Standing) -> fmt::Result {
    if let Some(document) = &standing.document {
        writeln!(out, "{}  {}", document.verdict.word, line(&document.event.title))?;
        let until = document.verdict.expires.map(|at| format!(", counts until {at}")).unwrap_or_default();
        writeln!(out, "judged {}{until}", document.verdict.evaluated_at)?;
        if let Some(ledger) = &document.ledger {
            writeln!(out, "{}", line(&ledger.words(&document.run.id)))?;
        }
        if let Some(words) = report::again(document) {
            writeln!(out, "{words}")?;
        }
        writeln!(out, "policy sha256 {}", line(&document.policy.sha256))?;
    }
    writeln!(out, "{}  sha256 {}", standing.file, standing.sha256)?;
    if !standing.signed.is_empty() {
        writeln!(out, "\ndecided:")?;
    }
    standing.signed.iter().try_for_each(|signed| decision(out, signed))?;
    if !standing.notes.is_empty() {
        writeln!(out)?;
    }
    standing.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))?;
    writeln!(out)?;
    standing.problems.iter().try_for_each(|problem| {
        let word = match problem.gravity() {
            Gravity::Forged => "REFUSED",
            Gravity::Open => "not valid now",
        };
        writeln!(out, "{word}: {problem}")
    })?;
    if standing.problems.is_empty() {
        writeln!(out, "holds: report, decisions, readings, verdict and ledger agree")?;
    }
    Ok(())
}

fn decision(out: &mut String, signed: &Signed) -> fmt::Result {
    let decision = &signed.decision;
    writeln!(
        out,
        "  {:12} {:18} {}  {}",
        decision.role,
        decision.decision,
        line(&decision.name),
        decision.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    )?;
    writeln!(out, "  {:12} {}", "", line(&signed.tied()))?;
    for condition in &decision.conditions {
        writeln!(out, "  {:12} on condition: {}", "", line(condition))?;
    }
    if let Some(dissent) = &decision.dissent {
        writeln!(out, "  {:12} dissent: {}", "", line(dissent))?;
    }
    if let (Level::Key, Some(ticket)) = (signed.level, &decision.ticket) {
        writeln!(out, "  {:12} ticket: {}", "", line(ticket))?;
    }
    Ok(())
}

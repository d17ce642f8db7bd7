//! Why the change is made, and what is done when by whom.

use std::fmt::{self, Write as _};

use super::{troubles, verdict, window};
use crate::judge::Rank;
use crate::report::render::facts;
use crate::report::render::moment::Clock;
use crate::report::render::text::line;
use crate::report::v1::{CheckDoc, Document};

pub(super) fn justification(out: &mut String, document: &Document, clock: &Clock) -> fmt::Result {
    let event = &document.event;
    writeln!(out, "Live stream: {}", line(&event.title))?;
    if let Some(objective) = &event.objective {
        writeln!(out, "Objective: {}", line(objective))?;
    }
    writeln!(out, "Event window: {}", window(document, clock))?;
    for (name, value) in [("Where", &event.venue), ("Change", &event.change)] {
        if let Some(value) = value {
            writeln!(out, "{name}: {}", line(value))?;
        }
    }
    writeln!(out, "\nVerdict of the network check: {}", verdict(document, clock))?;
    for reason in facts::whole_run(document) {
        writeln!(out, "- {}", line(&reason.text))?;
    }
    for (_, check) in troubles(document) {
        writeln!(out, "- {} {} ({})", check.outcome.word(), check.id, check.enforcement.word())?;
    }
    writeln!(out, "\nMeasured {}.", clock.span(document.run.started, document.run.finished))?;
    if let Some(ledger) = &document.ledger {
        writeln!(out, "Runs: {}.", line(&ledger.words(&document.run.id)))?;
    }
    accountable(out, document)
}

fn accountable(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(out, "\nAccountable:")?;
    for entry in &document.accountable {
        writeln!(out, "- {}", facts::owner(document, &entry.area))?;
    }
    if let Some(authorisation) = &document.authorisation {
        let by = facts::who(document, &authorisation.by);
        let reference = authorisation.reference.as_deref().map(line);
        let reference = reference.map(|reference| format!(" ({reference})")).unwrap_or_default();
        writeln!(out, "- the tests were authorised by {by}{reference}")?;
    }
    Ok(())
}

pub(super) fn implementation(out: &mut String, document: &Document, clock: &Clock) -> fmt::Result {
    writeln!(out, "Event window: {}", window(document, clock))?;
    writeln!(out, "\nWhat will be sent:")?;
    for stream in &document.streams {
        let (name, to, needed) = (&stream.name, line(&stream.to), stream.needed_kbps);
        let (video, audio) = (stream.video_kbps, stream.audio_kbps);
        writeln!(out, "- {name}: {video} + {audio} kb/s to {to}; it needs {needed} kb/s of upload")?;
    }
    if document.streams.is_empty() {
        writeln!(out, "- the policy names no stream")?;
    }
    for (rank, title) in [
        (Rank::Blocks, "Before going live, mend:"),
        (Rank::Unknown, "Before going live, establish:"),
        (Rank::Condition, "Conditions:"),
    ] {
        let checks = facts::checks_of(document, rank);
        if !checks.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for (number, check) in checks.into_iter().enumerate() {
            step(out, document, number + 1, check)?;
        }
    }
    if document.verdict.reasons.is_empty() {
        writeln!(out, "\nNothing has to be mended first.")?;
    }
    if let Some(expires) = document.verdict.expires {
        writeln!(out, "\nIf the event moves beyond {}, run `golive check` again.", clock.at(expires))?;
    }
    Ok(())
}

/// What is wrong, what to do, whose it is.
fn step(out: &mut String, document: &Document, number: usize, check: &CheckDoc) -> fmt::Result {
    writeln!(out, "{number}. {} ({}): {}", check.id, check.outcome.word(), line(&check.target))?;
    if let Some(not) = &check.not_measured {
        writeln!(out, "   Not measured: {}. Do: {}.", line(&not.detail), line(&not.remedy))?;
    }
    for finding in facts::troubles(check).into_iter().take(3) {
        writeln!(out, "   Asked {}, seen {}.", line(&finding.expected), line(&finding.observed))?;
        if !finding.remedy.is_empty() {
            writeln!(out, "   Do: {}.", line(&finding.remedy))?;
        }
    }
    if let Some(waiver) = &check.waiver {
        writeln!(out, "   Accepted by {}.", facts::who(document, &waiver.by))?;
    }
    writeln!(out, "   Owner: {}.", facts::owner(document, &check.owner))
}

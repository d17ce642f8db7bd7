//! What can go wrong, who accepted it, what is not known, and the way back.

use std::fmt::{self, Write as _};

use super::{troubles, verdict, window};
use crate::report::render::facts;
use crate::report::render::moment::Clock;
use crate::report::render::text::line;
use crate::report::v1::{Document, WaiverDoc};

pub(super) fn risk(out: &mut String, document: &Document, clock: &Clock) -> fmt::Result {
    writeln!(out, "Verdict: {}", verdict(document, clock))?;
    writeln!(out, "\nIf the event went ahead as it is:")?;
    let mut calm = true;
    for (_, check) in troubles(document) {
        calm = false;
        let (id, word, stake) = (&check.id, check.outcome.word(), line(facts::stake(check)));
        writeln!(out, "- {id} ({word}): {stake}")?;
    }
    if calm {
        writeln!(out, "- nothing that was asked gives viewers anything to notice")?;
    }
    writeln!(out, "\nRisks accepted (waivers):")?;
    for entry in &document.waivers {
        waiver(out, document, entry, clock)?;
    }
    if document.waivers.is_empty() {
        writeln!(out, "- none")?;
    }
    untested(out, document)
}

fn waiver(out: &mut String, document: &Document, entry: &WaiverDoc, clock: &Clock) -> fmt::Result {
    let waiver = &entry.waiver;
    let state = facts::state(entry.state);
    let (by, until) = (facts::who(document, &waiver.by), clock.at(waiver.expires.at()));
    write!(out, "- {}: {state}; accepted by {by} until {until}: {}", waiver.check, line(&waiver.reason))?;
    match &waiver.compensating {
        Some(measure) => writeln!(out, "; instead: {}", line(measure)),
        None => writeln!(out),
    }
}

/// Never left out.
pub(super) fn untested(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(out, "\nNot tested:")?;
    if document.run.interrupted {
        writeln!(out, "- the run was stopped before it was over")?;
    }
    for check in facts::unanswered(document) {
        writeln!(out, "- {} ({}): {}", check.id, check.enforcement.word(), line(&check.target))?;
    }
    for kind in &document.not_asked {
        writeln!(out, "- the policy does not ask {}: {}", line(&kind.probe), line(&kind.asks))?;
    }
    if !document.run.interrupted
        && facts::unanswered(document).next().is_none()
        && document.not_asked.is_empty()
    {
        writeln!(out, "- every kind of check was asked, and each has an answer")?;
    }
    Ok(())
}

pub(super) fn backout(out: &mut String, document: &Document, clock: &Clock) -> fmt::Result {
    match &document.event.way_back {
        Some(way) => writeln!(out, "The way back: {}", line(way))?,
        None => {
            writeln!(out, "THE WAY BACK IS MISSING: the policy does not say who stops the stream, and how.")?;
        }
    }
    writeln!(out, "\nEvent window: {}", window(document, clock))?;
    for entry in &document.accountable {
        writeln!(out, "Accountable for {}", facts::owner(document, &entry.area))?;
    }
    writeln!(
        out,
        "\nAfter the event, take back the rules that were opened for it, and prove it with checks that expect \
         `blocked`."
    )
}

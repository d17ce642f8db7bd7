//! What page 1 of every form says of a run that measured some checks again. Phrases; never decides.

use std::collections::BTreeSet;

use super::moment::Clock;
use super::text::line;
use crate::report::AgainDoc;
use crate::report::ledger::{self, grouped};
use crate::report::v1::Document;

/// Most checks whose outcomes in earlier runs are told on page 1.
const MOST: usize = 4;

/// `1 of 12 checks was measured again at 14:02; the others are of run 1, 13:20. So far: line.upload fail,
/// fail, pass.` Inert; nothing for a run that measured all by itself.
pub fn again(document: &Document) -> Option<String> {
    again_as(document, str::to_owned)
}

/// The same with the checks' ids as `named` writes them: an id may look like a host, which some readers
/// of Markdown make a link.
pub fn again_as(document: &Document, named: impl Fn(&str) -> String) -> Option<String> {
    let again = document.again.as_ref()?;
    let said = [measured(document, again), carried(document, again), so_far(document, again, named)];
    Some(line(&said.concat()))
}

fn measured(document: &Document, again: &AgainDoc) -> String {
    let (count, all) = (again.measured.len(), document.checks.len());
    let mine = document.checks.iter().filter(|check| again.measured.contains(&check.id));
    let at = mine.filter_map(|check| check.measured.as_ref()).map(|measured| measured.started).min();
    let clock = Clock::of(document);
    let at = at.map(|at| format!(" at {}", clock.beside(at, document.run.started))).unwrap_or_default();
    let (of, were) =
        if all == 1 { ("check", "was") } else { ("checks", if count == 1 { "was" } else { "were" }) };
    format!("{count} of {all} {of} {were} measured again{at}")
}

fn carried(document: &Document, again: &AgainDoc) -> String {
    let Some(oldest) = again.oldest else { return ".".to_owned() };
    let oldest = Clock::of(document).beside(oldest, document.run.started);
    let lines = document.ledger.as_ref().map(|ledger| ledger.lines.as_slice()).unwrap_or_default();
    let all = ledger::runs(lines);
    let name = |run: &&String| {
        let number = all.iter().position(|id| *id == run.as_str());
        number.map_or_else(|| (*run).clone(), |number| (number + 1).to_string())
    };
    let runs: BTreeSet<&String> = again.carried.values().collect();
    let names: Vec<String> = runs.iter().map(name).collect();
    let others = if again.carried.len() == 1 { "the other is" } else { "the others are" };
    match names.split_last() {
        Some((last, [])) => format!("; {others} of run {last}, {oldest}."),
        Some((last, before)) => {
            format!("; {others} of runs {} and {last}, the oldest of {oldest}.", before.join(", "))
        }
        None => ".".to_owned(),
    }
}

/// What the checks that were measured again came to each time: re-running until green shows.
fn so_far(document: &Document, again: &AgainDoc, named: impl Fn(&str) -> String) -> String {
    let Some(ledger) = &document.ledger else { return String::new() };
    let told: Vec<String> = again
        .measured
        .iter()
        .take(MOST)
        .map(|id| {
            let outcomes = ledger::history(&ledger.lines, &document.run.id, id);
            format!("{} {}", named(id.as_str()), grouped(&outcomes))
        })
        .collect();
    let more = match again.measured.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; {more} more in the ledger"),
    };
    if told.is_empty() { String::new() } else { format!(" So far: {}{more}.", told.join("; ")) }
}

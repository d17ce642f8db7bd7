//! What keeps the verdict from GO: what, how much, who does what about it.

use super::super::Sheet;
use super::super::flow::{CODE, Flow, QUIET, STRONG, TEXT, badge, prose, words};
use super::super::lines::{Style, Text};
use super::super::palette::{SOFT, of_outcome};
use super::room::Room;
use crate::report::render::brief::{self, capital};
use crate::report::render::facts;
use crate::report::v1::CheckDoc;

/// Every reason. Few open questions and few conditions stand side by side.
pub(super) fn all(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    let [blocks, unknown, conditions] =
        brief::REASONS.map(|(rank, title)| (title, facts::checks_of(sheet.document, rank)));
    group(sheet, flow, blocks.0, &blocks.1, 2, room);
    let few = |checks: &[&CheckDoc]| room.cards && (1..=2).contains(&checks.len());
    if few(&unknown.1) && few(&conditions.1) {
        flow.columns(
            0.5,
            |flow| group(sheet, flow, unknown.0, &unknown.1, 1, room),
            |flow| group(sheet, flow, conditions.0, &conditions.1, 1, room),
        );
    } else {
        group(sheet, flow, unknown.0, &unknown.1, 2, room);
        group(sheet, flow, conditions.0, &conditions.1, 2, room);
    }
}

fn group(
    sheet: &Sheet<'_>,
    flow: &mut Flow<'_>,
    title: &str,
    checks: &[&CheckDoc],
    columns: u8,
    room: &Room,
) {
    if checks.is_empty() {
        return;
    }
    flow.space(5.0);
    flow.heading(2, title);
    let (shown, _) = Room::first(checks, room.checks);
    if room.cards {
        let edge = |check: &&CheckDoc| Some(of_outcome(check.outcome));
        for row in shown.chunks(usize::from(columns)) {
            let wide = columns == 2 && row.len() == 1;
            let columns = if wide { 1 } else { columns };
            flow.boxes(columns, row, edge, |flow, check| card(sheet, flow, check, wide, room));
            flow.space(5.0);
        }
    } else {
        for check in shown {
            brief_of(sheet, flow, check, room);
        }
    }
    let more = checks.get(shown.len()..).unwrap_or_default();
    if room.whole {
        for more in more.chunks(24) {
            flow.paragraph(&[words("Also: ", STRONG), words(ids(more), CODE)]);
        }
    } else if !more.is_empty() {
        let (named, _) = Room::first(more, 6);
        let and = format!("and {} more on page 2: ", more.len());
        let rest = if named.len() < more.len() { ", …" } else { "" };
        flow.paragraph(&[words(and, STRONG), words(format!("{}{rest}", ids(named)), CODE)]);
    }
}

fn ids(checks: &[&CheckDoc]) -> String {
    checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// A check in a frame.
fn card(sheet: &Sheet<'_>, flow: &mut Flow<'_>, check: &CheckDoc, wide: bool, room: &Room) {
    let document = sheet.document;
    let shown = |text: &str| prose(&room.short(text), TEXT);
    let mut first = badge(check.outcome, 9.0);
    first.push(words("  ", TEXT));
    first.extend(prose(&room.short(&brief::headline(document, check)), Style { size: 9.0, ..STRONG }));
    flow.paragraph(&first);
    flow.space(2.0);
    let mut said: Vec<(&str, Text)> = Vec::new();
    let troubles = facts::troubles(check);
    let (findings, more) = Room::first(&troubles, room.findings);
    for finding in findings {
        said.push(("Asked", shown(&finding.expected)));
        said.push(("Seen", shown(&finding.observed)));
    }
    said.extend(room.more(more).map(|more| ("", more)));
    if said.is_empty() {
        said.push(("Asked of", vec![words(room.short(&check.target), TEXT)]));
    }
    let mut act: Vec<(&str, Text)> = Vec::new();
    let remedies = brief::remedies(check);
    let (remedies, _) = Room::first(&remedies, room.findings);
    act.extend(remedies.iter().map(|remedy| ("Do", shown(&capital(remedy)))));
    act.push((
        "Owner",
        vec![
            words(room.short(&facts::owner(document, &check.owner)), STRONG),
            words(format!("   {}", check.id), Style { size: 7.0, colour: SOFT, ..CODE }),
        ],
    ));
    if let Some(waiver) = &check.waiver {
        let (by, until) =
            (room.short(&facts::who(document, &waiver.by)), sheet.clock.at(waiver.expires.at()));
        let text = format!("by {by} until {until}: {}", room.short(&waiver.reason));
        act.push(("Accepted", vec![words(text, TEXT)]));
    }
    if wide {
        flow.columns(0.5, |flow| flow.facts(40.0, &said), |flow| flow.facts(40.0, &act));
    } else {
        said.extend(act);
        flow.facts(40.0, &said);
    }
}

/// A check in two lines.
fn brief_of(sheet: &Sheet<'_>, flow: &mut Flow<'_>, check: &CheckDoc, room: &Room) {
    let document = sheet.document;
    let mut text = badge(check.outcome, TEXT.size);
    text.push(words("  ", TEXT));
    text.extend(prose(&room.sentence(&brief::headline(document, check)), STRONG));
    if let Some(finding) = facts::troubles(check).first() {
        text.push(words("  Seen: ", QUIET));
        text.extend(prose(&room.short(&finding.observed), TEXT));
    }
    if let Some(remedy) = brief::remedies(check).first() {
        text.push(words("  Do: ", QUIET));
        text.extend(prose(&room.short(&capital(remedy)), TEXT));
    }
    text.push(words(format!("  {}", room.short(&facts::owner(document, &check.owner))), QUIET));
    text.push(words(format!("  {}", check.id), Style { size: 7.0, colour: SOFT, ..CODE }));
    flow.paragraph(&text);
    flow.space(2.0);
}

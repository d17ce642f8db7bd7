//! The firewall change request, on pages of its own: whoever mends the firewall needs no others.

use super::Sheet;
use super::flow::{CODE, Flow, QUIET, STRONG, TEXT, prose, words};
use super::lines::Text;
use crate::report::render::brief::capital;
use crate::report::render::change_request::{self, BACK_OUT, OURS, notes, rows, shut, verify, window};
use crate::report::render::text::line;
use crate::report::rules::Shut;

/// Openings that are written out; `golive rules` writes them all.
const ROWS: usize = 200;

/// Only where something must be opened or closed.
pub(super) fn pages(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let Some(request) = change_request::of(sheet.document) else { return };
    let change = request.change.as_ref().map(|change| format!(" {}", line(change))).unwrap_or_default();
    let before = flow.slabs.len();
    flow.heading(2, &format!("Firewall change request{change}"));
    if let Some(first) = flow.slabs.get_mut(before) {
        first.new_page = true;
    }
    if !request.rules.is_empty() {
        let window = capital(&window(&request, &sheet.clock));
        let what = format!("{window}. Outwards only; nothing that the event does not need.");
        flow.paragraph(&[words(what, TEXT)]);
        flow.space(4.0);
        openings(flow, &rows(&request));
    }
    for note in notes(&request) {
        flow.paragraph(&prose(&capital(&note), QUIET));
    }
    let (open, closed): (Vec<_>, Vec<_>) = request.shut.iter().partition(|shut| shut.open);
    let item = |entry: &&Shut| -> Text {
        let mut item = vec![words(entry.check.as_str(), CODE), words("  ", TEXT)];
        item.extend(prose(&shut(entry), TEXT));
        item
    };
    if !open.is_empty() {
        flow.space(4.0);
        flow.paragraph(&[
            words("Is open and must be closed: remove the rule that opens it. ", STRONG),
            words(format!("{OURS} "), TEXT),
            words(request.prefix(), CODE),
        ]);
        flow.list(&open.iter().map(item).collect::<Vec<_>>());
    }
    if !closed.is_empty() {
        flow.space(4.0);
        flow.paragraph(&[words("Must stay closed:", TEXT)]);
        flow.list(&closed.iter().map(item).collect::<Vec<_>>());
    }
    for left in &request.left_out {
        flow.paragraph(&prose(&format!("No rule for {}: {}", left.check, left.why), QUIET));
    }
    flow.space(4.0);
    let [open, closed] = verify(&request);
    let verify = [
        ("Verify", open),
        ("After the event", closed),
        ("As configuration, and its back-out", BACK_OUT.to_owned()),
    ];
    let verify: Vec<(&str, Text)> =
        verify.into_iter().map(|(name, command)| (name, vec![words(command, CODE)])).collect();
    flow.facts(128.0, &verify);
}

fn openings(flow: &mut Flow<'_>, rows: &[change_request::Row]) {
    let cells = |texts: &[String]| texts.iter().map(|text| prose(text, TEXT)).collect::<Vec<_>>();
    let shown: Vec<_> = rows
        .iter()
        .take(ROWS)
        .map(|row| {
            vec![
                vec![vec![words(line(&row.name), CODE)]],
                vec![prose(&row.from, TEXT)],
                cells(&row.to),
                vec![prose(&row.service, TEXT)],
                cells(&row.why),
            ]
        })
        .collect();
    let columns = [("Rule", 0.17), ("From", 0.17), ("To", 0.22), ("Service", 0.12), ("Why", 0.32)];
    flow.table(&columns, &shown);
    if let Some(more) = rows.len().checked_sub(ROWS).filter(|more| *more > 0) {
        flow.paragraph(&[words(format!("and {more} more: `golive rules` writes them all."), STRONG)]);
    }
    flow.space(4.0);
}

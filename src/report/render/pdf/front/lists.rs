//! The lists of page 1: what is at stake, upload, what is not known, what is accepted.

use super::super::Sheet;
use super::super::face::Face;
use super::super::flow::{CODE, Flow, QUIET, STRONG, TEXT, badge, prose, short, words};
use super::super::lines::Style;
use super::room::Room;
use crate::report::render::brief;
use crate::report::render::facts;
use crate::report::render::text::line;
use crate::report::v1::CheckDoc;

pub(super) fn viewers(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    let groups = brief::at_stake(sheet.document);
    if groups.is_empty() {
        return;
    }
    flow.heading(2, "If the event went ahead anyway");
    for (lead, stakes) in groups {
        flow.paragraph(&[words(lead, STRONG)]);
        let item = |(text, checks): &brief::Stake<'_>| {
            let ids: Vec<&str> = checks.iter().take(12).map(|check| check.id.as_str()).collect();
            let ids = ids.join(", ");
            let mut item = prose(&room.short(text), TEXT);
            item.push(words(format!(" ({})", room.short(&ids)), QUIET));
            item
        };
        let (shown, more) = Room::first(&stakes, room.stakes);
        flow.list(&shown.iter().map(item).chain(room.more(more)).collect::<Vec<_>>());
    }
    flow.space(6.0);
}

/// Needed against measured upload.
pub(super) fn rates(sheet: &Sheet<'_>, flow: &mut Flow<'_>, tall: f32, room: &Room) {
    const MOST: usize = 4;
    let rated = brief::rated(sheet.document);
    if rated.is_empty() {
        return;
    }
    flow.heading(2, "Upload: needed against measured");
    // without room for plots there is none for several lines either
    let (shown, more) = Room::first(&rated, if tall > 0.0 { MOST } else { 1 });
    for check in shown {
        let path = check.path.as_ref().map(|path| format!(" over {path}")).unwrap_or_default();
        flow.paragraph(&[words(format!("{}{path}", check.id), QUIET)]);
        let findings: Vec<_> = brief::rate_findings(check).collect();
        let (findings, _) = Room::first(&findings, room.findings.max(2));
        for finding in findings {
            let mut said = badge(finding.effect.into(), TEXT.size);
            said.push(words("  needed ", QUIET));
            said.extend(prose(&room.short(&finding.expected), STRONG));
            said.push(words(", measured ", QUIET));
            said.extend(prose(&room.short(&finding.observed), STRONG));
            flow.paragraph(&said);
        }
        flow.space(4.0);
        if tall > 0.0 {
            for series in brief::rates(check) {
                flow.plot(series, tall);
            }
        }
    }
    if more > 0 {
        flow.paragraph(&[words(format!("{more} more in the pages behind."), QUIET)]);
    }
    flow.space(6.0);
}

/// Never left out: also says so when nothing is missing.
pub(super) fn untested(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    let document = sheet.document;
    flow.heading(2, "What was not tested");
    if document.run.interrupted {
        flow.paragraph(&[words("The run was stopped before it was over.", STRONG)]);
    }
    let item = |check: &&CheckDoc| {
        let mut item = vec![words(check.id.as_str(), CODE)];
        let asked = room.short(&line(&check.target));
        item.push(words(format!("  {} · {asked}  ", check.enforcement.word()), QUIET));
        item.extend(prose(&room.short(&brief::why_unanswered(check)), TEXT));
        item
    };
    let open: Vec<&CheckDoc> = facts::unanswered(document).collect();
    if open.is_empty() {
        flow.paragraph(&[words("Every check of the policy has an answer.", TEXT)]);
    }
    let (shown, more) = Room::first(&open, room.open);
    flow.list(&shown.iter().map(item).chain(room.more(more)).collect::<Vec<_>>());
    let left_open: Vec<_> = facts::left_open(document).collect();
    if !left_open.is_empty() {
        flow.paragraph(&[words("Not asked in a close-out:", TEXT)]);
        let item = |(check, why): &(&crate::model::CheckId, &str)| {
            vec![words(check.as_str(), CODE), words(format!("  {}", room.short(why)), QUIET)]
        };
        let (shown, more) = Room::first(&left_open, room.open);
        flow.list(&shown.iter().map(item).chain(room.more(more)).collect::<Vec<_>>());
    }
    not_asked(sheet, flow, room);
    let overdue: Vec<String> = facts::overdue(document).collect();
    let (shown, more) = Room::first(&overdue, room.open.min(8));
    for words_of in shown {
        flow.paragraph(&[words(format!("{}.", room.short(words_of)), TEXT)]);
    }
    if let Some(more) = room.more(more) {
        flow.paragraph(&more);
    }
    flow.paragraph(&[words(brief::SCOPE, QUIET)]);
    flow.space(6.0);
}

/// Kinds of question that the policy does not ask.
fn not_asked(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    let kinds = &sheet.document.not_asked;
    if kinds.is_empty() {
        return;
    }
    let mut text = vec![words("The policy does not ask about: ", QUIET)];
    for (at, kind) in kinds.iter().take(40).enumerate() {
        text.push(words(if at > 0 { "; " } else { "" }, QUIET));
        text.push(words(short(&kind.probe, 24), Style { face: Face::Bold, ..QUIET }));
        if room.whole {
            text.push(words(format!(" ({})", line(&kind.asks)), QUIET));
        }
    }
    text.push(words(if room.whole { "." } else { " (more on page 2)." }, QUIET));
    flow.paragraph(&text);
}

pub(super) fn waivers(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    let waivers = &sheet.document.waivers;
    if waivers.is_empty() {
        return;
    }
    flow.space(5.0);
    flow.heading(2, "Waivers");
    let (shown, more) = Room::first(waivers, room.waivers);
    for entry in shown {
        let until = sheet.clock.at(entry.waiver.expires.at());
        flow.paragraph(&[
            words(entry.waiver.check.as_str(), CODE),
            words(format!("  {}", facts::state(entry.state)), STRONG),
            words(format!("  accepts {}, by ", brief::accepts(entry.waiver.accepts)), QUIET),
            words(format!("{} until {until}: ", room.short(&brief::approver(entry))), TEXT),
            words(room.short(&brief::reason(entry)), TEXT),
        ]);
        flow.space(2.0);
    }
    if let Some(more) = room.more(more) {
        flow.paragraph(&more);
    }
}

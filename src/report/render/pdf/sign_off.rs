//! Who decides: two blocks on page 1, and the last page, with room for ink.

use super::flow::{CODE, Flow, QUIET, SMALL, STRONG, TEXT, short, words};
use super::lines::Style;
use super::palette::{INK, SOFT};
use super::slab::{Pen, Slab, rectangle, straight};
use super::tags::Role;
use super::{Sheet, face::Face};
use crate::report::render::decided::{self, Block};
use crate::report::render::text::line;
use crate::report::render::{brief, facts};

/// The two blocks of page 1, with the digests and the commands that verify them.
pub(super) fn front(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let before = flow.slabs.len();
    flow.heading(2, "Decision");
    flow.boxes(2, &decided::two(&sheet.filed), |_| None, |flow, block| write(sheet, flow, block, false));
    flow.space(5.0);
    remarks(sheet, flow);
    let mono = Style { size: 6.6, ..CODE };
    let small = Style { size: 6.9, ..QUIET };
    flow.paragraph(&[
        words("Verify: ", small),
        words("golive verify report.json", mono),
        words("   Compute the verdict again from the readings: ", small),
        words(facts::verifies(sheet.document), mono),
        words("   Policy SHA-256 ", small),
        words(short(&sheet.document.policy.sha256, 64), mono),
    ]);
    // one piece, so that nobody signs on a page that does not say what
    let slabs = flow.slabs.split_off(before);
    flow.slabs.push(Slab::stacked(slabs));
}

/// The last page.
pub(super) fn page(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let document = sheet.document;
    let before = flow.slabs.len();
    flow.heading(2, "Sign-off");
    if let Some(first) = flow.slabs.get_mut(before) {
        first.new_page = true;
    }
    let until = document.verdict.expires.map(|at| format!("  ·  counts until {}", sheet.clock.at(at)));
    flow.paragraph(&[
        words(document.verdict.word.text(), STRONG),
        words(format!("  ·  {}{}", line(&document.event.title), until.unwrap_or_default()), TEXT),
    ]);
    if let Some(ledger) = &document.ledger {
        flow.paragraph(&[
            words(line(&ledger.words(&document.run.id)), TEXT),
            words(". Head of the ledger: ", QUIET),
            words(line(&ledger.head), Style { size: 6.8, ..CODE }),
        ]);
    }
    flow.space(3.0);
    flow.paragraph(&[
        words("What is decided here is about this very file: report.json, SHA-256 ", QUIET),
        words(sheet.digest.clone(), Style { size: 6.8, ..CODE }),
        words(". It is embedded in this PDF. Once decisions lie beside it, ", QUIET),
        words("golive verify report.json", CODE),
        words(" says whether they hold.", QUIET),
    ]);
    for refused in sheet.filed.refused.iter().take(20) {
        flow.paragraph(&[words("Does not count: ", STRONG), words(line(refused), TEXT)]);
    }
    if document.accountable.is_empty() {
        flow.paragraph(&[words("The policy names nobody who is accountable.", STRONG)]);
    }
    if let Some(authorised) = brief::authorised(document, &sheet.clock) {
        flow.paragraph(&[words(authorised, QUIET)]);
    }
    flow.space(8.0);
    for pair in decided::everybody(&sheet.filed).chunks(2) {
        flow.boxes(2, pair, |_| None, |flow, block| write(sheet, flow, block, true));
        flow.space(12.0);
    }
    remarks(sheet, flow);
    flow.paragraph(&[words(decided::levels(document), QUIET)]);
}

/// One key or one machine behind two roles.
fn remarks(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    for remark in decided::remarks(&sheet.filed) {
        flow.paragraph(&[words("Note: ", STRONG), words(remark, TEXT)]);
        flow.space(3.0);
    }
}

fn write(sheet: &Sheet<'_>, flow: &mut Flow<'_>, block: &Block<'_>, ink: bool) {
    flow.heading(3, &block.title);
    flow.slabs.iter_mut().for_each(|slab| slab.bookmark = None);
    let signs = if ink || block.said.is_some() { "" } else { "; signs on the last page" };
    flow.paragraph(&[words(format!("{}{signs}", block.standing), QUIET)]);
    flow.space(2.0);
    if let Some(signed) = block.said {
        flow.paragraph(&[words(decided::choice(signed), Style { face: Face::Bold, size: 11.5, ..TEXT })]);
        flow.space(2.0);
        let said = decided::particulars(signed, &sheet.clock);
        let said: Vec<_> = said.into_iter().map(|(name, text)| (name, vec![words(text, TEXT)])).collect();
        flow.facts(56.0, &said);
    } else {
        choices(flow);
        rule(flow, "Name", block.name.as_deref(), if ink { 17.0 } else { 14.0 });
    }
    if !ink {
        return;
    }
    if block.said.is_none() {
        rule(flow, "Conditions,", None, 21.0);
        rule(flow, "dissent", None, 19.0);
        rule(flow, "", None, 19.0);
        rule(flow, "Date, time", None, 21.0);
    }
    rule(flow, "Signature", None, 34.0);
}

/// Boxes to tick.
fn choices(flow: &mut Flow<'_>) {
    const SIDE: f32 = 7.4;
    let part = flow.tags.add(flow.within, Role::Paragraph);
    let mut slab = Slab { height: 14.0, ..Slab::default() };
    let mut x = 0.0;
    for choice in decided::CHOICES {
        slab.shape(rectangle(x, 1.8, SIDE, SIDE), None, Some(Pen::new(INK, 0.8)));
        slab.words(x + SIDE + 4.0, 8.6, choice, TEXT, Some(part));
        x += SIDE + 4.0 + flow.faces.text_width(TEXT.face, choice) * TEXT.size + 15.0;
    }
    flow.slabs.push(slab);
}

/// A line to write on, or with what the policy says.
fn rule(flow: &mut Flow<'_>, name: &str, value: Option<&str>, height: f32) {
    const NAMES: f32 = 56.0;
    let part = flow.tags.add(flow.within, Role::Paragraph);
    let mut slab = Slab { height, ..Slab::default() };
    let base = height - 4.0;
    if !name.is_empty() {
        slab.words(0.0, base, name, Style { size: SMALL, ..QUIET }, Some(part));
    }
    if let Some(value) = value {
        let text = [words(value, TEXT)];
        for line in super::lines::lines(flow.faces, &text, flow.width - NAMES, 1) {
            slab.line(NAMES, base - line.base, &line, Some(part));
        }
    }
    let under = straight((NAMES, height - 0.8), (flow.width, height - 0.8));
    slab.shape(under, None, Some(Pen::new(SOFT, 0.6)));
    flow.slabs.push(slab);
}

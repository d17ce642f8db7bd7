//! Above everything else: the event, the verdict, and how many checks came to what.

use super::super::flow::{CODE, Flow, QUIET, STRONG, TEXT, badge, short, words};
use super::super::lines::{Style, Text, lines};
use super::super::palette::{INK, PAPER, SOFT, of_outcome, of_word};
use super::super::slab::{Drawing, Pen, Slab, rounded, straight};
use super::super::tags::{Part, Role};
use super::super::{Sheet, face::Face};
use super::room::Room;
use crate::report::render::again::again;
use crate::report::render::brief::{self, capital};
use crate::report::render::text::line;
use crate::report::render::{facts, sign};

const TITLE: Style = Style { face: Face::Bold, size: 19.0, colour: INK };
const KICKER: Style = Style { face: Face::Bold, size: 7.0, colour: SOFT };
const WORD: Style = Style { face: Face::Bold, size: 25.0, colour: PAPER };
const ON_COLOUR: Style = Style { face: Face::Regular, size: 8.6, colour: PAPER };
/// Longest text above the verdict, in characters: nothing pushes that off page 1.
const HEAD: usize = 240;
pub(super) fn head(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    let most = room.text.max(room.sentence).min(HEAD);
    let event = &sheet.document.event;
    let part = flow.tags.add(flow.within, Role::Paragraph);
    let kind = if sheet.document.close_out.is_some() { "CLOSE-OUT REPORT" } else { "GO-LIVE REPORT" };
    let kicker = flow.set(Some(part), &[words(kind, KICKER)], 0.0, flow.width, 1);
    flow.slabs.extend(kicker);
    let title = match line(&event.title) {
        title if title.is_empty() => "An event without a title".to_owned(),
        title => title,
    };
    let part = flow.tags.add(flow.within, Role::Heading(1, title.clone()));
    let slabs = flow.set(Some(part), &[words(short(&title, most), TITLE)], 0.0, flow.width, 3);
    flow.slabs.extend(slabs);
    if let Some(words_of) = facts::redacted(sheet.document) {
        flow.paragraph(&[words(short(&words_of, HEAD), STRONG)]);
    }
    if let Some(objective) = &event.objective {
        flow.paragraph(&[words(short(objective, most), Style { colour: SOFT, ..TEXT })]);
    }
    flow.space(5.0);
    let when = brief::when(sheet.document, &sheet.clock);
    let plain = |value: &String| vec![words(short(value, most), TEXT)];
    let of_event = |flow: &mut Flow<'_>| {
        let mut facts: Vec<(&str, Text)> = Vec::new();
        facts.extend(when.as_ref().map(|when| ("When", plain(when))));
        facts.extend(event.venue.as_ref().map(|venue| ("Where", plain(venue))));
        flow.facts(36.0, &facts);
    };
    let of_stream = |flow: &mut Flow<'_>| {
        let mut facts: Vec<(&str, Text)> = Vec::new();
        facts.extend(event.change.as_ref().map(|change| ("Change", plain(change))));
        let (streams, more) = Room::first(&sheet.document.streams, room.stakes.min(6));
        for stream in streams {
            let needs = format!("  {}: {}", stream.name, brief::needs(stream.needed_kbps));
            facts.push(("Stream", vec![words(short(&stream.to, most), CODE), words(needs, QUIET)]));
        }
        facts.extend((more > 0).then(|| ("", vec![words(format!("and {more} more in report.json"), QUIET)])));
        flow.facts(40.0, &facts);
    };
    flow.columns(0.42, of_event, of_stream);
    flow.space(5.0);
}

/// The word, its shape and its colour, with its meaning and its expiry.
pub(super) fn verdict(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    const SIDE: f32 = 15.0;
    const VALID: f32 = 186.0;
    let document = sheet.document;
    let verdict = &document.verdict;
    let colour = of_word(verdict.word);
    let part = flow.tags.add(flow.within, Role::Paragraph);
    let mut banner = Slab::default();
    let mut says: Vec<Text> = vec![vec![words(verdict.word.text(), WORD)]];
    says.push(vec![words(facts::meaning(verdict.word), ON_COLOUR)]);
    says.extend(facts::close_out(document).map(|says| vec![words(says, ON_COLOUR)]));
    says.extend(again(document).map(|says| vec![words(short(&says, 2 * HEAD), ON_COLOUR)]));
    let whole = facts::whole_run(document).take(3);
    let said = |text: &str| vec![words(format!("{}.", capital(&short(text, HEAD / 2))), ON_COLOUR)];
    says.extend(whole.map(|reason| said(&reason.text)));
    let left = SIDE + 60.0;
    let right = flow.width - VALID;
    let middle = column(flow, &mut banner, part, &says, left, right - left - 22.0);
    let expiry = column(flow, &mut banner, part, &validity(sheet), right, VALID - 10.0);
    let height = middle.max(expiry).max(48.0) + 18.0;
    // both texts stand in the middle of the banner
    let (words_in, marks_of) = (middle, std::mem::take(&mut banner.marks));
    let mut ground = Slab { height, ..Slab::default() };
    ground.shape(rounded(0.0, 0.0, flow.width, height, 6.0), Some(colour), None);
    ground.sign(sign::of_word(verdict.word), SIDE, (height - 46.0) / 2.0, 46.0, PAPER);
    let line = straight((right - 11.0, 14.0), (right - 11.0, height - 14.0));
    ground.shape(line, None, Some(Pen::new(PAPER, 0.5)));
    for mark in marks_of {
        let beside = matches!(&mark.drawing, Drawing::Words(x, ..) if *x >= right);
        let own = if beside { expiry } else { words_in };
        let one = Slab { marks: vec![mark], ..Slab::default() };
        ground.marks.extend(one.moved(0.0, (height - own) / 2.0).marks);
    }
    flow.slabs.push(ground);
}

/// Paragraphs below one another on a slab; gives their height.
fn column(flow: &Flow<'_>, slab: &mut Slab, part: Part, texts: &[Text], x: f32, width: f32) -> f32 {
    let mut top = 0.0;
    for text in texts {
        for line in lines(flow.faces, text, width, 5) {
            slab.line(x, top, &line, Some(part));
            top += line.height;
        }
    }
    top
}

fn validity(sheet: &Sheet<'_>) -> Vec<Text> {
    let document = sheet.document;
    let verdict = &document.verdict;
    let small = Style { size: 6.6, ..ON_COLOUR };
    let strong = Style { face: Face::Bold, ..ON_COLOUR };
    let mut said: Vec<Text> = vec![vec![words("Counts until", small)]];
    match verdict.expires {
        Some(expires) => {
            said.push(vec![words(sheet.clock.at(expires), strong)]);
            said.extend(brief::reach(document).map(|reach| vec![words(reach, small)]));
        }
        None => said.push(vec![words("nothing that it rests on was measured", small)]),
    }
    let measured = sheet.clock.span(document.run.started, document.run.finished);
    said.push(vec![words(format!("Measured {measured}"), small)]);
    let judged = sheet.clock.at(verdict.evaluated_at);
    if judged != measured {
        said.push(vec![words(format!("Judged {judged}"), small)]);
    }
    said
}

/// How many checks came to what, and which run of the event this is.
pub(super) fn tally(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let document = sheet.document;
    let mut text: Text = Vec::new();
    for (outcome, count) in brief::tally(document) {
        text.extend(badge(outcome, TEXT.size));
        let colour = of_outcome(outcome);
        text.push(words(format!(" {count}    "), Style { face: Face::Bold, colour, ..TEXT }));
    }
    text.push(words(format!("of {} checks", document.checks.len()), QUIET));
    if let Some(ledger) = &document.ledger {
        text.push(words(format!("  ·  {}", line(&ledger.words(&document.run.id))), QUIET));
    }
    if document.run.resumed {
        text.push(words("  ·  the run was interrupted and resumed", QUIET));
    }
    flow.space(6.0);
    flow.paragraph(&text);
}

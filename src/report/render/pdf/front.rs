//! Page 1: for a person who is no engineer.

use super::flow::{CODE, Flow, QUIET, STRONG, TEXT, badge, prose, short, words};
use super::lines::{Style, Text, lines};
use super::palette::{INK, PAPER, SOFT, of_outcome, of_word};
use super::slab::{Pen, Slab, rounded, straight};
use super::tags::{Part, Role};
use super::{Sheet, face::Face, sign_off};
use crate::report::render::brief::{self, capital};
use crate::report::render::text::line;
use crate::report::render::{facts, sign};
use crate::report::v1::CheckDoc;

const TITLE: Style = Style { face: Face::Bold, size: 19.0, colour: INK };
const KICKER: Style = Style { face: Face::Bold, size: 7.0, colour: SOFT };
const WORD: Style = Style { face: Face::Bold, size: 25.0, colour: PAPER };
const ON_COLOUR: Style = Style { face: Face::Regular, size: 8.6, colour: PAPER };
/// Longest text above the verdict, in characters: nothing pushes that off page 1.
const HEAD: usize = 240;
/// Cards of one group that are written out; those beyond are named.
const CARDS: usize = 24;

pub(super) fn page(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    head(sheet, flow);
    verdict(sheet, flow);
    tally(sheet, flow);
    all_reasons(sheet, flow);
    flow.space(5.0);
    let upload = brief::rated(sheet.document);
    let tall = if sheet.document.verdict.reasons.is_empty() { 140.0 } else { 58.0 };
    let left = |flow: &mut Flow<'_>| {
        if !upload.is_empty() {
            rates(flow, &upload, tall);
            flow.space(6.0);
        }
        way_back(sheet, flow);
    };
    let right = |flow: &mut Flow<'_>| {
        viewers(sheet, flow);
        untested(sheet, flow);
    };
    flow.columns(0.5, left, right);
    waivers(sheet, flow);
    flow.space(5.0);
    sign_off::front(sheet, flow);
}

/// What keeps the verdict from GO. Few open questions and few conditions stand side by side.
fn all_reasons(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let [blocks, unknown, conditions] =
        brief::REASONS.map(|(rank, title)| (title, facts::checks_of(sheet.document, rank)));
    group(sheet, flow, blocks.0, &blocks.1, 2);
    let few = |checks: &[&CheckDoc]| (1..=2).contains(&checks.len());
    if few(&unknown.1) && few(&conditions.1) {
        flow.columns(
            0.5,
            |flow| group(sheet, flow, unknown.0, &unknown.1, 1),
            |flow| group(sheet, flow, conditions.0, &conditions.1, 1),
        );
    } else {
        group(sheet, flow, unknown.0, &unknown.1, 2);
        group(sheet, flow, conditions.0, &conditions.1, 2);
    }
}

fn head(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let event = &sheet.document.event;
    let part = flow.tags.add(flow.within, Role::Paragraph);
    let kicker = flow.set(Some(part), &[words("GO-LIVE REPORT", KICKER)], 0.0, flow.width, 1);
    flow.slabs.extend(kicker);
    let title = match line(&event.title) {
        title if title.is_empty() => "An event without a title".to_owned(),
        title => title,
    };
    let part = flow.tags.add(flow.within, Role::Heading(1, title.clone()));
    let slabs = flow.set(Some(part), &[words(title, TITLE)], 0.0, flow.width, 3);
    flow.slabs.extend(slabs);
    if let Some(words_of) = facts::redacted(sheet.document) {
        flow.paragraph(&[words(short(&words_of, HEAD), STRONG)]);
    }
    if let Some(objective) = &event.objective {
        flow.paragraph(&[words(short(objective, HEAD), Style { colour: SOFT, ..TEXT })]);
    }
    flow.space(5.0);
    let when = brief::when(sheet.document, &sheet.clock);
    let plain = |value: &String| vec![words(short(value, HEAD), TEXT)];
    let of_event = |flow: &mut Flow<'_>| {
        let mut facts: Vec<(&str, Text)> = Vec::new();
        facts.extend(when.as_ref().map(|when| ("When", plain(when))));
        facts.extend(event.venue.as_ref().map(|venue| ("Where", plain(venue))));
        flow.facts(36.0, &facts);
    };
    let of_stream = |flow: &mut Flow<'_>| {
        let mut facts: Vec<(&str, Text)> = Vec::new();
        facts.extend(event.change.as_ref().map(|change| ("Change", plain(change))));
        for stream in sheet.document.streams.iter().take(6) {
            let needs = format!("  {}: {}", stream.name, brief::needs(stream.needed_kbps));
            facts.push(("Stream", vec![words(short(&stream.to, HEAD), CODE), words(needs, QUIET)]));
        }
        flow.facts(40.0, &facts);
    };
    flow.columns(0.42, of_event, of_stream);
    flow.space(5.0);
}

/// The word, its shape and its colour, with its meaning and its expiry.
fn verdict(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    const SIDE: f32 = 15.0;
    const VALID: f32 = 186.0;
    let document = sheet.document;
    let verdict = &document.verdict;
    let colour = of_word(verdict.word);
    let part = flow.tags.add(flow.within, Role::Paragraph);
    let mut banner = Slab::default();
    let mut says: Vec<Text> = vec![vec![words(verdict.word.text(), WORD)]];
    says.push(vec![words(facts::meaning(verdict.word), ON_COLOUR)]);
    let whole = facts::whole_run(document).take(4);
    says.extend(whole.map(|reason| vec![words(format!("{}.", capital(&line(&reason.text))), ON_COLOUR)]));
    let left = SIDE + 60.0;
    let right = flow.width - VALID;
    let middle = column(flow, &mut banner, part, &says, left, right - left - 16.0);
    let expiry = column(flow, &mut banner, part, &validity(sheet), right, VALID - SIDE);
    let height = middle.max(expiry).max(48.0) + 18.0;
    // both texts stand in the middle of the banner
    let (words_in, marks_of) = (middle, std::mem::take(&mut banner.marks));
    let mut ground = Slab { height, ..Slab::default() };
    ground.shape(rounded(0.0, 0.0, flow.width, height, 6.0), Some(colour), None);
    ground.sign(sign::of_word(verdict.word), SIDE, (height - 46.0) / 2.0, 46.0, PAPER);
    let line = straight((right - 14.0, 14.0), (right - 14.0, height - 14.0));
    ground.shape(line, None, Some(Pen::new(PAPER, 0.5)));
    for mark in marks_of {
        let beside = matches!(&mark.drawing, super::slab::Drawing::Words(x, ..) if *x >= right);
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
    let small = Style { size: 7.0, ..ON_COLOUR };
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
fn tally(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
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

fn group(sheet: &Sheet<'_>, flow: &mut Flow<'_>, title: &str, checks: &[&CheckDoc], columns: u8) {
    if checks.is_empty() {
        return;
    }
    flow.space(5.0);
    flow.heading(2, title);
    let (shown, more) = checks.split_at_checked(CARDS).unwrap_or((checks, &[]));
    let edge = |check: &&CheckDoc| Some(of_outcome(check.outcome));
    for row in shown.chunks(usize::from(columns)) {
        let wide = columns == 2 && row.len() == 1;
        flow.boxes(if wide { 1 } else { columns }, row, edge, |flow, check| card(sheet, flow, check, wide));
        flow.space(5.0);
    }
    for more in more.chunks(24) {
        let ids: Vec<&str> = more.iter().map(|check| check.id.as_str()).collect();
        flow.paragraph(&[words("Also: ", STRONG), words(ids.join(", "), CODE)]);
    }
}

/// One check that keeps the verdict from GO: what, how much, who does what about it.
fn card(sheet: &Sheet<'_>, flow: &mut Flow<'_>, check: &CheckDoc, wide: bool) {
    let document = sheet.document;
    let mut first = badge(check.outcome, 9.0);
    first.push(words("  ", TEXT));
    first.extend(prose(&brief::headline(document, check), Style { size: 9.0, ..STRONG }));
    flow.paragraph(&first);
    flow.space(2.0);
    let mut said: Vec<(&str, Text)> = Vec::new();
    for finding in facts::troubles(check).into_iter().take(3) {
        said.push(("Asked", prose(&finding.expected, TEXT)));
        said.push(("Seen", prose(&finding.observed, TEXT)));
    }
    if said.is_empty() {
        said.push(("Asked of", vec![words(line(&check.target), TEXT)]));
    }
    let mut act: Vec<(&str, Text)> = Vec::new();
    act.extend(brief::remedies(check).iter().map(|remedy| ("Do", prose(&capital(remedy), TEXT))));
    act.push((
        "Owner",
        vec![
            words(facts::owner(document, &check.owner), STRONG),
            words(format!("   {}", check.id), Style { size: 7.0, colour: SOFT, ..CODE }),
        ],
    ));
    if let Some(waiver) = &check.waiver {
        let (by, until) = (facts::who(document, &waiver.by), sheet.clock.at(waiver.expires.at()));
        let text = format!("by {by} until {until}: {}", line(&waiver.reason));
        act.push(("Accepted", vec![words(text, TEXT)]));
    }
    if wide {
        flow.columns(0.5, |flow| flow.facts(40.0, &said), |flow| flow.facts(40.0, &act));
    } else {
        said.extend(act);
        flow.facts(40.0, &said);
    }
}

fn viewers(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let groups = brief::at_stake(sheet.document);
    if groups.is_empty() {
        return;
    }
    flow.heading(2, "If the event went ahead anyway");
    for (lead, stakes) in groups {
        flow.paragraph(&[words(lead, STRONG)]);
        let item = |(text, checks): &brief::Stake<'_>| {
            let ids: Vec<&str> = checks.iter().take(12).map(|check| check.id.as_str()).collect();
            let mut item = prose(text, TEXT);
            item.push(words(format!(" ({})", ids.join(", ")), QUIET));
            item
        };
        flow.list(&stakes.iter().take(12).map(item).collect::<Vec<_>>());
    }
    flow.space(6.0);
}

/// Needed against measured upload.
fn rates(flow: &mut Flow<'_>, checks: &[&CheckDoc], tall: f32) {
    flow.heading(2, "Upload: needed against measured");
    for check in checks.iter().take(4) {
        let path = check.path.as_ref().map(|path| format!(" over {path}")).unwrap_or_default();
        flow.paragraph(&[words(format!("{}{path}", check.id), QUIET)]);
        for finding in brief::rate_findings(check) {
            let mut said = badge(finding.effect.into(), TEXT.size);
            said.push(words("  needed ", QUIET));
            said.extend(prose(&finding.expected, STRONG));
            said.push(words(", measured ", QUIET));
            said.extend(prose(&finding.observed, STRONG));
            flow.paragraph(&said);
        }
        flow.space(4.0);
        for series in brief::rates(check) {
            flow.plot(series, tall);
        }
    }
    if let Some(more) = checks.get(4..).filter(|more| !more.is_empty()) {
        flow.paragraph(&[words(format!("{} more in the pages behind.", more.len()), QUIET)]);
    }
}

/// Never left out: also says so when nothing is missing.
fn untested(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let document = sheet.document;
    flow.heading(2, "What was not tested");
    if document.run.interrupted {
        flow.paragraph(&[words("The run was stopped before it was over.", STRONG)]);
    }
    let item = |check: &CheckDoc| {
        let mut item = vec![words(check.id.as_str(), CODE)];
        item.push(words(format!("  {} · {}  ", check.enforcement.word(), line(&check.target)), QUIET));
        item.extend(prose(&brief::why_unanswered(check), TEXT));
        item
    };
    let items: Vec<Text> = facts::unanswered(document).map(item).collect();
    if items.is_empty() {
        flow.paragraph(&[words("Every check of the policy has an answer.", TEXT)]);
    }
    flow.list(&items);
    if !document.not_asked.is_empty() {
        let mut text = vec![words("The policy does not ask about: ", QUIET)];
        for (at, kind) in document.not_asked.iter().take(40).enumerate() {
            text.push(words(if at > 0 { "; " } else { "" }, QUIET));
            text.push(words(line(&kind.probe), Style { face: Face::Bold, ..QUIET }));
            text.push(words(format!(" ({})", line(&kind.asks)), QUIET));
        }
        text.push(words(".", QUIET));
        flow.paragraph(&text);
    }
    for overdue in facts::overdue(document).take(8) {
        flow.paragraph(&[words(format!("{overdue}."), TEXT)]);
    }
    flow.paragraph(&[words(brief::SCOPE, QUIET)]);
}

fn waivers(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let waivers = &sheet.document.waivers;
    if waivers.is_empty() {
        return;
    }
    flow.space(5.0);
    flow.heading(2, "Waivers");
    for entry in waivers {
        let until = sheet.clock.at(entry.waiver.expires.at());
        flow.paragraph(&[
            words(entry.waiver.check.as_str(), CODE),
            words(format!("  {}", facts::state(entry.state)), STRONG),
            words(format!("  accepts {}, by ", brief::accepts(entry.waiver.accepts)), QUIET),
            words(format!("{} until {until}: ", brief::approver(entry)), TEXT),
            words(brief::reason(entry), TEXT),
        ]);
        flow.space(2.0);
    }
}

fn way_back(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    flow.heading(2, "The way back");
    match &sheet.document.event.way_back {
        Some(way) => flow.paragraph(&[words(line(way), TEXT)]),
        None => flow.paragraph(&[words(brief::NO_WAY_BACK, STRONG)]),
    }
}

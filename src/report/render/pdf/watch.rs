//! A watch on paper: the same facts as its page, with every timeline drawn.

use super::bound::{Carried, Cover, bound};
use super::face::{Face, Faces};
use super::flow::{CODE, Flow, QUIET, STRONG, TEXT, badge, prose, short, words};
use super::lines::{Style, Text};
use super::pages::COLUMN;
use super::palette::{Colour, GAP, INK, RULE, SOFT, of_outcome};
use super::slab::{Pen, rectangle, straight};
use super::tags::{Role, Tags};
use super::{PdfError, table::Columns};
use crate::report::render::moment::Clock;
use crate::report::render::text::line;
use crate::report::render::watch::strip::{Block, blocks};
use crate::report::render::watch::{budget, clock, every, listed, looks, meaning, state, when, within, word};
use crate::report::seal::sha256;
use crate::report::{WATCH_FILE, WatchDoc, WatchedDoc};

/// Longest text in a cell, in characters.
const ROW: usize = 160;
/// Checks whose periods are written out; every timeline is drawn.
const DETAILS: usize = 120;
/// Columns of the timelines: the third holds the strip.
const TIMELINES: [f32; 4] = [0.25, 0.12, 0.45, 0.18];
/// Height of a strip.
const STRIP: f32 = 17.0;

/// A watch as a PDF/A-3a file that carries its watch.json, whose bytes are `stored`.
///
/// # Errors
/// None that a watch can cause.
pub fn watch_pdf(document: &WatchDoc, stored: &[u8]) -> Result<Vec<u8>, PdfError> {
    let faces = Faces::embedded()?;
    let mut tags = Tags::new();
    let within = tags.add(Tags::ROOT, Role::Section);
    let mut flow = Flow { faces: &faces, tags: &mut tags, width: COLUMN, within, slabs: Vec::new() };
    whole(&mut flow, document, &clock(document));
    let slabs = flow.slabs;
    let cover = Cover {
        head: format!("Watch  ·  {}", line(&document.event.title)),
        run: format!("watch {}", line(&document.watch)),
        golive: &document.golive,
        title: format!("Watch: {}", short(&document.event.title, 300)),
        description: format!("Watch {} during the event", short(&document.watch, 100)),
        at: document.span().1,
        carries: Carried {
            name: WATCH_FILE,
            about: "The watch that this document shows: golive-watch/1",
            bytes: stored,
            digest: sha256(stored),
        },
    };
    bound(slabs, &faces, tags, &cover)
}

fn whole(flow: &mut Flow<'_>, document: &WatchDoc, clock: &Clock) {
    head(flow, document, clock);
    timelines(flow, document, clock);
    alerts(flow, document, clock);
    for check in document.checks.iter().take(DETAILS) {
        flow.space(10.0);
        one(flow, check, clock);
    }
    let more = document.checks.len().saturating_sub(DETAILS);
    if more > 0 {
        let text =
            format!("The periods of {more} more checks stand in {WATCH_FILE}, which this file carries.");
        flow.space(10.0);
        flow.paragraph(&[words(text, STRONG)]);
    }
    left_out(flow, document);
}

fn head(flow: &mut Flow<'_>, document: &WatchDoc, clock: &Clock) {
    let title = match line(&document.event.title) {
        title if title.is_empty() => "An event without a title".to_owned(),
        title => title,
    };
    let kicker = Style { face: Face::Bold, size: 7.0, colour: SOFT };
    flow.paragraph(&[words("WATCH DURING THE EVENT", kicker)]);
    let part = flow.tags.add(flow.within, Role::Heading(1, title.clone()));
    let style = Style { face: Face::Bold, size: 19.0, colour: INK };
    let slabs = flow.set(Some(part), &[words(short(&title, 240), style)], 0.0, flow.width, 3);
    flow.slabs.extend(slabs);
    flow.space(4.0);
    let mut says = badge(document.worst, 10.6);
    says.push(words(format!("   {}", meaning(document.worst)), STRONG));
    flow.paragraph(&says);
    let scope = "A watch asks what is light while the stream is live. It says nothing of upload or of the stream \
                 itself, and it is no verdict on the event.";
    flow.paragraph(&[words(scope, Style { colour: SOFT, ..TEXT })]);
    flow.space(5.0);
    facts(flow, document, clock);
}

fn facts(flow: &mut Flow<'_>, document: &WatchDoc, clock: &Clock) {
    let (from, to) = document.span();
    let plain = |text: String| vec![words(text, TEXT)];
    let ended = format!("{}, ended by {}", clock.span(from, to), short(&document.ended_by, ROW));
    let counts = format!("{} watched, {} left out", document.checks.len(), document.left_out.len());
    let mut facts: Vec<(&str, Text)> = Vec::new();
    facts.extend(document.event.venue.as_ref().map(|venue| ("Where", plain(short(venue, ROW)))));
    facts.extend(document.event.change.as_ref().map(|change| ("Change", plain(short(change, ROW)))));
    facts.extend([("Watched", plain(ended)), ("Checks", plain(counts)), ("Load", plain(budget(document)))]);
    if document.resumed > 0 {
        facts.push(("Resumed", plain(format!("{} times after a crash", document.resumed))));
    }
    if let Some(webhook) = &document.webhook {
        let counts = format!("  {} delivered, {} lost", webhook.delivered, webhook.lost);
        let mut text = vec![words(short(&webhook.host, ROW), CODE), words(counts, TEXT)];
        let trouble = webhook.trouble.as_ref().map(|trouble| format!("; {}", short(trouble, ROW)));
        text.extend(trouble.map(|trouble| words(trouble, QUIET)));
        facts.push(("Webhook", text));
    }
    flow.facts(48.0, &facts);
}

/// Every check's timeline, one below the other over the same span.
fn timelines(flow: &mut Flow<'_>, document: &WatchDoc, clock: &Clock) {
    flow.space(10.0);
    flow.heading(2, "Timelines");
    let key = "The higher a block, the worse: pass, warn, unknown (it could not be asked), fail. A thin line: \
               nobody looked.";
    flow.paragraph(&[words(key, QUIET)]);
    flow.space(3.0);
    let rows: Vec<_> = document
        .checks
        .iter()
        .map(|check| {
            let count = check.timeline.periods().len();
            let periods = format!("{count} {}", if count == 1 { "period" } else { "periods" });
            let ended = check
                .state
                .map_or_else(|| vec![words(state(check), QUIET)], |outcome| badge(outcome, TEXT.size));
            vec![
                vec![vec![words(check.check.as_str(), CODE)], vec![words(periods, QUIET)]],
                vec![ended],
                Vec::new(),
                vec![vec![words(within(document, check), TEXT)]],
            ]
        })
        .collect();
    let (from, to) = document.span();
    let span = format!("{} to {}", clock.time(from), clock.time(to));
    let [name, ended, strip, share] = TIMELINES;
    let columns: &Columns<'_> =
        &[("Check", name), ("Ended as", ended), (span.as_str(), strip), ("Within limits", share)];
    let first = flow.slabs.len() + 1;
    flow.table(columns, &rows);
    for (at, check) in document.checks.iter().enumerate() {
        draw(flow, first + at, document, check);
    }
}

/// Draws a timeline into the room that its row keeps for it.
fn draw(flow: &mut Flow<'_>, row: usize, document: &WatchDoc, check: &WatchedDoc) {
    let [name, ended, strip, _] = TIMELINES;
    let (left, wide) = (flow.width * (name + ended), flow.width * strip - 10.0);
    let Some(slab) = flow.slabs.get_mut(row) else { return };
    let base = (slab.height - STRIP) / 2.0 + STRIP;
    slab.shape(straight((left, base), (left + wide, base)), None, Some(Pen::new(RULE, 0.6)));
    for Block { x, width, height, outcome } in blocks(document, check) {
        let (from, across) = (left + wide * share(x, 1000), wide * share(width, 1000));
        let high = STRIP * share(height, 100);
        slab.shape(rectangle(from, base - high, across, high), Some(colour(outcome)), None);
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousandths of a strip")]
fn share(part: i64, whole: i64) -> f32 {
    part as f32 / whole as f32
}

const fn colour(outcome: Option<crate::model::Outcome>) -> Colour {
    match outcome {
        Some(outcome) => of_outcome(outcome),
        None => GAP,
    }
}

fn alerts(flow: &mut Flow<'_>, document: &WatchDoc, clock: &Clock) {
    flow.space(10.0);
    flow.heading(2, "Alerts");
    if document.alerts.is_empty() {
        flow.paragraph(&[words("There was none.", TEXT)]);
        return;
    }
    let older = document.alerts_in_all.saturating_sub(document.alerts.len() as u64);
    if older > 0 {
        flow.paragraph(&[words(format!("{older} earlier ones stand in the journal."), QUIET)]);
    }
    let rows: Vec<_> = document
        .alerts
        .iter()
        .map(|alert| {
            let was = alert.from.map_or("from the start".to_owned(), |from| format!("was {}", from.word()));
            let since = format!("seen since {}", clock.time(alert.since));
            let mut said = vec![words(format!("{} ", short(&alert.code, ROW)), CODE)];
            said.extend(prose(&short(&alert.said, 2 * ROW), TEXT));
            let role = alert.accountable.as_ref().map(|role| format!(": {role}")).unwrap_or_default();
            vec![
                vec![vec![words(clock.time(alert.at), TEXT)], vec![words(since, QUIET)]],
                vec![vec![words(alert.check.as_str(), CODE)]],
                vec![badge(alert.to, TEXT.size), vec![words(was, QUIET)]],
                vec![said],
                vec![vec![words(format!("{}{role}", alert.owner), TEXT)]],
            ]
        })
        .collect();
    let columns =
        [("At", 0.14), ("Check", 0.18), ("Became", 0.13), ("What was seen", 0.39), ("Whose it is", 0.16)];
    flow.table(&columns, &rows);
}

fn one(flow: &mut Flow<'_>, check: &WatchedDoc, clock: &Clock) {
    flow.heading(3, check.check.as_str());
    let path = check.path.as_ref().map(|path| format!(" over {path}")).unwrap_or_default();
    let about = format!(
        "{}{path} {}  ·  {}, {} looks  ·  {}",
        short(&check.probe, ROW),
        short(&check.target, ROW),
        every(check.every_s),
        check.looks,
        check.enforcement.word()
    );
    flow.paragraph(&[words(about, QUIET)]);
    let (older, periods) = listed(check);
    if older > 0 {
        flow.paragraph(&[words(format!("{older} older periods stand in {WATCH_FILE}."), QUIET)]);
    }
    if periods.is_empty() {
        flow.paragraph(&[words("It was never looked at.", TEXT)]);
        return;
    }
    let rows: Vec<_> = periods
        .iter()
        .map(|period| {
            let what = period
                .outcome
                .map_or_else(|| vec![words(word(None), QUIET)], |outcome| badge(outcome, TEXT.size));
            let mut said = prose(&short(&period.said, 2 * ROW), TEXT);
            if !period.code.is_empty() {
                said.insert(0, words(format!("{} ", short(&period.code, ROW)), CODE));
            }
            vec![
                vec![vec![words(when(period, clock), TEXT)]],
                vec![what],
                vec![vec![words(looks(period), TEXT)]],
                vec![said],
            ]
        })
        .collect();
    flow.table(&[("When", 0.26), ("What", 0.13), ("Looks", 0.13), ("First seen", 0.48)], &rows);
}

fn left_out(flow: &mut Flow<'_>, document: &WatchDoc) {
    if document.left_out.is_empty() {
        return;
    }
    flow.space(12.0);
    flow.heading(2, "Not watched");
    let item = |left: &crate::report::LeftOutDoc| {
        let why = format!(" ({}): {}", short(&left.probe, ROW), short(&left.why, 2 * ROW));
        vec![words(left.check.as_str(), CODE), words(why, TEXT)]
    };
    flow.list(&document.left_out.iter().map(item).collect::<Vec<Text>>());
}

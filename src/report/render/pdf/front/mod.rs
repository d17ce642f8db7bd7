//! Page 1: for a person who is no engineer. Whatever the report holds, the decision stands on it;
//! what its lists leave out for that is said there, and stands whole on the next page.

mod lists;
mod reasons;
mod room;
mod top;

use self::room::Room;
use super::flow::{Flow, QUIET, STRONG, TEXT, height, words};
use super::{Sheet, pages, sign_off};
use crate::report::render::brief;
use crate::report::render::text::line;

pub(super) fn page(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    for (at, room) in Room::ALL.iter().enumerate() {
        // what is laid out and not drawn leaves no trace in the structure
        let slabs = flow.apart(flow.width, flow.within, |flow| first(sheet, flow, room));
        let fits = height(&slabs) <= pages::FIRST;
        if fits || at + 1 == Room::ALL.len() {
            flow.slabs.extend(slabs);
            if at > 0 {
                whole(sheet, flow);
            }
            return;
        }
    }
}

fn first(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    top::head(sheet, flow, room);
    top::verdict(sheet, flow);
    top::tally(sheet, flow);
    reasons::all(sheet, flow, room);
    flow.space(5.0);
    let roomy = sheet.document.verdict.reasons.is_empty() && room.whole;
    let plot = if roomy { 140.0 } else { room.plot };
    two_columns(
        flow,
        &[
            &|flow| lists::rates(sheet, flow, plot, room),
            &|flow| lists::untested(sheet, flow, room),
            &|flow| lists::viewers(sheet, flow, room),
            &|flow| way_back(sheet, flow, room),
        ],
    );
    lists::waivers(sheet, flow, room);
    flow.space(5.0);
    sign_off::front(sheet, flow);
}

/// Lays something out.
type Piece<'a> = &'a dyn Fn(&mut Flow<'_>);

/// One piece after another, each below the column that is shorter by then.
fn two_columns(flow: &mut Flow<'_>, pieces: &[Piece<'_>]) {
    let mut columns: [(f32, Vec<Piece<'_>>); 2] = [(0.0, Vec::new()), (0.0, Vec::new())];
    for piece in pieces {
        let tall = height(&flow.apart(flow.width / 2.0, flow.within, piece));
        let [left, right] = &mut columns;
        let shorter = if right.0 < left.0 { right } else { left };
        shorter.0 += tall;
        shorter.1.push(*piece);
    }
    let [left, right] = columns.map(|(_, pieces)| {
        move |flow: &mut Flow<'_>| {
            for piece in &pieces {
                piece(flow);
            }
        }
    });
    flow.columns(0.5, left, right);
}

/// The lists that page 1 shortens.
fn whole(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let before = flow.slabs.len();
    flow.heading(2, "Page 1 in full");
    if let Some(first) = flow.slabs.get_mut(before) {
        first.new_page = true;
    }
    flow.paragraph(&[words("Nothing is left out here of what page 1 shortens.", QUIET)]);
    reasons::all(sheet, flow, &Room::WHOLE);
    flow.space(5.0);
    lists::viewers(sheet, flow, &Room::WHOLE);
    lists::untested(sheet, flow, &Room::WHOLE);
    lists::rates(sheet, flow, 112.0, &Room::WHOLE);
    way_back(sheet, flow, &Room::WHOLE);
    lists::waivers(sheet, flow, &Room::WHOLE);
}

fn way_back(sheet: &Sheet<'_>, flow: &mut Flow<'_>, room: &Room) {
    flow.heading(2, "The way back");
    match &sheet.document.event.way_back {
        Some(way) => flow.paragraph(&[words(room.sentence(&line(way)), TEXT)]),
        None => flow.paragraph(&[words(brief::NO_WAY_BACK, STRONG)]),
    }
}

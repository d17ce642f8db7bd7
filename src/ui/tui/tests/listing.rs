//! What the list of checks holds: filters and search.

use super::*;
use crate::ui::tui::state::Filter;

fn seek(state: &mut State, text: &str) {
    state.key(Key::Search);
    text.chars().for_each(|c| state.seek(Stroke::Char(c)));
}

fn ids(state: &State) -> Vec<&str> {
    state.listed().into_iter().map(|index| state.story.cards[index].id.as_str()).collect()
}

#[test]
fn the_filter_goes_from_attention_over_each_area_back_to_all() {
    let mut state = over(End::NoGo);
    let all = ids(&state).len();
    let mut seen = Vec::new();
    loop {
        state.key(Key::Filter);
        if state.filter == Filter::All {
            break;
        }
        seen.push((state.filter.clone(), ids(&state).len()));
    }
    assert_eq!(seen[0].0, Filter::Attention);
    let areas = [Filter::Area("brand".to_owned()), Filter::Area("network".to_owned())];
    assert!(seen.iter().skip(1).all(|(filter, _)| areas.contains(filter)) && seen.len() == 3, "{seen:?}");
    assert_eq!(seen.iter().skip(1).map(|(_, count)| count).sum::<usize>(), all, "each check has one area");
}

#[test]
fn a_search_finds_ids_and_what_findings_say_and_keeps_the_selection() {
    let mut state = over(End::NoGo);
    seek(&mut state, "UPLINK");
    assert_eq!(ids(&state), ["uplink.primary", "uplink.backup"]);
    let selected = state.card().unwrap().id.clone();
    assert_snapshot!("search_80x24", screen(&mut state, SMALL));
    state.seek(Stroke::Enter);
    assert!(!state.search.typing);
    assert!(screen(&mut state, SMALL).contains("/UPLINK: 2 of"));
    state.key(Key::Back);
    assert_eq!((ids(&state).len(), &state.card().unwrap().id), (state.story.cards.len(), &selected));

    let observed = state.story.cards.iter().find_map(|card| card.findings.first()).unwrap().observed.clone();
    seek(&mut state, &observed);
    assert!(!ids(&state).is_empty(), "{observed}");
    seek(&mut state, " and nothing like it");
    assert!(ids(&state).is_empty() && screen(&mut state, SMALL).contains("nothing"));
    state.seek(Stroke::Close);
    assert!(!state.narrowed() && state.card().is_some());
}

#[test]
fn keys_go_into_the_search_while_it_is_typed_and_nowhere_else() {
    let mut state = after(End::NoGo, 12.9, COLOUR);
    seek(&mut state, "q\u{1b}");
    assert_eq!((state.search.needle.as_str(), state.overlay), ("q", Overlay::None));
    (0..200).for_each(|_| state.seek(Stroke::Char('x')));
    assert_eq!(state.search.needle.len(), 60, "bounded");
    (0..80).for_each(|_| state.seek(Stroke::Erase));
    assert!(state.search.typing && ids(&state).len() == state.story.cards.len());
}

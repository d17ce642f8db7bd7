//! Matrix, way out, earlier runs, and the sheets to fill in once the run is over.

use std::collections::BTreeMap;

use super::*;
use crate::model::Family;
use crate::run::earlier::{Earlier, EarlierCheck, EarlierRun};
use crate::ui::story::Trail;
use crate::ui::tui::errand::{Errand, Means};
use crate::ui::tui::page::Page;

const LIGHT: Theme = Theme { palette: Palette::Mono, charset: Charset::Ascii };

/// A run that is over, with what its readings would have told of families and routers.
fn seen(charset: Charset) -> State {
    let mut state = after(End::NoGo, 60.0, Theme { charset, ..COLOUR });
    state.end();
    for card in &mut state.story.cards {
        card.families = match card.probe {
            "rtmp" | "tls" => vec![Family::V4, Family::V6],
            "port" | "srt" | "upload" => vec![Family::V4],
            _ => Vec::new(),
        };
        let hop = |number, address: &str| (number, Some(address.to_owned()));
        if card.probe == "srt" {
            card.trails = vec![Trail {
                hops: vec![hop(1, "10.20.3.1"), hop(2, "45.30.0.1"), hop(3, "45.31.0.2")],
                blame: Some((
                    2,
                    "packets get to hop 2 (45.30.0.1), not to hop 3 (45.31.0.2), which the control reaches: \
                     the outermost firewall of this network, or else the provider's first router"
                        .to_owned(),
                )),
            }];
        }
    }
    state
}

fn earlier() -> Earlier {
    let check = |outcome, said: &str, same_question| EarlierCheck {
        outcome,
        same_question,
        waived: false,
        said: vec![said.to_owned()],
    };
    let run = |run: &str, verdict, checks| EarlierRun {
        run: run.to_owned(),
        at: "2026-12-03T08:30:00Z".parse().unwrap(),
        verdict,
        checks,
    };
    let of = |one: EarlierCheck| Ok(BTreeMap::from([(fixture::id("ingest.primary"), one)]));
    Earlier {
        runs: vec![
            run("20261203T083000Z", None, Err("it ended without a report")),
            run(
                "20261202T083000Z",
                Some(Word::NoGo),
                of(check(Outcome::Fail, "RTMP handshake 2100 ms (≤ 1500)", true)),
            ),
            run("20261201T083000Z", Some(Word::Go), of(check(Outcome::Pass, "evil \x1b[31mtext", false))),
            run("20261130T083000Z", Some(Word::Go), Err("its report is not the one that the ledger knows")),
        ],
        older: 3,
        trouble: None,
    }
}

#[test]
fn matrix_of_targets_and_ways() {
    let mut state = seen(Charset::Unicode);
    state.page = Page::Matrix;
    assert_snapshot!("matrix_80x24", screen(&mut state, SMALL));
    assert_snapshot!("matrix_120x40", screen(&mut state, LARGE));
    let mut state = seen(Charset::Ascii);
    state.page = Page::Matrix;
    let shown = text(&draw(&mut state, SMALL, LIGHT));
    assert!(shown.is_ascii(), "{shown}");
    assert_snapshot!("matrix_ascii_80x24", shown);
}

#[test]
fn a_cell_of_the_matrix_leads_to_its_check() {
    let mut state = seen(Charset::Unicode);
    state.page = Page::Matrix;
    state.key(Key::First);
    for _ in 0..5 {
        state.key(Key::Down);
    }
    for _ in 0..3 {
        state.key(Key::Right);
    }
    assert!(screen(&mut state, SMALL).contains("Enter: uplink.backup"));
    state.key(Key::Done);
    assert_eq!(state.page, Page::Checks);
    assert!(screen(&mut state, LARGE).contains("uplink.backup · upload"));
}

#[test]
fn map_of_the_way_out() {
    let mut state = seen(Charset::Unicode);
    state.page = Page::WayOut;
    let shown = screen(&mut state, SMALL);
    assert!(shown.contains("unknown: nothing was measured here"), "{shown}");
    assert_snapshot!("way_out_80x24", shown);
    let shown = screen(&mut state, LARGE);
    assert!(shown.contains("45.30.0.1  ◀ here"), "{shown}");
    assert_snapshot!("way_out_120x40", shown);
    let mut state = seen(Charset::Ascii);
    state.page = Page::WayOut;
    state.key(Key::PageDown);
    assert!(text(&draw(&mut state, SMALL, LIGHT)).is_ascii());
}

#[test]
fn earlier_runs_are_shown_with_what_they_said() {
    let mut state = seen(Charset::Unicode);
    state.story.remember(&earlier());
    state.page = Page::History;
    let shown = screen(&mut state, SMALL);
    assert!(!shown.contains('\x1b') && shown.contains("another question then"), "{shown}");
    assert_snapshot!("history_80x24", shown);
    assert_snapshot!("history_120x40", screen(&mut state, LARGE));
    state.page = Page::Checks;
    let shown = screen(&mut state, (120, 60));
    assert!(shown.contains("2100 ms"), "the details tell of earlier runs, too: {shown}");
}

fn press(state: &mut State, keys: &str) {
    for c in keys.chars() {
        assert_eq!(state.fill(Stroke::Char(c)), None);
    }
}

fn tab(state: &mut State, times: usize) {
    for _ in 0..times {
        state.fill(Stroke::Next);
    }
}

#[test]
fn a_decision_is_filled_in_and_its_passphrase_is_never_shown() {
    let mut state = seen(Charset::Unicode);
    state.key(Key::Sign);
    assert_snapshot!("sign_80x24", screen(&mut state, SMALL));
    tab(&mut state, 1);
    state.fill(Stroke::Up);
    assert_eq!(state.fill(Stroke::Enter), None, "the verdict says no-go");
    assert!(screen(&mut state, SMALL).contains("say why, or decide otherwise"));
    press(&mut state, "the board takes the risk");
    tab(&mut state, 1);
    state.fill(Stroke::Down);
    tab(&mut state, 1);
    press(&mut state, "anna.key");
    tab(&mut state, 1);
    press(&mut state, "hunter2 canary");
    let shown = screen(&mut state, LARGE);
    assert!(!shown.contains("hunter2") && shown.contains("typed, not shown"), "{shown}");
    assert!(!format!("{state:?}").contains("hunter2"));
    let Some(Errand::Sign(signing)) = state.fill(Stroke::Enter) else { panic!("{:?}", state.sheet) };
    assert_eq!((signing.role.as_str(), signing.dissent.as_deref()), ("it", Some("the board takes the risk")));
    let Means::Key { file, passphrase } = &signing.means else { panic!("{:?}", signing.means) };
    assert_eq!((file.to_str(), passphrase.reveal()), (Some("anna.key"), "hunter2 canary"));
    state.told(Err("this is not the key's passphrase".to_owned()));
    assert!(screen(&mut state, SMALL).contains("this is not the key's passphrase"));
    state.told(Ok("Anna Berg decided".to_owned()));
    assert!(screen(&mut state, SMALL).contains("Anna Berg decided"));
    state.fill(Stroke::Enter);
    assert_eq!(state.sheet, None);
}

#[test]
fn nothing_is_signed_before_the_end_or_of_a_recording() {
    let mut state = after(End::NoGo, 12.9, COLOUR);
    for key in [Key::Sign, Key::Waive, Key::Export, Key::Again] {
        state.key(key);
        assert_eq!((state.sheet.clone(), state.notice), (None, Some("wait until the run is over")));
    }
    let mut state = seen(Charset::Unicode);
    state.watching = Watching::Recording;
    state.key(Key::Sign);
    assert!(state.sheet.is_none() && state.notice.is_some());
}

#[test]
fn export_asks_for_a_folder() {
    let mut state = seen(Charset::Unicode);
    state.key(Key::Export);
    assert!(screen(&mut state, SMALL).contains("golive-20261204T083000Z"));
    assert_eq!(state.fill(Stroke::Enter), Some(Errand::Export("golive-20261204T083000Z".into())));
}

/// The same run of a policy whose checks can be asked.
fn asked() -> State {
    const POLICY: &str = r#"
schema = "golive-policy/1"
event = { title = "Autumn product launch" }
people = { it = { name = "Anna Berg" }, marketing = { name = "Tom Lind" } }
accountable = { network = "it", brand = "marketing", production = "it" }
authorisation = { by = "it" }
[stream.main]
to = "rtmps://ingest.example.net:443/live2"
video_kbps = 6000
audio_kbps = 128
headroom = 1.5
[far_end.studio]
address = "far-end.example.net:9411"
pin = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
token = { env = "GOLIVE_TOKEN" }
[[check.attest]]
id = "moderator"
target = { question = "Who moderates?", of = "marketing" }
why = "chat"
owner = "brand"
enforcement = "hard"
[[check.rtmp]]
id = "ingest.primary"
target = { url = "rtmps://ingest.example.net:443/live2" }
why = "the stream"
owner = "network"
enforcement = "hard"
[[check.upload]]
id = "uplink.primary"
target = { far_end = "studio", stream = "main", seconds = 10, at_most_kbps = 15000 }
why = "the stream"
owner = "network"
enforcement = "hard"
"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), POLICY).unwrap();
    let policy = crate::policy::load(file.path()).unwrap_or_else(|error| panic!("{error}"));
    let mut state = State::new(Charset::Unicode, Watching::Run);
    for mut event in fixture::run(End::NoGo) {
        if let Event::RunStarted(started) = &mut event {
            started.policy = policy.clone();
        }
        state.apply(&event);
    }
    state.end();
    state
}

#[test]
fn measuring_again_says_what_it_sends_and_how_long_it_takes() {
    let mut state = asked();
    while state.card().is_some_and(|card| card.id != "uplink.primary") {
        state.key(Key::Down);
    }
    state.key(Key::Again);
    let shown = screen(&mut state, SMALL);
    assert!(shown.contains("uplink.primary: about ") && shown.contains("sends at most"), "{shown}");
    assert_snapshot!("again_80x24", shown);
    state.told(Err("run 1 was measured from another network".to_owned()));
    assert!(
        screen(&mut state, SMALL).contains("from another network"),
        "a refusal is shown, nothing is sent"
    );
    let Some(Errand::Again(one)) = state.fill(Stroke::Enter) else { panic!("{:?}", state.sheet) };
    assert_eq!(one, [fixture::id("uplink.primary")].into());
    state.fill(Stroke::Down);
    let Some(Errand::Again(all)) = state.fill(Stroke::Enter) else { panic!("{:?}", state.sheet) };
    assert!(all.len() > 1 && all.contains(&one.first().unwrap().clone()), "{all:?}");
    assert!(!all.contains(&fixture::id("moderator")), "what is fine is carried");
}

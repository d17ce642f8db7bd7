//! Text and steps that nobody intended.

use ratatui::layout::Position;

use super::*;
use crate::ui::tui::page::Page;
use crate::ui::tui::pointer::Pointer;
use crate::ui::tui::state::Meant;

/// Text that would act on a terminal, everywhere where a recording can hold text.
fn hostile() -> Vec<Event> {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}\r\n\t<script>\u{200b}";
    let mut events = fixture::run(End::NoGo);
    let mut text = serde_json::to_string(&events).unwrap();
    let evil = serde_json::to_string(EVIL).unwrap();
    let evil = &evil[1..evil.len() - 1];
    for word in
        ["Autumn product launch", "Hall 3", "ingest.example.net", "squid/5.7", "path.delay", "reports/"]
    {
        text = text.replace(&format!("\"{word}"), &format!("\"{word}{evil}"));
    }
    for word in [
        "let 10.20.3.0/24",
        "far end's key",
        "line carries",
        "203.0.113.7",
        "Anna",
        "wired line",
        "rate_kbps",
    ] {
        text = text.replace(word, &format!("{word}{evil}"));
    }
    events.clone_from(&serde_json::from_str(&text).unwrap());
    events.insert(1, fixture::check_started("path.primary", 0.0));
    let why = NotMeasured::new(Cause::Broken, EVIL, EVIL);
    events.insert(2, fixture::not_measured("path.primary", 1.0, 1.0, why));
    let finding = fixture::finding(EVIL, Effect::Fail, EVIL, EVIL, EVIL);
    let judged = fixture::judgement("path.primary", Outcome::Fail, vec![finding]);
    events.insert(3, Event::Judged { judged });
    events
}

#[test]
fn hostile_text_stays_text() {
    let mut state = State::new(Charset::Unicode, Watching::Run);
    for (index, event) in hostile().iter().enumerate() {
        state.apply(event);
        if index % 7 != 0 && index > 30 {
            continue;
        }
        for select in 0..10 {
            state.key(if select == 0 { Key::First } else { Key::Down });
            let buffer = draw(&mut state, LARGE, COLOUR);
            for cell in &buffer.content {
                let acts =
                    !matches!(crate::model::text::escape(cell.symbol()), std::borrow::Cow::Borrowed(_));
                assert!(!acts, "{:?}", cell.symbol());
            }
        }
    }
    assert_eq!(state.story.ending.as_ref().map(|ending| ending.word), Some(Word::NoGo));
}

fn any_event() -> impl Strategy<Value = Event> {
    let all: Vec<Event> =
        [End::Go, End::NoGo, End::Stopped].into_iter().flat_map(fixture::run).chain(hostile()).collect();
    let odd = prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(1e300)];
    let names = prop_oneof![Just("uplink.primary"), Just("path.primary"), Just("nobody")];
    prop_oneof![
        4 => proptest::sample::select(all),
        1 => Just(Event::RunResumed { at: fixture::at(60), kept: 3, old: Vec::new(), vantage: None }),
        2 => (names, odd.clone(), odd, "[a-z_]{0,12}").prop_map(|(name, offset_ms, value, series)| Event::Sample {
            check: fixture::id(name),
            sample: crate::probe::Sample { series, offset_ms, value },
        }),
    ]
}

fn any_key() -> impl Strategy<Value = Key> {
    use Key::{
        Back, Chart, Down, Filter, First, Follow, Help, Interrupt, Last, Other, PageDown, PageUp, Quit,
        Search, Suspend, Up, Yes,
    };
    let all = [
        Up, Down, First, Last, PageUp, PageDown, Filter, Search, Follow, Chart, Help, Back, Yes, Quit,
        Interrupt, Suspend, Other,
    ];
    proptest::sample::select(all.to_vec())
}

#[derive(Debug, Clone)]
enum Step {
    Event(Box<Event>),
    Key(Key),
    Pointer(Pointer),
    Tick(f64),
    Size(u16, u16),
    End,
}

fn any_pointer() -> impl Strategy<Value = Pointer> {
    (0_u16..220, 0_u16..70, 0_u8..4).prop_map(|(x, y, what)| {
        let at = Position { x, y };
        match what {
            0 => Pointer::Wheel { at, down: true },
            1 => Pointer::Wheel { at, down: false },
            _ => Pointer::Click(at),
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any_event().prop_map(|event| Step::Event(Box::new(event))),
        4 => any_key().prop_map(Step::Key),
        4 => any_pointer().prop_map(Step::Pointer),
        1 => any::<f64>().prop_map(Step::Tick),
        2 => (1_u16..=200, 1_u16..=60).prop_map(|(width, height)| Step::Size(width, height)),
        1 => Just(Step::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_story_at_any_size_is_drawn(
        steps in proptest::collection::vec(any_step(), 0..40),
        started in any::<bool>(),
        ascii in any::<bool>(),
    ) {
        let theme = if ascii { ASCII } else { COLOUR };
        let mut state = State::new(theme.charset, Watching::Run);
        let mut size = SMALL;
        if started {
            state.apply(&fixture::started());
        }
        for step in steps {
            match step {
                Step::Event(event) => state.apply(&event),
                Step::Key(key) => { state.key(key); }
                Step::Pointer(pointer) => match state.point(pointer) {
                    Some(Meant::Key(key)) => { state.key(key); }
                    Some(Meant::Stroke(stroke)) => {
                        state.stroke(stroke);
                        state.fill(stroke);
                        state.seek(stroke);
                    }
                    None => {}
                },
                Step::Tick(ms) => state.tick(ms),
                Step::Size(width, height) => size = (width, height),
                Step::End => state.end(),
            }
            let shown = text(&draw(&mut state, size, theme));
            prop_assert!(!ascii || shown.is_ascii(), "{}", shown);
            prop_assert!(state.scroll == 0 || state.card().is_some() || state.page != Page::Checks);
        }
    }
}

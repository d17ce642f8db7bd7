//! What the screen costs: ten thousand events a second of five hundred checks into the real story, drawn to a
//! test backend; the real program at rest on a terminal; and what two hours of such events leave in memory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use golive::run::Event;
use golive::ui::Charset;
use golive::ui::tui::form::Stroke;
use golive::ui::tui::keys::Key;
use golive::ui::tui::state::{Fit, State, Watching};
use golive::ui::tui::theme::{Palette, Theme};
use golive::ui::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};

use crate::Effort;
use crate::far_end::GOLIVE;
use crate::ground::peer::need;
use crate::page::{Section, goal, percentile};
use crate::processor;

const CHECKS: usize = 500;
const EVENTS: usize = 10_000;
/// Drawings a second, as the terminal makes them at most.
const FRAMES: usize = 20;
/// Checks that are measured at a time.
const SIDE_BY_SIDE: usize = 40;
const SERIES: [&str; 3] = ["upload_kbps", "rtt_ms", "loss_percent"];
const HOURS_S: usize = 2 * 3600;
const SIZES: [(u16, u16); 2] = [(120, 40), (320, 90)];

pub fn draw(effort: Effort) -> Section {
    let run = Run::made_up();
    let mut rows = Vec::new();
    let mut worst: f64 = 0.0;
    for size in SIZES {
        for look in Look::ALL {
            let (frames, events) = frames(&run, look, size, effort);
            worst = worst.max(percentile(&frames, 99));
            eprintln!("  {look:?} {size:?} {:.3} {:.3}", percentile(&frames, 50), percentile(&frames, 99));
            rows.push(row(&format!("{}, {} × {}, ms", look.words(), size.0, size.1), &frames));
            if look == Look::Checks && size == SIZES[0] {
                rows.insert(0, row("taking in an event, µs", &events));
            }
        }
    }
    let (waiting, over) = (at_rest(&run, false, effort), at_rest(&run, true, effort));
    let (early, late) = memory(&run);
    let met = |text: &str, met| goal(text, met);
    Section {
        title: "The terminal UI under load, at rest, and after two hours".to_owned(),
        how: format!(
            "{EVENTS} events a second of {CHECKS} checks, {SIDE_BY_SIDE} of them at a time, drawn {FRAMES} times a second. {}. \
             `golive replay` on a terminal of 120 × 40 takes {waiting:.1} % of a core while {SIDE_BY_SIDE} checks run and nothing \
             is heard of them, and {over:.1} % when all is over. {}. Memory of the process, all checks measured at a time: \
             {early:.1} MB after ten minutes of such events, {late:.1} MB after two hours. {}.",
            met("Goal: a drawing < 4 ms at p99", worst < 4.0),
            met("Goal: < 5 % of a core", waiting.max(over) < 5.0),
            met("Goal: no growth", late < early + 1.0),
        ),
        head: vec!["", "median", "p99"],
        rows,
    }
}

fn row(what: &str, values: &[f64]) -> Vec<String> {
    let at = |percent| format!("{:.2}", percentile(values, percent));
    vec![what.to_owned(), at(50), at(99)]
}

/// What is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Checks,
    Sought,
    Long,
    Matrix,
    WayOut,
}

impl Look {
    const ALL: [Self; 5] = [Self::Checks, Self::Sought, Self::Long, Self::Matrix, Self::WayOut];

    fn words(self) -> &'static str {
        match self {
            Self::Checks => "checks, details and charts",
            Self::Sought => "the same, looking for a text",
            Self::Long => "a check with 300 findings",
            Self::Matrix => "matrix",
            Self::WayOut => "way out",
        }
    }

    fn open(self, state: &mut State) {
        match self {
            Self::Checks => {}
            Self::Sought => {
                state.key(Key::Search);
                for c in "handshake".chars() {
                    state.seek(Stroke::Char(c));
                }
                state.seek(Stroke::Enter);
            }
            // the one that is never measured again
            Self::Long => _ = state.key(Key::Last),
            Self::Matrix => _ = state.key(Key::Page(1)),
            Self::WayOut => _ = state.key(Key::Page(2)),
        }
    }
}

/// Milliseconds of each drawing, and microseconds that an event took on the mean between two.
fn frames(run: &Run, look: Look, (width, height): (u16, u16), effort: Effort) -> (Vec<f64>, Vec<f64>) {
    let theme = Theme { palette: Palette::Light, charset: Charset::Unicode };
    let mut state = State::new(theme.charset, Watching::Run);
    for event in &run.opening {
        state.apply(event);
    }
    look.open(&mut state);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let (mut drawings, mut takings) = (Vec::new(), Vec::new());
    let seconds = effort.seconds as usize * effort.rounds;
    let mut now_ms = 0.0;
    for _ in 0..seconds.div_ceil(run.seconds.len()) {
        for batch in run.seconds.iter().flat_map(|second| second.chunks(EVENTS / FRAMES)) {
            let begun = Instant::now();
            for event in batch {
                state.apply(event);
            }
            takings.push(begun.elapsed().as_secs_f64() * 1e6 / batch.len() as f64);
            now_ms += 1000.0 / FRAMES as f64;
            state.tick(now_ms);
            let begun = Instant::now();
            state.settle();
            let mut fit = Fit::default();
            terminal.draw(|frame| fit = view::draw(frame, &state, theme)).unwrap();
            state.fit(fit);
            drawings.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    (drawings, takings)
}

/// The recorded demo's checks, again and again under other names.
struct Run {
    /// Its beginning, and a check with many findings that is over.
    opening: Vec<Event>,
    /// What each second brings, over and over.
    seconds: Vec<Vec<Event>>,
    names: Vec<String>,
}

impl Run {
    fn made_up() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let started = events.iter().find(|event| event["event"] == "run_started").unwrap();
        let heads = started["checks"].as_array().unwrap();
        let names: Vec<String> = (0..CHECKS).map(|at| format!("check-{at:03}")).collect();
        let kinds: Vec<Kind> = (0..heads.len()).map(|at| Kind::of(&events, started, at)).collect();
        let kind = |at: usize| &kinds[at % kinds.len()];
        let mut opening = started.clone();
        opening["checks"] = names.iter().enumerate().map(|(at, name)| kind(at).head(name, at)).collect();
        opening["policy"]["checks"] =
            names.iter().enumerate().map(|(at, name)| named(&kind(at).check, "id", name)).collect();
        let last = CHECKS - 1;
        let mut long = kind(last).judged(&names[last]);
        let findings = long["judged"]["findings"].as_array().unwrap().clone();
        long["judged"]["findings"] = findings.iter().cycle().take(300).cloned().collect();
        let opening = [opening, kind(last).measured(&names[last]), long].map(event).to_vec();
        // all but that one, in five seconds
        let seconds = (0..5)
            .map(|second| {
                let done: Vec<usize> = (second * 100..(second + 1) * 100).filter(|at| *at < last).collect();
                second_of(&names, &kinds, &done, second)
            })
            .collect();
        Self { opening, seconds, names }
    }
}

/// A second in which some checks are measured one after another, and samples of those that run now.
fn second_of(names: &[String], kinds: &[Kind], done: &[usize], second: usize) -> Vec<Event> {
    let mut events = Vec::with_capacity(EVENTS);
    let of_each = (EVENTS - 3 * done.len()) / done.len();
    for (place, at) in done.iter().enumerate() {
        let (name, kind) = (&names[*at], &kinds[*at % kinds.len()]);
        let offset_ms = second as f64 * 1000.0 + place as f64 * 10.0;
        events.push(event(json!({ "event": "check_started", "check": name, "offset_ms": offset_ms })));
        let running =
            done.iter().skip(place.saturating_sub(SIDE_BY_SIDE - 1)).take(SIDE_BY_SIDE.min(place + 1));
        let running: Vec<&String> = running.map(|at| &names[*at]).collect();
        for step in 0..of_each {
            events.push(sample(running[step % running.len()], step, offset_ms));
        }
        events.push(event(kind.measured(name)));
        events.push(event(kind.judged(name)));
    }
    let fill = EVENTS.saturating_sub(events.len());
    events.extend((0..fill).map(|step| sample(&names[done[step % done.len()]], step, 0.0)));
    events
}

fn sample(name: &str, step: usize, offset_ms: f64) -> Event {
    let series = SERIES[step % SERIES.len()];
    let value = 9000.0 + (step * 37 % 101) as f64 * 20.0;
    let sample = json!({ "series": series, "offset_ms": offset_ms + step as f64 / 10.0, "value": value });
    event(json!({ "event": "sample", "check": name, "sample": sample }))
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

fn named(value: &Value, key: &str, name: &str) -> Value {
    let mut value = value.clone();
    value[key] = name.into();
    value
}

/// What the recording says of one of its checks.
struct Kind {
    head: Value,
    check: Value,
    measured: Value,
    judged: Value,
}

impl Kind {
    fn of(events: &[Value], started: &Value, at: usize) -> Self {
        let head = started["checks"][at].clone();
        let id = &head["id"];
        let checks = started["policy"]["checks"].as_array().unwrap();
        let find = |of: &str| {
            let mine = |event: &&Value| event["event"] == of && event[of_key(of)]["check"] == *id;
            events.iter().find(mine).unwrap().clone()
        };
        Self {
            check: checks.iter().find(|check| check["id"] == *id).unwrap().clone(),
            measured: find("measured"),
            judged: find("judged"),
            head,
        }
    }

    fn head(&self, name: &str, at: usize) -> Value {
        let mut head = named(&self.head, "id", name);
        if head["lane"] != "person" {
            head["path"] = [Value::Null, "primary".into(), "backup".into()][at % 3].clone();
        }
        head["target"] = format!("{} ({at})", head["target"].as_str().unwrap()).into();
        head
    }

    fn measured(&self, name: &str) -> Value {
        let mut event = self.measured.clone();
        event["measurement"]["check"] = name.into();
        event
    }

    fn judged(&self, name: &str) -> Value {
        let mut event = self.judged.clone();
        event["judged"]["check"] = name.into();
        event
    }
}

fn of_key(event: &str) -> &str {
    if event == "measured" { "measurement" } else { event }
}

/// Per cent of a core that the program takes while nothing happens: with checks under way, or with the run over.
fn at_rest(run: &Run, over: bool, effort: Effort) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let recording = recording(run, over, folder.path());
    let inside = format!("stty rows 40 cols 120; exec {GOLIVE} replay {}", recording.display());
    let mut script = Command::new(need("script", "bsdutils"))
        .args(["--quiet", "--return", "--command", &inside, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let children = format!("/proc/{0}/task/{0}/children", script.id());
    let golive: u32 = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    let (begun, before) = (Instant::now(), processor::seconds(golive));
    std::thread::sleep(Duration::from_secs(u64::from(effort.seconds) * 2));
    let share = (processor::seconds(golive) - before) / begun.elapsed().as_secs_f64() * 100.0;
    script.stdin.as_mut().unwrap().write_all(b"q").unwrap();
    script.wait().unwrap();
    share
}

/// A recording of which nothing more comes for hours, or of a run that broke off.
fn recording(run: &Run, over: bool, folder: &Path) -> PathBuf {
    let running = run.names.iter().take(SIDE_BY_SIDE);
    let begun =
        running.map(|name| event(json!({ "event": "check_started", "check": name, "offset_ms": 1.0 })));
    let mut events: Vec<Event> = run.opening.iter().cloned().chain(begun).collect();
    if !over {
        events.push(event(
            json!({ "event": "check_started", "check": run.names[SIDE_BY_SIDE], "offset_ms": 1e7 }),
        ));
    }
    let lines: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    let path = folder.join("run.jsonl");
    std::fs::write(&path, lines).unwrap();
    path
}

/// Megabytes of this process after ten minutes and after two hours of samples, of all checks at a time.
fn memory(run: &Run) -> (f64, f64) {
    let mut state = State::new(Charset::Unicode, Watching::Run);
    for event in &run.opening {
        state.apply(event);
    }
    let name = |step: usize| &run.names[step / SERIES.len() % CHECKS];
    let mut second: Vec<Event> = (0..EVENTS).map(|step| sample(name(step), step, 0.0)).collect();
    let mut early = 0.0;
    for at in 0..HOURS_S {
        for event in &mut second {
            state.apply(event);
            if let Event::Sample { sample, .. } = event {
                sample.offset_ms += 1000.0;
            }
        }
        if at == 600 {
            early = resident_mb();
        }
    }
    (early, resident_mb())
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

//! How fast, how exact and how cheap golive is, side by side with iperf3, ffmpeg and srt-live-transmit:
//! the same machine, the same minutes, taking turns.
//!
//! `cargo bench --bench speed -- [PART…] [--rounds N] [--seconds N] [--write]`, as root (it makes networks).
//! Parts: `tcp`, `udp`, `media`, `screen`, `frames`, `capacity`, `ports`; all when none is named. `--write` puts the figures of
//! those parts into `reports/bench.md`. Nothing here passes or fails: figures of a busy machine are worth
//! nothing, and a quiet one must be asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::format_collect,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    dead_code,
    unused_imports,
    reason = "a bench: a panic is the report, figures are printed, and not every helper of the lab is used"
)]

mod arrivals;
mod capacity;
mod far_end;
mod frames;
mod loopback;
mod media;
mod page;
mod ports;
mod processor;
mod screen;

#[path = "../lab/ground/mod.rs"]
mod ground;
#[path = "../lab/wan/mod.rs"]
mod wan;

use page::Section;

/// How often and how long each thing is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Turns of each.
    pub rounds: usize,
    /// Length of each turn.
    pub seconds: u32,
}

type Part = (&'static str, Effort, fn(Effort) -> Section);

/// Each within four minutes on two cores.
const PARTS: [Part; 7] = [
    ("tcp", Effort { rounds: 3, seconds: 5 }, loopback::tcp),
    ("udp", Effort { rounds: 3, seconds: 5 }, loopback::udp),
    ("media", Effort { rounds: 3, seconds: 8 }, media::compare),
    ("screen", Effort { rounds: 3, seconds: 6 }, screen::compare),
    ("frames", Effort { rounds: 3, seconds: 5 }, frames::draw),
    ("capacity", Effort { rounds: 3, seconds: 7 }, capacity::compare),
    ("ports", Effort { rounds: 3, seconds: 5 }, ports::compare),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|word| word == name)?;
        arguments.get(at + 1)?.parse::<u32>().ok()
    };
    let (rounds, seconds) = (number("--rounds"), number("--seconds"));
    let named = |part: &Part| arguments.iter().any(|word| word == part.0);
    let all = !PARTS.iter().any(named);
    let _quiet = ground::quiet::quiet();
    for part in PARTS.iter().filter(|part| all || named(part)) {
        let (name, usual, measure) = part;
        let effort = Effort {
            rounds: rounds.map_or(usual.rounds, |rounds| rounds.max(1) as usize),
            seconds: seconds.unwrap_or(usual.seconds).max(5),
        };
        eprintln!("{name}: {} rounds of {} s", effort.rounds, effort.seconds);
        let load = page::load();
        let section = measure(effort);
        println!("{}", section.markdown());
        if arguments.iter().any(|word| word == "--write") {
            page::write(name, &section, &load);
        }
    }
}

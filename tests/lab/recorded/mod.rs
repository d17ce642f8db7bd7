//! Recorded uplinks: golive looks at one part, a real stream runs on the next, and apart on the
//! same part. The first says whether golive foretells, the second whether it measures right: what
//! differs between them is a network that changed.
//!
//! The recordings hold rates only, so each is given the same profile ([`PROFILE`]). They are read
//! from the folder that `GOLIVE_TRACES` names and are no part of the project.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures of minutes"
)]

mod score;
mod study;

use std::path::{Path, PathBuf};

use golive::judge::evaluate;
use golive::model::AtLeast;
use golive::probe::Question;
use golive::report::{Document, judged_from};
use serde_json::Value;

use crate::scenario::{Scenario, World};
use crate::truth::stand::{late, truth};
use crate::truth::survival::Survival;
use crate::truth::table::Said;
use crate::truth::{Protocol, Stream, baseline, side_by_side};
use crate::wan::Line;
pub use score::{line, markdown, summary};
pub use study::study;

/// Beside the recorded rate: 40 ms of round trip and a queue of 250 kB, half a second at 4 Mb/s.
const PROFILE: &str =
    "up = { delay_ms = 20, queue_bytes = 250000 }\ndown = { rate_mbps = 50, delay_ms = 20 }";

/// What the shipped platforms ask for beyond the bit rate.
const HEADROOM: f64 = 1.5;

/// Seconds that pass between golive's start and its first byte, and after its last.
const AROUND_S: f64 = 4.0;

/// How golive looks and how long streams run.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    pub look_s: u32,
    pub stream_s: u32,
    /// Rows at once.
    pub at_once: usize,
    /// Parts of each recording.
    pub parts: u32,
}

/// A part of a recording, and the stream that is to pass it.
#[derive(Debug, Clone)]
pub struct Case {
    pub recording: String,
    pub start_s: f64,
    pub stream: Stream,
}

/// What was said of a case, and what became of it.
#[derive(Debug, Clone)]
pub struct Row {
    pub case: Case,
    pub golive: Said,
    pub because: String,
    /// The chance that golive stated for a damaging gap in a stream as long as the one that was sent.
    pub stated: Option<f64>,
    /// The same readings held against a headroom of [`HEADROOM`].
    pub with_headroom: Said,
    /// A test of 10 s whose mean, less a third, must be the stream's rate.
    pub mean: Said,
    /// OBS's wizard.
    pub wizard: Said,
    pub next: Survival,
    pub same: Survival,
}

impl Case {
    /// Where it was recorded, by the recording's name: what is told apart when scores are held out.
    pub fn place(&self) -> &str {
        let name = self.recording.split('.').next().unwrap_or_default();
        name.trim_end_matches(|c: char| c.is_ascii_digit() || "-_".contains(c))
    }

    /// The line, its recording begun `after_s` later.
    fn line(&self, after_s: f64) -> Line {
        let mut line: Line = toml::from_str(PROFILE).unwrap();
        let trace = format!("file = {:?}\nstart_s = {:?}", self.recording, self.start_s + after_s);
        line.up.trace = Some(toml::from_str(&trace).unwrap());
        line
    }

    /// golive's look at it.
    fn scenario(&self, look_s: u32) -> Scenario {
        let (destination, latency) = match self.stream.protocol {
            Protocol::Rtmp => ("rtmp://live.example.com:1935/live2", String::new()),
            Protocol::Srt => {
                ("srt://live.example.com:9000", format!("latency_ms = {}\n", self.stream.latency_ms))
            }
        };
        let video = self.stream.kbps - 128;
        let text = format!(
            "network = 'a recorded uplink'\n\
             [policy.stream.main]\n\
             to = '{destination}'\n\
             video_kbps = {video}\n\
             headroom = 1.0\n\
             {latency}\
             [[policy.check.upload]]\n\
             id = 'line.upload'\n\
             target = {{ far_end = 'cloud', seconds = {look_s}, at_most_kbps = {}, stream = 'main' }}\n\
             limits = {{ duration_s = {}, stream_s = {} }}\n\
             [run]\n\
             at_most_s = {}\n\
             [expect]\n\
             verdict = 'GO'\n",
            most_kbps(&self.stream),
            look_s - 2,
            self.stream.seconds,
            look_s + 60,
        );
        let mut scenario: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        scenario.uplink = self.line(0.0);
        scenario
    }

    /// golive's look.
    fn look(&self, look_s: u32) -> Look {
        let scenario = self.scenario(look_s);
        for _ in 0..2 {
            let world = World::build(&scenario);
            world.venue.restart_lines();
            match world.check(&scenario) {
                Ok(report) if late(&world.venue.uplink).is_none() => return read(&report),
                Ok(_) => {}
                Err(said) => eprintln!("{} from {} s: {said}", self.recording, self.start_s),
            }
        }
        Look {
            said: Said::Inconclusive,
            with_headroom: Said::Inconclusive,
            because: "the rig failed".to_owned(),
            stated: None,
            slots: Vec::new(),
        }
    }
}

/// Most that golive sends: three times the stream's bit rate, or four where it asks for so much itself to see
/// whether a keyframe passes within a short latency.
fn most_kbps(stream: &Stream) -> u32 {
    let short = stream.protocol == Protocol::Srt && stream.latency_ms < 200;
    stream.kbps * if short { 4 } else { 3 }
}

/// golive's verdict, what decided it, the chance that it stated, and what its test saw.
struct Look {
    said: Said,
    with_headroom: Said,
    because: String,
    stated: Option<f64>,
    slots: Vec<u64>,
}

fn read(report: &Value) -> Look {
    let code = report["verdict"]["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
    let check = &report["checks"][0];
    let findings = check["findings"].as_array().into_iter().flatten();
    let bad: Vec<_> = findings
        .filter(|finding| finding["effect"] != "pass")
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    let slots = baseline::arrived(report);
    let stated = check["findings"].as_array().into_iter().flatten().find_map(|finding| {
        finding["code"].as_str().filter(|code| code.starts_with("upload.risk"))?;
        stated(finding["observed"].as_str()?)
    });
    let said = code.and_then(Said::of_exit).unwrap_or(Said::Inconclusive);
    let with_headroom = judged_with(report, HEADROOM);
    Look { said, with_headroom, because: bad.join(", "), stated, slots }
}

/// What the same readings are worth where the policy asks for so much headroom.
fn judged_with(report: &Value, headroom: f64) -> Said {
    let stored: Document = serde_json::from_value(report.clone()).expect("a report");
    let (mut policy, evidence) = judged_from(&stored).expect("a report that can be judged");
    for check in &mut policy.checks {
        if let Question::Upload { limits, .. } = &mut check.question {
            limits.rate_kbps =
                limits.stream_kbps.map(|kbps| AtLeast((kbps.0 as f64 * headroom).ceil() as u64));
        }
    }
    let word = evaluate(&policy, &evidence, stored.verdict.evaluated_at).word;
    Said::of_exit(word.exit_code().into()).unwrap_or(Said::Inconclusive)
}

/// The best estimate in a finding's words.
fn stated(observed: &str) -> Option<f64> {
    let (_, rest) = observed.split_once("best estimate ")?;
    let (percent, _) = rest.trim_start_matches("over ").split_once(" %")?;
    percent.parse::<f64>().ok().map(|percent| percent / 100.0)
}

/// The streams of the table.
fn streams(seconds: u32) -> [Stream; 5] {
    let stream = |protocol, kbps, latency_ms| Stream { protocol, kbps, seconds, latency_ms, check: None };
    [
        stream(Protocol::Rtmp, 3000, 0),
        stream(Protocol::Rtmp, 6000, 0),
        stream(Protocol::Srt, 3000, 120),
        stream(Protocol::Srt, 3000, 400),
        stream(Protocol::Srt, 3000, 2000),
    ]
}

/// Where the recordings are.
fn folder() -> Result<PathBuf, String> {
    std::env::var_os("GOLIVE_TRACES")
        .map(PathBuf::from)
        .ok_or_else(|| "set GOLIVE_TRACES to the folder of the recordings".to_owned())
}

/// Every case: each recording that reaches a stream's rate for a second at least.
///
/// # Errors
/// Without the recordings.
pub fn cases(form: Form, names: &[String]) -> Result<Vec<Case>, String> {
    let folder = folder()?;
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<String> =
        files.flatten().filter_map(|file| file.file_name().into_string().ok()).collect();
    files.retain(|file| {
        Path::new(file).extension().is_some_and(|ending| ending == "csv") && file != "MANIFEST.csv"
    });
    files.retain(|file| names.is_empty() || names.iter().any(|name| file.contains(name)));
    files.sort();
    let mut cases = Vec::new();
    for recording in files {
        let (best_mbps, length_s) = extent(&folder.join(&recording))?;
        for stream in streams(form.stream_s) {
            // A recording shorter than look and stream is looped: there is one part of it.
            let whole = f64::from(form.look_s + form.stream_s) + AROUND_S;
            let parts = form.parts.min((length_s / whole).floor().max(1.0) as u32);
            let case = |part: u32| Case {
                recording: recording.clone(),
                start_s: (length_s / f64::from(parts) * f64::from(part)).floor(),
                stream: stream.clone(),
            };
            if best_mbps >= f64::from(stream.kbps) / 1000.0 {
                cases.extend((0..parts).map(case));
            }
        }
    }
    Ok(cases)
}

/// A recording's best rate and its length.
fn extent(file: &Path) -> Result<(f64, f64), String> {
    let wrong = |what: &str| format!("{}: {what}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error.to_string()))?;
    let row = |line: &str| {
        let (time, rate) = line.split_once(',')?;
        Some((time.parse::<f64>().ok()?, rate.trim().parse::<f64>().ok()?))
    };
    let rows: Vec<_> = text.lines().skip(1).filter_map(row).collect();
    let [first, second, .., last] = &rows[..] else { return Err(wrong("no recording")) };
    Ok((rows.iter().map(|row| row.1).fold(0.0, f64::max), last.0 + second.0 - first.0))
}

/// Runs all; tells each row as it comes.
pub fn run(cases: &[Case], form: Form, told: impl Fn(&Row) + Sync) -> Vec<Row> {
    let told = &told;
    let job = |case: &Case| -> Box<dyn FnOnce() -> Row + Send + '_> {
        let case = case.clone();
        Box::new(move || {
            let row = carried(case, form);
            told(&row);
            row
        })
    };
    side_by_side(cases.iter().map(job).collect(), form.at_once)
}

fn carried(case: Case, form: Form) -> Row {
    let Look { said, with_headroom, because, stated, slots } = case.look(form.look_s);
    let (next, same) = std::thread::scope(|scope| {
        let next = scope.spawn(|| truth(&case.line(f64::from(form.look_s) + AROUND_S), &case.stream));
        let same = truth(&case.line(0.0), &case.stream);
        (next.join().unwrap(), same)
    });
    let (mean, wizard) = (baseline::mean(&slots, &case.stream), baseline::wizard(&slots, &case.stream));
    Row { case, golive: said, with_headroom, because, stated, mean, wizard, next, same }
}

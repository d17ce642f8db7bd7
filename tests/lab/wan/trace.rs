//! A rate that changes over time: recorded, made up, or written out.

use std::path::Path;
use std::process::Command;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};

use crate::ground::peer::need;
use crate::wan::dice::Dice;

/// Where a rate over time is from. In TOML a file's name alone is enough: `trace = "x.csv"`.
///
/// Files are looked for in the folder that `GOLIVE_TRACES` names: CSV with the header
/// `t_s,up_mbps`, or mahimahi's format (a line for each chance to send 1500 bytes, in ms from the
/// start), also gzipped. A mahimahi chance is spread over the millisecond before it.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct Trace {
    /// In the folder `GOLIVE_TRACES`.
    pub file: Option<String>,
    /// Made up: taken where `GOLIVE_TRACES` is not set, or where there is no `file`.
    pub synthetic: Option<Synthetic>,
    /// Written out: `[seconds, Mb/s]` each.
    pub steps: Vec<(f64, f64)>,
    /// Where in the trace to begin. It loops at its end.
    #[serde(deserialize_with = "crate::wan::line::not_negative")]
    pub start_s: f64,
}

/// Rates made up after a kind of network.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synthetic {
    /// Around 12 Mb/s, wandering between 1 and 30.
    Lte,
    /// Around 8 Mb/s, steady.
    Wifi,
    /// Around 5 Mb/s, with a gap of a second at each satellite's end, every 15 s.
    Starlink,
    /// Around 0.8 Mb/s, with gaps of 5 to 20 s.
    Subway,
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TraceVisitor)
    }
}

struct TraceVisitor;

impl<'de> Visitor<'de> for TraceVisitor {
    type Value = Trace;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a trace's file name, or a table such as { file = \"x.csv\", start_s = 30 }")
    }

    fn visit_str<E: Error>(self, file: &str) -> Result<Trace, E> {
        Ok(Trace { file: Some(file.to_owned()), ..Trace::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Trace, A::Error> {
        Trace::deserialize(MapAccessDeserializer::new(map))
    }
}

/// A looping staircase of rates, and how many bits it has carried at any time.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// `(end, carried until then, rate)`, in ns, in bit·ns/s, in bit/s.
    steps: Vec<(u64, u128, u64)>,
    start: u64,
}

impl Capacity {
    /// Of `(seconds, Mb/s)` each, begun `start_s` later.
    pub fn new(steps: &[(f64, f64)], start_s: f64) -> Result<Self, String> {
        let mut capacity = Self { steps: Vec::with_capacity(steps.len()), start: 0 };
        let (mut end, mut carried) = (0, 0);
        for &(seconds, mbps) in steps {
            if !(seconds.is_finite() && seconds > 0.0 && mbps.is_finite() && mbps >= 0.0) {
                return Err(format!("a trace's step of {seconds} s at {mbps} Mb/s"));
            }
            let (length, rate) = ((seconds * 1e9).round() as u64, (mbps * 1e6).round() as u64);
            end += length;
            carried += u128::from(length) * u128::from(rate);
            capacity.steps.push((end, carried, rate));
        }
        if carried == 0 {
            return Err("a trace that never carries anything".to_owned());
        }
        capacity.start = (start_s * 1e9) as u64 % end;
        Ok(capacity)
    }

    fn whole(&self) -> (u64, u128) {
        self.steps.last().map_or((1, 1), |&(end, carried, _)| (end, carried))
    }

    /// The mean rate in bit/s.
    pub fn mean(&self) -> u64 {
        let (end, carried) = self.whole();
        (carried / u128::from(end)) as u64
    }

    /// What it has carried when the line is `now` old, in bit·ns/s.
    pub fn carried_at(&self, now: u64) -> u128 {
        let (end, carried) = self.whole();
        let (loops, rest) = ((now + self.start) / end, (now + self.start) % end);
        let step = self.steps.partition_point(|step| step.0 <= rest);
        let (_, until, rate) = self.steps[step];
        u128::from(loops) * carried + until - u128::from(self.steps[step].0 - rest) * u128::from(rate)
    }

    /// When it has carried that much: the other way round, rounded up.
    pub fn time_of(&self, wanted: u128) -> u64 {
        if wanted == 0 {
            return 0;
        }
        let (end, carried) = self.whole();
        let (loops, rest) = ((wanted - 1) / carried, (wanted - 1) % carried + 1);
        let step = self.steps.partition_point(|step| step.1 < rest);
        let (until, total, rate) = self.steps[step];
        let before = ((total - rest) / u128::from(rate)) as u64;
        (loops as u64 * end + until - before).saturating_sub(self.start)
    }
}

impl Trace {
    /// Reads or makes it.
    pub fn load(&self) -> Result<Capacity, String> {
        self.load_from(std::env::var_os("GOLIVE_TRACES").as_ref().map(Path::new))
    }

    /// Likewise, with files in `folder`.
    pub fn load_from(&self, folder: Option<&Path>) -> Result<Capacity, String> {
        let steps = match (&self.file, self.synthetic, folder) {
            _ if !self.steps.is_empty() => self.steps.clone(),
            (Some(file), _, Some(folder)) => read(&folder.join(file))?,
            (_, Some(kind), _) => kind.steps(),
            (Some(file), None, None) => {
                return Err(format!(
                    "trace {file}: set GOLIVE_TRACES to its folder, or add synthetic = \"lte\""
                ));
            }
            (None, None, _) => return Err("a trace needs one of file, synthetic, steps".to_owned()),
        };
        Capacity::new(&steps, self.start_s)
    }
}

fn read(file: &Path) -> Result<Vec<(f64, f64)>, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("trace {}: {what}", file.display());
    let text = if file.extension().is_some_and(|extension| extension == "gz") {
        let output = Command::new(need("gzip", "gzip")).arg("-dc").arg(file).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        std::fs::read_to_string(file)
    };
    parse(&text.map_err(|error| wrong(&error))?).map_err(|what| wrong(&what))
}

/// Either format.
pub fn parse(text: &str) -> Result<Vec<(f64, f64)>, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let csv = lines.next_if(|(_, line)| line.trim() == "t_s,up_mbps").is_some();
    let number = |text: &str, line: usize| -> Result<f64, String> {
        text.trim().parse().map_err(|_| format!("line {}: {text:?} is no number", line + 1))
    };
    if !csv {
        let chances: Result<Vec<_>, _> = lines.map(|(at, line)| number(line, at)).collect();
        return mahimahi(&chances?);
    }
    let mut points = Vec::new();
    for (at, line) in lines {
        let (time, rate) = line.split_once(',').ok_or_else(|| format!("line {}: no comma", at + 1))?;
        points.push((number(time, at)?, number(rate, at)?));
    }
    let [first, second, ..] = points[..] else { return Err("fewer than two lines".to_owned()) };
    // The last step is as long as the first.
    let ends =
        points.iter().skip(1).map(|point| point.0).chain([points[points.len() - 1].0 + second.0 - first.0]);
    Ok(points.iter().zip(ends).map(|(point, end)| (end - point.0, point.1)).collect())
}

fn mahimahi(chances: &[f64]) -> Result<Vec<(f64, f64)>, String> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let mut before = 0.0;
    for &at in chances {
        let at = at.max(1.0);
        if at < before {
            return Err(format!("its times go back at {at} ms"));
        }
        // 1500 bytes in a millisecond.
        match steps.last_mut() {
            Some(step) if at - before < 0.5 => step.1 += 12.0,
            _ => {
                if at - before > 1.5 {
                    steps.push(((at - before - 1.0) / 1e3, 0.0));
                }
                steps.push((1e-3, 12.0));
            }
        }
        before = at;
    }
    if steps.is_empty() { Err("empty".to_owned()) } else { Ok(steps) }
}

impl Synthetic {
    /// 300 s of it in steps of half a second: always the same.
    pub fn steps(self) -> Vec<(f64, f64)> {
        let mut dice = Dice::new(7, &format!("{self:?}"));
        let mut gap_until = 0.0;
        let mut level = 1.0;
        let rates = (0..600).map(|step| {
            let at = f64::from(step) / 2.0;
            // A mean-reverting walk about 1.
            level = f64::max(0.05, level + 0.15 * (1.0 - level) + 0.5 * (dice.unit() - 0.5));
            match self {
                Self::Lte => (12.0 * level * level).clamp(1.0, 30.0),
                Self::Wifi => 8.0 + 0.5 * (level - 1.0),
                Self::Starlink if at % 15.0 >= 14.0 => 0.0,
                Self::Starlink => 5.0 * level,
                Self::Subway => {
                    if at >= gap_until && dice.unit() < 0.02 {
                        gap_until = at + 5.0 + 15.0 * dice.unit();
                    }
                    if at < gap_until { 0.0 } else { 0.8 * level }
                }
            }
        });
        rates.map(|rate| (0.5, rate)).collect()
    }
}

//! Segments that a template names: by a timeline, or by numbers that go with the clock.

use std::fmt::Write as _;

use super::document::{Representation, Template, Timeline};
use super::{Media, Piece, Times};

/// Segments of a timeline that are looked at.
const MAX_SEGMENTS: usize = 50_000;
/// Longest number with its leading zeros.
const MAX_WIDTH: usize = 20;

/// A segment: its number, its start in ticks, its length in seconds.
#[derive(Debug, Clone, Copy)]
struct Segment {
    number: u64,
    time: u64,
    seconds: f64,
}

pub(super) fn media(template: &Template, of: &Representation, times: Times) -> Option<Media> {
    let scale = template.timescale.unwrap_or(1).max(1);
    let first_number = template.start_number.unwrap_or(1);
    let segments = match &template.timeline {
        Some(timeline) => by_timeline(timeline, scale, first_number, times),
        None => by_number(template.duration?, scale, first_number, times)?,
    };
    let name = |text: &str, segment: &Segment| fill(text, of, segment);
    let newest = segments.last()?;
    let first = segments.get(if times.live { live_start(&segments, times) } else { 0 })?;
    let seconds: f64 = segments.iter().map(|segment| segment.seconds).sum();
    Some(Media {
        live: times.live,
        every_s: times.update_s.unwrap_or(newest.seconds),
        seconds: if template.timeline.is_some() { seconds } else { times.elapsed_s.max(0.0) },
        newest: name(template.media.as_deref()?, newest),
        init: template.init.as_ref().map(|uri| Piece { uri: name(uri, first), span: None }),
        first: Piece { uri: name(template.media.as_deref()?, first), span: None },
        first_s: first.seconds,
        encrypted: false,
    })
}

/// As far behind the newest as the manifest suggests, else three segments, as players of HLS do.
fn live_start(segments: &[Segment], times: Times) -> usize {
    let mut behind = 0.0;
    let delay = times.delay_s.unwrap_or_else(|| segments.last().map_or(0.0, |last| last.seconds * 3.0));
    let start = segments.iter().rposition(|segment| {
        behind += segment.seconds;
        behind + 1e-6 >= delay
    });
    start.unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a segment")]
fn by_timeline(timeline: &Timeline, scale: u64, first: u64, times: Times) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut time = 0;
    for run in timeline.runs.iter().filter(|run| run.length > 0) {
        time = run.start.unwrap_or(time);
        let seconds = run.length as f64 / scale as f64;
        // Below 0: on and on, as far as there can be something.
        let until = (run.more < 0).then_some(times.elapsed_s);
        let most = usize::try_from(run.more).unwrap_or(MAX_SEGMENTS).min(MAX_SEGMENTS);
        for _ in 0..=most {
            let ended = until.is_some_and(|until| time as f64 / scale as f64 + seconds > until);
            if ended || segments.len() >= MAX_SEGMENTS {
                break;
            }
            segments.push(Segment { number: first.saturating_add(segments.len() as u64), time, seconds });
            time = time.saturating_add(run.length);
        }
    }
    segments
}

/// The last few that can have been made by now, or the first few of a recording.
#[expect(clippy::cast_precision_loss, reason = "ticks of a segment")]
fn by_number(length: u64, scale: u64, first: u64, times: Times) -> Option<Vec<Segment>> {
    let seconds = length as f64 / scale as f64;
    let made = times.elapsed_s / seconds;
    if !(1.0..1e12).contains(&made) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 1e12")]
    let made = (made + 1e-6).floor() as u64;
    let kept = made.min(64);
    let from = if times.live { made - kept } else { 0 };
    let segment = |index: u64| Segment {
        number: first.saturating_add(index),
        time: index.saturating_mul(length),
        seconds,
    };
    Some((from..from + kept).map(segment).collect())
}

/// Puts the values into `$Number$`, `$Number%05d$`, `$Time$`, `$Bandwidth$`, `$RepresentationID$` and `$$`
/// (ISO/IEC 23009-1, 5.3.9.4.4).
fn fill(text: &str, of: &Representation, segment: &Segment) -> String {
    let mut out = String::new();
    for (index, part) in text.split('$').enumerate() {
        if index % 2 == 0 {
            out += part;
            continue;
        }
        let (name, width) = part.split_once('%').unwrap_or((part, ""));
        let width = width.trim_end_matches('d').parse::<usize>().unwrap_or(0).min(MAX_WIDTH);
        let number = match name {
            "Number" => segment.number,
            "Time" => segment.time,
            "Bandwidth" => of.bandwidth,
            "RepresentationID" => {
                out += &of.id;
                continue;
            }
            _ => {
                out += if name.is_empty() { "$" } else { "" };
                continue;
            }
        };
        let _ = write!(out, "{number:0width$}");
    }
    out
}

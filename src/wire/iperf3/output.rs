//! What a server prints, which it sends along when asked: the only place where it tells what
//! arrived in each second.

use serde_json::Value;

/// Intervals kept: a test lasts an hour at most.
const MAX_INTERVALS: usize = 4000;

/// One second as a server printed it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its beginning, in seconds since the test's.
    pub start_s: f64,
    /// Its end.
    pub end_s: f64,
    /// Bytes that arrived; of text no more than three digits of it.
    pub bytes: u64,
    /// Datagrams lost and datagrams in all, of UDP.
    pub datagrams: Option<(u64, u64)>,
}

/// Intervals of a server's text. Lines look like this (a test of one stream):
/// `[  5]   0.00-1.00   sec   611 KBytes  5.00 Mbits/sec  0.012 ms  2/521 (0.38%)  `
pub fn of_text(text: &str) -> Vec<Interval> {
    text.lines().filter_map(line).take(MAX_INTERVALS).collect()
}

fn line(line: &str) -> Option<Interval> {
    let (id, rest) = line.trim_start().strip_prefix('[')?.split_once(']')?;
    id.trim().parse::<u32>().ok()?;
    let mut words = rest.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let (start_s, end_s) = (number(start)?, number(end)?);
    if words.next()? != "sec" {
        return None;
    }
    let amount = number(words.next()?)?;
    let bytes = amount * unit(words.next()?)?;
    let _rate = (words.next()?, words.next()?);
    // Jitter and its unit, then lost/all.
    let datagrams = words.nth(2).and_then(|lost| {
        let (lost, all) = lost.split_once('/')?;
        Some((lost.parse().ok()?, all.parse().ok()?))
    });
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let bytes = bytes as u64;
    Some(Interval { start_s, end_s, bytes, datagrams })
}

fn number(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

fn unit(word: &str) -> Option<f64> {
    Some(match word {
        "Bytes" => 1.0,
        "KBytes" => 1024.0,
        "MBytes" => 1024.0 * 1024.0,
        "GBytes" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    })
}

/// Intervals of a server that prints JSON (`iperf3 -s -J`).
pub fn of_json(output: &Value) -> Vec<Interval> {
    let intervals = output.get("intervals").and_then(Value::as_array).into_iter().flatten();
    let read = |interval: &Value| {
        let sum = interval.get("sum")?;
        let whole = |key| sum.get(key).and_then(Value::as_u64);
        let float = |key| sum.get(key).and_then(Value::as_f64);
        let datagrams = whole("lost_packets").zip(whole("packets"));
        Some(Interval { start_s: float("start")?, end_s: float("end")?, bytes: whole("bytes")?, datagrams })
    };
    intervals.filter_map(read).take(MAX_INTERVALS).collect()
}

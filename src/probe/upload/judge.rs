//! Holds a reading against limits.

use super::findings as code;
use super::series::{self, Rates};
use super::{Congestion, Ending, Limits, Reading, SLOT_MS};
use crate::model::{AtLeast, AtMost, Code, Finding, text};

/// Share of the receiver-limited time from which the far end's window, not the line, is blamed.
const WINDOW_SHARE: f64 = 0.5;
/// Share of the test's cap from which on the cap is what limited it.
const AT_CAP: f64 = 0.93;
/// A timer that fired so late, in ms, belongs to a computer that may have made the gaps itself.
const LATE_MS: f64 = 200.0;

const NETWORK_TEAM: &str = "ask the network team for a line or a quality-of-service class that carries it, \
     lower the stream's bit rate, or take another path";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let rates = reading.rates();
    // What people look for stands first.
    let mut findings = Vec::from_iter(limits.rate_kbps.map(|limit| rate(limit, reading, rates)));
    findings.push(ending(reading));
    findings.extend(limits.worst_10s_kbps.map(|limit| worst(limit, reading, rates)));
    findings.extend(rates.and_then(|rates| fell(&rates)));
    findings.extend(limits.stall_ms.map(|limit| stall(limit, reading)));
    let gaps = [(limits.gaps_over_200ms, 200), (limits.gaps_over_700ms, 700), (limits.gaps_over_2s, 2000)];
    findings.extend(gaps.into_iter().filter_map(|(limit, ms)| Some(many_gaps(limit?, ms, reading))));
    findings.extend(limits.loaded_rtt_ms.map(|limit| loaded_rtt(limit, reading)));
    findings.extend(limits.retransmit_share.map(|limit| resent(limit, reading)));
    findings.extend(limits.duration_s.map(|limit| duration(limit, reading)));
    findings.push(congestion(reading));
    findings
}

fn ending(reading: &Reading) -> Finding {
    let expected = format!("{} s of upload to {}", reading.asked_seconds, reading.far_end);
    let measured = format!("{} s", seconds(reading.measured_ms()));
    let again = "run the check again";
    match &reading.ending {
        Ending::Complete => Finding::pass(code::COMPLETE, expected, measured),
        Ending::Cancelled => {
            Finding::unknown(code::CANCELLED, expected, format!("stopped after {measured}"), again)
        }
        Ending::FarEndEnded { why } => Finding::unknown(
            code::FAR_END_ENDED,
            expected,
            format!("the far end ended it after {measured}: {why}"),
            "start `golive far-end` with larger caps, or ask for less, then run the check again",
        ),
        Ending::FarEndLost { detail } => Finding::unknown(
            code::FAR_END_LOST,
            expected,
            format!("the far end went away after {measured}: {detail}"),
            "start `golive far-end` again, then run the check again",
        ),
        Ending::Cut { detail } => Finding::fail(
            code::CUT,
            expected,
            format!("cut after {measured}: {detail}"),
            "ask the network team which device ends long or fast connections to this host (session \
             limit, intrusion prevention, failover), and have the stream's destination exempted",
        ),
        Ending::LineDead { silent_ms, detail } => Finding::fail(
            code::LINE_DEAD,
            expected,
            format!("dead after {measured}, without an answer for {:.0} s: {detail}", silent_ms / 1000.0),
            "ask the network team whether the line failed at this time; when it did not, look at the \
             far end's host",
        ),
    }
}

/// Why a rate that is too low may not be the line's fault.
fn held_up(reading: &Reading, rates: &Rates, needed: f64) -> Option<String> {
    let cap = float(reading.at_most_kbps);
    if rates.median_kbps >= AT_CAP * cap && needed > AT_CAP * cap {
        return Some(format!("the test itself sent at most {} kb/s", reading.at_most_kbps));
    }
    let share =
        reading.sender.receiver_limited_ms.zip(reading.sender.busy_ms).map(|(held, busy)| held / busy);
    let loaded = percentile_rtt(reading, 50);
    let idle = series::percentile(&mut reading.idle_rtt_ms.clone(), 50);
    // A queue on the way makes any window look small: only without one is the window to blame.
    let queue = loaded.zip(idle).is_none_or(|(loaded, idle)| loaded > 2.0 * idle + 5.0);
    if share.is_some_and(|share| share > WINDOW_SHARE) && !queue {
        return Some("the far end's receive window held it up".to_owned());
    }
    late(reading).filter(|late| *late >= 1000.0).map(|late| format!("a computer was busy for {late:.0} ms"))
}

fn rate(limit: AtLeast<u64>, reading: &Reading, rates: Option<Rates>) -> Finding {
    let expected = format!("≥ {} kb/s in 95 % of seconds", limit.0);
    let Some(rates) = rates else {
        let observed = format!("only {} s measured", seconds(reading.measured_ms()));
        return Finding::unknown(code::RATE_UNPROVEN, expected, observed, "measure at least 30 s");
    };
    let worst = rates.worst_10s_kbps.map_or(String::new(), |kbps| format!(", slowest 10 s {kbps:.0} kb/s"));
    let observed = format!(
        "{:.0} kb/s in 95 % of seconds (median {:.0}, slowest second {:.0} kb/s{worst})",
        rates.lasting_kbps, rates.median_kbps, rates.min_kbps
    );
    let judged =
        Judged { enough: rates.lasting_kbps >= float(limit.0), codes: (code::RATE_OK, code::RATE_LOW) };
    judged.finding(expected, observed, held_up(reading, &rates, float(limit.0)))
}

/// Whether a rate is enough, and what that is called.
struct Judged {
    enough: bool,
    codes: (Code, Code),
}

impl Judged {
    /// A rate that is too low is the line's fault only when nothing else held it up.
    fn finding(self, expected: String, observed: String, held_up: Option<String>) -> Finding {
        match held_up {
            _ if self.enough => Finding::pass(self.codes.0, expected, observed),
            Some(why) => {
                let remedy = "put right what held it up, then run the check again";
                Finding::unknown(code::RATE_UNPROVEN, expected, format!("{observed}; {why}"), remedy)
            }
            None => Finding::fail(self.codes.1, expected, observed, NETWORK_TEAM),
        }
    }
}

fn worst(limit: AtLeast<u64>, reading: &Reading, rates: Option<Rates>) -> Finding {
    let expected = format!("≥ {} kb/s in any 10 s", limit.0);
    let Some((rates, slowest)) = rates.and_then(|rates| Some((rates, rates.worst_10s_kbps?))) else {
        let observed = format!("only {} s measured", seconds(reading.measured_ms()));
        return Finding::unknown(code::RATE_UNPROVEN, expected, observed, "measure at least 30 s");
    };
    let observed = format!("{slowest:.0} kb/s in the slowest 10 s");
    let judged = Judged { enough: slowest >= float(limit.0), codes: (code::WORST_OK, code::WORST_LOW) };
    judged.finding(expected, observed, held_up(reading, &rates, float(limit.0)))
}

fn fell(rates: &Rates) -> Option<Finding> {
    let fall = rates.fall?;
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let megabytes = fall.after_bytes as f64 / 1e6;
    let observed = format!(
        "from {:.0} to {:.0} kb/s after {:.0} s ({megabytes:.1} MB)",
        fall.before_kbps, fall.after_kbps, fall.at_s
    );
    let remedy = "ask the provider or network team for an opening boost, a policer or a data cap; plan \
                  with the lower rate, and measure longer";
    Some(Finding::warn(code::FELL, "a rate that lasts", observed, remedy))
}

/// A pause outside its limit: a failure of the line, unless one of the computers was busy.
fn pause(limits: Code, reading: &Reading, expected: String, observed: String) -> Finding {
    if let Some(late) = late(reading).filter(|late| *late >= LATE_MS) {
        let observed = format!("{observed}, but a computer at one end was busy for {late:.0} ms itself");
        let remedy = "close what else runs on both computers, then run the check again";
        return Finding::unknown(code::SUSPECT, expected, observed, remedy);
    }
    let remedy = "find what pauses the line (Wi-Fi roaming, a backup job, a policer, a failover), use a \
                  cable, or stream over SRT with a latency beyond the pause";
    Finding::fail(limits, expected, observed, remedy)
}

fn stall(limit: AtMost<u64>, reading: &Reading) -> Finding {
    let longest = series::longest_stall_ms(&reading.arrived_bytes, &reading.gaps);
    let expected = format!("no pause over {} ms", limit.0);
    // Nothing is reported of pauses shorter than two slots.
    let least = 2 * u64::from(SLOT_MS);
    let observed =
        if longest < least { format!("none of {least} ms or more") } else { format!("{longest} ms") };
    if longest <= limit.0 {
        Finding::pass(code::STALL_OK, expected, observed)
    } else {
        pause(code::STALLED, reading, expected, observed)
    }
}

fn many_gaps(limit: AtMost<u64>, ms: u64, reading: &Reading) -> Finding {
    let mut count = series::gaps_over(&reading.gaps, ms);
    if ms == 200 {
        count = count.saturating_add(reading.gaps_left_out);
    }
    let expected = format!("≤ {} gaps of {ms} ms or more", limit.0);
    let observed = format!("{count} in {} s", seconds(reading.measured_ms()));
    if count <= limit.0 {
        Finding::pass(code::GAPS_OK, expected, observed)
    } else {
        pause(code::GAPS_MANY, reading, expected, observed)
    }
}

fn loaded_rtt(limit: AtMost<f64>, reading: &Reading) -> Finding {
    let expected = format!("≤ {} ms while sending", limit.0);
    let Some(loaded) = percentile_rtt(reading, 95) else {
        let remedy = "measure from Linux, or take the limit out of the policy";
        return Finding::unknown(code::RTT_UNKNOWN, expected, "not known on this system", remedy);
    };
    let idle = series::percentile(&mut reading.idle_rtt_ms.clone(), 50);
    let idle = idle.map_or(String::new(), |idle| format!(" ({idle:.0} ms idle)"));
    let observed = format!("{loaded:.0} ms in 95 % of seconds{idle}");
    if loaded <= limit.0 {
        return Finding::pass(code::RTT_OK, expected, observed);
    }
    let remedy = "ask the network team for smart queue management (CAKE, FQ-CoDel) or a queue limit on \
                  the slowest link, and keep other uploads off the line";
    Finding::fail(code::RTT_HIGH, expected, observed, remedy)
}

fn resent(limit: AtMost<f64>, reading: &Reading) -> Finding {
    let expected = format!("≤ {} of bytes sent again", percent(limit.0));
    let counted = reading.sender.resent_bytes.zip(reading.sender.sent_bytes.filter(|sent| *sent > 0));
    let Some((resent, sent)) = counted else {
        let remedy = "measure from Linux, or take the limit out of the policy";
        return Finding::unknown(code::RESENT_UNKNOWN, expected, "not known on this system", remedy);
    };
    #[expect(clippy::cast_precision_loss, reason = "bytes of one test are far below 2^52")]
    let share = resent as f64 / sent as f64;
    let observed = format!("{} ({resent} of {sent} bytes)", percent(share));
    if share <= limit.0 {
        return Finding::pass(code::RESENT_OK, expected, observed);
    }
    let remedy = "find where packets are lost: a bad cable or port, Wi-Fi, an overfull link, a policer";
    Finding::fail(code::RESENT_MANY, expected, observed, remedy)
}

fn duration(limit: AtLeast<u32>, reading: &Reading) -> Finding {
    let expected = format!("≥ {} s measured", limit.0);
    let observed = format!("{} s", seconds(reading.measured_ms()));
    if reading.measured_ms() >= u64::from(limit.0) * 1000 {
        return Finding::pass(code::LONG_ENOUGH, expected, observed);
    }
    Finding::unknown(code::TOO_SHORT, expected, observed, "run the check again and let it come to its end")
}

fn congestion(reading: &Reading) -> Finding {
    let Some(asked) = reading.congestion_asked.kernel_name() else {
        let used = reading.congestion.as_deref().map_or("not known".into(), text::escape);
        return Finding::pass(code::CONGESTION_OK, "the system's own", used);
    };
    match reading.congestion.as_deref() {
        Some(used) if used == asked => Finding::pass(code::CONGESTION_OK, asked, used),
        Some(used) => {
            let mut remedy = format!(
                "run golive as root, or allow it to everybody: sysctl net.ipv4.tcp_allowed_congestion_control=\"reno {asked}\""
            );
            if reading.congestion_asked == Congestion::Cubic {
                remedy.push_str(
                    "; encoders send with CUBIC, which loses far more rate to lost packets than BBR",
                );
            }
            Finding::warn(code::CONGESTION_OTHER, asked, text::escape(used), remedy)
        }
        None => Finding::warn(
            code::CONGESTION_OTHER,
            asked,
            "the system does not tell which it used",
            "measure from Linux to be sure; Windows and macOS use CUBIC by themselves",
        ),
    }
}

fn late(reading: &Reading) -> Option<f64> {
    let far = reading.far_end_late_ms.map_or(0.0, float);
    Some(reading.sender.late_ms.max(far)).filter(|late| *late > 0.0)
}

fn percentile_rtt(reading: &Reading, percent: usize) -> Option<f64> {
    let mut times: Vec<f64> = reading.loaded_rtt.iter().map(|sample| sample.rtt_ms).collect();
    series::percentile(&mut times, percent)
}

#[expect(clippy::cast_precision_loss, reason = "rates and times are far below 2^52")]
const fn float(whole: u64) -> f64 {
    whole as f64
}

fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

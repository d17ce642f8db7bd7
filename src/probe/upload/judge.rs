//! Holds a reading against limits.

use std::fmt::Write as _;

mod change;
mod count;
mod gaps;
mod latency;
mod stream;

pub(super) use latency::{Planned, cap_to_show};
pub use stream::{Fate, Thresholds, replayed};

use super::findings as code;
use super::series::{self, Rates};
use super::{Ending, Limits, Over, Reading, SLOT_MS, Way};
use crate::model::{AtLeast, AtMost, Code, Finding, text};
use crate::net::congestion::Congestion;
use crate::wire::http;

/// Share of the time from which on the far end's window, or our send buffer, is blamed and not the line.
const WINDOW_SHARE: f64 = 0.5;
/// Share of the test's cap from which on the cap is what limited it.
const AT_CAP: f64 = 0.93;
/// A timer that fired so late, in ms, belongs to a computer that may have made the gaps itself.
const LATE_MS: f64 = 200.0;

/// Share of new connections that may come to nothing: as many as the mean leaves out of the slowest.
const FEW_FAILED: f64 = 0.05;

const QUEUES: &str = "ask the network team for smart queue management (CAKE, FQ-CoDel) or a queue limit on \
     the slowest link, and keep other uploads off the line";
const NETWORK_TEAM: &str = "ask the network team for a line or a quality-of-service class that carries it, \
     lower the stream's bit rate, or take another path";

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let rates = reading.rates();
    // What people look for stands first.
    let foretold = stream::foretell(limits, reading);
    let fate = foretold.as_ref().map(|foretold| foretold.fate);
    let mut findings = Vec::from_iter(limits.rate_kbps.map(|limit| rate(limit, reading, rates, fate)));
    findings.extend(stream::judge(limits, reading, foretold));
    findings.push(ending(limits, reading, rates.as_ref()));
    findings.extend(limits.worst_10s_kbps.map(|limit| worst(limit, reading, rates)));
    findings.extend(rates.and_then(|rates| rates.fall).map(|fall| change::fell(reading, &fall)));
    findings.extend(change::rhythm(reading));
    findings.extend(limits.stall_ms.map(|limit| gaps::stall(limit, reading)));
    let over = [(limits.gaps_over_200ms, 200), (limits.gaps_over_700ms, 700), (limits.gaps_over_2s, 2000)];
    findings.extend(over.into_iter().filter_map(|(limit, ms)| Some(gaps::many_gaps(limit?, ms, reading))));
    findings.extend(limits.loaded_rtt_ms.map(|limit| loaded_rtt(limit, reading)));
    findings.extend(limits.responsiveness_rpm.map(|limit| responsiveness(limit, reading)));
    findings.extend(limits.retransmit_share.map(|limit| resent(limit, reading)));
    findings.extend(limits.loss_share.map(|limit| loss(limit, reading)));
    // A test that ended early since the answer was certain says so itself.
    let whole = limits.duration_s.filter(|_| !matches!(reading.ending, Ending::TooThin { .. }));
    findings.extend(whole.map(|limit| duration(limit, reading)));
    findings.extend(count::count(reading));
    findings.extend(change::held_up_by(reading, rates));
    if reading.transport == Over::Tcp {
        findings.push(congestion(reading));
    }
    findings
}

fn ending(limits: &Limits, reading: &Reading, rates: Option<&Rates>) -> Finding {
    let expected = format!("{} s of upload to {}", reading.asked_seconds, reading.peer());
    let (measured, other) = (format!("{} s", seconds(reading.measured_ms())), reading.way.words());
    let again = "run the check again";
    match &reading.ending {
        Ending::Complete => Finding::pass(code::COMPLETE, expected, measured),
        Ending::Cancelled => {
            Finding::unknown(code::CANCELLED, expected, format!("stopped after {measured}"), again)
        }
        Ending::FarEndEnded { why } => Finding::unknown(
            code::FAR_END_ENDED,
            expected,
            format!("{other} ended it after {measured}: {why}"),
            match reading.way {
                Way::FarEnd => {
                    "start `golive far-end` with larger caps, or ask for less, then run the check again"
                }
                Way::Iperf3 => "look at what the server printed, or ask for less, then run the check again",
                Way::Https => http::remedy(reading.answer.as_ref().map_or(0, |answer| answer.status)),
                Way::Ingest => {
                    "ask the platform whether the test key may publish at this rate, or ask for less, then run the check again"
                }
            },
        ),
        Ending::FarEndLost { detail } => Finding::unknown(
            code::FAR_END_LOST,
            expected,
            format!("{other} went away after {measured}: {detail}"),
            match reading.way {
                Way::FarEnd => "start `golive far-end` again, then run the check again",
                Way::Iperf3 => "start `iperf3 -s` again, then run the check again",
                Way::Https => "start the web server again, then run the check again",
                Way::Ingest => "look at the platform's status, then run the check again",
            },
        ),
        Ending::TooThin { below_kbps } => too_thin(*below_kbps, limits, reading, rates),
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

/// A test that was ended early: never a pass. It is a no where what is asked now is no less than what it was
/// ended for, and the line was at fault.
fn too_thin(below_kbps: u64, limits: &Limits, reading: &Reading, rates: Option<&Rates>) -> Finding {
    let expected = format!("{below_kbps} kb/s, without which the stream cannot live, in 95 % of seconds");
    let observed = format!(
        "not in any three of {} s; ended early, for the rest of {} s could not have changed the answer",
        seconds(reading.measured_ms()),
        reading.asked_seconds
    );
    let asked = limits.rate_kbps.is_some_and(|limit| limit.0 >= below_kbps);
    match rates.and_then(|rates| held_up(reading, rates, float(below_kbps))) {
        None if asked && rates.is_some() => Finding::fail(code::TOO_THIN, expected, observed, NETWORK_TEAM),
        why => {
            let why = why.unwrap_or_else(|| "less is asked of it now than when it was measured".to_owned());
            let remedy = "put right what held it up, or leave `stop_below_kbps` below what is asked, then run \
                          the check again";
            Finding::unknown(code::ENDED_EARLY, expected, format!("{observed}; {why}"), remedy)
        }
    }
}

/// Why a rate that is too low may not be the line's fault.
fn held_up(reading: &Reading, rates: &Rates, needed: f64) -> Option<String> {
    let busy = || late(reading).filter(|late| *late >= 1000.0);
    hindered(reading, rates, needed)
        .or_else(|| busy().map(|late| format!("a computer was busy for {late:.0} ms")))
}

/// What of the test itself, all along, let no more through.
fn hindered(reading: &Reading, rates: &Rates, needed: f64) -> Option<String> {
    let cap = float(reading.at_most_kbps);
    if rates.median_kbps >= AT_CAP * cap && needed > AT_CAP * cap {
        return Some(format!("the test itself sent at most {} kb/s", reading.at_most_kbps));
    }
    let much = |held: Option<f64>| {
        held.zip(reading.sender.busy_ms).is_some_and(|(held, busy)| held / busy > WINDOW_SHARE)
    };
    let loaded = percentile_rtt(reading, 50);
    let idle = series::percentile(&mut reading.idle_rtt_ms.clone(), 50);
    // A queue on the way makes any window or buffer look small: only without one is it to blame.
    let queue = loaded.zip(idle).is_none_or(|(loaded, idle)| loaded > 2.0 * idle + 5.0);
    if queue {
        None
    } else if much(reading.sender.receiver_limited_ms) {
        Some("the receiver's window held it up".to_owned())
    } else if much(reading.sender.buffer_limited_ms) {
        Some("this machine's send buffer held it up".to_owned())
    } else {
        None
    }
}

/// `fate`: of the planned stream itself, replayed. Where it does not condemn the line, half of the seconds with
/// headroom are enough for a warning: what the others mean for the stream is said there.
fn rate(limit: AtLeast<u64>, reading: &Reading, rates: Option<Rates>, fate: Option<Fate>) -> Finding {
    let expected = format!("≥ {} kb/s in 95 % of seconds", limit.0);
    let Some(rates) = rates else {
        let observed = format!("only {} s measured", seconds(reading.measured_ms()));
        return Finding::unknown(code::RATE_UNPROVEN, expected, observed, "measure at least 30 s");
    };
    let worst = rates.worst_10s_kbps.map_or(String::new(), |kbps| format!(", slowest 10 s {kbps:.0} kb/s"));
    let observed = format!(
        "{:.0} kb/s in 95 % of seconds (median {:.0}, slowest second {:.0} kb/s{worst}){}",
        rates.lasting_kbps,
        rates.median_kbps,
        rates.min_kbps,
        capacity(reading, &rates)
    );
    let enough = rates.lasting_kbps >= float(limit.0);
    let lives = fate.is_some_and(|fate| fate != Fate::Breaks);
    if !enough && lives && rates.fall.is_none() && rates.median_kbps >= float(limit.0) {
        return Finding::warn(code::RATE_UNEVEN, expected, observed, NETWORK_TEAM);
    }
    let judged = Judged { enough, codes: (code::RATE_OK, code::RATE_LOW) };
    judged.finding(expected, observed, held_up(reading, &rates, float(limit.0)))
}

/// What the line carried with all headers, as its contract counts it: where nothing else held the load up.
fn capacity(reading: &Reading, rates: &Rates) -> String {
    let carried = reading.capacity_kbps().filter(|_| held_up(reading, rates, f64::INFINITY).is_none());
    carried.map_or(String::new(), |kbps| format!("; with all headers the line carried {kbps:.0} kb/s"))
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
    Finding::fail(code::RTT_HIGH, expected, observed, QUEUES)
}

fn responsiveness(limit: AtLeast<f64>, reading: &Reading) -> Finding {
    let expected = format!("≥ {:.0} round trips a minute while sending", limit.0);
    let Some(found) = reading.responsiveness else {
        let remedy = "measure over TCP against a golive far end, or take the limit out of the policy";
        return Finding::unknown(code::RPM_UNKNOWN, expected, "not known", remedy);
    };
    let others = found.foreign.map_or("on another connection", |_| "on new connections");
    let mut observed =
        format!("{:.0} ({:.0} ms {others}, {:.0} ms on its own)", found.rpm, found.other_ms, found.own_ms);
    let (failed, all) =
        found.foreign.map_or((0, 0), |new| (new.failed, new.opened.saturating_add(new.failed)));
    if failed > 0 {
        let _ = write!(observed, "; {failed} of {all} new connections came to nothing");
    }
    if found.rpm >= limit.0 && failed > 1 && float(failed) > FEW_FAILED * float(all) {
        let remedy = "look at the far end's log for what ended new connections; where it refused none, the line lost \
                      them: ask the network team, then run the check again";
        return Finding::unknown(code::RPM_UNKNOWN, expected, observed, remedy);
    }
    if found.rpm >= limit.0 {
        return Finding::pass(code::RPM_OK, expected, observed);
    }
    Finding::fail(code::RPM_LOW, expected, observed, QUEUES)
}

fn resent(limit: AtMost<f64>, reading: &Reading) -> Finding {
    let expected = format!("≤ {} of bytes sent again", percent(limit.0));
    let counted = reading.sender.resent_bytes.zip(reading.sender.sent_bytes.filter(|sent| *sent > 0));
    let Some((resent, sent)) = counted else {
        let remedy = "measure from Linux, or take the limit out of the policy";
        return Finding::unknown(code::RESENT_UNKNOWN, expected, "not known on this system", remedy);
    };
    let share = float(resent) / float(sent);
    let observed = format!("{} ({resent} of {sent} bytes)", percent(share));
    if share <= limit.0 {
        return Finding::pass(code::RESENT_OK, expected, observed);
    }
    let remedy = "find where packets are lost: a bad cable or port, Wi-Fi, an overfull link, a policer";
    Finding::fail(code::RESENT_MANY, expected, observed, remedy)
}

fn loss(limit: AtMost<f64>, reading: &Reading) -> Finding {
    let expected = format!("≤ {} of datagrams lost", percent(limit.0));
    let counted = reading.datagrams.filter(|datagrams| datagrams.expected > 0);
    let Some(datagrams) = counted else {
        let observed =
            if reading.transport == Over::Tcp { "measured over TCP" } else { "nothing was counted" };
        let remedy = "measure with `transport = \"udp\"`, or take the limit out of the policy";
        return Finding::unknown(code::LOSS_UNKNOWN, expected, observed, remedy);
    };
    let share = float(datagrams.lost) / float(datagrams.expected);
    let observed = format!("{} ({} of {})", percent(share), datagrams.lost, datagrams.expected);
    if share <= limit.0 {
        return Finding::pass(code::LOSS_OK, expected, observed);
    }
    let remedy = "find where packets are lost: a policer, an overfull link, Wi-Fi, a bad cable or port";
    Finding::fail(code::LOSS_HIGH, expected, observed, remedy)
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

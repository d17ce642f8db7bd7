//! `upload`: how much this line carries out, steadily, as the receiver counts it.
//!
//! # Asks
//! How fast, and how evenly, do bytes arrive at the far end over one TCP connection with the
//! congestion control of an encoder?
//! # Why it matters
//! A stream is one TCP connection that may not pause: gaps and the slow seconds kill it, and
//! the mean of a speed test shows neither.
//! # How it can mislead
//! A short test misses gaps that come once a minute; another hour, another cable or another
//! destination is another line; bursts that a provider grants at first flatter (a fall in rate
//! is looked for). Only one address family is tested: the one that an encoder would take.
//! # Needs
//! A far end outside the building, better connected than the line under test; root or a
//! kernel that allows CUBIC to everybody, where the machine's own default is another.

mod findings;
mod judge;
mod run;
pub mod series;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Probe, Problem};
use crate::model::{
    AtLeast, AtMost, Code, Contact, Demand, Endpoint, Failure, FarEnd, FarEndName, Finding, Lane,
    NotMeasured, Series, Stakes, StreamName, Transport, WireText,
};
use crate::net::congestion::Congestion;
use crate::wire::control::SLOT_MS;

/// Shortest and longest test, in seconds.
const SECONDS: std::ops::RangeInclusive<u32> = 5..=3600;
/// Slowest and fastest test, in kb/s. Below, single packets would look like gaps.
const KBPS: std::ops::RangeInclusive<u64> = 300..=10_000_000;
/// How far the test's cap must lie above what is asked of it: what is paced to a rate
/// arrives a little below it.
const ROOM: f64 = 1.05;

/// The probe.
#[derive(Debug)]
pub struct Upload;

/// What to send, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The far end that counts.
    pub far_end: FarEndName,
    /// How long to send, in seconds (5 to 3600): a minute at least, ten before a show.
    #[schemars(range(min = 5, max = 3600))]
    pub seconds: u32,
    /// Sends no faster than this, in kb/s: what others on the line are spared.
    pub at_most_kbps: u64,
    /// The congestion control to send with; encoders have CUBIC.
    #[serde(default)]
    pub congestion: Congestion,
    /// The stream whose need the limit `rate_kbps` is derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
}

crate::limits! {
    /// What the line must carry.
    pub struct Limits {
        /// Rate that 95 % of seconds must reach, kb/s; also after a fall in rate. Derived from
        /// the target's stream when left out.
        pub rate_kbps: AtLeast<u64>,
        /// Rate that the slowest ten seconds must reach, kb/s.
        pub worst_10s_kbps: AtLeast<u64>,
        /// Longest time without an arrival, ms.
        pub stall_ms: AtMost<u64>,
        /// Gaps of 200 ms and more.
        pub gaps_over_200ms: AtMost<u64>,
        /// Gaps of 700 ms and more: what makes OBS drop frames.
        pub gaps_over_700ms: AtMost<u64>,
        /// Gaps of 2 s and more.
        pub gaps_over_2s: AtMost<u64>,
        /// Round trip while sending, ms (95th percentile of its seconds).
        pub loaded_rtt_ms: AtMost<f64>,
        /// Share of bytes that had to be sent again, 0 to 1.
        pub retransmit_share: AtMost<f64>,
        /// How long it must have been measured, s.
        pub duration_s: AtLeast<u32>,
    }
}

/// Nothing arrived for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// When it began, in milliseconds since the data connection came to the far end.
    pub at_ms: u64,
    /// How long it was, in milliseconds.
    pub ms: u64,
}

/// A try to connect to the far end's control port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times.
    pub contact: Contact,
    /// Why it failed; none for the one that was used.
    pub failure: Option<Failure>,
}

/// The worst round trip of about a second, as the kernel sees it while sending.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadedRtt {
    /// Milliseconds since the data connection was there.
    pub offset_ms: f64,
    /// Round trip, in milliseconds.
    pub rtt_ms: f64,
}

/// What the sending kernel counted; a figure is absent where the system does not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sender {
    /// Bytes handed to the kernel.
    pub written_bytes: u64,
    /// Bytes sent, resent ones too.
    pub sent_bytes: Option<u64>,
    /// Bytes sent again.
    pub resent_bytes: Option<u64>,
    /// Milliseconds with data to send.
    pub busy_ms: Option<f64>,
    /// Of those, milliseconds in which the far end's receive window held it up.
    pub receiver_limited_ms: Option<f64>,
    /// Latest that our own 100 ms timer fired, in milliseconds: how much the machine was busy.
    pub late_ms: f64,
    /// True when the kernel paced the connection (`SO_MAX_PACING_RATE`).
    pub paced: bool,
}

/// How the test ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As planned.
    Complete,
    /// The run was stopped.
    Cancelled,
    /// The far end ended it: one of its caps, or it was stopped.
    FarEndEnded {
        /// Its reason.
        why: WireText,
    },
    /// The far end went away: it closed, and refuses new connections.
    FarEndLost {
        /// What happened.
        detail: WireText,
    },
    /// Something cut the connection, or it went dead, while the far end was still there and
    /// admitted us on a new connection.
    Cut {
        /// What happened.
        detail: WireText,
    },
    /// Nothing came back any more, nor on a new connection.
    LineDead {
        /// Milliseconds since the last sign of life.
        silent_ms: f64,
        /// What happened.
        detail: WireText,
    },
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The far end that counted.
    pub far_end: FarEndName,
    /// Connecting to its control port: the last one was used.
    pub attempts: Vec<Attempt>,
    /// The data connection.
    pub data: Contact,
    /// Our address of the data connection as the far end saw it.
    pub seen_as: Option<SocketAddr>,
    /// Seconds that were asked for.
    pub asked_seconds: u32,
    /// The test's own cap, kb/s.
    pub at_most_kbps: u64,
    /// Congestion control that was asked for.
    pub congestion_asked: Congestion,
    /// Congestion control that the kernel really used, by its name.
    pub congestion: Option<String>,
    /// Length of a slot, in milliseconds.
    pub slot_ms: u32,
    /// Bytes that arrived in each slot, as the far end counted them; only slots that it reported.
    pub arrived_bytes: Vec<u64>,
    /// Gaps of 200 ms and more, as the far end saw them.
    pub gaps: Vec<Gap>,
    /// Gaps beyond those kept.
    pub gaps_left_out: u64,
    /// Round trips before the load, in milliseconds, over the control connection.
    pub idle_rtt_ms: Vec<f64>,
    /// Round trips under load.
    pub loaded_rtt: Vec<LoadedRtt>,
    /// What the sending kernel counted.
    pub sender: Sender,
    /// Latest that the far end's own timer fired, in milliseconds, if it came to say so.
    pub far_end_late_ms: Option<u64>,
    /// How it ended.
    pub ending: Ending,
}

impl Reading {
    /// How long was measured, in milliseconds: what the far end reported.
    pub fn measured_ms(&self) -> u64 {
        self.arrived_bytes.len() as u64 * u64::from(self.slot_ms)
    }

    /// Bytes that arrived in that time.
    pub fn arrived(&self) -> u64 {
        series::total(&self.arrived_bytes)
    }

    /// Rates of its windows; `None` when it was too short.
    pub fn rates(&self) -> Option<series::Rates> {
        series::rates(&self.arrived_bytes)
    }
}

impl Probe for Upload {
    const NAME: &'static str = "upload";
    const LANE: Lane = Lane::Load;
    const ABOUT: About = About {
        asks: "How fast, and how evenly, do bytes arrive at the far end over one TCP connection with an encoder's congestion control",
        why: "a stream may not pause: gaps and slow seconds kill it, and the mean of a speed test shows neither",
        misleads: "a short test misses rare gaps; another hour, cable or destination is another line; an opening burst flatters (a fall in rate is looked for); one address family only",
        needs: "a far end outside the building; root, or a kernel that allows CUBIC, where the machine's default is another",
    };
    const VIEWERS: &'static str =
        "The picture would freeze or turn to blocks, and viewers would be thrown out of the stream.";
    const CODES: &'static [Code] = findings::CODES;
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let endpoint = far_ends.get(&target.far_end).and_then(FarEnd::host_port);
        let seconds = u64::from(target.seconds);
        let bytes_up = run::byte_budget(target) / 10 * 11 + 64 * 1024; // headers and what is resent
        Demand {
            endpoints: endpoint
                .map(|(host, port)| Endpoint::new(host, port, Transport::Tcp))
                .into_iter()
                .collect(),
            bytes_up,
            bytes_down: bytes_up / 15 + seconds * 4096 + 64 * 1024, // acknowledgements and reports
            packets: bytes_up / 1000 + seconds * 40 + 500,
            seconds: f64::from(target.seconds) + 3.0,
            seconds_max: f64::from(target.seconds) + run::SECONDS_MORE,
        }
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        far_ends: &BTreeMap<FarEndName, FarEnd>,
        stakes: &Stakes,
    ) -> Vec<Problem> {
        problems(target, limits, far_ends, stakes)
    }

    fn derive(target: &Target, limits: &mut Limits, stakes: &Stakes) {
        if limits.rate_kbps.is_none() {
            limits.rate_kbps = needed(target, stakes).map(AtLeast);
        }
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn brief(target: &Target) -> String {
        format!("{} s at up to {} kb/s to {}", target.seconds, target.at_most_kbps, target.far_end)
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }

    fn series(limits: &Limits, reading: &Reading) -> Vec<Series> {
        let (step_ms, values) = series::seconds_to_draw(&reading.arrived_bytes);
        #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
        let required = limits.rate_kbps.map(|limit| limit.0 as f64);
        let title = "Upload in windows of one second, as the far end counted it".to_owned();
        let upload = Series { title, unit: "kb/s".to_owned(), step_ms, values, required };
        if reading.loaded_rtt.is_empty() {
            return vec![upload];
        }
        let delay = Series {
            title: "Longest round trip of each second while sending".to_owned(),
            unit: "ms".to_owned(),
            step_ms: 1000.0,
            values: reading.loaded_rtt.iter().map(|sample| Some(sample.rtt_ms)).collect(),
            required: limits.loaded_rtt_ms.map(|limit| limit.0),
        };
        vec![upload, delay]
    }
}

fn needed(target: &Target, stakes: &Stakes) -> Option<u64> {
    let stream = stakes.streams.get(target.stream.as_ref()?)?;
    Some(stream.required_kbps())
}

fn problems(
    target: &Target,
    limits: &Limits,
    far_ends: &BTreeMap<FarEndName, FarEnd>,
    stakes: &Stakes,
) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |field, what: String| found.push(Problem { field, what });
    if !far_ends.contains_key(&target.far_end) {
        let known: Vec<&str> = far_ends.keys().map(FarEndName::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        say("far_end", format!("the policy has no [far_end.{}]; it has: {known}", target.far_end));
    }
    if !SECONDS.contains(&target.seconds) {
        say(
            "seconds",
            format!("{} is not within {} to {} seconds", target.seconds, SECONDS.start(), SECONDS.end()),
        );
    }
    if !KBPS.contains(&target.at_most_kbps) {
        let what = format!("{} is not within {} to {} kb/s", target.at_most_kbps, KBPS.start(), KBPS.end());
        say("at_most_kbps", what);
    }
    if let Some(stream) = target.stream.as_ref().filter(|stream| !stakes.streams.contains_key(*stream)) {
        say("stream", format!("the policy has no [stream.{stream}]"));
    }
    let asked = limits.rate_kbps.map(|rate| rate.0);
    let needed = needed(target, stakes);
    if let (Some(asked), Some(needed)) = (asked, needed)
        && asked < needed
    {
        say(
            "rate_kbps",
            format!("{asked} kb/s is less than the {needed} kb/s that the stream needs; leave it out"),
        );
    }
    let most = asked.max(needed).max(limits.worst_10s_kbps.map(|rate| rate.0));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bit rates are far below 2^52 and positive"
    )]
    let least_cap = most.map(|most| (most as f64 * ROOM).ceil() as u64);
    if let Some(least) = least_cap.filter(|least| target.at_most_kbps < *least) {
        let what = format!(
            "a test of at most {} kb/s cannot show the {} kb/s that it is held against: allow {least} or more",
            target.at_most_kbps,
            most.unwrap_or_default()
        );
        say("at_most_kbps", what);
    }
    if let Some(duration) = limits.duration_s.filter(|duration| duration.0 > target.seconds) {
        let what = format!("a test of {} s cannot last {} s: raise `seconds`", target.seconds, duration.0);
        say("duration_s", what);
    }
    if limits.worst_10s_kbps.is_some() && target.seconds < 12 {
        say(
            "worst_10s_kbps",
            "needs a test of 12 s or more, since the first 2 s are TCP's start-up".to_owned(),
        );
    }
    found
}

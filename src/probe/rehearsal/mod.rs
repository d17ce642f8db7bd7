//! `rehearsal`: whether the stream itself survives the way to its ingest.
//!
//! # Asks
//! Minutes of a test card, padded to the event's bit rate with an encoder's keyframe bursts, sent to an RTMP,
//! RTMPS or SRT ingest under a test key: how many pictures an encoder would have dropped, how far behind the
//! ingest fell, what SRT could not repair in time; and from that the latency that this path needs, the bit
//! rate that it carries, and the chance that the event's stream meets a damaging gap.
//! # Why it matters
//! A stream fails by gaps and by what its own transport makes of loss, which no speed test shows.
//! # How it can mislead
//! A minute sees half of the lines that will fail. Another hour or another cable is another line. A proxy
//! that takes the stream for the ingest acknowledges what the ingest has not got. Filler compresses: a VPN
//! that does so flatters. SRT's figures rest on the listener's own reports.
//! # Needs
//! An ingest and a test key that no audience watches, or a golive far end; for RTMP root or a kernel that
//! allows CUBIC, where the machine's own default is another.

mod codes;
mod judge;
mod need;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe, Problem};
use crate::media::{LEAST_KBPS, MOST_KBPS};
use crate::model::{
    AtLeast, AtMost, Code, Contact, Demand, Endpoint, Failure, FarEnd, FarEndName, Finding, Lane,
    NotMeasured, Publish, SecretSource, Series, Stakes, StreamName, WireText,
};
use crate::net::congestion::Congestion;
use crate::net::encoder::{Accepted, STALL_MS, SrtCounts, Take};
use crate::wire::rtmp::address::Address;

/// Shortest and longest rehearsal, in seconds.
const SECONDS: std::ops::RangeInclusive<u32> = 5..=7200;

/// The probe.
#[derive(Debug)]
pub struct Rehearsal;

/// What to play, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `rtmp://host:port/app`, `rtmps://host:port/app` or `srt://host:port`, without key or query.
    pub url: String,
    /// Must be `"test"`: the ingest sees a stream, under a key that no audience watches.
    #[serde(default)]
    pub publish: Publish,
    /// Where the test key is: RTMP's stream key, SRT's stream id. Never the key of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_key: Option<SecretSource>,
    /// SRT's passphrase, 10 to 79 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretSource>,
    /// SRT's latency as planned for the event, in ms; absent: 120, libsrt's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u16>,
    /// Bit rate of pictures and sound together, as planned for the event, in kb/s.
    pub media_kbps: u64,
    /// How long to play, in seconds (5 to 7200): a minute at least, ten before a show.
    #[schemars(range(min = 5, max = 7200))]
    pub seconds: u32,
    /// The stream of the policy that this rehearses: its bit rate must not be larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
    /// The congestion control to send RTMP with; encoders have CUBIC.
    #[serde(default)]
    pub congestion: Congestion,
}

/// Where the stream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ingest {
    Rtmp(Address),
    Srt { host: String, port: u16 },
}

impl Ingest {
    fn parse(url: &str) -> Result<Self, String> {
        let Some(rest) = url.strip_prefix("srt://") else {
            return Address::parse(url).map(Self::Rtmp).map_err(|why| why.to_string());
        };
        if rest.contains(['?', '#', '@']) {
            return Err("give stream id, passphrase and latency by keys of their own, not in the URL: \
                        a secret has no place there"
                .to_owned());
        }
        let (host, port) = Endpoint::split(rest.strip_suffix('/').unwrap_or(rest))
            .filter(|(host, _)| !host.contains('/'))
            .ok_or("an SRT ingest is `srt://host:port`")?;
        Ok(Self::Srt { host: host.to_owned(), port })
    }

    fn host_port(&self) -> (&str, u16) {
        match self {
            Self::Rtmp(address) => (&address.host, address.port),
            Self::Srt { host, port } => (host, *port),
        }
    }
}

impl Target {
    fn latency_ms(&self) -> u16 {
        self.latency_ms.unwrap_or(120)
    }
}

crate::limits! {
    /// What the stream must come through with.
    pub struct Limits {
        /// Share of pictures that an encoder may drop, 0 to 1; over RTMP only. Over 0.01 there is a warning
        /// anyway.
        pub dropped_share: AtMost<f64>,
        /// How far the ingest may fall behind, ms.
        pub lag_ms: AtMost<u64>,
        /// Longest time without any progress, ms.
        pub stall_ms: AtMost<u64>,
        /// Packets a minute that may come too late to be played; over SRT only.
        pub too_late_per_minute: AtMost<f64>,
        /// How long it must have been played, s.
        pub seconds: AtLeast<u32>,
        /// Chance, 0 to 1, that the event's stream meets a damaging gap.
        pub gap_risk: AtMost<f64>,
        /// Length of the stream that the chance is stated for, s; derived from the event's start and end
        /// when left out, else an hour.
        pub stream_s: AtLeast<u64>,
    }
}

/// A try to reach the ingest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Addresses and times.
    pub contact: Contact,
    /// Why nothing could be played there; none for the address that was used.
    pub failed: Option<WireText>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was played.
    pub method: String,
    /// The ingest, as the policy names it.
    pub url: String,
    /// Bit rate that was played, kb/s.
    pub media_kbps: u64,
    /// Seconds that were asked for.
    pub asked_seconds: u32,
    /// Why the name gave no address.
    pub unresolved: Option<Failure>,
    /// Addresses tried, the last of them used, unless all failed.
    pub attempts: Vec<Attempt>,
    /// What an RTMP server calls itself.
    pub server: Option<WireText>,
    /// Congestion control that was asked for (RTMP).
    pub congestion_asked: Option<Congestion>,
    /// Congestion control that the kernel really used, by its name (RTMP).
    pub congestion: Option<String>,
    /// What an SRT listener agreed to.
    pub srt: Option<Accepted>,
    /// What became of SRT's packets.
    pub srt_counts: Option<SrtCounts>,
    /// What was seen of the stream; none when no address took it.
    pub take: Option<Box<Take>>,
}

impl Probe for Rehearsal {
    const NAME: &'static str = "rehearsal";
    const LANE: Lane = Lane::Load;
    const ABOUT: About = About {
        asks: "Whether the stream itself survives: minutes of a test card at the event's bit rate to the ingest, through an encoder's send queue",
        why: "a stream fails by gaps, and by what its own transport makes of loss; no speed test shows either",
        misleads: "a minute sees half of the lines that will fail; another hour or cable is another line; a proxy on the way may acknowledge what the ingest has not got",
        needs: "an ingest with a test key that no audience watches, or a far end; root, or a kernel that allows CUBIC, where the machine's default is another",
    };
    const VIEWERS: &'static str = "The picture would jerk, freeze or turn to blocks, and the stream might end in the middle of the event.";
    const CODES: &'static [Code] = codes::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(_: &Target) -> Result<Light<Target>, &'static str> {
        Err("it loads the line, which the stream needs")
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn brief(target: &Target) -> String {
        let url = crate::model::text::escape(&target.url);
        format!("{} s of a test stream at {} kb/s to {url}", target.seconds, target.media_kbps)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        stakes: &Stakes,
    ) -> Vec<Problem> {
        problems(target, limits, stakes)
    }

    fn derive(_: &mut Target, limits: &mut Limits, stakes: &Stakes) {
        if limits.stream_s.is_none() {
            limits.stream_s = stakes.event_seconds.map(AtLeast);
        }
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }

    fn series(limits: &Limits, reading: &Reading) -> Vec<Series> {
        let Some(take) = &reading.take else { return Vec::new() };
        #[expect(clippy::cast_precision_loss, reason = "rates and times of one stream are far below 2^52")]
        let float = |value: u64| value as f64;
        let series = |title: &str, unit: &str, values, required| Series {
            title: title.to_owned(),
            unit: unit.to_owned(),
            step_ms: 1000.0,
            values,
            required,
        };
        let rate = take.seconds.iter().map(|second| Some(float(second.bytes) * 8.0 / 1000.0)).collect();
        let lag = take.seconds.iter().map(|second| second.lag_ms.map(f64::from)).collect();
        let mut drawn = vec![
            series("Test stream as it got through", "kb/s", rate, Some(float(reading.media_kbps))),
            series("How far the ingest was behind", "ms", lag, limits.lag_ms.map(|limit| float(limit.0))),
        ];
        if reading.srt_counts.is_some() {
            let late = take.seconds.iter().map(|second| Some(f64::from(second.too_late))).collect();
            drawn.push(series("Packets too late to be played", "packets", late, None));
        } else {
            let dropped = take.seconds.iter().map(|second| Some(f64::from(second.dropped))).collect();
            drawn.push(series("Pictures that the encoder dropped", "pictures", dropped, None));
        }
        drawn
    }
}

fn problems(target: &Target, limits: &Limits, stakes: &Stakes) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |field, what: String| found.push(Problem { field, what });
    let ingest = Ingest::parse(&target.url);
    let srt = matches!(ingest, Ok(Ingest::Srt { .. }));
    if let Err(why) = &ingest {
        say("url", why.clone());
    }
    if target.publish == Publish::Never {
        let what = "a rehearsal sends a test stream: say `publish = \"test\"`, and name a test key that no \
                    audience watches";
        say("publish", what.to_owned());
    }
    if !srt && target.test_key.is_none() {
        say("test_key", "publishing needs a test key: `{ env = \"NAME\" }`".to_owned());
    }
    if !srt && (target.passphrase.is_some() || target.latency_ms.is_some()) {
        let field = if target.passphrase.is_some() { "passphrase" } else { "latency_ms" };
        say(field, "is for srt:// only".to_owned());
    }
    if target.latency_ms == Some(0) {
        say("latency_ms", "SRT's latency is at least 1 ms".to_owned());
    }
    if !(LEAST_KBPS..=MOST_KBPS).contains(&target.media_kbps) {
        say("media_kbps", format!("{} is not within {LEAST_KBPS} to {MOST_KBPS} kb/s", target.media_kbps));
    }
    if !SECONDS.contains(&target.seconds) {
        let what =
            format!("{} is not within {} to {} seconds", target.seconds, SECONDS.start(), SECONDS.end());
        say("seconds", what);
    }
    if let Some(limit) = limits.seconds.filter(|limit| limit.0 > target.seconds) {
        let what = format!(
            "a rehearsal of {} s cannot last {} s: raise the target's `seconds`",
            target.seconds, limit.0
        );
        say("seconds", what);
    }
    if let Some(stall) = limits.stall_ms.filter(|stall| stall.0 < u64::from(STALL_MS)) {
        let what = format!("{} ms cannot be seen: pauses shorter than {STALL_MS} ms are not kept", stall.0);
        say("stall_ms", what);
    }
    if let Some(name) = &target.stream {
        match stakes.streams.get(name) {
            None => say("stream", format!("the policy has no [stream.{name}]")),
            Some(stream) if target.media_kbps < stream.media_kbps => {
                let what = format!(
                    "{} kb/s is less than the {} kb/s of [stream.{name}]: a smaller stream proves nothing",
                    target.media_kbps, stream.media_kbps
                );
                say("media_kbps", what);
            }
            Some(_) => {}
        }
    }
    if limits.gap_risk.is_some_and(|risk| !(risk.0 > 0.0 && risk.0 < 1.0)) {
        say("gap_risk", "is a chance between 0 and 1; no time of watching proves 0".to_owned());
    }
    found
}

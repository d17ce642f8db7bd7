//! `upload`: how much this line carries out, steadily, as the receiver counts it.
//!
//! # Asks
//! How fast, and how evenly, do bytes arrive at the other side over TCP with the congestion
//! control of an encoder (one connection, unless more are asked for), or over UDP at a fixed rate?
//! # Why it matters
//! A stream is one TCP connection that may not pause: gaps and the slow seconds kill it, and
//! the mean of a speed test shows neither.
//! # How it can mislead
//! A short test misses gaps that come once a minute; another hour, another cable or another
//! destination is another line; bursts that a provider grants at first flatter (a fall in rate
//! is looked for). Only one address family is tested: the one that an encoder would take.
//! Only a far end tells what arrived in each 100 ms. With an iperf3 server the series is what this
//! machine's TCP saw acknowledged: delivered too, unless something in between acknowledges in the
//! server's place; the server's own sum tells. The same goes for an HTTPS upload, whose answer
//! tells. An ingest tells nothing at all: there a proxy that acknowledges in its place would flatter
//! unseen. Of UDP it counts whole seconds, in which a
//! short gap hides. Parallel connections and UDP flatter a stream that is one TCP connection.
//! It ends early only where the answer is certain, and then with a no: when no three seconds since the start
//! carried three quarters of the stream's own bit rate (`stop_below_kbps`), and so many fell short that 95 % of the test's
//! seconds cannot carry it any more, whatever follows. Why the line is so thin may then show less clearly.
//! # Needs
//! A far end, an iperf3 server, an HTTPS upload or an ingest with a test key outside the building, better
//! connected than the line under test;
//! root or a kernel that allows CUBIC to everybody, where the machine's own default is another.

mod change;
mod findings;
mod https_url;
mod judge;
mod kernel;
mod packets;
mod problems;
mod reading;
mod replay;
mod responsiveness;
mod run;
pub mod series;
mod tally;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use https_url::HttpsUrl;
pub use judge::{Fate, Thresholds, replayed};
pub use packets::Packets;
pub use reading::{
    Answer, Attempt, Datagrams, Ending, Gap, LoadedRtt, Over, Reading, Sender, SentSecond, Total, Vantage,
    Way,
};
pub use replay::{Bridge, Replayed, replay};
pub use responsiveness::{Foreign, Responsiveness};
pub use target::{Ingest, Target, To};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{
    AtLeast, AtMost, Code, Demand, Endpoint, FarEnd, FarEndName, Finding, Lane, NotMeasured, Series, Stakes,
    Transport,
};
use crate::wire::control::SLOT_MS;

/// Payload of each datagram of a test over UDP, in bytes: small enough for any tunnel.
const DATAGRAM: u16 = 1200;

/// Shortest pause that is kept as a gap, in milliseconds: more than two slots of a healthy stream.
const SHORTEST_GAP_MS: u64 = 2 * SLOT_MS as u64;

/// The probe.
#[derive(Debug)]
pub struct Upload;

crate::limits! {
    /// What the line must carry.
    pub struct Limits {
        /// Rate that 95 % of seconds must reach, kb/s; also after a fall in rate. Derived from
        /// the target's stream when left out.
        pub rate_kbps: AtLeast<u64>,
        /// Rate that the slowest ten seconds must reach, kb/s.
        pub worst_10s_kbps: AtLeast<u64>,
        /// Rate of the planned stream on the wire, kb/s: it is replayed over what arrived. Derived from the
        /// target's stream when left out.
        pub stream_kbps: AtLeast<u64>,
        /// SRT's latency, ms: what arrives later is lost. Derived likewise; absent for RTMP, whose encoder
        /// queues and drops.
        pub stream_latency_ms: AtMost<u64>,
        /// Share of the planned stream's pictures that may be lost in the replay, 0 to 1; 0.01 when left
        /// out, where OBS warns.
        pub lost_pictures_share: AtMost<f64>,
        /// Chance, 0 to 1, that the event's stream meets a damaging gap.
        pub gap_risk: AtMost<f64>,
        /// Length of the stream that the chance is stated for, s; derived from the event's start and end
        /// when left out, else an hour.
        pub stream_s: AtLeast<u64>,
        /// Longest time without an arrival, ms; 200 at least, since shorter pauses are not kept.
        pub stall_ms: AtMost<u64>,
        /// Gaps of 200 ms and more.
        pub gaps_over_200ms: AtMost<u64>,
        /// Gaps of 700 ms and more: what makes OBS drop frames.
        pub gaps_over_700ms: AtMost<u64>,
        /// Gaps of 2 s and more.
        pub gaps_over_2s: AtMost<u64>,
        /// Round trip while sending, ms (95th percentile of its seconds).
        pub loaded_rtt_ms: AtMost<f64>,
        /// Round trips a minute while sending (draft-ietf-ippm-responsiveness); to a far end over TCP.
        pub responsiveness_rpm: AtLeast<f64>,
        /// Share of bytes that had to be sent again, 0 to 1.
        pub retransmit_share: AtMost<f64>,
        /// Share of datagrams that were lost, 0 to 1.
        pub loss_share: AtMost<f64>,
        /// How long it must have been measured, s.
        pub duration_s: AtLeast<u32>,
    }
}

impl Probe for Upload {
    const NAME: &'static str = "upload";
    const LANE: Lane = Lane::Load;
    const ABOUT: About = About {
        asks: "How fast, and how evenly, do bytes arrive at a far end, an iperf3 server, an HTTPS upload or the ingest itself over TCP with an encoder's congestion control, or over UDP",
        why: "a stream may not pause: gaps and slow seconds kill it, and the mean of a speed test shows neither",
        misleads: "a short test misses rare gaps; another hour, cable or destination is another line; an opening burst flatters (a fall in rate is looked for); one address family only; iperf3 and HTTPS servers tell nothing before the end, so until then it is acknowledgements that count, and to an ingest always",
        needs: "a far end, iperf3 server, HTTPS upload or an ingest with a test key outside the building; root, or a kernel that allows CUBIC, where the machine's default is another",
    };
    const VIEWERS: &'static str =
        "The picture would freeze or turn to blocks, and viewers would be thrown out of the stream.";
    const CODES: &'static [Code] = findings::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(_: &Target) -> Result<Light<Target>, &'static str> {
        Err("it loads the line, which the stream needs")
    }

    fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        let place = target.place(far_ends);
        let endpoints = place.into_iter().flat_map(|(host, port)| {
            let udp = (target.transport == Over::Udp).then(|| Endpoint::new(&host, port, Transport::Udp));
            [Some(Endpoint::new(host, port, Transport::Tcp)), udp].into_iter().flatten()
        });
        let seconds = u64::from(target.seconds);
        let bytes_up = run::byte_budget(target) / 10 * 11 + 64 * 1024; // headers and what is resent
        Demand {
            endpoints: endpoints.collect(),
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
        problems::problems(target, limits, far_ends, stakes)
    }

    fn derive(target: &mut Target, limits: &mut Limits, stakes: &Stakes) {
        if target.stop_below_kbps.is_none() {
            target.stop_below_kbps = target::hopeless(target, stakes);
        }
        if limits.rate_kbps.is_none() {
            limits.rate_kbps = target::needed(target, stakes).map(AtLeast);
        }
        target::derive_stream(target, limits, stakes);
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn brief(target: &Target) -> String {
        let how = match (target.transport, target.streams) {
            (Over::Udp, _) => ", UDP".to_owned(),
            (Over::Tcp, 1) => String::new(),
            (Over::Tcp, streams) => format!(", {streams} connections"),
        };
        format!("{} s at up to {} kb/s to {}{how}", target.seconds, target.at_most_kbps, target.peer())
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }

    fn series(limits: &Limits, reading: &Reading) -> Vec<Series> {
        let (step_ms, values) = series::seconds_to_draw(&reading.arrived_bytes, reading.slot_ms);
        #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
        let required = limits.rate_kbps.map(|limit| limit.0 as f64);
        let title = match reading.vantage {
            Vantage::Receiver => {
                format!("Upload in windows of one second, as {} counted it", reading.way.words())
            }
            Vantage::Acknowledged => "Upload in windows of one second, as it was acknowledged".to_owned(),
        };
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

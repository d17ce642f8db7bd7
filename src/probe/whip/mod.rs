//! `whip`: whether an encoder can publish by WebRTC from here, without a browser.
//!
//! # Asks
//! The endpoint over HTTPS what it takes; with `publish = "test"` it offers a session under a named test key,
//! follows where it is sent to, asks the server's addresses by ICE over UDP, does the DTLS handshake, sends some
//! seconds of a test card and reads the receiver's reports. The session is always ended (DELETE).
//! # Why it matters
//! Signalling is HTTPS, which passes almost everywhere; the media is UDP to ports that nobody knows beforehand,
//! which company firewalls drop without a word.
//! # How it can mislead
//! Without `publish` the media's way is not tried. ICE over TCP is not tried, and TURN only through a server that
//! the policy names: an encoder that has other ways may get through where this check does not. The test stream is far thinner than the event's.
//! # Needs
//! Nothing; for `publish = "test"` a bearer token that no audience watches.

mod codes;
mod judge;
mod reading;
mod run;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use reading::{
    Answered, Attempt, Barred, Call, CallEnd, Candidate, Cut, Deleted, End, Flow, Media, Pair, Reading,
    Relayed, Report,
};
pub use target::{MAX_MEDIA_SECONDS, Target, Turn};

use super::{About, Env, Light, Probe, Problem};
use crate::model::{AtMost, Code, Demand, FarEnd, FarEndName, Finding, Lane, NotMeasured, Publish, Stakes};

/// The probe.
#[derive(Debug)]
pub struct Whip;

crate::limits! {
    /// What the session must be like.
    pub struct Limits {
        /// Longest time from the offer to when media may flow, ms.
        pub connect_ms: AtMost<f64>,
        /// Longest round trip, ms: of the receiver's reports, or else of ICE's checks.
        pub round_trip_ms: AtMost<f64>,
        /// Largest share of packets that the receiver misses, percent.
        pub loss_percent: AtMost<f64>,
    }
}

impl Probe for Whip {
    const NAME: &'static str = "whip";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether a WHIP endpoint takes a stream from here by WebRTC: HTTPS, ICE over UDP, DTLS, and test media as the receiver reports it",
        why: "the signalling passes almost everywhere; the media is UDP to ports that nobody knows beforehand, which company firewalls drop without a word",
        misleads: "without `publish = \"test\"` the media's way is not tried; ICE over TCP is not tried, and TURN only through the server that the policy names: an encoder may have other ways; the test stream is far thinner than the event's",
        needs: "nothing; to publish, a test key (bearer token) that no audience watches",
    };
    const VIEWERS: &'static str = "The encoder cannot publish: the stream does not start.";
    const CODES: &'static [Code] = codes::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    /// What the endpoint takes, without an offer: a stream that is live stays alone on its key.
    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(Target { publish: Publish::Never, test_key: None, turn: None, ..target.clone() }))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn brief(target: &Target) -> String {
        let publish = if target.publish == Publish::Test { ", publishing a test" } else { "" };
        format!("{}{publish}", crate::model::text::escape(target.url.without_query()))
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        target.problems(limits)
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

//! `hls_push`: does a server take an HLS stream that an encoder pushes to it?
//!
//! # Asks
//! The server, as an encoder does: segments of the test card (1.92 s each, at the planned bit rate) as they
//! would come out of an encoder, and the playlist after each, by HTTP `PUT` or `POST` over one kept
//! connection, through the proxy that this machine names. At the end the files are deleted, if the policy
//! asks so.
//! # Why it matters
//! HLS over HTTPS on 443 is the way in where RTMP and SRT are blocked, and the only one for HEVC and HDR at
//! some platforms. A segment that takes longer to push than it plays means that the stream falls behind.
//! # How it can mislead
//! A server may take files and do nothing with them: only its own console shows a picture. A few segments
//! say little of an hour: `upload` and `rehearsal` measure the line. Proxies may pass small bodies and
//! scan, delay or refuse large ones.
//! # Needs
//! `publish = "test"`, and a test key where the address has one.

mod codes;
mod judge;
mod reading;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reading::{Answer, Head, Push, Reading, What};

use super::{About, Env, Probe, Problem};
use crate::media::{LEAST_KBPS, MOST_KBPS};
use crate::model::{
    AtMost, Code, Demand, FarEnd, FarEndName, Finding, Lane, NotMeasured, Publish, SecretSource, Stakes,
    StreamName,
};
use crate::net::viewer::Via;
use crate::wire::http::{PushUrl, Verb};

/// Segments that are pushed where the policy does not say: enough for a kept connection to be used.
const SEGMENTS: u32 = 4;
/// Segments at most: a minute. Longer tests are rehearsals.
const MAX_SEGMENTS: u32 = 31;

/// The probe.
#[derive(Debug)]
pub struct HlsPush;

/// Where to push, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `https://host/path/{key}/{file}`: `{file}` where the name of a segment or playlist goes, `{key}` where
    /// the stream key goes, if there is one; never the key itself.
    pub url: PushUrl,
    /// Must be `"test"`: the server gets a stream, under a key that no audience watches.
    #[serde(default)]
    pub publish: Publish,
    /// Where the test key is. Never the key of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_key: Option<SecretSource>,
    /// `put` (also when left out) or `post`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// Bit rate of pictures and sound together, as planned for the event, in kb/s.
    pub media_kbps: u64,
    /// How many segments of 1.92 s to push (1 to 31; absent: 4), in the time in which they play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31))]
    pub segments: Option<u32>,
    /// Delete at the end what was pushed (HTTP `DELETE`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete: bool,
    /// Whether this machine's proxy settings count: `as_configured` (also when left out) or `direct`.
    #[serde(default, skip_serializing_if = "Via::is_usual")]
    pub via: Via,
    /// The stream of the policy that is pushed: its bit rate must not be larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
}

impl Target {
    fn verb(&self) -> Verb {
        self.verb.unwrap_or_default()
    }

    fn segments(&self) -> u32 {
        self.segments.unwrap_or(SEGMENTS)
    }
}

crate::limits! {
    /// How fast segments must be there.
    pub struct Limits {
        /// Longest time that a segment may take to push, as a share of the time that it plays; 1 when left
        /// out: beyond it the stream falls behind.
        pub segment_share: AtMost<f64>,
    }
}

impl Probe for HlsPush {
    const NAME: &'static str = "hls_push";
    const LANE: Lane = Lane::Load;
    const ABOUT: About = About {
        asks: "Whether a server takes HLS segments and playlists that are pushed to it by HTTPS as an encoder does, each before it is played out",
        why: "HLS over HTTPS is the way in where RTMP and SRT are blocked; proxies that scan or bound uploads stop it all the same",
        misleads: "a server may take files and do nothing with them; a few segments say little of an hour",
        needs: "`publish = \"test\"` and a test key where the address has one",
    };
    const VIEWERS: &'static str = "The stream does not start, or stops to load again and again.";
    const CODES: &'static [Code] = codes::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn brief(target: &Target) -> String {
        let kbps = target.media_kbps;
        crate::model::text::escape(&format!("{} at {kbps} kb/s", target.url)).into_owned()
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        stakes: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: String| problems.push(Problem { field, what });
        if target.publish == Publish::Never {
            let what = "it pushes a test stream: say `publish = \"test\"`, and name a test key that no audience watches";
            problem("publish", what.to_owned());
        }
        match (target.url.has_key(), target.test_key.is_some()) {
            (true, false) => {
                problem("test_key", "the URL has a `{key}`: name it as `{ env = \"NAME\" }`".to_owned());
            }
            (false, true) => {
                problem("url", "there is no place for the test key: write `{key}` there".to_owned());
            }
            _ => {}
        }
        if !(LEAST_KBPS..=MOST_KBPS).contains(&target.media_kbps) {
            problem("media_kbps", format!("from {LEAST_KBPS} to {MOST_KBPS} kb/s"));
        }
        if !(1..=MAX_SEGMENTS).contains(&target.segments()) {
            problem("segments", format!("from 1 to {MAX_SEGMENTS}; a longer test is a rehearsal"));
        }
        if let Some(name) = &target.stream {
            match stakes.streams.get(name) {
                None => problem("stream", format!("the policy has no [stream.{name}]")),
                Some(need) if target.media_kbps < need.media_kbps => {
                    problem("media_kbps", format!("the stream needs {} kb/s", need.media_kbps));
                }
                Some(_) => {}
            }
        }
        if limits.segment_share.is_some_and(|share| share.0 > 1.0) {
            problem("segment_share", "more than 1 means that the stream falls behind".to_owned());
        }
        problems
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

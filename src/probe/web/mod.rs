//! `web`: what viewers in this building get of the event: page, player, playlist, first segment.

mod judge;
mod reading;
mod run;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::net::viewer::Via;
pub use reading::{Answer, Head, Quality, Reading, Step, Stream, What};
pub use target::{Content, Target};

use super::{About, Env, Light, Probe, Problem};
use crate::model::limit::Bound;
use crate::model::{
    AtLeast, AtMost, Code, Demand, Exactly, FarEnd, FarEndName, Finding, Lane, NotMeasured, Stakes,
};

/// The probe.
#[derive(Debug)]
pub struct Web;

/// Whether TLS may be opened on the way to viewers. Ordered from the least to the most that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inspection {
    /// It may: this building's proxies carry the viewers' load.
    Allowed,
    /// It may not.
    Forbidden,
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allowed => "allowed",
            Self::Forbidden => "forbidden",
        })
    }
}

impl Bound for Inspection {}

crate::limits! {
    /// What viewers must get.
    pub struct Limits {
        /// Longest time until the whole page is there, or a stream's first segment, ms.
        pub took_ms: AtMost<f64>,
        /// Whether the stream is live now: `true` asks that it moves on, `false` that it is a recording.
        pub live: Exactly<bool>,
        /// Whether TLS may be opened on the way: `allowed` or `forbidden` (left out: it is warned of).
        pub inspection: AtLeast<Inspection>,
        /// People who watch in this building at the same time: needs `download`.
        pub viewers: AtLeast<u64>,
        /// What one of them takes, kb/s (left out: the best quality that the playlist announces).
        pub viewer_kbps: AtLeast<u64>,
    }
}

impl Probe for Web {
    const NAME: &'static str = "web";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether viewers inside get the event's page, channel and chat, its HLS or DASH stream, and whether the downlink carries all of them",
        why: "colleagues in the building watch, too: a filter page, a blocked player or a line too thin for all of them spoils the event where its audience sits",
        misleads: "no script runs, so a page that fails in the browser passes; nobody signs in; a slow server of the platform looks like a thin line; other machines may have other filters and proxies",
        needs: "nothing; for viewers × bit rate `download`, which loads the line and runs alone",
    };
    const VIEWERS: &'static str =
        "People who watch in this building see a block page, an endless spinner or a stuttering picture.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        if target.kind != Content::Page {
            return Err("it fetches pieces of a stream");
        }
        Ok(Light::any_time(target.clone()))
    }

    fn lane(target: &Target) -> Lane {
        if target.download.is_some() { Lane::Load } else { Self::LANE }
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn problems(
        target: &Target,
        limits: &Limits,
        _: &BTreeMap<FarEndName, FarEnd>,
        _: &Stakes,
    ) -> Vec<Problem> {
        let mut problems = target.problems();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if target.kind == Content::Page && limits.live.is_some() {
            problem("live", "a page is not live: set `kind` to `hls` or `dash`");
        }
        if limits.viewers.is_some() && target.download.is_none() {
            problem(
                "viewers",
                "nothing measures the downlink: add `download = { seconds = 10 }` to the target",
            );
        }
        if limits.viewer_kbps.is_some() && limits.viewers.is_none() {
            problem("viewer_kbps", "says nothing without `viewers`");
        }
        if limits.viewers.as_ref().is_some_and(|viewers| viewers.0 == 0) {
            problem("viewers", "nobody watches: leave it out");
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

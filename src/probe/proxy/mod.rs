//! `proxy`: must the stream go through a proxy, and can it?
//!
//! # Asks
//! What the environment, this machine's settings, DHCP (option 252) and the name `wpad` say of proxies; a
//! proxy script is run for the ingest. Then whether the ingest itself answers without a proxy, and through
//! each proxy by `CONNECT`: the RTMP handshake, or the certificate.
//! # Why it matters
//! OBS and most encoders use no proxy for RTMP, whatever this machine's settings say. Where nothing leaves
//! but through a proxy they cannot stream at all, though every browser beside them works.
//! # How it can mislead
//! A script may answer otherwise for another machine or at another hour, and its `dnsResolve` gives
//! nothing here: it is a stranger's code, and is told no names. RTMP without TLS proves no identity: any
//! RTMP server would do. SOCKS proxies and other credentials than a name and password are not tried.
//! # Needs
//! Nothing; a desktop's settings are those of the user who runs it.

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

pub use reading::{Direct, Reach, Reached, Reading, Said, Says, Script, ScriptAnswer, Teller, Through};
pub use target::Target;

use super::{About, Env, Light, Probe, Problem};
use crate::model::limit::Bound;
use crate::model::{
    AtLeast, Code, Demand, FarEnd, FarEndName, Finding, Lane, NotMeasured, OneOf, Pin, Stakes,
};

/// The probe. Its name is the question's, not a proxy's.
#[derive(Debug)]
pub struct Proxy;

/// Ways that will do for the encoder, from the one that asks least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Directly or through a proxy: the encoder can use one.
    Any,
    /// Directly: the encoder uses no proxy, as OBS for RTMP.
    Direct,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Any => "any",
            Self::Direct => "direct",
        })
    }
}

impl Bound for Way {}

crate::limits! {
    /// Which way must be open.
    pub struct Limits {
        /// `direct` (also when left out) or `any`.
        pub way: AtLeast<Way>,
        /// Keys that prove the ingest (SHA-256 of the public key info), where Mozilla's roots do not vouch
        /// for it: a company's own.
        pub pins: OneOf<Pin>,
    }
}

impl Probe for Proxy {
    const NAME: &'static str = "proxy";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "Whether the ingest itself is reached without a proxy, what names a proxy here (environment, settings, WPAD, PAC), and whether the ingest is reached through it",
        why: "OBS and most encoders use no proxy for RTMP: where nothing leaves but through one, they cannot stream though every browser works",
        misleads: "a proxy script may answer otherwise elsewhere and learns no names here; RTMP without TLS proves no identity; SOCKS and other proofs than name and password are not tried",
        needs: "nothing; a desktop's settings are those of the user who runs it",
    };
    const VIEWERS: &'static str = "The encoder never reaches the ingest, or a proxy ends the stream: viewers see nothing, or the picture freezes.";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn problems(target: &Target, _: &Limits, _: &BTreeMap<FarEndName, FarEnd>, _: &Stakes) -> Vec<Problem> {
        target.problems()
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

//! One folder per question that golive can ask. To add one: its folder, one `pub mod`
//! and one line in [`for_each_probe`]. Schema, report type, screen row and README table
//! follow from it.

mod brief;
mod env;
mod light;
mod registry;

pub mod attest;
pub mod clock;
pub mod dns;
pub mod nat;
pub mod firewall;
pub mod hls_push;
pub mod link;
pub mod path;
pub mod port;
pub mod portal;
pub mod proxy;
pub mod rehearsal;
pub mod rist;
pub mod rtmp;
pub mod session;
pub mod srt;
pub mod tls;
pub mod turn;
pub mod upload;
pub mod web;
pub mod whip;

pub use env::{Env, Progress, Sample};
pub use light::Light;
pub use registry::{Kind, Question, Reading, catalogue, measure};

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::model::{Code, Demand, FarEnd, FarEndName, Finding, Lane, Limits, NotMeasured, Series, Stakes};

/// The list of probes, in the order in which people read them: the one registration line each.
/// Calls `$callback! { module Type, … }`.
macro_rules! for_each_probe {
    ($callback:ident) => {
        $callback! {
            dns Dns,
            port Port,
            tls Tls,
            portal Portal,
            proxy Proxy,
            rtmp Rtmp,
            srt Srt,
            rist Rist,
            whip Whip,
            turn Turn,
            hls_push HlsPush,
            upload Upload,
            rehearsal Rehearsal,
            path Path,
            session Session,
            web Web,
            nat Nat,
            clock Clock,
            link Link,
            firewall Firewall,
            attest Attest,
        }
    };
}
pub(crate) use for_each_probe;

/// What a probe is, for people: four short texts under the fixed headings of a probe's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What it asks, in one sentence.
    pub asks: &'static str,
    /// Why it matters for a live stream.
    pub why: &'static str,
    /// How it can mislead.
    pub misleads: &'static str,
    /// What it needs: privilege, a far end, a person.
    pub needs: &'static str,
}

/// A mistake in a target that its type cannot express, found before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Key in `target` or `limits` at fault, such as `url`.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub what: String,
}

/// A kind of question that golive can ask the network, or a person.
///
/// Measuring and judging never meet: `measure` is given no limit, `judge` no network.
pub trait Probe: 'static {
    /// The word in policies: `[[check.NAME]]`.
    const NAME: &'static str;
    /// When it may run beside others.
    const LANE: Lane;
    /// What it is, for people.
    const ABOUT: About;
    /// What viewers would notice if the event went ahead although this check fails, in one
    /// sentence for a person who is no engineer; empty when only the policy's `why` can say.
    const VIEWERS: &'static str = "";
    /// Every finding code that [`Probe::judge`] can give.
    const CODES: &'static [Code];
    /// What is to be said of each code ([`crate::model::Page`]): `include_str!("pages.toml")`. A test
    /// asks for every code of [`Probe::CODES`] to have its page.
    const PAGES: &'static str = "";
    /// What to ask. Strict serde (`deny_unknown_fields`), never a limit or a secret's value.
    type Target: Debug + Clone + PartialEq + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What the answer is held against.
    type Limits: Limits;
    /// What was seen, raw, in base units; text from the network as `WireText`.
    type Reading: Debug
        + Clone
        + PartialEq
        + Serialize
        + DeserializeOwned
        + JsonSchema
        + Send
        + Sync
        + 'static;

    /// When this question may run beside others: overridden where some of a kind load the line.
    fn lane(_target: &Self::Target) -> Lane {
        Self::LANE
    }

    /// What measuring will cost at most: hosts, ports, bytes, packets, seconds.
    fn demand(target: &Self::Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand;

    /// The target in a few words, for a list: overridden where the keys alone read badly.
    fn brief(target: &Self::Target) -> String {
        brief::brief(target)
    }

    /// Mistakes in target and limits that their types cannot express.
    fn problems(
        _target: &Self::Target,
        _limits: &Self::Limits,
        _far_ends: &BTreeMap<FarEndName, FarEnd>,
        _stakes: &Stakes,
    ) -> Vec<Problem> {
        Vec::new()
    }

    /// Fills what the policy leaves open from the event's facts (bit rate, end): limits, and facts of the
    /// stream that measuring needs. A limit never goes into the target.
    fn derive(_target: &mut Self::Target, _limits: &mut Self::Limits, _stakes: &Stakes) {}

    /// The same question as `golive watch` may ask it again and again beside a stream that is live: never
    /// loading the line, never sending media or taking the place of who does; or why there is none.
    fn light(_target: &Self::Target) -> Result<Light<Self::Target>, &'static str> {
        Err("it is not known to be light")
    }

    /// Asks. A refused handshake is a reading; only "could not ask" is an error.
    fn measure(
        target: &Self::Target,
        env: &Env,
    ) -> impl Future<Output = Result<Self::Reading, NotMeasured>> + Send;

    /// Holds a reading against limits: one finding per comparison, also when all is well.
    /// Pure and total; never empty for a reading that deserves a pass.
    fn judge(limits: &Self::Limits, reading: &Self::Reading) -> Vec<Finding>;

    /// Series worth drawing, with the limit each is held against.
    fn series(_limits: &Self::Limits, _reading: &Self::Reading) -> Vec<Series> {
        Vec::new()
    }

    /// When the reading's truth dates from, if not from when it was measured (an answer's date).
    fn as_of(_reading: &Self::Reading) -> Option<jiff::Timestamp> {
        None
    }

    /// Until when the reading counts by its own account, if it says so (an answer's expiry).
    fn until(_reading: &Self::Reading) -> Option<jiff::Timestamp> {
        None
    }
}

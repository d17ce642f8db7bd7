//! The WAN emulator: a line between two namespaces that is slow, far, lossy or cut, in user space.
//!
//! Each end is a TUN device; one thread a direction reads packets at one end, asks the
//! [`pipeline`] what becomes of each and when, and writes them out at the other end. The pipeline
//! is pure: time is an argument, and the same seed and arrivals give the same fates.
//! Every size is that of the IP packet, and `1 Mb/s` is 10⁶ bits of IP packets a second.
//!
//! What happens to a packet, in this order: silent MTU black hole, policer, queue, the
//! bottleneck (rate, boost, trace), outage, loss in bursts, random loss, delay and jitter,
//! duplication. All clocks (outages, trace, boost, policer, bursts) start when the line is laid
//! or [`Wan::restart`]ed.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nanoseconds and bytes of a test's minutes: far inside what the types hold"
)]

mod bottleneck;
mod carrier;
mod counters;
mod delivery;
mod dice;
pub mod flow;
pub mod line;
pub mod pipeline;
pub mod trace;
pub mod tun;

pub use counters::{Both, Counters};
#[allow(unused_imports, reason = "a scenario's TOML names them; not every program of the lab does")]
pub use line::{Boost, Bursts, Jitter, Line, Loss, Outage, Outages, Policer, Way};
#[allow(unused_imports, reason = "likewise")]
pub use trace::{Synthetic, Trace};

use std::sync::Arc;

use crate::ground::namespace::Namespace;
use carrier::Carrier;
use pipeline::Pipeline;
use tun::Tun;

/// A laid line. Packets pass until it is dropped.
pub struct Wan {
    up: Carrier,
    down: Carrier,
    near: Arc<Tun>,
    far: Arc<Tun>,
}

impl Wan {
    /// Lays `line` between two namespaces: on either side the interface's name and its addresses
    /// with prefix length. What `near` sends goes `up`; what `far` sends goes `down`.
    /// Panics when the line is not possible or the interfaces cannot be made.
    pub fn lay(line: &Line, near: (&Namespace, &str, &[&str]), far: (&Namespace, &str, &[&str])) -> Self {
        let [up, down] = line.pipelines().unwrap_or_else(|wrong| panic!("a line cannot be so: {wrong}"));
        let [near, far] = [near, far].map(|end| Arc::new(Tun::make(end, line.mtu)));
        Self {
            up: Carrier::start("up", &near, &far, up),
            down: Carrier::start("down", &far, &near, down),
            near,
            far,
        }
    }

    /// Sets all clocks and counters to zero, as if it were laid now: for what first has to be set
    /// up over the line. Packets under way still arrive.
    pub fn restart(&self) {
        for end in [&self.near, &self.far] {
            end.forget_drops();
        }
        // Both begin at the same moment, and that is the moment in which this returns.
        let ways = [&self.up, &self.down];
        for (way, asked) in ways.map(|way| (way, way.ask_restart())) {
            way.await_restart(asked);
        }
    }

    /// What became of the packets so far.
    pub fn counters(&self) -> Both {
        let unread = |counters, from: &Tun| Counters { unread: from.drops(), ..counters };
        Both { up: unread(self.up.counters(), &self.near), down: unread(self.down.counters(), &self.far) }
    }

    /// Whether packets were released when they were due. If not, what was measured over the line
    /// says nothing about the line: repeat it. The error holds the figures.
    pub fn kept_up(&self) -> Result<(), String> {
        self.counters().kept_up()
    }

    /// The same where some packets may be some milliseconds late: an encoder's queue and SRT's latency do not
    /// notice.
    pub fn kept_up_roughly(&self) -> Result<(), String> {
        self.counters().kept_up_roughly()
    }
}

impl Line {
    /// A line as a scenario writes it. Panics at a mistake.
    pub fn written(toml: &str) -> Self {
        toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
    }

    /// Whether the line is possible: traces are there, nothing contradicts.
    pub fn check(&self) -> Result<(), String> {
        self.pipelines().map(drop)
    }

    fn pipelines(&self) -> Result<[Pipeline; 2], String> {
        let up = Pipeline::new(&self.up, self.seed).map_err(|wrong| format!("up: {wrong}"))?;
        // The two ways have dice of their own.
        let down = Pipeline::new(&self.down, !self.seed).map_err(|wrong| format!("down: {wrong}"))?;
        Ok([up, down])
    }
}

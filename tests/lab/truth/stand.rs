//! The shortest way to a truth: a laptop and a platform with one emulated line between them.

use std::time::Duration;

use crate::ground::namespace::Namespace;
use crate::truth::{Outcome, Receiver, Stream, Survival, carry, over_cubic};
use crate::wan::{Line, Wan};

const LAPTOP: [&str; 2] = ["10.78.0.1/30", "fd78::1/64"];
const PLATFORM: [&str; 2] = ["10.78.0.2/30", "fd78::2/64"];

/// How often a stream is sent again when the emulator was too slow.
const ATTEMPTS: usize = 2;

/// A line with an encoder at one end and a receiver at the other.
pub struct Stand {
    wan: Wan,
    receiver: Receiver,
    laptop: Namespace,
    _platform: Namespace,
}

impl Stand {
    pub fn lay(line: &Line) -> Self {
        let (laptop, platform) = (Namespace::new(), Namespace::new());
        let wan = Wan::lay(line, (&laptop, "wan0", &LAPTOP), (&platform, "isp0", &PLATFORM));
        over_cubic(&laptop, "10.78.0.0/30", None, "wan0");
        let receiver = Receiver::start(&platform, 1935, 9000);
        Self { wan, receiver, laptop, _platform: platform }
    }

    /// Sends a stream from the line's beginning on.
    pub fn carry(&self, stream: &Stream) -> Survival {
        self.wan.restart();
        let survival = carry(&self.laptop, &self.receiver, "10.78.0.2", stream);
        survival.spoilt(late(&self.wan))
    }
}

/// What spoils a stream's truth is less than what spoils a measurement of the line: lateness that
/// neither an encoder's queue (its first limit is 700 ms) nor SRT's latency (120 ms at least) feels.
pub fn late(wan: &Wan) -> Option<String> {
    const FELT: Duration = Duration::from_millis(40);
    let both = wan.counters();
    let late = both.up.latest.max(both.down.latest);
    let unread = both.up.unread + both.down.unread;
    (late > FELT || unread > 0)
        .then(|| format!("the emulator was {} ms late, {unread} packets not read", late.as_millis()))
}

/// What becomes of a stream on a line of its own. Tried again when the rig failed.
pub fn truth(line: &Line, stream: &Stream) -> Survival {
    for _ in 1..ATTEMPTS {
        let survival = Stand::lay(line).carry(stream);
        if survival.outcome != Outcome::Invalid {
            return survival;
        }
    }
    Stand::lay(line).carry(stream)
}

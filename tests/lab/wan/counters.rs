//! What became of the packets.

use std::time::Duration;

use crate::wan::pipeline::Cause;

/// Of both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both {
    pub up: Counters,
    pub down: Counters,
}

/// Of one way, in packets. `arrived` = `passed` + all losses + those still under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Came in.
    pub arrived: u64,
    /// Came out, copies apart.
    pub passed: u64,
    /// Bytes of those.
    pub passed_bytes: u64,
    /// Larger than the black hole lets pass.
    pub too_big: u64,
    /// Dropped by the policer.
    pub policed: u64,
    /// Found the queue full.
    pub queue_full: u64,
    /// Lost in an outage.
    pub outage: u64,
    /// Lost in a burst.
    pub burst: u64,
    /// Lost by chance.
    pub chance: u64,
    /// Copies that came out besides.
    pub duplicated: u64,
    /// Came out after one that had come in later (RFC 4737).
    pub reordered: u64,
    /// Link-local multicast, which no line between two sites carries: not counted as arrived.
    pub link_local: u64,
    /// The far interface did not take it: it was down, or no IP packet.
    pub refused: u64,
    /// Came out more than [`LATE`] after it was due.
    pub late: u64,
    /// By how much the latest was late.
    pub latest: Duration,
    /// Dropped by the near interface, since the emulator did not read fast enough.
    pub unread: u64,
}

/// A release later than this counts as late.
pub const LATE: Duration = Duration::from_millis(1);
/// More than this share of late releases: it could not keep up.
const LATE_SHARE: f64 = 0.02;
/// The same for who looks at seconds, and not at single packets.
const ROUGH_LATE_SHARE: f64 = 0.1;
/// Nor could it if one was later than this.
const TOO_LATE: Duration = Duration::from_millis(25);

impl Counters {
    /// Counts a loss.
    pub fn lost(&mut self, cause: Cause) {
        *match cause {
            Cause::TooBig => &mut self.too_big,
            Cause::Policed => &mut self.policed,
            Cause::QueueFull => &mut self.queue_full,
            Cause::Outage => &mut self.outage,
            Cause::Burst => &mut self.burst,
            Cause::Chance => &mut self.chance,
        } += 1;
    }

    /// All losses that the line was asked for.
    pub fn losses(&self) -> u64 {
        self.too_big + self.policed + self.queue_full + self.outage + self.burst + self.chance
    }

    fn kept_up(&self, late_share: f64) -> Result<(), String> {
        let share = self.late as f64 / self.passed.max(1) as f64;
        if share <= late_share && self.latest <= TOO_LATE && self.unread == 0 {
            return Ok(());
        }
        Err(format!(
            "{} of {} packets out more than {LATE:?} late, the latest by {:?}, {} not even read",
            self.late, self.passed, self.latest, self.unread
        ))
    }
}

impl Both {
    /// See [`crate::wan::Wan::kept_up`].
    pub fn kept_up(&self) -> Result<(), String> {
        self.late_at_most(LATE_SHARE)
    }

    /// See [`crate::wan::Wan::kept_up_roughly`].
    pub fn kept_up_roughly(&self) -> Result<(), String> {
        self.late_at_most(ROUGH_LATE_SHARE)
    }

    fn late_at_most(&self, share: f64) -> Result<(), String> {
        for (name, way) in [("up", &self.up), ("down", &self.down)] {
            way.kept_up(share)
                .map_err(|figures| format!("the WAN emulator could not keep up: {name}: {figures}"))?;
        }
        Ok(())
    }
}

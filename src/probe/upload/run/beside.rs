//! What golive asks beside the load, to learn how the line answers others meanwhile: round trips over
//! the control connection, and new connections (draft-ietf-ippm-responsiveness-09, "foreign" probes).
//!
//! Both keep to a share of the rate that arrives: on a slow line they would take from what is measured.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::model::{FarEnd, NotMeasured};
use crate::net::far_end::{Control, Opening};
use crate::probe::Env;
use crate::probe::upload::packets::Counter;
use crate::probe::upload::responsiveness::{Foreign, Responsiveness, responsiveness};

/// When answers begin to count: TCP's start-up is over.
pub(super) const SETTLED: Duration = Duration::from_secs(2);
/// Of the rate that arrives, what each of the two may take; the draft allows a twentieth in all.
const SHARE: f64 = 0.001;
/// A ping goes so often at most, one at a time.
const PING_EVERY: Duration = Duration::from_millis(200);
/// Bytes of IP that a ping puts on the line, with the acknowledgement of its answer.
const PING_BYTES: f64 = 150.0;
/// A new connection is opened so often at most, one at a time.
const OPEN_EVERY: Duration = Duration::from_secs(2);
/// Bytes of IP that a new connection puts on the line.
const OPEN_BYTES: f64 = 1500.0;
/// Bytes of IP that are told of none: its FIN of 52, two resets of 40 that answer the far end's farewell, and the
/// 8 by which its SYN is longer than other segments.
const UNTOLD_BYTES: u64 = 140;
/// Connections that are opened in one test at most.
const MOST: usize = 60;

type Opened = Pin<Box<dyn Future<Output = Result<Control, NotMeasured>> + Send>>;

/// What is asked beside the load.
pub(super) struct Beside {
    env: Env,
    far_end: FarEnd,
    kbps: f64,
    seconds: u32,
    /// Number of the ping that is under way, and when it left.
    ping: (u32, Option<Instant>),
    ping_due: Instant,
    pings_ms: Vec<f64>,
    opening: Option<Opened>,
    settled: Instant,
    /// When the last one was opened; before the first, when the load started.
    opened: Instant,
    openings: Vec<Opening>,
    failed: u64,
    started: Instant,
    sent: Counter,
}

impl Beside {
    /// For a load of so many seconds that starts now, at a rate of at most so much. The control connection has
    /// sent so many bytes of IP packets before.
    pub(super) fn new(
        env: &Env,
        far_end: &FarEnd,
        seconds: u32,
        at_most_kbps: u64,
        before: Option<u64>,
    ) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
        let kbps = at_most_kbps as f64;
        let now = Instant::now();
        let settled = now + SETTLED;
        Self {
            env: env.clone(),
            far_end: far_end.clone(),
            kbps,
            seconds,
            ping: (0, None),
            ping_due: settled,
            pings_ms: Vec::new(),
            opening: None,
            settled,
            opened: now,
            openings: Vec::new(),
            failed: 0,
            started: now,
            sent: Counter::new(before),
        }
    }

    /// The rate that arrives by now.
    pub(super) fn keep_to(&mut self, kbps: f64) {
        self.kbps = kbps;
    }

    /// Opens connections as they are due, one after another, and says when a ping is: its number. `None` after
    /// each connection. May be dropped at any point.
    pub(super) async fn next(&mut self, control: SocketAddr) -> Option<u32> {
        let (free, due) = (self.ping.1.is_none(), self.ping_due);
        tokio::select! {
            () = sleep_until(due), if free => Some(self.ping.0.wrapping_add(1)),
            () = self.open(control) => None,
        }
    }

    /// That ping leaves now.
    pub(super) fn pinged(&mut self, number: u32) {
        let now = Instant::now();
        self.ping = (number, Some(now));
        self.ping_due = now + every(PING_EVERY, PING_BYTES, self.kbps);
    }

    /// The answer to a ping.
    pub(super) fn answered(&mut self, number: u32) {
        if number == self.ping.0
            && let Some(sent) = self.ping.1.take()
        {
            self.pings_ms.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
    }

    /// On a slow line not even the first takes more than its share: a short test opens none there.
    fn open_due(&self) -> Instant {
        let spread = Duration::from_secs(u64::from(self.seconds)) / 60;
        self.settled.max(self.opened + every(OPEN_EVERY.max(spread), OPEN_BYTES, self.kbps))
    }

    async fn open(&mut self, control: SocketAddr) {
        if self.openings.len() + usize::try_from(self.failed).unwrap_or(MOST) >= MOST {
            std::future::pending::<()>().await;
        }
        let due = self.open_due();
        let opening = match &mut self.opening {
            Some(opening) => opening,
            none => {
                sleep_until(due).await;
                self.opened = Instant::now();
                let (env, far_end) = (self.env.clone(), self.far_end.clone());
                let opened =
                    async move { Control::connect_to(control, &far_end, &env.source, &env.origin).await };
                none.insert(Box::pin(opened))
            }
        };
        let opened = opening.await;
        self.opening = None;
        match opened {
            Ok(control) => {
                self.openings.push(control.opening);
                let sent = control.ip_bytes_carried().map(|bytes| bytes + UNTOLD_BYTES);
                self.sent.add(self.offset_ms(), sent);
            }
            Err(_) => self.failed += 1,
        }
    }

    fn offset_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    /// The control connection has sent so many bytes of IP packets by now.
    pub(super) fn control_sent(&mut self, bytes: Option<u64>) {
        self.sent.control(self.offset_ms(), bytes);
    }

    /// What came of it, with the round trips of the load itself.
    pub(super) fn found(&self, own_ms: &[f64]) -> Option<Responsiveness> {
        responsiveness(&self.pings_ms, own_ms, Foreign::of(&self.openings, self.failed))
    }

    /// Bytes of IP packets that it took in each of so many slots.
    pub(super) fn took(self, slots: usize) -> Option<Vec<u64>> {
        self.sent.slots(slots)
    }
}

/// From one to the next: so often, or as seldom as its share of the line asks.
fn every(least: Duration, bytes: f64, kbps: f64) -> Duration {
    let ms = bytes * 8.0 / (SHARE * kbps.max(1.0));
    least.max(Duration::from_secs_f64((ms / 1000.0).min(60.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_beside_the_load_keeps_to_its_share() {
        for kbps in [1.0, 500.0, 1000.0, 6000.0, 1e6] {
            for (least, bytes) in [(PING_EVERY, PING_BYTES), (OPEN_EVERY, OPEN_BYTES)] {
                let every = every(least, bytes, kbps);
                let taken = bytes * 8.0 / every.as_secs_f64() / 1000.0;
                assert!(taken <= SHARE * kbps + 1e-9 || every == Duration::from_mins(1), "{kbps} {taken}");
                assert!(every >= least);
            }
        }
    }

    #[tokio::test]
    async fn a_slow_line_is_left_alone_for_longer() {
        let env = Env::bare(crate::model::CheckId::new("upload").unwrap());
        let far_end = serde_json::from_value(serde_json::json!({
            "address": "192.0.2.1:8443", "pin": format!("sha256:{}", "0".repeat(64)), "token": { "value": "canary" }
        }));
        let mut beside = Beside::new(&env, &far_end.unwrap(), 60, 1_000_000, None);
        assert_eq!(beside.open_due(), beside.settled);
        beside.keep_to(1000.0);
        assert_eq!(beside.open_due() - beside.opened, Duration::from_secs(12));
    }
}

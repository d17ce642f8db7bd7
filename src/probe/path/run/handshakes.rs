//! TCP handshakes, the last rung: most networks let one port through.

use std::net::SocketAddr;
use std::time::Duration;

use super::{booked, every};
use crate::model::{Contact, NotMeasured};
use crate::net::handshakes;
use crate::probe::Env;
use crate::probe::path::{Flow, Method, Target, Timestamps, Trouble};

/// How long one may take: two SYNs sent again.
const PATIENCE_S: f64 = 3.5;

/// Longest that they take, in seconds.
pub fn take(target: &Target) -> f64 {
    f64::from(target.seconds()) * 1.5 + PATIENCE_S
}

pub(super) async fn flow(target: &Target, remote: SocketAddr, env: &Env) -> Result<Flow, NotMeasured> {
    let offset_ms = env.origin.ms();
    let rate = target.handshake_rate();
    let planned = rate.saturating_mul(target.seconds().into());
    let plan = handshakes::Plan {
        handshakes: u16::try_from(planned).unwrap_or(u16::MAX),
        every: every(rate),
        patience: Duration::from_secs_f64(PATIENCE_S),
        longest: Duration::from_secs_f64(f64::from(target.seconds()) * 1.5),
    };
    let sample = |at: f64, trip: f64| env.progress.sample("rtt_ms", offset_ms + at, trip);
    let outcome = handshakes::run(remote, &env.source, &plan, &env.cancel, sample).await?;
    let contact = Contact { remote, local: outcome.local, offset_ms, took_ms: env.origin.ms() - offset_ms };
    let mut flow = booked(target, Method::Tcp, contact, &outcome.session, &[]);
    // When its time is over the plan is fulfilled: unanswered ones take long, so there are fewer of them.
    flow.planned = if env.cancel.is_cancelled() { planned.into() } else { flow.sent };
    flow.step_ms = plan.every.as_secs_f64() * 1000.0;
    flow.timestamps = Some(if outcome.by_kernel { Timestamps::Kernel } else { Timestamps::User });
    flow.not_sent = outcome.not_sent;
    let trouble = outcome.error.filter(|_| flow.received == 0);
    flow.trouble = trouble.map(|(failure, detail)| Trouble { failure, detail });
    Ok(flow)
}

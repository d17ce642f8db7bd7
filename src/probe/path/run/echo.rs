//! ICMP echo, by the kind of socket that this user may have.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{PATIENCE_S, booked, every};
use crate::model::{Contact, Failure, NotMeasured};
use crate::net::ping;
use crate::probe::Env;
use crate::probe::path::{Flow, Method, Target, Timestamps, Trouble};

/// ICMP echo.
pub(super) async fn flow(target: &Target, remote: SocketAddr, env: &Env) -> Result<Flow, NotMeasured> {
    let offset_ms = env.origin.ms();
    let plan = ping::Plan {
        packets: u16::try_from(target.packets()).unwrap_or(u16::MAX),
        every: every(target.rate()),
        size: target.payload().into(),
        patience: Duration::from_secs_f64(PATIENCE_S),
    };
    let sample = |at: f64, trip: f64| env.progress.sample("rtt_ms", offset_ms + at, trip);
    let outcome = ping::run(remote.ip(), &env.source, &plan, &env.cancel, sample).await?;
    let method = match outcome.rung {
        ping::Rung::Datagram => Method::IcmpDatagram,
        ping::Rung::Raw => Method::IcmpRaw,
    };
    let contact = Contact {
        remote: SocketAddr::new(remote.ip(), 0),
        local: env.source.address.map(|address: IpAddr| SocketAddr::new(address, 0)),
        offset_ms,
        took_ms: env.origin.ms() - offset_ms,
    };
    let mut flow = booked(target, method, contact, &outcome.session, &outcome.lateness);
    flow.timestamps = Some(Timestamps::User);
    flow.not_sent = outcome.not_sent;
    flow.sent = flow.sent.saturating_sub(outcome.not_sent);
    if flow.received == 0 && outcome.not_sent > 0 {
        let detail = "the system refused to send".into();
        flow.trouble = Some(Trouble { failure: Failure::NetUnreachable, detail });
    } else if flow.received == 0 && outcome.errors > 0 {
        let detail = "a router said so (ICMP)".into();
        flow.trouble = Some(Trouble { failure: Failure::HostUnreachable, detail });
    }
    Ok(flow)
}

//! Sends the packets: a session for each address family, one after another; and what takes a
//! method's place that gets nothing.

mod echo;
mod handshakes;
mod stamp;

use std::net::SocketAddr;
use std::time::Duration;

use super::{Flow, InsteadOf, Method, Reading, RoundTrip, Target, To, Unasked};
use crate::model::{Cause, Contact, NotMeasured};
use crate::net::resolve;
use crate::probe::Env;
use crate::wire::stamp::Session;

/// How long the name's look-up may take.
pub(super) const LOOKUP_S: u8 = 5;
/// How long opening a session at the far end may take, and as long again closing it.
pub(super) const CONTROL_S: u8 = 30;
/// How long answers to the last packets are waited for.
pub(super) const PATIENCE_S: f64 = 2.0;
pub(super) use handshakes::take as handshakes_take;
pub(super) use stamp::MTU_SEARCH;

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let (host, port) = target.place(&env.far_ends).ok_or_else(|| {
        NotMeasured::new(
            Cause::FarEnd,
            "the policy has no such far end",
            "name one in a [far_end.NAME] table",
        )
    })?;
    let mut reading = Reading {
        host,
        port,
        packets_per_s: target.rate(),
        payload_bytes: target.payload(),
        lookup: None,
        flows: Vec::new(),
        unasked: Vec::new(),
    };
    let found = tokio::select! {
        found = resolve::lookup(&reading.host, port, Duration::from_secs(LOOKUP_S.into())) => found,
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
    };
    let addresses = match found {
        Ok(addresses) => resolve::one_of_each_family(addresses),
        Err(failure) => {
            reading.lookup = Some(failure);
            return Ok(reading);
        }
    };
    let mut first = None;
    for remote in addresses {
        if env.cancel.is_cancelled() {
            // A family that was not tried must not be left out of what is judged.
            return Err(NotMeasured::cancelled());
        }
        match flows(target, remote, env).await {
            Ok(flows) => reading.flows.extend(flows),
            Err(_) if env.cancel.is_cancelled() => return Err(NotMeasured::cancelled()),
            Err(why) => {
                reading.unasked.push(Unasked { remote, why: why.detail.as_str().into() });
                first.get_or_insert(why);
            }
        }
    }
    match first {
        // What one family showed stands, also when it is nothing: only without any is it not asked.
        Some(why) if reading.flows.is_empty() => Err(why),
        None if reading.flows.is_empty() => Err(NotMeasured::cancelled()),
        _ => Ok(reading),
    }
}

/// What the first method of the ladder that gets anything tells. STAMP that gets nothing stays in
/// the reading, since a stream needs UDP; ICMP does not.
async fn flows(target: &Target, remote: SocketAddr, env: &Env) -> Result<Vec<Flow>, NotMeasured> {
    let first = match &target.to {
        To::Tcp(_) => return Ok(vec![handshakes::flow(target, remote, env).await?]),
        To::Ping(_) => echo::flow(target, remote, env).await,
        To::Reflector(_) => stamp::flow(target, remote, env, 0, Method::Stamp).await,
        To::FarEnd(name) => stamp::through_far_end(target, name, remote, env).await,
    };
    let Some(port) = target.tcp_port.filter(|_| !env.cancel.is_cancelled()) else {
        return first.map(|flow| vec![flow]);
    };
    let why = match &first {
        Ok(flow) if flow.received > 0 => return first.map(|flow| vec![flow]),
        Ok(Flow { trouble: Some(trouble), .. }) => trouble.failure.words().to_owned(),
        Ok(_) => "nothing came back".to_owned(),
        Err(why) if matches!(why.cause, Cause::NoPath) => return first.map(|flow| vec![flow]),
        Err(why) => why.detail.as_str().to_owned(),
    };
    let method = if target.is_stamp() { "STAMP over UDP" } else { "ICMP echo" };
    let mut instead = handshakes::flow(target, SocketAddr::new(remote.ip(), port), env).await?;
    instead.instead_of = Some(InsteadOf { method: method.into(), why: why.as_str().into() });
    Ok(first.ok().filter(|_| target.is_stamp()).into_iter().chain([instead]).collect())
}

fn every(rate: u32) -> Duration {
    Duration::from_secs(1) / rate.max(1)
}

/// What the books say of a method.
fn booked(target: &Target, method: Method, contact: Contact, session: &Session, late: &[Duration]) -> Flow {
    let statistics = session.statistics();
    let mut late: Vec<f64> = late.iter().map(|late| late.as_secs_f64() * 1000.0).collect();
    late.sort_unstable_by(f64::total_cmp);
    let late_p99 = late.get((late.len() * 99).div_ceil(100).saturating_sub(1));
    Flow {
        method,
        contact,
        planned: target.packets().into(),
        sent: statistics.sent,
        not_sent: 0,
        received: statistics.received,
        duplicates: statistics.duplicates,
        reordered: statistics.reordered,
        strays: statistics.unknown,
        arrived: None,
        arrived_from_elsewhere: None,
        longest_burst: statistics.longest_burst,
        longest_burst_ms: statistics.longest_burst_ms,
        round_trip: statistics.round_trip.map(|trip| RoundTrip {
            min_ms: trip.min_ms,
            p50_ms: trip.p50_ms,
            p95_ms: trip.p95_ms,
            p99_ms: trip.p99_ms,
            max_ms: trip.max_ms,
        }),
        jitter_ms: statistics.jitter_ms,
        jitter_out_ms: statistics.jitter_out_ms,
        jitter_back_ms: statistics.jitter_back_ms,
        late_p99_ms: late_p99.copied().unwrap_or(0.0),
        late_max_ms: late.last().copied().unwrap_or(0.0),
        trouble: None,
        timestamps: None,
        instead_of: None,
        path_mtu: None,
        dscp: None,
        step_ms: every(target.rate()).as_secs_f64() * 1000.0,
        round_trips_us: session.round_trips_us().collect(),
    }
}

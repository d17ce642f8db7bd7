//! Sends the packets: a session for each address family, one after another.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Flow, Method, Reading, RoundTrip, Target, To, Trouble, Unasked};
use crate::model::{Cause, Contact, Failure, Family, FarEnd, NotMeasured};
use crate::net::far_end::Control;
use crate::net::{dial, failure, icmp_error, ping, resolve, stamp};
use crate::probe::Env;
use crate::wire::stamp::Session;

/// How long the name's look-up may take.
pub(super) const LOOKUP_S: u8 = 5;
/// How long opening a session at the far end may take, and as long again closing it.
pub(super) const CONTROL_S: u8 = 30;
/// How long answers to the last packets are waited for.
pub(super) const PATIENCE_S: f64 = 2.0;

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
    let mut addresses = match found {
        Ok(addresses) => addresses,
        Err(failure) => {
            reading.lookup = Some(failure);
            return Ok(reading);
        }
    };
    // One address of each family: two would measure the same way twice.
    let mut seen = Vec::new();
    addresses.retain(|address| {
        let family = Family::of(address.ip());
        let new = !seen.contains(&family);
        seen.push(family);
        new
    });
    let mut first = None;
    for remote in addresses {
        if env.cancel.is_cancelled() {
            break;
        }
        match flow(target, remote, env).await {
            Ok(flow) => reading.flows.push(flow),
            Err(why) => {
                reading.unasked.push(Unasked { remote, why: why.detail.as_str().into() });
                first.get_or_insert(why);
            }
        }
    }
    match first {
        // That one family could not be asked about matters less only when the other answered.
        Some(why) if reading.flows.iter().all(|flow| flow.received == 0) => Err(why),
        None if reading.flows.is_empty() => Err(NotMeasured::cancelled()),
        _ => Ok(reading),
    }
}

async fn flow(target: &Target, remote: SocketAddr, env: &Env) -> Result<Flow, NotMeasured> {
    match &target.to {
        To::Ping(_) => echo(target, remote, env).await,
        To::Reflector(_) => reflect(target, remote, env, 0, Method::Stamp).await,
        To::FarEnd(name) => {
            let far_end = env.far_ends.get(name).ok_or_else(|| {
                NotMeasured::new(Cause::FarEnd, format!("no far end {name}"), "name it in the policy")
            })?;
            Box::pin(through_far_end(target, far_end, remote, env)).await
        }
    }
}

/// Opens a session over TCP to this very address, so that the reflector answers the address
/// that UDP will come from, and asks afterwards what arrived.
async fn through_far_end(
    target: &Target,
    far_end: &FarEnd,
    remote: SocketAddr,
    env: &Env,
) -> Result<Flow, NotMeasured> {
    let far_end = FarEnd { address: remote.to_string(), ..far_end.clone() };
    let seconds = u32::from(target.seconds()) * 2 + u32::from(CONTROL_S);
    let opening = async {
        let mut control = Control::connect(&far_end, &env.source, &env.origin).await?;
        let (ssid, _) = control.open_stamp(seconds, allowance(target.packets())).await?;
        Ok((control, ssid))
    };
    let limit = Duration::from_secs(CONTROL_S.into()) / 2;
    let slow = || {
        NotMeasured::new(
            Cause::FarEnd,
            format!("the far end at {remote} took too long"),
            "look at what `golive far-end` logged, then run the check again",
        )
    };
    let opened = tokio::select! {
        opened = tokio::time::timeout(limit, opening) => opened.map_err(|_| slow())?,
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
    };
    let (mut control, ssid) = opened?;
    let mut flow = reflect(target, remote, env, ssid, Method::StampSession).await?;
    // Without its count the flow still stands; it only cannot say which way a loss was.
    if let Ok(Ok(closed)) = tokio::time::timeout(limit, control.close()).await {
        flow.arrived = Some(closed.packets);
        flow.arrived_from_elsewhere = Some(closed.foreign);
    }
    Ok(flow)
}

async fn reflect(
    target: &Target,
    remote: SocketAddr,
    env: &Env,
    ssid: u16,
    method: Method,
) -> Result<Flow, NotMeasured> {
    let offset_ms = env.origin.ms();
    let socket = dial::bound(remote, socket2::Type::DGRAM, &env.source)?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    if let Err(error) = socket.connect(&remote.into()) {
        let trouble = Trouble { failure: failure::classify(&error), detail: error.to_string().into() };
        return Ok(unreached(target, remote, method, offset_ms, trouble));
    }
    let broken = |error: &dyn std::fmt::Display| {
        NotMeasured::new(
            Cause::Broken,
            format!("the sending thread failed: {error}"),
            "run the check again; report this if it stays",
        )
    };
    socket.set_nonblocking(false).map_err(|error| broken(&error))?;
    let socket = std::net::UdpSocket::from(socket);
    let local = socket.local_addr().ok();
    let plan = stamp::Plan {
        packets: target.packets(),
        every: every(target),
        size: target.payload().into(),
        ssid,
        patience: Duration::from_secs_f64(PATIENCE_S),
    };
    // Dropping this future must end the thread.
    let cancel = env.cancel.child_token();
    let _stop = cancel.clone().drop_guard();
    let progress = env.progress.clone();
    let sample = move |at: f64, trip: f64| progress.sample("rtt_ms", offset_ms + at, trip);
    let (done, over) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("stamp sender".to_owned())
        .spawn(move || {
            let _ = done.send(stamp::run(&socket, &plan, &cancel, &sample));
        })
        .map_err(|error| broken(&error))?;
    let outcome = over.await.map_err(|error| broken(&error))?.map_err(|error| broken(&error))?;
    let contact = Contact { remote, local, offset_ms, took_ms: env.origin.ms() - offset_ms };
    let trouble = outcome.error.map(|error| Trouble { failure: error.failure, detail: error.detail });
    let mut flow = booked(target, method, contact, &outcome.session, &outcome.lateness);
    flow.not_sent = outcome.not_sent;
    // A single ICMP error beside answers is no end of the path.
    flow.trouble = trouble.filter(|_| flow.received == 0);
    Ok(flow)
}

async fn echo(target: &Target, remote: SocketAddr, env: &Env) -> Result<Flow, NotMeasured> {
    let offset_ms = env.origin.ms();
    let plan = ping::Plan {
        packets: u16::try_from(target.packets()).unwrap_or(u16::MAX),
        every: every(target),
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

fn every(target: &Target) -> Duration {
    Duration::from_secs(1) / target.rate().max(1)
}

fn unreached(target: &Target, remote: SocketAddr, method: Method, offset_ms: f64, trouble: Trouble) -> Flow {
    let contact = Contact { remote, local: None, offset_ms, took_ms: 0.0 };
    let flow = booked(target, method, contact, &Session::new(0), &[]);
    Flow { trouble: Some(trouble), ..flow }
}

/// Packets to ask for: a network that delivers some twice must not use up those of the rest.
fn allowance(packets: u32) -> u64 {
    let packets = u64::from(packets);
    packets + packets / 4 + 16
}

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
        step_ms: every(target).as_secs_f64() * 1000.0,
        round_trips_us: session.round_trips_us().collect(),
    }
}

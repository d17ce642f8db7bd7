//! STAMP, to a far end or to any reflector: first which size of packet passes, then the stream.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{CONTROL_S, PATIENCE_S, booked, every};
use crate::model::{Cause, Contact, Dscp, Family, FarEnd, FarEndName, NotMeasured};
use crate::net::far_end::Control;
use crate::net::stamp::path_mtu::{self, LONGEST_S, MOST_PACKETS, Outcome};
use crate::net::{dial, failure, icmp_error, stamp};
use crate::probe::Env;
use crate::probe::path::{Flow, LostOn, Marked, Method, PathMtu, Seen, Target, Timestamps, TooBig, Trouble};
use crate::wire::control::Grant;
use crate::wire::stamp::Session;

/// Most packets of the search for the path MTU, and most seconds.
pub const MTU_SEARCH: (u64, f64) = (MOST_PACKETS, LONGEST_S);

/// Opens a session over TCP to this very address, so that the reflector answers the address
/// that UDP will come from, and asks afterwards what arrived.
pub(super) async fn through_far_end(
    target: &Target,
    name: &FarEndName,
    remote: SocketAddr,
    env: &Env,
) -> Result<Flow, NotMeasured> {
    let far_end = env.far_ends.get(name).ok_or_else(|| {
        NotMeasured::new(Cause::FarEnd, format!("no far end {name}"), "name it in the policy")
    })?;
    let far_end = FarEnd { address: remote.to_string(), ..far_end.clone() };
    let opening = async {
        let mut control = Box::pin(Control::connect(&far_end, &env.source, &env.origin)).await?;
        let (ssid, _) = control.open_stamp(u32::from(CONTROL_S), MOST_PACKETS).await?;
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
    // In a session of its own, so that what arrived of it is counted apart.
    let found = search(remote, env, ssid).await?;
    let counted = tokio::time::timeout(limit, control.close()).await.map_err(|_| slow())??;
    let path_mtu = found.map(|found| told(&found, Some(counted.packets)));
    let seconds = u32::from(target.seconds()) * 2 + u32::from(CONTROL_S);
    let opening = control.open_stamp(seconds, allowance(target.packets()));
    let (ssid, grant) = tokio::time::timeout(limit, opening).await.map_err(|_| slow())??;
    allows(&grant, target)?;
    let mut flow = reflect(target, remote, env, ssid, Method::StampSession).await?;
    flow.path_mtu = path_mtu;
    // Without its count the flow still stands; it only cannot say which way a loss was.
    if let Ok(Ok(closed)) = tokio::time::timeout(limit, control.close()).await {
        if let Some(why) = closed.early(&remote.to_string()).filter(|_| flow.received < flow.sent) {
            return Err(why);
        }
        flow.arrived = Some(closed.packets);
        flow.arrived_from_elsewhere = Some(closed.foreign);
    }
    Ok(flow)
}

/// Refuses to measure beyond what the far end answers: its silence would be taken for loss.
fn allows(grant: &Grant, target: &Target) -> Result<(), NotMeasured> {
    const SPARE_S: u32 = 3;
    let (seconds, packets) = (u32::from(target.seconds()) + SPARE_S, u64::from(target.packets()));
    if grant.seconds >= seconds && grant.packets >= packets {
        return Ok(());
    }
    let why = format!(
        "the far end allows only {} s and {} packets, and this takes {seconds} s and {packets}",
        grant.seconds, grant.packets
    );
    let remedy = "start `golive far-end` with a larger --max-seconds, or measure for a shorter time";
    Err(NotMeasured::new(Cause::FarEnd, why, remedy))
}

/// To a reflector that takes packets of no session, or of one that is open.
pub(super) async fn flow(
    target: &Target,
    remote: SocketAddr,
    env: &Env,
    ssid: u16,
    method: Method,
) -> Result<Flow, NotMeasured> {
    let found = search(remote, env, ssid).await?;
    let flow = reflect(target, remote, env, ssid, method).await?;
    Ok(Flow { path_mtu: found.map(|found| told(&found, None)), ..flow })
}

/// Which size of packet passes; `None` where that could not be asked. Never a reason to measure
/// nothing else.
async fn search(remote: SocketAddr, env: &Env, ssid: u16) -> Result<Option<Outcome>, NotMeasured> {
    let socket = dial::bound(remote, socket2::Type::DGRAM, &env.source)?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    if socket.connect(&remote.into()).and_then(|()| socket.set_nonblocking(false)).is_err() {
        return Ok(None); // what follows says why
    }
    let socket = std::net::UdpSocket::from(socket);
    // Dropping this future must end the thread.
    let cancel = env.cancel.child_token();
    let _stop = cancel.clone().drop_guard();
    let (done, over) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("path MTU".to_owned())
        .spawn(move || {
            let _ = done.send(path_mtu::search(&socket, ssid, &cancel));
        })
        .map_err(|error| broken(&error))?;
    Ok(over.await.unwrap_or_default())
}

/// In the reading's words; `counted` is how many packets of the search reached the far end.
fn told(found: &Outcome, counted: Option<u64>) -> PathMtu {
    let lost_there = counted.map(|counted| counted.saturating_sub(found.answers.into()));
    let lost = lost_there.filter(|_| found.unanswered > 0).map(|arrived| {
        let (arrived, all) = (arrived * 10, u64::from(found.unanswered));
        match () {
            () if arrived <= all => LostOn::WayOut,
            () if arrived >= 9 * all => LostOn::WayBack,
            () => LostOn::BothWays,
        }
    });
    PathMtu {
        bytes: found.largest,
        asked_bytes: found.asked,
        told: found.told.map(|(from, mtu_bytes)| TooBig { from, mtu_bytes }),
        lost,
        steady: found.steady,
        both_ways: found.whole,
    }
}

fn broken(error: &dyn std::fmt::Display) -> NotMeasured {
    NotMeasured::new(
        Cause::Broken,
        format!("the sending thread failed: {error}"),
        "run the check again; report this if it stays",
    )
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
    socket.set_nonblocking(false).map_err(|error| broken(&error))?;
    let socket = std::net::UdpSocket::from(socket);
    let local = socket.local_addr().ok();
    let plan = stamp::Plan {
        packets: target.packets(),
        every: every(target.rate()),
        size: target.payload().into(),
        ssid,
        dscp: target.dscp,
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
    flow.timestamps = Some(if outcome.by_kernel { Timestamps::Kernel } else { Timestamps::User });
    let seen = |marks: &BTreeMap<Dscp, u64>| {
        marks.iter().map(|(dscp, packets)| Seen { dscp: *dscp, packets: *packets }).collect()
    };
    flow.dscp = target.dscp.map(|sent| Marked {
        sent,
        out: seen(&outcome.marks.out),
        back: seen(&outcome.marks.back),
    });
    // A single ICMP error beside answers is no end of the path.
    flow.trouble = trouble.filter(|_| flow.received == 0);
    Ok(flow)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::far_end::Closed;
    use crate::wire::control::{Ended, Refusal};

    #[test]
    fn a_far_end_that_allows_too_little_is_no_loss() {
        let target: Target =
            serde_json::from_value(serde_json::json!({ "to": { "far_end": "cloud" }, "seconds": 60 }))
                .unwrap();
        let grant = |seconds, packets| Grant { seconds, bytes: u64::MAX, packets };
        let packets = u64::from(target.packets());
        assert!(allows(&grant(150, packets), &target).is_ok());
        let why = allows(&grant(30, packets), &target).unwrap_err();
        assert!(why.cause == Cause::FarEnd && why.detail.as_str().contains("only 30 s"), "{why:?}");
        assert!(allows(&grant(150, packets - 1), &target).is_err());
    }

    #[test]
    fn a_session_that_the_far_end_ended_early_is_no_loss() {
        let closed = |how| Closed {
            how,
            bytes: 1,
            packets: 1,
            foreign: 0,
            took_ms: 1,
            late_ms: 0,
            arrivals: Vec::new(),
        };
        assert_eq!(closed(Ended::Closed).early("cloud"), None);
        let why = closed(Ended::Refused(Refusal::Packets)).early("cloud").unwrap();
        assert!(why.cause == Cause::FarEnd && why.remedy.as_str().contains("larger caps"), "{why:?}");
    }
}

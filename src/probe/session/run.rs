//! Holds the sessions, all at once, and asks the far end afterwards what it saw.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, join_all};

use super::{Cut, FarEndSaw, FarSide, Held, How, Kind, Reading, Target, Unasked};
use crate::model::{Cause, FarEnd, NotMeasured};
use crate::net::hold::{self, EVERY, Ground, Load};
use crate::net::resolve;
use crate::probe::Env;
use crate::wire::control::Ended;
use crate::wire::control::hold::{BEAT, Slot};

const LOOKUP: Duration = Duration::from_secs(5);
/// Longest time for opening, for what the far end sends by itself, and for asking it afterwards.
const AROUND: Duration = Duration::from_mins(1);
/// A control connection: TLS handshake, proof, replies.
const CONTROL_BYTES: u64 = 32_000;
/// Control connections of one family: opening, asking, and those by which the far end is made to send.
const CONTROLS: u64 = 8;

/// How long a session may be silent: a stream survives an outage of some seconds.
fn patience(target: &Target) -> Duration {
    Duration::from_secs_f64((f64::from(target.seconds) / 2.0).clamp(2.0, 5.0))
}

/// What the busy TCP connection sends at once.
fn chunk(target: &Target) -> usize {
    let bits = u64::from(target.kbps) * u64::try_from(EVERY.as_millis()).unwrap_or(0);
    usize::try_from(bits / 8).unwrap_or(1).max(1)
}

/// Times that a busy session sends, with a margin.
fn beats(target: &Target) -> u64 {
    u64::from(target.seconds + 10) * 1000 / u64::try_from(EVERY.as_millis()).unwrap_or(1)
}

/// Bytes and packets of one family, each way, at most.
pub(super) fn cost(target: &Target) -> (u64, u64) {
    let (beats, chunk) = (beats(target), chunk(target) as u64);
    let packets = beats * (1 + chunk.div_ceil(1200));
    (CONTROLS * CONTROL_BYTES + beats * (chunk + BEAT as u64) + packets * 60, packets + CONTROLS * 40)
}

pub(super) fn longest_s(target: &Target) -> f64 {
    f64::from(target.seconds) + (LOOKUP + AROUND + 4 * patience(target)).as_secs_f64()
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let place = env.far_ends.get(&target.far_end);
    let named = place.and_then(|far_end| Some((far_end, far_end.host_port()?)));
    let Some((far_end, (host, port))) = named else {
        let remedy = "name one in a [far_end.NAME] table";
        return Err(NotMeasured::new(Cause::FarEnd, "the policy has no such far end", remedy));
    };
    let mut reading = Reading {
        host: host.to_owned(),
        asked_s: target.seconds,
        lookup: None,
        sessions: Vec::new(),
        unasked: Vec::new(),
    };
    let work = async {
        let addresses = match resolve::lookup(host, port, LOOKUP).await {
            Ok(addresses) => resolve::one_of_each_family(addresses),
            Err(failure) => {
                reading.lookup = Some(failure);
                return Ok(reading);
            }
        };
        let families = addresses.iter().map(|remote| family(target, far_end, *remote, env));
        let mut first = None;
        for (remote, outcome) in addresses.iter().zip(join_all(families).await) {
            match outcome {
                Ok(sessions) => reading.sessions.extend(sessions),
                Err(why) => {
                    reading.unasked.push(Unasked { remote: *remote, why: why.detail.as_str().into() });
                    first.get_or_insert(why);
                }
            }
        }
        first.filter(|_| reading.sessions.is_empty()).map_or(Ok(reading), Err)
    };
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        done = work => done,
    }
}

/// All sessions to one address.
async fn family(
    target: &Target,
    far_end: &FarEnd,
    remote: SocketAddr,
    env: &Env,
) -> Result<Vec<Held>, NotMeasured> {
    let seconds = target.seconds.saturating_add(u32::try_from(AROUND.as_secs()).unwrap_or(60));
    let (bytes, _) = cost(target);
    let ground = Ground::open(far_end, remote, (&env.source, &env.origin), seconds, bytes).await?;
    let sessions = target.kinds.iter().map(|kind| session(*kind, target, &ground));
    let mut sessions = join_all(sessions).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    // Without it a cut still stands; it only cannot be said who made it.
    if let Ok((slots, _)) = ground.release().await {
        for held in &mut sessions {
            let slot = slots.iter().find(|slot| slot.slot == held.kind.slot());
            held.far_end = slot.map(|slot| far_side(slot, held, env.origin.ms()));
        }
    }
    Ok(sessions)
}

fn session<'a>(
    kind: Kind,
    target: &'a Target,
    ground: &'a Ground<'a>,
) -> BoxFuture<'a, Result<Held, NotMeasured>> {
    let time = Duration::from_secs(target.seconds.into());
    let hold = hold::Hold { hold: time, patience: patience(target) };
    let slot = kind.slot();
    async move {
        Ok(match kind {
            Kind::TcpIdle => in_words(kind, hold::tcp(ground, slot, Load::Idle, hold).await?),
            Kind::TcpBusy => in_words(kind, hold::tcp(ground, slot, Load::Busy(chunk(target)), hold).await?),
            Kind::UdpBusy => in_words(kind, hold::udp(ground, slot, hold).await?),
            Kind::UdpIdle => idle(hold::idle(ground, slot, &[time], hold.patience).await?, time),
        })
    }
    .boxed()
}

fn in_words(kind: Kind, held: hold::Held) -> Held {
    let cut = held.cut.map(|(at_ms, how)| Cut {
        at_ms,
        how: match how {
            hold::How::Reset => How::Reset,
            hold::How::Closed => How::Closed,
            hold::How::Silence => How::Silence,
        },
    });
    let hold::Held { contact, failure, alive_ms, .. } = held;
    Held { kind, contact, failure, alive_ms, cut, revived: None, far_end: None }
}

fn idle(idle: hold::Idle, time: Duration) -> Held {
    let passed = idle.passed.first().is_some_and(|(_, passed)| *passed);
    let alive_ms = if passed { time.as_secs_f64() * 1000.0 } else { 0.0 };
    let cut = (idle.failure.is_none() && !passed).then_some(Cut { at_ms: 0.0, how: How::Silence });
    Held {
        kind: Kind::UdpIdle,
        contact: idle.contact,
        failure: idle.failure,
        alive_ms,
        cut,
        revived: Some(idle.revived),
        far_end: None,
    }
}

/// The far end counts back from its answer, which came just now.
#[expect(clippy::cast_precision_loss, reason = "ms of an hour")]
fn far_side(slot: &Slot, held: &Held, now_ms: f64) -> FarSide {
    let ago = |ms: u64| now_ms - ms as f64 - held.contact.offset_ms;
    FarSide {
        seen_as: slot.from,
        bytes: slot.bytes,
        ended: slot.ended.map(|how| match how {
            Ended::DataReset => FarEndSaw::Reset,
            Ended::DataClosed | Ended::Closed => FarEndSaw::Closed,
            Ended::Refused(_) => FarEndSaw::OwnDoing,
        }),
        ended_ms: slot.ended.map(|_| ago(slot.ended_ms)),
        last_ms: ago(slot.quiet_ms),
    }
}

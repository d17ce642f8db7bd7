//! Asks the STUN servers, how translators behave, and, meanwhile, how long idle flows live.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::{join_all, try_join_all};

use super::{
    Asked, Behaviour, Dependence, Gateway, Idle, Lifetime, Mapped, NatPmp, Outcome, Reading, STUN, Server,
    Target,
};
use crate::model::{Cause, Contact, Endpoint, Failure, Family, NotMeasured, WireText};
use crate::net::hold::{self, Ground};
use crate::net::stun::{FIRST, REQUESTS, StunSocket, Unanswered};
use crate::net::{dial, link, pcp, resolve};
use crate::probe::Env;
use crate::wire::stun::{From, MAX_REQUEST};

const LOOKUP: Duration = Duration::from_secs(5);
/// How long what the far end sends may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest time for opening flows at the far end and for having it send.
const AROUND: Duration = Duration::from_mins(1);
/// A control connection: TLS handshake, proof, replies.
const CONTROL_BYTES: u64 = 32_000;

/// Bytes and packets each way at most: both families.
pub(super) fn cost(target: &Target) -> (u64, u64) {
    let servers = target.stun.len() as u64;
    // Two more of mapping, three of filtering, each of several requests.
    let stun = 2 * (servers + if target.other.is_some() { 6 } else { 0 }) * u64::from(REQUESTS);
    let flows = if target.far_end.is_some() { 2 * target.idle_s.len() as u64 } else { 0 };
    let gateway = if target.gateway { 2 * u64::from(pcp::REQUESTS) } else { 0 };
    // Of each flow some datagrams, and a control connection for each that the far end sends.
    let bytes = stun * (MAX_REQUEST as u64 + 600) + flows * (7 * CONTROL_BYTES + 20 * 100) + gateway * 100;
    (bytes, stun + flows * 300 + gateway)
}

pub(super) fn longest_s(target: &Target) -> f64 {
    let one: Duration = (0..REQUESTS).map(|attempt| FIRST * 2_u32.pow(attempt)).sum();
    let exchanges = u32::try_from(target.stun.len() + 6).unwrap_or(64);
    let stun = (LOOKUP * 2 + one * exchanges).as_secs_f64();
    let flows = f64::from(target.longest_idle_s()) + (LOOKUP + AROUND).as_secs_f64();
    if target.far_end.is_some() { stun.max(flows) } else { stun }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let work = async {
        let (stun, lifetimes, gateway) =
            tokio::join!(stun(target, env), lifetimes(target, env), gateway(target, env));
        let (servers, behaviour) = stun?;
        let (lifetimes, no_lifetimes) = match lifetimes {
            Ok(lifetimes) => (lifetimes, None),
            Err(why) if why.cause == Cause::Cancelled => return Err(why),
            Err(why) => (Vec::new(), Some(WireText::from(why.detail))),
        };
        Ok(Reading { servers, behaviour, lifetimes, no_lifetimes, router: target.router, gateway: gateway? })
    };
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        done = work => done,
    }
}

/// What the default gateway says of itself; none where that is not asked, or there is no such gateway.
async fn gateway(target: &Target, env: &Env) -> Result<Option<Gateway>, NotMeasured> {
    // Where a system does not tell its routes, the STUN servers are asked all the same.
    let route = if target.gateway { link::default_route4(&env.source).ok().flatten() } else { None };
    let Some(IpAddr::V4(router)) = route.and_then(|route| route.gateway) else { return Ok(None) };
    let offset_ms = env.origin.ms();
    let said = pcp::ask(router, &env.source).await?;
    let remote = SocketAddr::new(router.into(), pcp::PORT);
    let contact = Contact { remote, local: said.local, offset_ms, took_ms: env.origin.ms() - offset_ms };
    let nat_pmp = said.nat_pmp.map(|said| said.map_or_else(NatPmp::Refused, NatPmp::Outside));
    Ok(Some(Gateway { contact, nat_pmp, pcp: said.pcp }))
}

/// A server as named, with the addresses that it may be asked at.
type Found = (String, Result<Vec<SocketAddr>, Failure>);

async fn find(named: &str, port: u16, env: &Env) -> Result<Found, NotMeasured> {
    let (host, port) = Endpoint::host_port_or(named, port);
    let found = match resolve::lookup(&host, port, LOOKUP).await {
        Ok(found) => Ok(resolve::one_of_each_family(dial::usable(found, &env.source)?)),
        Err(failure) => Err(failure),
    };
    Ok((named.to_owned(), found))
}

async fn stun(target: &Target, env: &Env) -> Result<(Vec<Server>, Vec<Behaviour>), NotMeasured> {
    let found = try_join_all(target.stun.iter().map(|named| find(named, STUN, env))).await?;
    let other = match &target.other {
        Some(place) => Some(find(&place.to_string(), place.port, env).await?.1),
        None => None,
    };
    let mut servers: Vec<Server> = found
        .iter()
        .map(|(named, found)| Server {
            named: named.clone(),
            lookup: found.as_ref().err().copied(),
            asked: Vec::new(),
        })
        .collect();
    let families = [Family::V4, Family::V6].map(|family| {
        let of = |addresses: &[SocketAddr]| addresses.iter().copied().find(|a| Family::of(a.ip()) == family);
        let asked: Vec<(usize, SocketAddr)> = found
            .iter()
            .enumerate()
            .filter_map(|(at, (_, found))| Some((at, of(found.as_ref().ok()?)?)))
            .collect();
        let behaviour = other.is_some();
        let other = other.as_ref().and_then(|found| of(found.as_ref().ok()?));
        one_family(family, asked, (behaviour, other), env)
    });
    let mut behaviour = Vec::new();
    for (asked, seen) in try_join_all(families).await? {
        for (at, asked) in asked {
            if let Some(server) = servers.get_mut(at) {
                server.asked.push(asked);
            }
        }
        behaviour.extend(seen);
    }
    Ok((servers, behaviour))
}

/// All servers from one socket, one after the other, then how the family's translators behave.
async fn one_family(
    family: Family,
    servers: Vec<(usize, SocketAddr)>,
    (behaviour, other): (bool, Option<SocketAddr>),
    env: &Env,
) -> Result<(Vec<(usize, Asked)>, Option<Behaviour>), NotMeasured> {
    let Some(&(_, first)) = servers.first() else { return Ok((Vec::new(), None)) };
    let socket = StunSocket::open(first, &env.source)?;
    let (mut asked, mut told) = (Vec::new(), None);
    for (at, remote) in servers {
        let offset_ms = env.origin.ms();
        let answer = socket.ask(remote, From::Same).await;
        let took_ms = env.origin.ms() - offset_ms;
        let contact = Contact { remote, local: socket.local, offset_ms, took_ms };
        if let (true, Ok(answer)) = (remote == first, &answer) {
            told = Some(answer.binding.clone());
        }
        let outcome = match answer {
            Ok(answer) => {
                Outcome::Mapped(Mapped { seen_as: answer.binding.mapped, software: answer.binding.software })
            }
            Err(Unanswered::Failed(failure)) => Outcome::Failed(failure),
            Err(Unanswered::Nonsense(why)) => Outcome::Nonsense(why),
        };
        asked.push((at, Asked { contact, outcome }));
    }
    let Some(told) = told.filter(|_| behaviour) else { return Ok((asked, None)) };
    let mut seen = Behaviour { family, mapping: None, filtering: None, why_not: None };
    match (told.other, other) {
        (Some(says), Some(named)) if says == named => {
            (seen.mapping, seen.filtering) =
                tokio::join!(mapping(&socket, first, named, told.mapped), filtering(first, named, env),);
            if seen.mapping.is_none() || seen.filtering.is_none() {
                seen.why_not = Some("the server's other address gave no answer".into());
            }
        }
        (Some(says), _) => {
            let words = format!("the server names {says} as its other address, and the policy does not");
            seen.why_not = Some(words.into());
        }
        (None, _) => seen.why_not = Some("the server has no other address (RFC 5780)".into()),
    }
    Ok((asked, Some(seen)))
}

/// RFC 5780, 4.3: the same socket, asked at the other address, first with the same port.
async fn mapping(
    socket: &StunSocket,
    first: SocketAddr,
    other: SocketAddr,
    mapped: SocketAddr,
) -> Option<Dependence> {
    let second = socket.ask(SocketAddr::new(other.ip(), first.port()), From::Same).await.ok()?.binding.mapped;
    if second == mapped {
        return Some(Dependence::EndpointIndependent);
    }
    let third = socket.ask(other, From::Same).await.ok()?.binding.mapped;
    Some(if third == second { Dependence::AddressDependent } else { Dependence::AddressAndPortDependent })
}

/// RFC 5780, 4.4: who may answer a socket that has asked one address and port only. A socket for each
/// question, since an answer that came opens nothing, but a question might.
async fn filtering(first: SocketAddr, other: SocketAddr, env: &Env) -> Option<Dependence> {
    let asked = [From::OtherAddress, From::OtherPort].map(|from| async move {
        let socket = StunSocket::open(first, &env.source).ok()?;
        // The control: it is answered at all.
        socket.ask(first, From::Same).await.ok()?;
        Some(socket.ask(first, from).await)
    });
    let [address, port] = <[_; 2]>::try_from(join_all(asked).await).ok()?;
    let came_from = |answer: &Result<crate::net::stun::Answered, Unanswered>| {
        answer.as_ref().ok().map(|answer| answer.from)
    };
    // An answer from where it was asked after all: the server does not know how.
    match (came_from(&address?), came_from(&port?)) {
        (Some(from), _) if from.ip() == other.ip() => Some(Dependence::EndpointIndependent),
        (None, Some(from)) if from.port() == other.port() => Some(Dependence::AddressDependent),
        (None, None) => Some(Dependence::AddressAndPortDependent),
        _ => None,
    }
}

/// Each time by a flow of its own, all at once, over each family.
async fn lifetimes(target: &Target, env: &Env) -> Result<Vec<Lifetime>, NotMeasured> {
    let Some(name) = &target.far_end else { return Ok(Vec::new()) };
    let no_far_end = |what: String| NotMeasured::new(Cause::FarEnd, what, "check the far end in the policy");
    let far_end = env.far_ends.get(name).ok_or_else(|| no_far_end(format!("no far end {name}")))?;
    let (host, port) = far_end.host_port().ok_or_else(|| no_far_end("it is no host:port".to_owned()))?;
    let found = resolve::lookup(host, port, LOOKUP).await;
    let found = found.map_err(|failure| no_far_end(format!("{host}: {failure}")))?;
    let addresses = resolve::one_of_each_family(dial::usable(found, &env.source)?);
    let families = addresses.into_iter().map(|remote| async move {
        let seconds = target.longest_idle_s().saturating_add(u32::try_from(AROUND.as_secs()).unwrap_or(60));
        let way = (&env.source, &env.origin);
        let ground = Ground::open(far_end, remote, way, seconds, 1 << 20).await?;
        let flows = target.idle_s.iter().zip(0..).map(|(&idle_s, slot)| one_flow(&ground, slot, idle_s));
        let tried = try_join_all(flows).await;
        // What was seen stands without it; the far end frees the place later then.
        let slots = ground.release().await.map(|(slots, _)| slots).unwrap_or_default();
        let seen_as = slots.iter().find(|slot| slot.slot == 0).map(|slot| plain(slot.from));
        Ok(Lifetime { family: Family::of(remote.ip()), seen_as, tried: tried? })
    });
    let (mut lifetimes, mut first) = (Vec::new(), None);
    for outcome in join_all(families).await {
        match outcome {
            Ok(lifetime) => lifetimes.push(lifetime),
            Err(why) => drop(first.get_or_insert(why)),
        }
    }
    first.filter(|_| lifetimes.is_empty()).map_or(Ok(lifetimes), Err)
}

/// The address as STUN servers write it: a far end that listens on both families at once sees an
/// IPv4 address as `::ffff:…`.
fn plain(seen: SocketAddr) -> SocketAddr {
    SocketAddr::new(seen.ip().to_canonical(), seen.port())
}

async fn one_flow(ground: &Ground<'_>, slot: u8, idle_s: u32) -> Result<Idle, NotMeasured> {
    let times = [Duration::from_secs(idle_s.into())];
    let idle = hold::idle(ground, slot, &times, PATIENCE).await?;
    let passed = idle.passed.first().is_some_and(|(_, passed)| *passed);
    let (contact, failure, revived) = (idle.contact, idle.failure, idle.revived);
    Ok(Idle { idle_s, contact, failure, passed, revived })
}

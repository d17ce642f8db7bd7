//! What is asked beside a port that does not let us in: its witnesses, and how far packets to it get.

use std::net::SocketAddr;

use super::{CONNECT, LOOKUP};
use crate::model::{Endpoint, Failure, Transport, Walk};
use crate::net::ttl_walk::{self, Step};
use crate::net::{dial, resolve};
use crate::probe::Env;
use crate::probe::port::{State, Target, Witness};

/// Control and walk, side by side.
pub(super) struct Beside {
    pub control: Option<Witness>,
    pub walk: Option<Walk>,
}

/// Asks them while nothing comes back; `question` is UDP's datagram.
pub(super) async fn meanwhile(remote: SocketAddr, question: &[u8], target: &Target, env: &Env) -> Beside {
    let control = witness(target.control.as_deref(), remote, target, env);
    let (control, walk) = tokio::join!(control, walk(remote, question, target, env));
    Beside { control, walk }
}

/// Asks them about an attempt that ended so.
pub(super) async fn afterwards(
    remote: SocketAddr,
    question: &[u8],
    state: State,
    target: &Target,
    env: &Env,
) -> Beside {
    // A host refuses UDP in its own name, and TCP too unless its distance says otherwise.
    let by_host = target.transport == Transport::Udp || same_host(target, remote).await.is_none();
    let tells = state.stop().is_some() && !(state == State::Refused && by_host);
    let control = witness(target.control.as_deref(), remote, target, env).await;
    let walk = if tells { walk(remote, question, target, env).await } else { None };
    Beside { control, walk }
}

async fn walk(remote: SocketAddr, question: &[u8], target: &Target, env: &Env) -> Option<Walk> {
    let step = match target.transport {
        Transport::Udp => Step::Datagram(question),
        _ => Step::Handshake,
    };
    let reference = same_host(target, remote).await;
    let walked = ttl_walk::walk((remote, step), reference, &env.source, &env.origin).await;
    Walk::of(walked?)
}

/// The control, when it is another port of this very address.
async fn same_host(target: &Target, remote: SocketAddr) -> Option<SocketAddr> {
    let (host, port) = Endpoint::split(target.control.as_deref()?)?;
    let found = located(host, port, remote, target).await.ok()?;
    found.filter(|found| found.ip() == remote.ip())
}

/// Where a witness of this name is asked: at the same address when it is the same host, else at one
/// of the same family.
async fn located(
    host: &str,
    port: u16,
    beside: SocketAddr,
    target: &Target,
) -> Result<Option<SocketAddr>, Failure> {
    if host.eq_ignore_ascii_case(target.host.trim_matches(['[', ']'])) {
        return Ok(Some(SocketAddr::new(beside.ip(), port)));
    }
    let found = resolve::lookup(host, port, LOOKUP).await?;
    let same = found.iter().find(|found| found.ip() == beside.ip());
    let near = || found.iter().find(|found| found.is_ipv4() == beside.is_ipv4());
    Ok(same.or_else(near).copied())
}

/// A handshake with the control or decoy.
pub(super) async fn witness(
    named: Option<&str>,
    beside: SocketAddr,
    target: &Target,
    env: &Env,
) -> Option<Witness> {
    let named = named?;
    let mut witness = Witness { named: named.to_owned(), contact: None, failure: Some(Failure::NoAddress) };
    let (host, port) = Endpoint::split(named)?;
    let remote = match located(host, port, beside, target).await {
        Ok(Some(remote)) => remote,
        Ok(None) => return Some(witness),
        Err(failure) => {
            witness.failure = Some(failure);
            return Some(witness);
        }
    };
    let (contact, failure) = match dial::tcp(remote, &env.source, CONNECT, &env.origin).await {
        Ok(Ok(dialled)) => (Some(dialled.contact), None),
        Ok(Err(undialled)) => (Some(undialled.contact), Some(undialled.failure)),
        Err(_) => (None, Some(Failure::NetUnreachable)),
    };
    Some(Witness { contact, failure, ..witness })
}

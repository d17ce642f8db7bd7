//! Asks the port, its witnesses, and how far packets to it get.

mod beside;
mod eyes;
mod tcp;
mod udp;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;

use super::{Address, Attempt, Reading, State, Target};
use crate::model::{
    Cause, Contact, Demand, Endpoint, Failure, Family, FarEnd, FarEndName, IcmpError, NotMeasured, Transport,
    WireText,
};
use crate::net::failure::classify;
use crate::net::own_rules;
use crate::net::resolve::{self, MAX_PER_FAMILY};
use crate::net::ttl_walk::{self, FARTHEST, LONGEST_WAIT, PACKETS_PER_HOP};
use crate::probe::Env;
use crate::wire::banner;
use crate::wire::knock::{Protocol, Salt};
use beside::{Beside, witness};

const LOOKUP: Duration = Duration::from_secs(5);
/// Time for three SYNs: the kernel sends them after 0, 1 and 3 s (RFC 6298, 2.1 and 5.5).
const CONNECT: Duration = Duration::from_secs(4);
const ANSWER: Duration = Duration::from_secs(3);
const TRIES: usize = 2;
/// Waits after each of UDP's datagrams.
const UDP_WAITS: [Duration; 3] =
    [Duration::from_millis(700), Duration::from_millis(1300), Duration::from_secs(2)];

pub(super) fn demand(target: &Target, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Demand {
    // Per TCP attempt: SYNs, the question with its retransmissions, acknowledgements, the end;
    // down, what fits the receive window that the kernel opens before we read.
    const PACKETS: u64 = 24;
    const HEADERS: u64 = PACKETS * 80;
    const WINDOW: u64 = 70_000;
    let literal = target.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let addresses = if literal { 1 } else { 2 * MAX_PER_FAMILY as u64 };
    let question =
        target.asked().map_or(0, |asked| asked.question(&target.host, &Salt::default()).len() as u64);
    let mut demand = Demand {
        endpoints: vec![Endpoint::new(&target.host, target.port, target.transport)],
        seconds: 1.0,
        seconds_max: (LOOKUP
            + CONNECT
            + (CONNECT + ANSWER) * 2
            + LOOKUP
            + LONGEST_WAIT
            + ttl_walk::question::LONGEST)
            .as_secs_f64(),
        ..Demand::default()
    };
    let tries = addresses * TRIES as u64;
    if target.transport == Transport::Tcp {
        demand.packets = tries * PACKETS;
        demand.bytes_up = tries * (HEADERS + 5 * question);
        demand.bytes_down = tries * (HEADERS + WINDOW);
    } else {
        demand.packets = addresses * UDP_WAITS.len() as u64;
        demand.bytes_up = demand.packets * (question + 48);
        demand.bytes_down = demand.packets * 65_535;
    }
    // A walk each to the port and to the control, or one with questions; the far end's own connection.
    let walked = addresses * 2 * u64::from(FARTHEST) * PACKETS_PER_HOP;
    demand.packets += walked;
    demand.bytes_up += walked * (question + 60);
    if let Some((host, port)) =
        target.far_end.as_ref().and_then(|name| far_ends.get(name)).and_then(FarEnd::host_port)
    {
        demand.endpoints.push(Endpoint::new(host, port, Transport::Tcp));
        demand.packets += addresses * eyes::PACKETS;
        demand.bytes_up += addresses * eyes::BYTES;
        demand.bytes_down += addresses * eyes::BYTES;
        demand.seconds_max += eyes::SECONDS_MAX;
    }
    for named in [&target.control, &target.decoy].into_iter().flatten() {
        if let Some((host, port)) = Endpoint::split(named) {
            demand.endpoints.push(Endpoint::new(host, port, Transport::Tcp));
            demand.packets += addresses * PACKETS;
            demand.bytes_up += addresses * HEADERS;
            demand.bytes_down += addresses * (HEADERS + WINDOW);
        }
    }
    demand
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = ask(target, env) => reading,
    }
}

async fn ask(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let asked = target.asked();
    let mut reading = Reading {
        method: method(target.transport, asked),
        host: target.host.clone(),
        port: target.port,
        transport: target.transport,
        asked,
        lookup: None,
        addresses: Vec::new(),
    };
    let found = match resolve::lookup(&target.host, target.port, LOOKUP).await {
        Ok(found) => found,
        Err(failure) => {
            reading.lookup = Some(failure);
            return Ok(reading);
        }
    };
    let asked = join_all(found.iter().map(|&remote| address(remote, target, env))).await;
    if asked.iter().all(Result::is_err)
        && let Some(error) = asked.iter().find_map(|address| address.as_ref().err())
    {
        return Err(error.clone());
    }
    // The path lacks one family and has the other: an address without a way out.
    reading.addresses = found
        .into_iter()
        .zip(asked)
        .map(|(remote, address)| address.unwrap_or_else(|error| no_way_out(remote, &error, env)))
        .collect();
    Ok(reading)
}

fn method(transport: Transport, asked: Option<Protocol>) -> String {
    match (transport, asked) {
        (Transport::Tcp, Some(protocol)) => format!("TCP connect, then a question in {}", protocol.word()),
        (Transport::Tcp, None) => "TCP connect, then listening".to_owned(),
        (_, asked) => format!("UDP, a question in {}", asked.map_or("no protocol", Protocol::word)),
    }
}

fn no_way_out(remote: SocketAddr, error: &NotMeasured, env: &Env) -> Address {
    let contact = Contact { remote, local: None, offset_ms: env.origin.ms(), took_ms: 0.0 };
    let mut attempt = Attempt::new(contact, State::NoRoute);
    attempt.detail = WireText::from(error.detail.as_str());
    Address { attempts: vec![attempt], ..Address::of(Family::of(remote.ip())) }
}

async fn address(remote: SocketAddr, target: &Target, env: &Env) -> Result<Address, NotMeasured> {
    let family = Family::of(remote.ip());
    if env.source.address.is_some_and(|source| Family::of(source) != family) {
        return Err(NotMeasured::new(
            Cause::NoPath,
            format!("this path has no {} address", family.word()),
            "check the source address of this [path] in the policy",
        ));
    }
    let mut address = Address::of(family);
    let beside = match (target.transport, target.asked()) {
        (Transport::Udp, Some(protocol)) => over_udp(remote, protocol, target, env, &mut address).await?,
        (Transport::Tcp, _) => over_tcp(remote, target, env, &mut address).await?,
        _ => {
            return Err(NotMeasured::new(
                Cause::Unsupported,
                "no question is known for this port",
                "say `ask` in the target",
            ));
        }
    };
    let state = address.attempts.last().map_or(State::Failed, |attempt| attempt.state);
    if state.handshaken() && state != State::Answered {
        // One walk an address: beside a handshake that came to nothing there was one.
        let unanswered = beside.is_none() && state.stop().is_some();
        let decoy = witness(target.decoy.as_deref(), remote, target, env);
        let walk = async {
            let protocol = target.asked().filter(|_| unanswered)?;
            ttl_walk::question::ask(remote, (protocol, &target.host), &env.source, &env.origin).await
        };
        (address.decoy, address.walk) = tokio::join!(decoy, walk);
    } else if state != State::Answered {
        let beside = if let Some(beside) = beside {
            beside
        } else {
            let question = udp::question(target)?.0;
            beside::afterwards(remote, &question, state, target, env).await
        };
        (address.control, address.walk) = (beside.control, beside.walk);
    }
    if address.may_be_stopped_here() {
        address.own_rules = Some(own_rules::ask(remote, target.transport, &env.source).await);
    }
    Ok(address)
}

async fn over_tcp(
    remote: SocketAddr,
    target: &Target,
    env: &Env,
    address: &mut Address,
) -> Result<Option<Beside>, NotMeasured> {
    let knocked = tcp::knock(remote, target, env).await?;
    address.attempts = knocked.failed;
    let mut dialled = knocked.dialled;
    while let Some(open) = dialled.take() {
        let attempt = tcp::listen(open, target, env).await?;
        let again = attempt.state == State::Accepted && target.asked().is_some();
        address.attempts.push(attempt);
        if !again || address.attempts.len() >= TRIES {
            break;
        }
        // A slow server deserves a second attempt.
        let knocked = tcp::knock(remote, target, env).await?;
        address.attempts.extend(knocked.failed.into_iter().take(1));
        dialled = knocked.dialled;
    }
    Ok(knocked.beside)
}

async fn over_udp(
    remote: SocketAddr,
    protocol: Protocol,
    target: &Target,
    env: &Env,
    address: &mut Address,
) -> Result<Option<Beside>, NotMeasured> {
    let eyes = eyes::open(target, remote, env).await;
    let (attempt, beside) = udp::ask(remote, protocol, target, env).await?;
    address.attempts.push(attempt);
    address.far_end = match eyes {
        Some(eyes) => Some(eyes.close().await),
        None => None,
    };
    Ok(beside)
}

fn salt() -> Result<Salt, NotMeasured> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|error| {
        NotMeasured::new(
            Cause::Broken,
            format!("the system gives no random numbers: {error}"),
            "run it again",
        )
    })?;
    Ok(salt)
}

impl Attempt {
    pub(super) fn new(contact: Contact, state: State) -> Self {
        Self {
            contact,
            state,
            answer_ms: None,
            icmp: None,
            said: WireText::default(),
            looks_like: None,
            detail: WireText::default(),
        }
    }

    fn hears(&mut self, heard: &[u8]) {
        if !heard.is_empty() {
            self.said = WireText::from_bytes(heard);
            self.looks_like = Some(banner::guess(heard).word().to_owned());
        }
    }

    /// After the handshake.
    fn cut_by(&mut self, error: &std::io::Error) {
        self.detail = WireText::from(error.to_string());
        self.state = match classify(error) {
            Failure::Reset => State::ResetAfterData,
            _ => State::Failed,
        };
    }

    /// Before any answer.
    fn fails(&mut self, error: &std::io::Error, icmp: Option<IcmpError>, transport: Transport) {
        let failure = icmp.map_or_else(|| classify(error), |icmp| icmp.failure());
        self.state = State::of(failure, icmp, &self.contact, transport);
        self.icmp = icmp;
        self.detail = WireText::from(error.to_string());
    }
}

//! Asks the port, and its witnesses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use socket2::Type;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::{Address, Attempt, Reading, State, Target, Witness};
use crate::model::{
    Cause, Contact, Demand, Endpoint, Failure, Family, IcmpError, NotMeasured, Transport, WireText,
};
use crate::net::failure::classify;
use crate::net::resolve::MAX_PER_FAMILY;
use crate::net::{dial, icmp_error, resolve};
use crate::probe::Env;
use crate::wire::banner;
use crate::wire::knock::{ANSWER_MAX, Answer, Protocol, Salt};

const LOOKUP: Duration = Duration::from_secs(5);
/// Time for three SYNs: the kernel sends them after 0, 1 and 3 s (RFC 6298, 2.1 and 5.5).
const CONNECT: Duration = Duration::from_secs(4);
const ANSWER: Duration = Duration::from_secs(3);
const TRIES: usize = 2;
/// Waits after each of UDP's datagrams.
const UDP_WAITS: [Duration; 3] =
    [Duration::from_millis(700), Duration::from_millis(1300), Duration::from_secs(2)];

pub(super) fn demand(target: &Target) -> Demand {
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
        seconds_max: (LOOKUP + CONNECT + (CONNECT + ANSWER) * 2 + LOOKUP).as_secs_f64(),
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
    Address { family: Family::of(remote.ip()), attempts: vec![attempt], control: None, decoy: None }
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
    let mut address = Address { family, attempts: Vec::new(), control: None, decoy: None };
    let mut state = State::Failed;
    for _ in 0..TRIES {
        let attempt = match (target.transport, target.asked()) {
            (Transport::Udp, Some(protocol)) => udp(remote, protocol, target, env).await?,
            (Transport::Tcp, _) => tcp(remote, target, env).await?,
            _ => {
                return Err(NotMeasured::new(
                    Cause::Unsupported,
                    "no question is known for this port",
                    "say `ask` in the target",
                ));
            }
        };
        state = attempt.state;
        address.attempts.push(attempt);
        if !state.deserves_retry(target.asked().is_some()) {
            break;
        }
    }
    if state.handshaken() && state != State::Answered {
        address.decoy = witness(target.decoy.as_deref(), remote, target, env).await;
    } else if state != State::Answered {
        address.control = witness(target.control.as_deref(), remote, target, env).await;
    }
    Ok(address)
}

/// A handshake with the control or decoy: on the same address when it is the same host, else on
/// one of the same family.
async fn witness(named: Option<&str>, beside: SocketAddr, target: &Target, env: &Env) -> Option<Witness> {
    let named = named?;
    let mut witness = Witness { named: named.to_owned(), contact: None, failure: Some(Failure::NoAddress) };
    let (host, port) = Endpoint::split(named)?;
    let remote = if host.eq_ignore_ascii_case(target.host.trim_matches(['[', ']'])) {
        SocketAddr::new(beside.ip(), port)
    } else {
        match resolve::lookup(host, port, LOOKUP).await {
            Err(failure) => {
                witness.failure = Some(failure);
                return Some(witness);
            }
            Ok(found) => {
                let same = found.iter().find(|found| found.ip() == beside.ip());
                let near = || found.iter().find(|found| found.is_ipv4() == beside.is_ipv4());
                let Some(remote) = same.or_else(near) else { return Some(witness) };
                *remote
            }
        }
    };
    let (contact, failure) = match dial::tcp(remote, &env.source, CONNECT, &env.origin).await {
        Ok(Ok(dialled)) => (Some(dialled.contact), None),
        Ok(Err(undialled)) => (Some(undialled.contact), Some(undialled.failure)),
        Err(_) => (None, Some(Failure::NetUnreachable)),
    };
    Some(Witness { contact, failure, ..witness })
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

async fn tcp(remote: SocketAddr, target: &Target, env: &Env) -> Result<Attempt, NotMeasured> {
    let dialled = match dial::tcp(remote, &env.source, CONNECT, &env.origin).await? {
        Ok(dialled) => dialled,
        Err(failed) => {
            let state = State::of(failed.failure, failed.icmp, &failed.contact, Transport::Tcp);
            let mut attempt = Attempt::new(failed.contact, state);
            attempt.icmp = failed.icmp;
            attempt.detail = WireText::from(failed.detail);
            return Ok(attempt);
        }
    };
    let question = target.asked().map(|protocol| (protocol, salt()));
    let question = match question {
        Some((protocol, salt)) => Some((protocol, salt?)),
        None => None,
    };
    Ok(converse(dialled.stream, dialled.contact, question, &target.host, env).await)
}

/// Asks on an open connection, if there is a question, and listens for an answer.
async fn converse(
    mut stream: TcpStream,
    contact: Contact,
    question: Option<(Protocol, Salt)>,
    host: &str,
    env: &Env,
) -> Attempt {
    let mut attempt = Attempt::new(contact, State::Accepted);
    let (began, deadline) = (env.origin.ms(), Instant::now() + ANSWER);
    let mut heard = Vec::new();
    let answer = |heard: &[u8]| match &question {
        Some((protocol, salt)) => protocol.answers(heard, salt),
        None if heard.is_empty() => Answer::More,
        None => Answer::Yes,
    };
    if let Some((protocol, salt)) = &question
        && let Ok(Err(error)) = timeout_at(deadline, stream.write_all(&protocol.question(host, salt))).await
    {
        attempt.cut_by(&error);
    }
    let mut buffer = [0; ANSWER_MAX];
    while attempt.state == State::Accepted && heard.len() < ANSWER_MAX {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) => break,
            Ok(Err(error)) => attempt.cut_by(&error),
            Ok(Ok(0)) => attempt.state = State::Closed,
            Ok(Ok(length)) => {
                attempt.answer_ms.get_or_insert(env.origin.ms() - began);
                heard.extend(buffer.iter().take(length.min(ANSWER_MAX - heard.len())));
                let enough = match answer(&heard) {
                    Answer::Yes => question.is_some() || banner::is_conclusive(&heard),
                    Answer::More => false,
                    Answer::No => banner::is_conclusive(&heard),
                };
                if enough {
                    break;
                }
            }
        }
    }
    match answer(&heard) {
        Answer::Yes => attempt.state = State::Answered,
        Answer::No => attempt.state = State::OtherProtocol,
        Answer::More => {}
    }
    if question.is_none() || attempt.state != State::Answered {
        attempt.hears(&heard);
    }
    attempt
}

async fn udp(
    remote: SocketAddr,
    protocol: Protocol,
    target: &Target,
    env: &Env,
) -> Result<Attempt, NotMeasured> {
    let salt = salt()?;
    let question = protocol.question(&target.host, &salt);
    let socket = dial::bound(remote, Type::DGRAM, &env.source)?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    let began = env.origin.ms();
    let contact = Contact { remote, local: None, offset_ms: began, took_ms: 0.0 };
    let mut attempt = Attempt::new(contact, State::Silent);
    match UdpSocket::from_std(socket.into()) {
        Err(error) => attempt.fails(&error, None, Transport::Udp),
        Ok(socket) => {
            if let Err(error) = socket.connect(remote).await {
                attempt.fails(&error, None, Transport::Udp);
            }
            attempt.contact.local = socket.local_addr().ok();
            for wait in UDP_WAITS {
                if attempt.state != State::Silent {
                    break;
                }
                exchange(&socket, &question, (protocol, &salt), wait, &mut attempt, env).await;
            }
        }
    }
    attempt.contact.took_ms = env.origin.ms() - began;
    Ok(attempt)
}

/// Sends the question once and listens for a while. A datagram that is no answer is remembered,
/// and an answer after it still counts.
async fn exchange(
    socket: &UdpSocket,
    question: &[u8],
    (protocol, salt): (Protocol, &Salt),
    wait: Duration,
    attempt: &mut Attempt,
    env: &Env,
) {
    let (began, deadline) = (env.origin.ms(), Instant::now() + wait);
    if let Err(error) = socket.send(question).await {
        return attempt.fails(&error, icmp_error::take(socket), Transport::Udp);
    }
    let mut buffer = [0; ANSWER_MAX];
    let mut stranger = false;
    while let Ok(received) = timeout_at(deadline, socket.recv(&mut buffer)).await {
        let heard = match received {
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) => return attempt.fails(&error, icmp_error::take(socket), Transport::Udp),
        };
        attempt.answer_ms = Some(env.origin.ms() - began);
        if protocol.answers(heard, salt) == Answer::Yes {
            attempt.state = State::Answered;
            return;
        }
        if !stranger {
            attempt.hears(heard);
        }
        stranger = true;
    }
    if stranger {
        attempt.state = State::OtherProtocol;
    }
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

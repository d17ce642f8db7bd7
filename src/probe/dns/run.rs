//! Asks each resolver, then asks the answered addresses who they are.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::try_join_all;

use super::{Asked, Attempt, Lookup, MAX_RESOLVERS, Proof, Reading, Searched, Target, Transport, endpoint};
use crate::model::{Demand, Endpoint, NotMeasured, Transport as Protocol, WireText};
use crate::net::dial;
use crate::net::dns::{self, Exchange, PORT, Server};
use crate::net::tls::{self, Accept, Ask};
use crate::probe::Env;
use crate::wire::dns::{Form, Kind, MAX_UDP};

const METHOD: &str = "each resolver by itself over UDP, over TCP when truncated; one repeat; nothing cached";
/// Twice this is what glibc and others wait for one server.
const LIMIT: Duration = Duration::from_millis(2500);
const REPEATS: usize = 2;
/// One of each family: a resolver may invent addresses of one only.
const CONTROLS: [Kind; 2] = [Kind::A, Kind::Aaaa];
const FAMILIES: [Kind; 2] = [Kind::A, Kind::Aaaa];
/// Questions per resolver: both families, the controls, and one with signatures or without a check.
const QUESTIONS: u32 = 5;
/// Search domains tried at most: what glibc took before it took any number.
const MAX_SEARCH: usize = 6;
/// The response code of a resolver that failed (RFC 1035, 4.1.1).
const SERVFAIL: u16 = 2;
const MAX_PROOFS: usize = 16;
const CONNECT: Duration = Duration::from_secs(4);
const HANDSHAKE: Duration = Duration::from_secs(6);
/// A name is at most 255 bytes; header, question, EDNS and IP come on top.
const MAX_QUERY: u64 = 400;

pub(super) fn demand(target: &Target) -> Demand {
    let named = target.resolvers.iter().filter_map(|text| endpoint(text, PORT));
    let mut places: Vec<(String, u16, bool)> =
        named.map(|at| (at.ip().to_string(), at.port(), false)).collect();
    let mut servers = u64::try_from(places.len()).unwrap_or(u64::MAX);
    if places.is_empty() {
        places.push(("system resolvers".to_owned(), PORT, true));
        servers = MAX_RESOLVERS as u64;
    }
    // The search list is this machine's: only where the policy names no resolvers.
    let searched = if target.resolvers.is_empty() { MAX_SEARCH as u64 * 2 } else { 0 };
    let questions = servers * u64::from(QUESTIONS) + searched;
    let mut endpoints: Vec<Endpoint> = places
        .into_iter()
        .flat_map(|(host, port, implied)| {
            [Protocol::Udp, Protocol::Tcp].map(|transport| Endpoint {
                host: host.clone(),
                port,
                transport,
                implied,
            })
        })
        .collect();
    let mut demand = Demand {
        bytes_up: questions * 4 * MAX_QUERY,
        bytes_down: questions * (3 * u64::from(MAX_UDP) + 65_537),
        packets: questions * 60,
        seconds: 1.0,
        // A resolver that does not answer the first question is asked no other.
        seconds_max: LIMIT.as_secs_f64() * 5.0 * f64::from(QUESTIONS + 1),
        endpoints: Vec::new(),
    };
    if let Some(at) = target.reference.as_ref().and_then(super::Reference::endpoint) {
        endpoints.push(Endpoint::new(at.ip().to_string(), at.port(), Protocol::Tcp));
        demand.bytes_up += 2 * 8192;
        demand.bytes_down += 2 * (65_537 + 131_072);
        demand.packets += 2 * 200;
    }
    if let Some(port) = target.prove {
        endpoints.push(Endpoint::new(target.name.clone(), port, Protocol::Tcp));
        demand.bytes_up += MAX_PROOFS as u64 * 4096;
        demand.bytes_down += MAX_PROOFS as u64 * 131_072;
        demand.packets += MAX_PROOFS as u64 * 80;
        demand.seconds += 1.0;
        demand.seconds_max += (CONNECT + HANDSHAKE).as_secs_f64();
    }
    Demand { endpoints, ..demand }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let work = async {
        let servers = servers(target)?;
        let resolvers = try_join_all(servers.iter().map(|server| ask(*server, target, env)));
        let (resolvers, reference) = tokio::try_join!(resolvers, Box::pin(reference(target, env)))?;
        let searched = Box::pin(searched(target, &resolvers, env)).await?;
        let proofs = match target.prove {
            Some(port) => {
                let addresses = to_prove(&resolvers);
                try_join_all(addresses.into_iter().map(|ip| proof(SocketAddr::new(ip, port), target, env)))
                    .await?
            }
            None => Vec::new(),
        };
        Ok(Reading {
            method: METHOD.to_owned(),
            name: target.name.clone(),
            named_resolvers: !target.resolvers.is_empty(),
            resolvers,
            reference,
            prove: target.prove,
            proofs,
            searched,
        })
    };
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        done = work => done,
    }
}

fn servers(target: &Target) -> Result<Vec<SocketAddr>, NotMeasured> {
    let mut servers: Vec<SocketAddr> = if target.resolvers.is_empty() {
        dns::system()?.resolvers.into_iter().map(|ip| SocketAddr::new(ip, PORT)).collect()
    } else {
        target.resolvers.iter().filter_map(|text| endpoint(text, PORT)).collect()
    };
    servers.truncate(MAX_RESOLVERS);
    Ok(servers)
}

async fn ask(address: SocketAddr, target: &Target, env: &Env) -> Result<Asked, NotMeasured> {
    let server = server(address, env);
    let mut asked = Asked::nothing(address);
    for kind in FAMILIES {
        asked.lookups.push(lookup(&server, &target.name, kind, Form::Usual).await?);
        if asked.lookups.iter().all(|lookup| lookup.reply.is_none()) {
            return Ok(asked); // it does not answer: more questions would only cost time
        }
    }
    let of = |wanted: fn(&Lookup) -> bool| asked.lookups.iter().find(|one| wanted(one)).map(|one| one.kind);
    let has_address =
        |lookup: &Lookup| lookup.reply.as_ref().is_some_and(|reply| !reply.addresses.is_empty());
    let fails = |lookup: &Lookup| lookup.reply.as_ref().is_some_and(|reply| reply.rcode == SERVFAIL);
    let (addressed, failing) = (of(has_address), of(fails));
    if let Some(kind) = addressed {
        asked.signed = Some(Box::new(lookup(&server, &target.name, kind, Form::Signed).await?));
    } else if let Some(kind) = failing {
        asked.unchecked = Some(Box::new(lookup(&server, &target.name, kind, Form::Unchecked).await?));
    }
    for kind in CONTROLS {
        let name = format!("{}.{}", dns::random_label()?, target.control_suffix());
        asked.controls.push(lookup(&server, &name, kind, Form::Usual).await?);
    }
    Ok(asked)
}

fn server(address: SocketAddr, env: &Env) -> Server<'_> {
    Server { address, source: &env.source, limit: LIMIT, origin: &env.origin }
}

impl Asked {
    const fn nothing(server: SocketAddr) -> Self {
        Self { server, lookups: Vec::new(), controls: Vec::new(), signed: None, unchecked: None }
    }

    fn answers(&self) -> bool {
        self.lookups.iter().any(|lookup| lookup.reply.is_some())
    }
}

/// Asks for the name with this machine's search domains behind it, where programs do so before they
/// ask for the name itself.
async fn searched(
    target: &Target,
    resolvers: &[Asked],
    env: &Env,
) -> Result<Option<Box<Searched>>, NotMeasured> {
    if !target.resolvers.is_empty() || target.name.ends_with('.') {
        return Ok(None);
    }
    let system = dns::system()?;
    let dots = target.name.matches('.').count();
    let Some(asked) = resolvers.iter().find(|asked| asked.answers()).filter(|_| dots < system.ndots) else {
        return Ok(None);
    };
    let mut lookups = Vec::new();
    for domain in system.search.iter().take(MAX_SEARCH) {
        for kind in FAMILIES {
            let name = format!("{}.{domain}", target.name);
            lookups.push(lookup(&server(asked.server, env), &name, kind, Form::Usual).await?);
        }
        let found = |lookup: &Lookup| lookup.reply.as_ref().is_some_and(|reply| !reply.addresses.is_empty());
        if lookups.iter().any(found) {
            break;
        }
    }
    Ok((!lookups.is_empty()).then(|| Box::new(Searched { ndots: system.ndots, lookups })))
}

/// Codes by which a resolver may say that it does not know EDNS (RFC 6891, 7): `FORMERR`, `NOTIMP`.
const NO_EDNS: [u16; 2] = [1, 4];

/// One question: UDP, once more when nothing came back, without EDNS when the resolver does not
/// know it (as programs ask), TCP when the answer was cut short.
async fn lookup(server: &Server<'_>, name: &str, kind: Kind, form: Form) -> Result<Lookup, NotMeasured> {
    let mut lookup = Lookup::of(name, kind);
    for _ in 0..REPEATS {
        lookup.note(Transport::Udp, server.udp(name, kind, form).await?);
        if lookup.reply.is_some() {
            break;
        }
    }
    if form == Form::Usual && lookup.reply.as_ref().is_some_and(|reply| NO_EDNS.contains(&reply.rcode)) {
        lookup.note(Transport::Udp, server.udp(name, kind, Form::Plain).await?);
    }
    if lookup.reply.as_ref().is_some_and(|reply| reply.truncated) {
        lookup.note(Transport::Tcp, server.tcp(name, kind, form).await?);
    }
    Ok(lookup)
}

impl Lookup {
    fn of(name: &str, kind: Kind) -> Self {
        Self { name: WireText::from(name), kind, attempts: Vec::new(), reply: None }
    }

    fn note(&mut self, transport: Transport, exchange: Exchange) {
        let Exchange { contact, strays, outcome } = exchange;
        let failure = outcome.as_ref().err().copied();
        self.attempts.push(Attempt { transport, contact, failure, strays });
        if let Ok(reply) = outcome {
            self.reply = Some(reply);
        }
    }
}

async fn reference(target: &Target, env: &Env) -> Result<Option<Asked>, NotMeasured> {
    let Some(reference) = &target.reference else { return Ok(None) };
    let Some(address) = reference.endpoint() else { return Ok(None) };
    let server = Server { limit: HANDSHAKE, ..server(address, env) };
    let resource = reference.resource();
    let transport = if resource.is_some() { Transport::Https } else { Transport::Tls };
    let mut asked = Asked::nothing(address);
    for kind in FAMILIES {
        let mut lookup = Lookup::of(&target.name, kind);
        let exchange = server.tls(&target.name, kind, &reference.name, resource, &env.roots).await?;
        lookup.note(transport, exchange);
        let silent = lookup.reply.is_none();
        asked.lookups.push(lookup);
        if silent {
            break;
        }
    }
    Ok(Some(asked))
}

/// The first addresses of each resolver and family, the resolvers taking turns.
fn to_prove(resolvers: &[Asked]) -> Vec<IpAddr> {
    let mut chosen = Vec::new();
    for rank in 0..MAX_PROOFS {
        let replies =
            resolvers.iter().flat_map(|asked| &asked.lookups).filter_map(|lookup| lookup.reply.as_ref());
        for ip in replies.filter_map(|reply| reply.addresses.get(rank)) {
            if chosen.len() < MAX_PROOFS && !chosen.contains(ip) && can_be_dialled(*ip) {
                chosen.push(*ip);
            }
        }
    }
    chosen
}

/// Nowhere and everywhere are no hosts.
fn can_be_dialled(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let everywhere = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !(ip.is_unspecified() || ip.is_multicast() || everywhere)
}

async fn proof(address: SocketAddr, target: &Target, env: &Env) -> Result<Proof, NotMeasured> {
    let dialled = match dial::tcp(address, &env.source, CONNECT, &env.origin).await? {
        Ok(dialled) => dialled,
        Err(failed) => {
            return Ok(Proof { contact: failed.contact, failure: Some(failed.failure), identity: None });
        }
    };
    let name = target.name.strip_suffix('.').unwrap_or(&target.name);
    let mut ask = Ask::new(name, Accept::Any, &env.roots);
    ask.limit = HANDSHAKE;
    let (failure, identity) = match tls::connect(dialled.stream, &ask).await {
        Ok(connected) => (None, Some(Box::new(connected.session.identity))),
        // Not TLS, an alert, or cut off: no certificate counts that its owner did not sign with.
        Err(failed) => (Some(failed.failure), None),
    };
    Ok(Proof { contact: dialled.contact, failure, identity })
}

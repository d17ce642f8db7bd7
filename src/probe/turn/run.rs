//! Asks each address of each URL for a relay, and sends through it.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Attempt, Reading, Target, Unresolved};
use crate::model::{Demand, NotMeasured, Secret};
use crate::net::turn::{
    self, ANSWER, CONNECT, DATAGRAMS, LONGEST_CARRY, Reached, Relay, SIZE, Stopped, TLS, Way, carry,
};
use crate::net::{dial, resolve, secret};
use crate::probe::Env;
use crate::wire::turn::{Client, TurnUrl};

const METHOD: &str = "TURN (RFC 8656): Allocate with the credential; datagrams from one relay of the server to \
                      another and back; relays given back at the end";
/// How long a name's look-up may take.
const LOOKUP: Duration = Duration::from_secs(5);
/// Bytes of a TLS handshake with certificates and tickets, generously.
const TLS_BYTES: u64 = 16 * 1024;
/// Bytes of requests and answers of one relay.
const REQUEST_BYTES: u64 = 4 * 1024;
/// Answers that are waited for, for one relay: asked, proven, with another nonce, given back.
const ANSWERS: u32 = 4;

pub(super) fn demand(target: &Target) -> Demand {
    let literal = |url: &TurnUrl| url.host.parse::<std::net::IpAddr>().is_ok();
    let attempts: u32 = target.urls.iter().map(|url| if literal(url) { 1 } else { 2 }).sum();
    let media = u64::from(DATAGRAMS) * (SIZE as u64 + 120);
    let bytes = u64::from(attempts) * (2 * (TLS_BYTES + REQUEST_BYTES) + media);
    let names = u32::try_from(target.urls.len()).unwrap_or(u32::MAX);
    let each = (CONNECT + TLS + ANSWER * ANSWERS) * 2 + LONGEST_CARRY;
    Demand {
        endpoints: target.urls.iter().map(TurnUrl::endpoint).collect(),
        bytes_up: bytes,
        bytes_down: bytes,
        packets: bytes / 500,
        seconds: f64::from(names) * 2.0,
        seconds_max: (LOOKUP * names + each * attempts).as_secs_f64(),
    }
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let credential = target.credential.as_ref().map(secret::read).transpose()?;
    let password = credential.unwrap_or_else(|| Secret::from(String::new()));
    let client = Client::new(target.username.clone().unwrap_or_default(), password);
    tokio::select! {
        // Relays that are dropped are given back.
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = ask(target, &client, env) => reading,
    }
}

async fn ask(target: &Target, client: &Client, env: &Env) -> Result<Reading, NotMeasured> {
    let mut reading = Reading { method: METHOD.to_owned(), unresolved: Vec::new(), attempts: Vec::new() };
    for url in &target.urls {
        let found = match resolve::lookup(&url.host, url.port, LOOKUP).await {
            Ok(found) => dial::usable(found, &env.source)?,
            Err(failure) => {
                reading.unresolved.push(Unresolved { url: url.clone(), failure });
                continue;
            }
        };
        for remote in resolve::one_of_each_family(found) {
            reading.attempts.push(Box::pin(attempt(url, remote, client, env)).await?);
        }
    }
    Ok(reading)
}

async fn attempt(
    url: &TurnUrl,
    remote: SocketAddr,
    client: &Client,
    env: &Env,
) -> Result<Attempt, NotMeasured> {
    let way = Way { source: &env.source, roots: &env.roots, origin: &env.origin };
    let begun = |contact, session| Attempt {
        url: url.clone(),
        contact,
        session,
        allocation: None,
        carried: None,
        stopped: None,
    };
    let Reached { line, contact, session } = match turn::reach(url, remote, way).await? {
        Ok(reached) => reached,
        Err((contact, stopped)) => return Ok(Attempt { stopped: Some(stopped), ..begun(contact, None) }),
    };
    let mut attempt = begun(contact, session);
    let mut relay = match Relay::allocate(line, client.clone(), &env.origin).await {
        Ok(relay) => relay,
        Err(stopped) => return Ok(Attempt { stopped: Some(stopped), ..attempt }),
    };
    attempt.allocation = Some(relay.allocation().clone());
    match prove(&mut relay, url, remote, client, way).await? {
        Ok(carried) => attempt.carried = Some(carried),
        Err(stopped) => attempt.stopped = Some(stopped),
    }
    // An answer that does not come changes nothing: the server forgets the relay by itself.
    let _ = relay.give_back().await;
    Ok(attempt)
}

/// By a second relay, as a peer of the first one.
async fn prove(
    relay: &mut Relay,
    url: &TurnUrl,
    remote: SocketAddr,
    client: &Client,
    way: Way<'_>,
) -> Result<Result<turn::Carried, Stopped>, NotMeasured> {
    let line = match turn::reach(url, remote, way).await? {
        Ok(reached) => reached.line,
        Err((_, stopped)) => return Ok(Err(stopped)),
    };
    let mut other = match Relay::allocate(line, client.clone(), way.origin).await {
        Ok(other) => other,
        Err(stopped) => return Ok(Err(stopped)),
    };
    let carried = carry(relay, &mut other, way.origin).await;
    let _ = other.give_back().await;
    Ok(carried)
}

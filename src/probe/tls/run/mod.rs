//! Shakes hands with each address.

mod outside;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Answer, Attempt, Reading, Stranger, Target};
use crate::model::{Demand, Endpoint, Failure, NotMeasured, WireText};
use crate::net::tls::{self, Accept, Ask, Connected, Failed};
use crate::net::ttl_walk::{LONGEST_WAIT, question};
use crate::net::{dial, resolve};
use crate::probe::Env;
use crate::wire::banner;
use crate::wire::knock::Protocol;

const METHOD: &str =
    "one full TLS handshake per address; the chain held against Mozilla's roots and this machine's store";
const LOOKUP: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(8);
const SECOND_LOOK: Duration = Duration::from_secs(2);
const MAX_ADDRESSES: u64 = 2 * resolve::MAX_PER_FAMILY as u64;

/// Two connections to the far end: its name, TCP, TLS, the question, its look at the host.
const OUTSIDE: Duration = Duration::from_secs(2 * (8 + 8 + 8) + 8 + 16);
const OUTSIDE_BYTES: u64 = 2 * 32_768;

/// Bytes of an RTMP handshake's first message: C0 and C1 (Adobe's RTMP specification, 5.2).
const C0_C1: usize = 1537;

/// Per address: a handshake (`ClientHello` and Finished; a chain of at most 64 KiB and the rest)
/// and, when nothing came back, a second connection that offers an RTMP handshake.
pub(super) fn demand(endpoint: Endpoint, far_end: Option<Endpoint>) -> Demand {
    let per_address =
        (LOOKUP + CONNECT + HANDSHAKE + CONNECT + SECOND_LOOK + LONGEST_WAIT + question::LONGEST)
            .as_secs_f64();
    let mut demand = Demand {
        endpoints: vec![endpoint],
        bytes_up: MAX_ADDRESSES * (4096 + C0_C1 as u64 + question::BYTES),
        bytes_down: MAX_ADDRESSES * (2 * 65_536 + C0_C1 as u64),
        packets: MAX_ADDRESSES * (80 + question::PACKETS),
        seconds: 1.0,
        seconds_max: per_address, // addresses are tried side by side
    };
    if let Some(far_end) = far_end {
        demand.endpoints.push(far_end);
        demand.bytes_up += OUTSIDE_BYTES;
        demand.bytes_down += OUTSIDE_BYTES;
        demand.packets += 160;
        demand.seconds += 1.0;
        demand.seconds_max = demand.seconds_max.max(OUTSIDE.as_secs_f64());
    }
    demand
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let mut reading = Reading {
        method: METHOD.to_owned(),
        host: target.host.clone(),
        server_name: target.name().to_owned(),
        lookup: None,
        attempts: Vec::new(),
        outside: None,
    };
    let work = async {
        let (direct, outside) = tokio::join!(attempts(target, env), Box::pin(outside::ask(target, env)));
        match direct? {
            Err(failure) => reading.lookup = Some(failure),
            Ok(attempts) => reading.attempts = attempts,
        }
        reading.outside = outside.map(Box::new);
        Ok(reading)
    };
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        done = work => done,
    }
}

async fn attempts(target: &Target, env: &Env) -> Result<Result<Vec<Attempt>, Failure>, NotMeasured> {
    let addresses = match resolve::lookup(&target.host, target.port, LOOKUP).await {
        Err(failure) => return Ok(Err(failure)),
        Ok(addresses) => dial::usable(addresses, &env.source)?,
    };
    let attempts = addresses.into_iter().map(|address| attempt(address, target, env));
    Ok(Ok(futures::future::try_join_all(attempts).await?))
}

async fn attempt(address: std::net::SocketAddr, target: &Target, env: &Env) -> Result<Attempt, NotMeasured> {
    let dialled = match dial::tcp(address, &env.source, CONNECT, &env.origin).await? {
        Ok(dialled) => dialled,
        Err(undialled) => {
            let answer =
                Answer::NotConnected { failure: undialled.failure, detail: WireText::from(undialled.detail) };
            return Ok(Attempt { contact: undialled.contact, answer, walk: None });
        }
    };
    let mut ask = Ask::new(target.name(), Accept::Any, &env.roots);
    ask.alpn = &target.alpn;
    ask.limit = HANDSHAKE;
    let answer = match tls::connect(dialled.stream, &ask).await {
        Ok(Connected { mut stream, session }) => {
            let _ = tokio::time::timeout(Duration::from_millis(200), stream.shutdown()).await;
            Answer::Session(Box::new(session))
        }
        Err(failed) => {
            let stranger = match failed.failure {
                Failure::WrongProtocol => Some(stranger(&failed.answered)),
                Failure::Closed | Failure::Reset | Failure::TimedOut if failed.answered.is_empty() => {
                    second_look(address, env).await?
                }
                _ => None,
            };
            let Failed { failure, detail, identity, took_ms, .. } = failed;
            Answer::Failed { failure, detail, stranger, identity: identity.map(Box::new), took_ms }
        }
    };
    let mut attempt = Attempt { contact: dialled.contact, answer, walk: None };
    if attempt.stop().is_some() {
        let hello = (Protocol::Tls, target.name());
        attempt.walk = Box::pin(question::ask(address, hello, &env.source, &env.origin)).await;
    }
    Ok(attempt)
}

fn stranger(said: &[u8]) -> Stranger {
    Stranger { protocol: banner::guess(said).word().to_owned(), said: WireText::from_bytes(said) }
}

/// Some servers hang up on a `ClientHello` without a word; RTMP's are the ones to expect on a
/// stream's port. So one more connection offers the first message of RTMP.
async fn second_look(address: std::net::SocketAddr, env: &Env) -> Result<Option<Stranger>, NotMeasured> {
    let Ok(mut dialled) = dial::tcp(address, &env.source, CONNECT, &env.origin).await? else {
        return Ok(None);
    };
    let mut first = [0; C0_C1];
    first[0] = 3;
    let mut said = [0; C0_C1];
    let mut length = 0;
    let look = async {
        dialled.stream.write_all(&first).await?;
        while length < C0_C1 {
            match dialled.stream.read(&mut said[length..]).await? {
                0 => break,
                more => length += more,
            }
        }
        std::io::Result::Ok(())
    };
    // However it ends: what was said until then counts.
    let _ = tokio::time::timeout(SECOND_LOOK, look).await;
    Ok(match said.get(..length) {
        Some(all @ [3, ..]) if all.len() == C0_C1 => Some(Stranger {
            protocol: "rtmp".to_owned(),
            said: WireText::from("S0 and S1 of RTMP version 3"),
        }),
        Some([]) | None => None,
        // It speaks TLS after all: what killed the handshake heeds names, not protocols.
        Some(some) if banner::guess(some) == banner::Protocol::Tls => None,
        Some(some) => Some(stranger(some)),
    })
}

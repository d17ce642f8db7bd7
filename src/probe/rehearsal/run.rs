//! Plays the stream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Attempt, Ingest, Reading, Target};
use crate::model::{
    Cause, Contact, Demand, Endpoint, Failure, Family, NotMeasured, Publish, Secret, Transport, WireText,
};
use crate::net::encoder::{self, Called, Plan, Take, Watch, Way};
use crate::net::resolve::{self, MAX_PER_FAMILY};
use crate::net::{congestion, dial, icmp_error, secret};
use crate::probe::Env;
use crate::wire::rtmp::address::Address;
use crate::wire::srt::{CallerOptions, Ending};

/// Patience, not a limit: what takes longer counts as no answer.
const RESOLVE: Duration = Duration::from_secs(5);
/// Seconds beyond the stream's own that it may take at most.
const SECONDS_MORE: f64 = 150.0;
/// Bytes that a try to reach one address takes at most, TLS included.
const TRY_BYTES: u64 = 64 * 1024;

pub(super) fn demand(target: &Target) -> Demand {
    let Ok(ingest) = Ingest::parse(&target.url) else { return Demand::default() };
    let (host, port) = ingest.host_port();
    let tries = 2 * MAX_PER_FAMILY as u64 * TRY_BYTES;
    let media = target.media_kbps.saturating_mul(125).saturating_mul(target.seconds.into());
    let (transport, bytes_up) = match ingest {
        Ingest::Rtmp(_) => (Transport::Tcp, media / 100 * 115),
        // What is lost is sent again: up to as much as the stream itself, then it is ended.
        Ingest::Srt { .. } => (Transport::Udp, most_bytes(media)),
    };
    let bytes_up = bytes_up + tries;
    Demand {
        endpoints: vec![Endpoint::new(host, port, transport)],
        bytes_up,
        bytes_down: bytes_up / 15 + u64::from(target.seconds) * 8192 + tries,
        packets: bytes_up / 900 + u64::from(target.seconds) * 200 + 500,
        seconds: f64::from(target.seconds) + 2.0,
        seconds_max: f64::from(target.seconds) + SECONDS_MORE,
    }
}

/// Most bytes that SRT may send for so much media.
const fn most_bytes(media: u64) -> u64 {
    media / 100 * 220 + (1 << 20)
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let wrong = |why: String| NotMeasured::new(Cause::Broken, why, "correct the target in the policy");
    let ingest = Ingest::parse(&target.url).map_err(|why| wrong(format!("the target's URL: {why}")))?;
    if target.publish != Publish::Test {
        return Err(wrong("the policy does not allow a test stream to this ingest".to_owned()));
    }
    let read = |source: &Option<_>| source.as_ref().map(secret::read).transpose();
    let (key, passphrase) = (read(&target.test_key)?, read(&target.passphrase)?);
    let (host, port) = ingest.host_port();
    let found = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        found = resolve::lookup(host, port, RESOLVE) => found,
    };
    let mut reading = reading(target, &ingest, found.as_ref().err().copied());
    for remote in dial::usable(found.unwrap_or_default(), &env.source)? {
        let tried = match &ingest {
            Ingest::Rtmp(address) => {
                let key = key.clone().ok_or_else(no_key)?;
                Box::pin(rtmp(target, address, key, remote, env, &mut reading)).await?
            }
            Ingest::Srt { .. } => {
                srt(target, key.clone(), passphrase.clone(), remote, env, &mut reading).await?
            }
        };
        let failed = match tried.outcome {
            Ok(take) => {
                reading.take = Some(Box::new(take));
                None
            }
            Err(why) => Some(why),
        };
        reading.attempts.push(Attempt { contact: tried.contact, failed });
        if reading.take.is_some() {
            break;
        }
    }
    Ok(reading)
}

fn no_key() -> NotMeasured {
    NotMeasured::new(Cause::NoSecret, "publishing needs a test key", "name a test_key in the policy")
}

fn reading(target: &Target, ingest: &Ingest, unresolved: Option<Failure>) -> Reading {
    let (method, congestion_asked) = match ingest {
        Ingest::Rtmp(address) => {
            let over = if address.tls { "TLS" } else { "TCP" };
            (
                format!("H.264 and AAC over RTMP over {over}, through a send queue as OBS has it"),
                Some(target.congestion),
            )
        }
        Ingest::Srt { .. } => ("H.264 and AAC in an MPEG transport stream over SRT".to_owned(), None),
    };
    Reading {
        method,
        url: target.url.clone(),
        media_kbps: target.media_kbps,
        asked_seconds: target.seconds,
        unresolved,
        attempts: Vec::new(),
        server: None,
        congestion_asked,
        congestion: None,
        srt: None,
        srt_counts: None,
        take: None,
    }
}

/// What came of one address.
struct Tried {
    contact: Contact,
    outcome: Result<Take, WireText>,
}

impl Target {
    fn plan(&self) -> Plan {
        let media = self.media_kbps.saturating_mul(125).saturating_mul(self.seconds.into());
        Plan {
            kbps: self.media_kbps,
            length: Duration::from_secs(self.seconds.into()),
            most_bytes: most_bytes(media),
        }
    }
}

fn watch(env: &Env) -> Watch {
    let (progress, start_ms) = (env.progress.clone(), env.origin.ms());
    Arc::new(move |series, at_ms, value| progress.sample(series, start_ms + at_ms, value))
}

fn broke() -> NotMeasured {
    NotMeasured::new(Cause::Broken, "the sending thread broke", "report this defect of golive")
}

async fn rtmp(
    target: &Target,
    address: &Address,
    key: Secret,
    remote: SocketAddr,
    env: &Env,
    reading: &mut Reading,
) -> Result<Tried, NotMeasured> {
    let prepare = |socket: &socket2::Socket| {
        congestion::ask(socket, target.congestion);
        if !congestion::keep_unsent_below(socket, encoder::UNSENT) {
            let _ = socket.set_send_buffer_size(64 * 1024); // as OBS on Windows begins
        }
    };
    let way = Way { address, source: &env.source, roots: &env.roots, origin: &env.origin };
    let asked = tokio::select! {
        () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        asked = encoder::admit(&way, remote, key, prepare) => asked?,
    };
    reading.congestion = asked.congestion.or(reading.congestion.take());
    reading.server = asked.server.or(reading.server.take());
    let contact = asked.contact;
    let ready = match asked.outcome {
        Ok(ready) => ready,
        Err(why) => return Ok(Tried { contact, outcome: Err(why) }),
    };
    let (plan, watch) = (target.plan(), watch(env));
    let played =
        encoder::on_thread(move |stop| encoder::publish(ready, &plan, stop, watch), env.cancel.cancelled());
    Ok(Tried { contact, outcome: Ok(played.await.ok_or_else(broke)?) })
}

async fn srt(
    target: &Target,
    stream_id: Option<Secret>,
    passphrase: Option<Secret>,
    remote: SocketAddr,
    env: &Env,
    reading: &mut Reading,
) -> Result<Tried, NotMeasured> {
    let broken = |why: String| NotMeasured::new(Cause::Broken, why, "look at this machine's system log");
    let seed = getrandom::u64().map_err(|error| broken(format!("no random bytes: {error}")))?;
    let offset_ms = env.origin.ms();
    let mut contact = Contact { remote, local: None, offset_ms, took_ms: 0.0 };
    let socket = dial::bound(remote, socket2::Type::DGRAM, &env.source)?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    if let Err(error) = socket.connect(&remote.into()) {
        return Ok(Tried { contact, outcome: Err(WireText::from(error.to_string())) });
    }
    let socket = std::net::UdpSocket::from(socket);
    contact.local = socket.local_addr().ok();
    let options = CallerOptions {
        stream_id,
        passphrase,
        latency: Duration::from_millis(target.latency_ms().into()),
        ..CallerOptions::default()
    };
    let (plan, watch) = (target.plan(), watch(env));
    let call = move |stop: &encoder::Stop| encoder::call(&socket, remote, options, seed, &plan, stop, watch);
    let called = encoder::on_thread(call, env.cancel.cancelled()).await.ok_or_else(broke)?;
    contact.took_ms = env.origin.ms() - offset_ms;
    let called = called.map_err(|why| {
        NotMeasured::new(Cause::NoSecret, why.to_string(), "correct the target of this check, or the secret")
    })?;
    let outcome = match called {
        Called::Played(played) => {
            let (accepted, counts, take) = *played;
            reading.srt = Some(accepted);
            reading.srt_counts = Some(counts);
            Ok(take)
        }
        Called::Missed(ending) => Err(WireText::from(missed(ending))),
        Called::Unreached(error) => Err(WireText::from(error.to_string())),
        Called::Stopped => return Err(NotMeasured::cancelled()),
    };
    Ok(Tried { contact, outcome })
}

fn missed(ending: Ending) -> String {
    match ending {
        Ending::Silent(_) => "no answer".to_owned(),
        Ending::Rejected(why) => {
            format!("rejected: {} {}", why.code(), why.name().unwrap_or("for a reason of the service's own"))
        }
        Ending::KeyRefused(_) => "the passphrase was refused".to_owned(),
        other => format!("the call cannot be made: {other:?}"),
    }
}

//! Asks an ingest.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use socket2::{SockRef, Socket};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Answered, Attempt, End, Media, Reading, Target};
use crate::media::Rehearsal;
use crate::model::{
    Cause, Contact, Demand, Endpoint, Failure, Family, NotMeasured, Publish, Secret, Transport, Walk,
    WireText,
};
use crate::net::dial::{self, Undialled};
use crate::net::own_rules;
use crate::net::prompt::Prompt;
use crate::net::resolve::{self, MAX_PER_FAMILY};
use crate::net::rtmp::{MAX_RECEIVED, Publisher, Stopped};
use crate::net::secret;
use crate::net::tcp_info;
use crate::net::tls::{self, Accept, Ask};
use crate::net::ttl_walk::{LONGEST_WAIT, question};
use crate::probe::Env;
use crate::wire::banner::{self, Protocol};
use crate::wire::knock;
use crate::wire::rtmp::address::Address;
use crate::wire::rtmp::client;

/// Patience, not limits: what takes longer counts as no answer.
const RESOLVE: Duration = Duration::from_secs(5);
const TCP: Duration = Duration::from_secs(5);
const TLS: Duration = Duration::from_secs(8);
const PHASE: Duration = Duration::from_secs(8);
const CLOSE: Duration = Duration::from_secs(1);
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// Addresses of a name that are tried at most, and those of them that are published to: one a family.
const ADDRESSES: (u32, u32) = (4, 2);
const _: () = assert!(ADDRESSES.0 as usize == 2 * MAX_PER_FAMILY);

/// Bytes of a TLS handshake with a client's share of certificates and tickets, generously.
const TLS_BYTES: u64 = 32 * 1024;

/// Bytes of handshake and commands that a publisher sends.
const REQUEST_BYTES: u64 = 8 * 1024;

pub(super) fn demand(target: &Target) -> Demand {
    let Ok(address) = Address::parse(&target.url) else { return Demand::default() };
    let literal = address.host.parse::<std::net::IpAddr>().is_ok();
    let (attempts, families) = if literal { (1, 1) } else { ADDRESSES };
    let published = if target.publish == Publish::Test { families } else { 0 };
    let (bytes, messages) = media(target.media_seconds);
    let [tries, streams] = [attempts, published].map(u64::from);
    let bytes_up = tries * (REQUEST_BYTES + TLS_BYTES + question::BYTES) + streams * bytes;
    let bytes_down = tries * (MAX_RECEIVED as u64 + TLS_BYTES);
    let walk = LONGEST_WAIT + question::LONGEST;
    let per_attempt = TCP + TLS + PHASE * 2 + CLOSE + TCP + SECOND_LOOK + CLOSE + walk;
    let per_stream = PHASE * 3 + Duration::from_secs(target.media_seconds.into());
    Demand {
        endpoints: vec![Endpoint::new(address.host, address.port, Transport::Tcp)],
        bytes_up,
        bytes_down,
        // Data in the smallest segments that are usual, an acknowledgement for each that comes back.
        packets: (bytes_up + bytes_down) / 500 + streams * messages,
        seconds: 0.5 + f64::from(published * target.media_seconds),
        seconds_max: (RESOLVE + per_attempt * attempts + per_stream * published).as_secs_f64(),
    }
}

/// Bytes and messages of so many seconds of test card, on the wire.
fn media(seconds: u32) -> (u64, u64) {
    /// Chunk headers, and TLS records or TCP and IP headers around them.
    const AROUND: u64 = 120;
    let Ok(frames) = Rehearsal::test_card() else { return (0, 0) };
    let frames = frames.take_while(|frame| frame.due_ms < u64::from(seconds) * 1000);
    frames.fold((0, 0), |(bytes, count), frame| (bytes + frame.body.len() as u64 + AROUND, count + 1))
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    tokio::select! {
        () = env.cancel.cancelled() => Err(NotMeasured::cancelled()),
        reading = ask(target, env) => reading,
    }
}

async fn ask(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let address = Address::parse(&target.url).map_err(|why| {
        NotMeasured::new(Cause::Broken, format!("the target's URL: {why}"), "correct the URL in the policy")
    })?;
    let key = match (target.publish, &target.test_key) {
        (Publish::Test, Some(source)) => Some(secret::read(source)?),
        (Publish::Test, None) => {
            let what = "publishing is asked for without a test key";
            return Err(NotMeasured::new(Cause::NoSecret, what, "name a test_key in the policy"));
        }
        (Publish::Never, _) => None,
    };
    let start = env.origin.ms();
    let found = resolve::lookup(&address.host, address.port, RESOLVE).await;
    let mut reading = Reading {
        url: target.url.clone(),
        publish: target.publish,
        method: format!("RTMP 1.0, plain handshake, over {}", if address.tls { "TLS" } else { "TCP" }),
        resolve_ms: env.origin.ms() - start,
        unresolved: found.as_ref().err().copied(),
        attempts: Vec::new(),
    };
    let asked = Asked { address, key, media: Duration::from_secs(target.media_seconds.into()) };
    for remote in dial::usable(found.unwrap_or_default(), &env.source)? {
        let family = Family::of(remote.ip());
        let published = reading
            .attempts
            .iter()
            .any(|attempt| attempt.media.is_some() && Family::of(attempt.contact.remote.ip()) == family);
        // Boxed: what TLS needs would make every check's future large.
        let mut attempt = Box::pin(asked.attempt(remote, !published, env)).await?;
        Box::pin(asked.second_look(&mut attempt, env)).await?;
        if attempt.stop().is_some() {
            attempt.walk = Box::pin(asked.walk(remote, env)).await;
        }
        reading.attempts.push(attempt);
    }
    Ok(reading)
}

/// What is asked of every address.
struct Asked {
    address: Address,
    key: Option<Secret>,
    media: Duration,
}

impl Asked {
    async fn attempt(&self, remote: SocketAddr, publish: bool, env: &Env) -> Result<Attempt, NotMeasured> {
        let dialled = match dial::tcp(remote, &env.source, TCP, &env.origin).await? {
            Ok(dialled) => dialled,
            Err(Undialled { failure, icmp, detail, contact }) => {
                let own = own_rules::explain((failure, icmp), &contact, Transport::Tcp, &env.source).await;
                let end = End::NotConnected { failure, icmp, detail: WireText::from(detail) };
                return Ok(Attempt { own_rules: own, ..begun(contact, end) });
            }
        };
        let mut attempt = begun(dialled.contact, End::Accepted);
        let wire = SockRef::from(&dialled.stream).try_clone().ok();
        let stream = Prompt::new(dialled.stream);
        let key = self.key.clone().filter(|_| publish);
        if !self.address.tls {
            self.talk(stream, wire.as_ref(), key, &mut attempt).await;
            return Ok(attempt);
        }
        let mut ask = Ask::new(&self.address.host, Accept::Trusted, &env.roots);
        ask.limit = TLS;
        match tls::connect(stream, &ask).await {
            Ok(connected) => {
                attempt.tls = Some(connected.session);
                self.talk(connected.stream, wire.as_ref(), key, &mut attempt).await;
            }
            Err(failed) => {
                attempt.end = End::NotSecured {
                    failure: failed.failure,
                    detail: failed.detail,
                    answered: (failed.failure == Failure::WrongProtocol).then(|| answered(&failed.answered)),
                    identity: failed.identity.map(Box::new),
                }
            }
        }
        Ok(attempt)
    }

    /// Some servers hang up on a protocol that is not theirs without a word. Where the port was mute, RTMP's
    /// with TLS is tried where it was without, and the other way round: the likeliest mistake in a URL.
    async fn second_look(&self, attempt: &mut Attempt, env: &Env) -> Result<(), NotMeasured> {
        if attempt.stop().is_none() {
            return Ok(());
        }
        let Ok(dialled) = dial::tcp(attempt.contact.remote, &env.source, TCP, &env.origin).await? else {
            return Ok(());
        };
        if self.address.tls {
            let seed = seed(&dialled.contact);
            let mut publisher = Publisher::new(dialled.stream, self.address.clone(), seed);
            if publisher.handshake(SECOND_LOOK).await.is_ok()
                && let End::NotSecured { answered, .. } = &mut attempt.end
            {
                let first = WireText::from("completed a handshake without TLS");
                *answered = Some(Answered { protocol: Protocol::Rtmp, first });
            }
            publisher.close(CLOSE).await;
            return Ok(());
        }
        let mut ask = Ask::new(&self.address.host, Accept::Any, &env.roots);
        ask.limit = SECOND_LOOK;
        let answered = match tls::connect(dialled.stream, &ask).await {
            Ok(connected) => {
                let first = WireText::from(format!("completed a {} handshake", connected.session.version));
                Some(Answered { protocol: Protocol::Tls, first })
            }
            Err(failed) => Some(answered(&failed.answered)),
        };
        if let Some(answered) = answered.filter(|answered| answered.protocol == Protocol::Tls) {
            attempt.end = End::NotRtmp(answered);
        }
        Ok(())
    }

    /// Where on the way the first message stops.
    async fn walk(&self, remote: SocketAddr, env: &Env) -> Option<Walk> {
        let first = if self.address.tls { knock::Protocol::Tls } else { knock::Protocol::Rtmp };
        question::ask(remote, (first, &self.address.host), &env.source, &env.origin).await
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        wire: Option<&Socket>,
        key: Option<Secret>,
        attempt: &mut Attempt,
    ) {
        let mut publisher = Publisher::new(stream, self.address.clone(), seed(&attempt.contact));
        let end = self.phases(&mut publisher, wire, key, attempt).await;
        attempt.end = end.map_or_else(end_of, |()| End::Accepted);
        publisher.close(CLOSE).await;
    }

    async fn phases<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        publisher: &mut Publisher<S>,
        wire: Option<&Socket>,
        key: Option<Secret>,
        attempt: &mut Attempt,
    ) -> Result<(), Stopped> {
        let (echoed, ms) = publisher.handshake(PHASE).await?;
        (attempt.echoed, attempt.handshake_ms) = (Some(echoed), Some(ms));
        let (connected, ms) = publisher.connect(PHASE).await?;
        attempt.connect_ms = Some(ms);
        attempt.server = Some(WireText::from(connected.server)).filter(|server| !server.is_empty());
        let Some(key) = key else { return Ok(()) };
        let (_, ms) = publisher.publish(key, PHASE).await?;
        attempt.publish_ms = Some(ms);
        let (sent, stopped) = publisher.send(self.media, PHASE).await;
        attempt.media =
            Some(Media { took_ms: sent.took_ms, video_frames: sent.video_frames, sent_bytes: sent.bytes });
        match stopped {
            Some(stopped) => Err(stopped),
            None => arrived(wire, sent.took_ms).await,
        }
    }
}

/// Waits until the other side has acknowledged all media: what a black hole swallows waits in this
/// machine's send buffer, which takes a short test whole. Where the system doesn't tell, it counts
/// as arrived.
async fn arrived(wire: Option<&Socket>, took_ms: f64) -> Result<(), Stopped> {
    let began = Instant::now();
    while let Some(info) = wire.and_then(|wire| tcp_info::read_socket(&SockRef::from(wire))) {
        if info.unacked.unwrap_or(0) == 0 && info.unsent_bytes.unwrap_or(0) == 0 {
            break;
        }
        if began.elapsed() > PHASE {
            let since = began.elapsed().as_secs_f64() * 1000.0;
            let after_ms = (took_ms + since - f64::from(info.last_ack_ms.unwrap_or(0))).max(0.0);
            let failure = client::Failure::Silent { phase: client::Phase::Media, received: 0 };
            return Err(Stopped { failure, broke: None, after_ms });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn begun(contact: Contact, end: End) -> Attempt {
    Attempt {
        contact,
        tls: None,
        handshake_ms: None,
        echoed: None,
        connect_ms: None,
        server: None,
        publish_ms: None,
        media: None,
        own_rules: None,
        walk: None,
        end,
    }
}

/// Differs between connections: no two have the same local port at the same time.
fn seed(contact: &Contact) -> u64 {
    u64::from(contact.local.map_or(0, |local| local.port())) << 32 ^ contact.offset_ms.to_bits()
}

fn answered(first: &[u8]) -> Answered {
    Answered { protocol: banner::guess(first), first: WireText::from_bytes(first) }
}

fn end_of(stopped: Stopped) -> End {
    let Stopped { failure, broke, after_ms } = stopped;
    match failure {
        client::Failure::NotRtmp { first, .. } => End::NotRtmp(answered(&first)),
        client::Failure::Refused { phase, status } => End::Refused {
            phase,
            code: WireText::from(status.code),
            description: WireText::from(status.description),
        },
        client::Failure::Closed { phase, received } => {
            End::Closed { phase, reset: broke == Some(Failure::Reset), received_bytes: received, after_ms }
        }
        client::Failure::Silent { phase, received } => {
            End::Silent { phase, received_bytes: received, after_ms }
        }
        client::Failure::Malformed { phase, problem } => {
            End::Malformed { phase, problem: problem.to_string() }
        }
    }
}

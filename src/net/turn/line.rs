//! What carries TURN's messages: UDP, TCP or TLS, from the path's own address.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::Type;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout, timeout_at};

use super::Stopped;
use crate::model::{Cause, Contact, Family, NotMeasured, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::failure::classify;
use crate::net::prompt::Prompt;
use crate::net::proxy::Tunnel;
use crate::net::stun::{FIRST, REQUESTS};
use crate::net::tls::{self, Accept, Ask, Roots, Session};
use crate::net::unreached::{Refusals, Unreached};
use crate::net::{dial, icmp_error};
use crate::wire::banner;
use crate::wire::stun::MAX;
use crate::wire::turn::{Frames, NotFramed, Over, TurnUrl};

/// Longest time for the TCP handshake.
pub const CONNECT: Duration = Duration::from_secs(5);
/// Longest time for the TLS handshake.
pub const TLS: Duration = Duration::from_secs(8);
/// Longest time for an answer over a connection, and for sending into one.
pub const ANSWER: Duration = Duration::from_secs(5);
/// What a TLS client says in ALPN (RFC 7443).
const ALPN: &str = "stun.turn";

/// From where, and what certificates are held against.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// The path.
    pub source: &'a SourceAddress,
    /// What certificates are held against.
    pub roots: &'a Roots,
    /// Start of the check.
    pub origin: &'a Origin,
}

/// A server that can be asked; over UDP nothing was sent yet.
pub struct Reached {
    /// What carries messages.
    pub line: Line,
    /// Addresses and times; `took_ms` is TCP's handshake.
    pub contact: Contact,
    /// What was agreed in TLS.
    pub session: Option<Session>,
}

/// What carries messages to one server and back.
pub enum Line {
    /// A connected socket.
    Udp(UdpSocket, Refusals),
    /// A connection, and what came of it and was not yet read.
    Stream(Tunnel, Frames),
}

/// Goes as far as a message can be sent. Over TLS the certificate must be one that this machine trusts for
/// the name, as clients here would ask.
///
/// # Errors
/// The path is not there; the inner error is how the server was not reached.
pub async fn reach(
    url: &TurnUrl,
    remote: SocketAddr,
    way: Way<'_>,
) -> Result<Result<Reached, (Contact, Stopped)>, NotMeasured> {
    if url.over == Over::Udp {
        return datagrams(remote, way).await;
    }
    let dialled = match dial::tcp(remote, way.source, CONNECT, way.origin).await? {
        Ok(dialled) => dialled,
        Err(dial::Undialled { failure, icmp, detail, contact }) => {
            let unreached = Unreached { failure, icmp, detail: detail.into() };
            return Ok(Err((contact, unreached.into())));
        }
    };
    let (contact, stream) = (dialled.contact, Prompt::new(dialled.stream));
    if url.over == Over::Tcp {
        let line = Line::Stream(Box::new(stream), Frames::default());
        return Ok(Ok(Reached { line, contact, session: None }));
    }
    let alpn = [ALPN.to_owned()];
    let ask = Ask { alpn: &alpn, limit: TLS, ..Ask::new(&url.host, Accept::Trusted, way.roots) };
    Ok(match Box::pin(tls::connect(stream, &ask)).await {
        Ok(connected) => {
            let line = Line::Stream(Box::new(connected.stream), Frames::default());
            Ok(Reached { line, contact, session: Some(connected.session) })
        }
        Err(failed) => Err((contact, Stopped::of_tls(failed))),
    })
}

async fn datagrams(
    remote: SocketAddr,
    way: Way<'_>,
) -> Result<Result<Reached, (Contact, Stopped)>, NotMeasured> {
    let broken = |error: io::Error| {
        NotMeasured::new(
            Cause::Broken,
            format!("no UDP socket: {error}"),
            "look at this machine's system log",
        )
    };
    let socket = dial::bound(remote, Type::DGRAM, way.source)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(broken)?;
    icmp_error::keep(&socket, Family::of(remote.ip()), true);
    let mut contact = Contact { remote, local: None, offset_ms: way.origin.ms(), took_ms: 0.0 };
    // Without a route this fails: the address cannot be reached from here, which is a reading.
    if let Err(error) = socket.connect(remote).await {
        return Ok(Err((contact, Unreached::of(&socket, &error).into())));
    }
    contact.local = socket.local_addr().ok();
    Ok(Ok(Reached { line: Line::Udp(socket, Refusals::default()), contact, session: None }))
}

impl Line {
    /// How often a request is sent at most: what a connection carries is sent again by TCP.
    pub(super) const fn requests(&self) -> u32 {
        match self {
            Self::Udp(..) => REQUESTS,
            Self::Stream(..) => 1,
        }
    }

    /// How long the answer to the request of this turn is waited for.
    pub(super) fn patience(&self, turn: u32) -> Duration {
        match self {
            Self::Udp(..) => FIRST * 2_u32.pow(turn),
            Self::Stream(..) => ANSWER,
        }
    }

    /// Sends a message. Do not drop the future halfway and go on: half a message may be in the stream.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), Stopped> {
        match timeout(ANSWER, self.write(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => self.failed(&error),
            Err(_) => Err(Stopped::Silent),
        }
    }

    /// As [`Line::send`], with the system's own errors and without a clock.
    pub(super) async fn write(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket, _) => socket.send(message).await.map(drop),
            Self::Stream(stream, _) => {
                stream.write_all(message).await?;
                stream.flush().await
            }
        }
    }

    /// The next message or datagram, whatever it is; none by then. Dropping the future loses nothing.
    pub(super) async fn receive(&mut self, until: Instant) -> Result<Option<Vec<u8>>, Stopped> {
        loop {
            if let Self::Stream(_, frames) = self
                && let Some(message) =
                    frames.take().map_err(|NotFramed { first }| Stopped::not_turn(&first))?
            {
                return Ok(Some(message));
            }
            let mut buffer = [0; MAX];
            let came = match self {
                Self::Udp(socket, _) => timeout_at(until, socket.recv(&mut buffer)).await,
                Self::Stream(stream, _) => timeout_at(until, stream.read(&mut buffer)).await,
            };
            let bytes = match came {
                Err(_) => return Ok(None),
                Ok(Err(error)) => {
                    self.failed(&error)?;
                    continue;
                }
                Ok(Ok(length)) => buffer.get(..length).unwrap_or_default(),
            };
            match self {
                Self::Udp(..) => return Ok(Some(bytes.to_vec())),
                Self::Stream(_, frames) if bytes.is_empty() => return Err(ended(frames)),
                Self::Stream(_, frames) => frames.receive(bytes),
            }
        }
    }

    /// What an error means; a first "port unreachable" may be a leftover and means nothing.
    fn failed(&mut self, error: &io::Error) -> Result<(), Stopped> {
        match self {
            Self::Udp(socket, refusals) => {
                refusals.believe(socket, error).map_or(Ok(()), |unreached| Err(unreached.into()))
            }
            Self::Stream(..) => Err(Stopped::Closed { failure: classify(error) }),
        }
    }
}

/// The connection's end; what came before it and is no message is a stranger's.
fn ended(frames: &Frames) -> Stopped {
    match frames.first_bytes() {
        [] => Stopped::Closed { failure: crate::model::Failure::Closed },
        first => Stopped::not_turn(first),
    }
}

impl Stopped {
    /// By what came in TURN's place.
    pub(super) fn not_turn(first: &[u8]) -> Self {
        let first = first.get(..banner::MAX_FIRST_BYTES).unwrap_or(first);
        Self::NotTurn { protocol: banner::guess(first), said: WireText::from_bytes(first) }
    }

    fn of_tls(failed: tls::Failed) -> Self {
        let answered = (failed.failure == crate::model::Failure::WrongProtocol).then(|| &failed.answered[..]);
        match answered {
            Some(first) => Self::not_turn(first),
            None => Self::NotSecured {
                failure: failed.failure,
                detail: failed.detail,
                identity: failed.identity.map(Box::new),
            },
        }
    }
}

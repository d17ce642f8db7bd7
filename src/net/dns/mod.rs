//! One question to one name server: over UDP, TCP, TLS or HTTPS, from the path's own address,
//! nothing cached, nothing asked of any other server.

mod https;
mod system;

pub use system::{System, system};

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::Type;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::clock::Origin;
use super::dial;
use super::failure::classify;
use super::tls::{self, Accept, Ask, Roots};
use crate::model::{Cause, Contact, Failure, NotMeasured, SourceAddress};
use crate::wire::dns::{Form, Kind, Question, Reply};

/// Packets read at most while waiting for the answer to one question over UDP.
const MAX_STRAYS: u32 = 64;

/// Port of DNS over UDP and TCP (RFC 1035, 4.2).
pub const PORT: u16 = 53;

/// A name server and how to reach it.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// Where it is.
    pub address: SocketAddr,
    /// The way out to use.
    pub source: &'a SourceAddress,
    /// Longest time for one exchange.
    pub limit: Duration,
    /// Offsets count from here.
    pub origin: &'a Origin,
}

/// One exchange.
#[derive(Debug)]
pub struct Exchange {
    /// Addresses and times; `took_ms` ends with the answer.
    pub contact: Contact,
    /// Packets that came from the server's address and did not answer the question.
    pub strays: u32,
    /// The answer, or how the exchange ended without one.
    pub outcome: Result<Reply, Failure>,
}

impl Server<'_> {
    /// Asks over UDP, once.
    pub async fn udp(&self, name: &str, kind: Kind, form: Form) -> Result<Exchange, NotMeasured> {
        let (question, bytes) = question(name, kind, form)?;
        let offset_ms = self.origin.ms();
        let socket = dial::bound(self.address, Type::DGRAM, self.source)?;
        // No way to this resolver is an answer about it; programs go on to the next one at once.
        let connected =
            socket.connect(&self.address.into()).and_then(|()| UdpSocket::from_std(socket.into()));
        let socket = match connected {
            Ok(socket) => socket,
            Err(error) => return Ok(self.ended(None, offset_ms, Err(classify(&error)))),
        };
        let local = socket.local_addr().ok();
        let mut strays = 0;
        let wait = async {
            socket.send(&bytes).await?;
            let mut packet = [0; 4096];
            while strays < MAX_STRAYS {
                let length = socket.recv(&mut packet).await?;
                match packet.get(..length).and_then(|bytes| question.read(bytes)) {
                    Some(reply) => return io::Result::Ok(reply),
                    None => strays += 1,
                }
            }
            Err(io::ErrorKind::TimedOut.into())
        };
        let outcome = tokio::time::timeout(self.limit, wait).await;
        let outcome = match outcome {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) if error.kind() != io::ErrorKind::TimedOut => Err(classify(&error)),
            _ if strays > 0 => Err(Failure::WrongProtocol),
            _ => Err(Failure::TimedOut),
        };
        Ok(Exchange { contact: self.contact(local, offset_ms), strays, outcome })
    }

    /// Asks over TCP (RFC 7766).
    pub async fn tcp(&self, name: &str, kind: Kind, form: Form) -> Result<Exchange, NotMeasured> {
        let (question, bytes) = question(name, kind, form)?;
        let offset_ms = self.origin.ms();
        let dialled = match dial::tcp(self.address, self.source, self.limit, self.origin).await? {
            Ok(dialled) => dialled,
            Err(failed) => return Ok(self.ended(None, offset_ms, Err(failed.failure))),
        };
        let mut stream = dialled.stream;
        let outcome = over(&mut stream, &question, &bytes, self.limit).await;
        Ok(self.ended(dialled.contact.local, offset_ms, outcome))
    }

    /// Asks over TLS (RFC 7858) or HTTPS (RFC 8484), with signatures wanted. The server must show a
    /// certificate for `server_name` that Mozilla's roots trust: one that only this machine trusts may
    /// be an inspecting proxy's.
    pub async fn tls(
        &self,
        name: &str,
        kind: Kind,
        server_name: &str,
        over_https: Option<&str>,
        roots: &Roots,
    ) -> Result<Exchange, NotMeasured> {
        let (question, bytes) = question(name, kind, Form::Signed)?;
        let offset_ms = self.origin.ms();
        let dialled = match dial::tcp(self.address, self.source, self.limit, self.origin).await? {
            Ok(dialled) => dialled,
            Err(failed) => return Ok(self.ended(None, offset_ms, Err(failed.failure))),
        };
        let alpn: Vec<String> = over_https.map(|_| https::ALPN.to_owned()).into_iter().collect();
        let ask = Ask { alpn: &alpn, limit: self.limit, ..Ask::new(server_name, Accept::Trusted, roots) };
        let outcome = match tls::connect(dialled.stream, &ask).await {
            Ok(connected) if !connected.session.identity.proves_name() => Err(Failure::Untrusted),
            Ok(mut connected) => match over_https {
                None => over(&mut connected.stream, &question, &bytes, self.limit).await,
                Some(path) => {
                    let place = https::Place { server_name, port: self.address.port(), path };
                    let answer = Box::pin(https::exchange(connected.stream, &place, bytes, self.limit)).await;
                    answer.and_then(|bytes| question.read(&bytes).ok_or(Failure::WrongProtocol))
                }
            },
            Err(failed) => Err(failed.failure),
        };
        Ok(self.ended(dialled.contact.local, offset_ms, outcome))
    }

    fn ended(&self, local: Option<SocketAddr>, offset_ms: f64, outcome: Result<Reply, Failure>) -> Exchange {
        Exchange { contact: self.contact(local, offset_ms), strays: 0, outcome }
    }

    fn contact(&self, local: Option<SocketAddr>, offset_ms: f64) -> Contact {
        Contact { remote: self.address, local, offset_ms, took_ms: self.origin.ms() - offset_ms }
    }
}

fn question(name: &str, kind: Kind, form: Form) -> Result<(Question, Vec<u8>), NotMeasured> {
    let id = u16::try_from(getrandom::u32().map_err(no_random)? & 0xffff).unwrap_or_default();
    let made = Question::new(id, name, kind).map(|question| question.asked(form));
    let made = made.and_then(|question| Ok((question.to_bytes()?, question)));
    let (bytes, question) = made.map_err(|error| {
        NotMeasured::new(Cause::Broken, format!("{name:?}: {error}"), "check the name in the policy")
    })?;
    Ok((question, bytes))
}

/// A message with its length before it (RFC 1035, 4.2.2): at most 64 KiB by its own field.
async fn over<S>(stream: &mut S, question: &Question, bytes: &[u8], limit: Duration) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let exchange = async {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await?;
        stream.flush().await?;
        let length = stream.read_u16().await?;
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await?;
        io::Result::Ok(message)
    };
    match tokio::time::timeout(limit, exchange).await {
        Ok(Ok(message)) => question.read(&message).ok_or(Failure::WrongProtocol),
        Ok(Err(error)) => Err(classify(&error)),
        Err(_) => Err(Failure::TimedOut),
    }
}

/// A label that nobody has: 20 random letters (about 94 bits).
pub fn random_label() -> Result<String, NotMeasured> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(no_random)?;
    Ok(bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
}

fn no_random(error: getrandom::Error) -> NotMeasured {
    NotMeasured::new(
        Cause::Broken,
        format!("this machine gives no random numbers: {error}"),
        "ask who runs this machine",
    )
}

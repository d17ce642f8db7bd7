//! The time by a web server's `Date` (RFC 9110, 6.6.1): to the second, and from whoever holds a
//! certificate for the name.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::clock::{Origin, Wall};
use super::dial;
use super::failure::classify;
use super::tls::{self, Accept, Ask, Roots};
use crate::model::{Contact, Failure, NotMeasured, SourceAddress};
use crate::wire::http::{self, Response, Responses};

/// Longest wait for a TCP handshake, for TLS, and for the answer, each.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What came of asking one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Addresses and times.
    pub contact: Contact,
    /// What it told.
    pub outcome: Result<Told, Failure>,
}

/// A date with this machine's own times around it, in ns since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The server's date, in whole seconds.
    pub date_s: i64,
    /// It comes from a cache: of no use.
    pub cached: bool,
    /// Somebody whom Mozilla's roots or this machine's store trust told it, whatever the dates of the
    /// certificate: those cannot be held against a clock that is in doubt.
    pub vouched: bool,
    /// The request left.
    pub sent_ns: u64,
    /// The answer came.
    pub came_ns: u64,
}

/// Asks for the head of `/`. `host` is the name that the certificate must be made out to.
///
/// # Errors
/// The path is not there.
pub async fn ask(
    remote: SocketAddr,
    host: &str,
    source: &SourceAddress,
    roots: &Roots,
    origin: &Origin,
) -> Result<Asked, NotMeasured> {
    let dialled = match dial::tcp(remote, source, PATIENCE, origin).await? {
        Ok(dialled) => dialled,
        Err(undialled) => {
            return Ok(Asked { contact: undialled.contact, outcome: Err(undialled.failure) });
        }
    };
    let ask = Ask { limit: PATIENCE, ..Ask::new(host, Accept::Any, roots) };
    let outcome = match tls::connect(dialled.stream, &ask).await {
        Err(failed) => Err(failed.failure),
        Ok(tls::Connected { mut stream, session }) => {
            let identity = &session.identity;
            let vouched = identity.name_matches
                && (identity.mozilla.trust.anchored() || identity.machine.trust.anchored());
            let named =
                if remote.port() == 443 { host.to_owned() } else { format!("{host}:{}", remote.port()) };
            let (wall, left) = (Wall::now(), Instant::now());
            match tokio::time::timeout(PATIENCE, head(&mut stream, &named)).await {
                Err(_) => Err(Failure::TimedOut),
                Ok(Err(failure)) => Err(failure),
                Ok(Ok((response, came))) => response.date().ok_or(Failure::WrongProtocol).map(|date| Told {
                    date_s: date.as_second(),
                    cached: response.is_cached(),
                    vouched,
                    sent_ns: wall.unix_ns(left),
                    came_ns: wall.unix_ns(came),
                }),
            }
        }
    };
    let mut contact = dialled.contact;
    contact.took_ms = origin.ms() - contact.offset_ms;
    Ok(Asked { contact, outcome })
}

async fn head<S>(stream: &mut S, host: &str) -> Result<(Response, Instant), Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let io = |error: std::io::Error| classify(&error);
    stream.write_all(&http::head(host, "/")).await.map_err(io)?;
    stream.flush().await.map_err(io)?;
    let (mut responses, mut buffer) = (Responses::default(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await.map_err(io)?;
        let came = Instant::now();
        if count == 0 {
            return Err(Failure::Closed);
        }
        responses.receive(buffer.get(..count).unwrap_or_default());
        match responses.take() {
            Ok(Some(response)) if !response.is_interim() => return Ok((response, came)),
            Ok(_) => {}
            Err(_) => return Err(Failure::WrongProtocol),
        }
    }
}

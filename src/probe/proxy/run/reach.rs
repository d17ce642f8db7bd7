//! Whether what answers is the ingest: RTMP's handshake, or the certificate.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::model::{Failure, NotMeasured, WireText};
use crate::net::dial;
use crate::net::rtmp::Publisher;
use crate::net::tls::{self, Accept, Ask};
use crate::probe::Env;
use crate::probe::proxy::reading::{Reach, Reached};
use crate::probe::proxy::target::Ingest;
use crate::wire::banner;
use crate::wire::rtmp::client;

const CONNECT: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(6);
const CLOSE: Duration = Duration::from_millis(500);

/// Longest time for one attempt.
pub(super) const LONGEST: Duration = Duration::from_secs(12);

/// Without a proxy.
pub(super) async fn direct(at: SocketAddr, ingest: &Ingest, env: &Env) -> Result<Reach, NotMeasured> {
    Ok(match dial::tcp(at, &env.source, CONNECT, &env.origin).await? {
        Ok(dialled) => Reach { contact: dialled.contact, reached: over(dialled.stream, ingest, env).await },
        Err(failed) => {
            let detail = WireText::from(failed.detail);
            Reach {
                contact: failed.contact,
                reached: Reached::NotConnected { failure: failed.failure, detail },
            }
        }
    })
}

/// Over a stream that leads there.
pub(super) async fn over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    ingest: &Ingest,
    env: &Env,
) -> Reached {
    let Some(address) = &ingest.rtmp else { return certificate(stream, ingest, env).await };
    let seed = env.origin.ms().to_bits();
    let mut publisher = Publisher::new(stream, address.clone(), seed);
    match publisher.handshake(HANDSHAKE).await {
        Ok((_, handshake_ms)) => {
            publisher.close(CLOSE).await;
            Reached::Rtmp { handshake_ms }
        }
        Err(stopped) => match stopped.failure {
            client::Failure::NotRtmp { first, .. } => stranger(&first),
            client::Failure::Silent { .. } => cut(Failure::TimedOut, ""),
            client::Failure::Closed { .. } => cut(stopped.broke.unwrap_or(Failure::Closed), ""),
            client::Failure::Malformed { problem, .. } => cut(Failure::WrongProtocol, &problem.to_string()),
            client::Failure::Refused { .. } => cut(Failure::Refused, ""),
        },
    }
}

async fn certificate<S: AsyncRead + AsyncWrite + Unpin>(stream: S, ingest: &Ingest, env: &Env) -> Reached {
    let mut ask = Ask::new(&ingest.place.host, Accept::Any, &env.roots);
    ask.limit = HANDSHAKE;
    match tls::connect(stream, &ask).await {
        Ok(connected) => Reached::Tls(Box::new(connected.session.identity)),
        Err(failed) if failed.failure == Failure::WrongProtocol => stranger(&failed.answered),
        Err(failed) => Reached::Cut { failure: failed.failure, detail: failed.detail },
    }
}

fn stranger(first: &[u8]) -> Reached {
    Reached::Stranger { protocol: banner::guess(first).word().to_owned(), said: WireText::from_bytes(first) }
}

fn cut(failure: Failure, detail: &str) -> Reached {
    Reached::Cut { failure, detail: WireText::from(detail) }
}

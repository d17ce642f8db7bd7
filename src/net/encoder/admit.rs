//! As far as an RTMP ingest's consent to a test stream.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::Ready;
use crate::model::{Contact, NotMeasured, Secret, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::congestion;
use crate::net::dial::{self, Undialled};
use crate::net::prompt::Prompt;
use crate::net::rtmp::{Publisher, Stopped};
use crate::net::tls::{self, Accept, Ask, Roots};
use crate::wire::rtmp::address::Address;

/// Patience, not limits: what takes longer counts as no answer.
const TCP: Duration = Duration::from_secs(5);
const TLS: Duration = Duration::from_secs(8);
const PHASE: Duration = Duration::from_secs(8);
const CLOSE: Duration = Duration::from_secs(1);

/// What to ask an ingest with.
#[derive(Debug)]
pub struct Way<'a> {
    /// The ingest.
    pub address: &'a Address,
    /// The way out.
    pub source: &'a SourceAddress,
    /// What its certificate is held against.
    pub roots: &'a Roots,
    /// Offsets count from here.
    pub origin: &'a Origin,
}

/// An address that was asked.
#[derive(Debug)]
pub struct Asked {
    /// Addresses and times.
    pub contact: Contact,
    /// What the server calls itself.
    pub server: Option<WireText>,
    /// Congestion control in force, by the kernel's name.
    pub congestion: Option<String>,
    /// A publisher that may send, or why it may not.
    pub outcome: Result<Ready, WireText>,
}

/// Asks one address of an ingest whether it takes a stream under a key. `prepare` sets the socket's options.
///
/// # Errors
/// When this machine cannot ask at all.
pub async fn admit(
    way: &Way<'_>,
    remote: SocketAddr,
    key: Secret,
    prepare: impl FnOnce(&socket2::Socket) + Send,
) -> Result<Asked, NotMeasured> {
    let dialled = match dial::tcp_with(remote, way.source, TCP, way.origin, prepare).await? {
        Ok(dialled) => dialled,
        Err(Undialled { failure, icmp, contact, .. }) => {
            let icmp = icmp.map_or(String::new(), |icmp| format!(" ({icmp})"));
            let why = WireText::from(format!("{failure}{icmp}"));
            return Ok(Asked { contact, server: None, congestion: None, outcome: Err(why) });
        }
    };
    let congestion = congestion::in_force(&socket2::SockRef::from(&dialled.stream));
    let contact = dialled.contact;
    let seed = u64::from(contact.local.map_or(0, |local| local.port())) << 32 ^ contact.offset_ms.to_bits();
    let mut server = None;
    let outcome = greet(way, Prompt::new(dialled.stream), key, seed, &mut server).await;
    Ok(Asked { contact, server, congestion, outcome })
}

/// Goes as far as the ingest's consent.
async fn greet(
    way: &Way<'_>,
    stream: Prompt,
    key: Secret,
    seed: u64,
    server: &mut Option<WireText>,
) -> Result<Ready, WireText> {
    let std =
        |stream: Prompt| stream.into_inner().into_std().map_err(|error| WireText::from(error.to_string()));
    let address = way.address;
    if !address.tls {
        let publisher = consent(Publisher::new(stream, address.clone(), seed), key, server).await?;
        let (stream, client) = publisher.into_parts();
        return Ok(Ready { stream: std(stream)?, tls: None, client });
    }
    let mut ask = Ask::new(&address.host, Accept::Trusted, way.roots);
    ask.limit = TLS;
    let connected = tls::connect(stream, &ask)
        .await
        .map_err(|failed| WireText::from(format!("TLS: {} {}", failed.failure, failed.detail)))?;
    let publisher = consent(Publisher::new(connected.stream, address.clone(), seed), key, server).await?;
    let (stream, client) = publisher.into_parts();
    let (tap, session) = stream.into_inner();
    Ok(Ready { stream: std(tap.into_inner())?, tls: Some(Box::new(session)), client })
}

async fn consent<S: AsyncRead + AsyncWrite + Unpin>(
    mut publisher: Publisher<S>,
    key: Secret,
    server: &mut Option<WireText>,
) -> Result<Publisher<S>, WireText> {
    match phases(&mut publisher, key, server).await {
        Ok(()) => Ok(publisher),
        Err(stopped) => {
            publisher.close(CLOSE).await;
            Err(WireText::from(stopped.failure.to_string()))
        }
    }
}

async fn phases<S: AsyncRead + AsyncWrite + Unpin>(
    publisher: &mut Publisher<S>,
    key: Secret,
    server: &mut Option<WireText>,
) -> Result<(), Stopped> {
    publisher.handshake(PHASE).await?;
    let (connected, _) = publisher.connect(PHASE).await?;
    *server = Some(WireText::from(connected.server)).filter(|server| !server.is_empty());
    publisher.publish(key, PHASE).await?;
    Ok(())
}

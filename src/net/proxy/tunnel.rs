//! A tunnel through a proxy (`CONNECT`, RFC 9110, 9.3.6).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Credentials, Proxy, Scheme};
use crate::model::{Contact, Failure, HostPort, NotMeasured, Secret, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::http::exchange;
use crate::net::tls::{self, Accept, Ask, Roots};
use crate::net::{dial, resolve};
use crate::wire::http::{Pages, connect};

const LOOKUP: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of a refusal's page that are read.
const MOST: usize = 8 * 1024;

/// Longest time for [`open`]: two addresses, TLS and the answer.
pub const LONGEST: Duration = Duration::from_secs(25);

/// A stream through a proxy.
pub type Tunnel = Box<dyn Stream>;

/// What a tunnel is made of.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What came of asking a proxy for a tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connect {
    /// It was not asked, and why.
    NotAsked {
        /// Why.
        why: WireText,
    },
    /// No answer in HTTP.
    None {
        /// How it ended.
        failure: Failure,
        /// The system's or the protocol's words.
        detail: WireText,
        /// True when there was a connection.
        connected: bool,
    },
    /// Its answer.
    Answered {
        /// HTTP's status; a success opens the tunnel.
        status: u16,
        /// Its words.
        reason: WireText,
        /// Ways to prove oneself that it offers (`Proxy-Authenticate`): `Basic`, `Negotiate`, `NTLM`, …
        offers: Vec<WireText>,
        /// Fields of its answer that name a program.
        names_itself: Vec<WireText>,
        /// The beginning of its page.
        page: WireText,
    },
}

impl Connect {
    /// Whether there is a tunnel.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }
}

/// A proxy and a way to it.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// The proxy.
    pub proxy: &'a Proxy,
    /// What admits to it.
    pub credentials: Option<&'a Credentials>,
    /// The way out to use.
    pub source: &'a SourceAddress,
    /// What the certificate of a proxy that is spoken to over TLS is held against.
    pub roots: &'a Roots,
    /// Offsets count from here.
    pub origin: &'a Origin,
}

/// What came of it: the connection to the proxy, its answer, and the tunnel.
pub struct Opened {
    /// The connection to the proxy, when there was one to time.
    pub contact: Option<Contact>,
    /// What it answered.
    pub connect: Connect,
    /// The tunnel.
    pub tunnel: Option<Tunnel>,
}

/// Asks a proxy for a tunnel.
pub async fn open(door: &Door<'_>, to: &HostPort) -> Result<Opened, NotMeasured> {
    Ok(match reach(door).await? {
        Ok((contact, stream)) => {
            let (connect, tunnel) = request(stream, door.credentials, to).await;
            Opened { contact: Some(contact), connect, tunnel }
        }
        Err((contact, connect)) => Opened { contact, connect, tunnel: None },
    })
}

/// Connects to the proxy itself: for a tunnel, or for requests that it passes on (RFC 9112, 3.2.2).
/// `Ok(Err(_))` when there is no connection, with how it ended.
pub async fn reach(
    door: &Door<'_>,
) -> Result<Result<(Contact, Tunnel), (Option<Contact>, Connect)>, NotMeasured> {
    let proxy = door.proxy;
    if proxy.scheme == Scheme::Socks {
        let why = WireText::from("golive does not speak SOCKS");
        return Ok(Err((None, Connect::NotAsked { why })));
    }
    let none = |failure, detail: WireText, connected| Connect::None { failure, detail, connected };
    let addresses = match resolve::lookup(&proxy.host, proxy.port, LOOKUP).await {
        Ok(addresses) => dial::usable(addresses, door.source)?,
        Err(failure) => {
            return Ok(Err((None, none(failure, WireText::default(), false))));
        }
    };
    let mut missed = None;
    for address in addresses.into_iter().take(2) {
        match dial::tcp(address, door.source, LIMIT, door.origin).await? {
            Ok(dialled) => {
                let contact = dialled.contact;
                return Ok(match encrypted(dialled.stream, door).await {
                    Ok(stream) => Ok((contact, stream)),
                    Err(connect) => Err((Some(contact), connect)),
                });
            }
            Err(failed) => {
                let connect = none(failed.failure, WireText::from(failed.detail), false);
                missed.get_or_insert((Some(failed.contact), connect));
            }
        }
    }
    Ok(Err(missed.unwrap_or_else(|| (None, none(Failure::NoAddress, WireText::default(), false)))))
}

/// Over TLS, where the proxy is spoken to so.
async fn encrypted(tcp: tokio::net::TcpStream, door: &Door<'_>) -> Result<Tunnel, Connect> {
    if door.proxy.scheme != Scheme::Https {
        return Ok(Box::new(tcp));
    }
    let mut ask = Ask::new(&door.proxy.host, Accept::Trusted, door.roots);
    ask.limit = LIMIT;
    match tls::connect(tcp, &ask).await {
        Ok(connected) => Ok(Box::new(connected.stream)),
        Err(failed) => Err(Connect::None { failure: failed.failure, detail: failed.detail, connected: true }),
    }
}

async fn request(
    mut stream: Tunnel,
    credentials: Option<&Credentials>,
    to: &HostPort,
) -> (Connect, Option<Tunnel>) {
    let proof = credentials.map(Credentials::proof);
    let question = connect(&to.to_string(), proof.as_ref().map(Secret::reveal));
    let page = match exchange(&mut stream, &question, Pages::of_connect(MOST), LIMIT).await {
        Ok(page) => page,
        Err(trouble) => {
            let (failure, detail) = (trouble.failure, trouble.detail);
            return (Connect::None { failure, detail, connected: trouble.connected }, None);
        }
    };
    let response = &page.response;
    let named = ["server", "via", "x-squid-error", "proxy-agent", "x-cache"];
    let fields = response.fields().filter(|(name, _)| named.contains(&name.to_ascii_lowercase().as_str()));
    let answer = Connect::Answered {
        status: response.status,
        reason: response.reason.clone(),
        offers: response.values("proxy-authenticate").map(scheme).take(8).collect(),
        names_itself: fields
            .map(|(name, value)| WireText::from(format!("{name}: {value}")))
            .take(8)
            .collect(),
        page: WireText::from_bytes(page.body.trim_ascii()),
    };
    let tunnel = answer.is_open().then_some(stream);
    (answer, tunnel)
}

/// The first word of a challenge; what follows may be a nonce.
fn scheme(challenge: &WireText) -> WireText {
    WireText::from(challenge.as_str().split([' ', ',']).next().unwrap_or_default())
}

//! TLS as a client that looks closely: one handshake, the chain recorded and held against
//! Mozilla's roots and this machine's own store, each by itself.
//!
//! A chain that only the machine trusts was signed by somebody who is in between: an
//! inspecting proxy or antivirus ([`Identity::intercepted`]). What is sent through such a
//! stream can be read there, so a caller that sends secrets asks with [`Accept::Trusted`].
//!
//! ```no_run
//! # async fn example(tcp: tokio::net::TcpStream) {
//! use golive::net::tls::{self, Accept, Ask, Roots};
//! let roots = Roots::system(); // a probe takes `env.roots`
//! let ask = Ask::new("a.rtmps.youtube.com", Accept::Trusted, &roots);
//! match tls::connect(tcp, &ask).await {
//!     Ok(connected) => drop((connected.stream, connected.session.identity.intercepted())),
//!     Err(failed) => drop((failed.failure, failed.detail, failed.answered)),
//! }
//! # }
//! ```

mod certificate;
mod identity;
mod roots;
mod tap;
#[cfg(test)]
pub(crate) mod tests;
mod verifier;

pub use certificate::{Certificate, MAX_SANS};
pub use identity::{Identity, MAX_CHAIN, Standing, Trust};
pub use roots::Roots;
pub use tap::{MAX_ANSWERED, Tap};

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, PeerIncompatible, ProtocolVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::clock::Origin;
use super::failure::classify;
use crate::model::{Failure, WireText};
use verifier::{Recorder, Seen};

/// TLS versions that this client speaks (RFC 5246, RFC 8446).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Version {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1_2 => "TLS 1.2",
            Self::V1_3 => "TLS 1.3",
        })
    }
}

/// Which certificates let a handshake come to its end. The handshake's own signature is
/// always verified: the peer holds the key of the certificate that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Any: only to look at it. Never send a secret through the stream.
    Any,
    /// One that is made out to the name and trusted by this machine's store or Mozilla's
    /// roots, as an encoder here would ask; others end with [`Failure::Untrusted`].
    Trusted,
}

/// What to ask of a TLS server.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// Name in SNI and the one that the certificate must be made out to; a literal address
    /// sends no SNI.
    pub server_name: &'a str,
    /// Protocols offered in ALPN (RFC 7301), in order; none sends no ALPN.
    pub alpn: &'a [String],
    /// Which certificates are let through.
    pub accept: Accept,
    /// What to hold the chain against.
    pub roots: &'a Roots,
    /// Longest time for the handshake.
    pub limit: Duration,
}

impl<'a> Ask<'a> {
    /// Without ALPN, given up after 10 s.
    pub const fn new(server_name: &'a str, accept: Accept, roots: &'a Roots) -> Self {
        Self { server_name, alpn: &[], accept, roots, limit: Duration::from_secs(10) }
    }
}

/// A handshake that came to its end.
#[derive(Debug)]
pub struct Connected<S> {
    /// The encrypted stream.
    pub stream: TlsStream<Tap<S>>,
    /// What was agreed and shown.
    pub session: Session,
}

/// What was agreed in a handshake, and who the server showed itself to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Version agreed.
    pub version: Version,
    /// Cipher suite agreed, by its IANA name.
    pub cipher: String,
    /// Protocol that the server chose in ALPN.
    pub alpn: Option<WireText>,
    /// From our first byte to the end of the handshake, less our own judging of the chain, in
    /// milliseconds.
    pub handshake_ms: f64,
    /// Who the server showed itself to be.
    pub identity: Identity,
}

impl Session {
    fn of(connection: &ClientConnection, identity: Identity, handshake_ms: f64) -> Self {
        let suite = connection.negotiated_cipher_suite();
        Self {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => Version::V1_3,
                _ => Version::V1_2, // this client speaks no other
            },
            cipher: suite.and_then(|suite| suite.suite().as_str()).unwrap_or("unnamed").to_owned(),
            alpn: connection.alpn_protocol().map(WireText::from_bytes),
            handshake_ms,
            identity,
        }
    }
}

/// A handshake that did not come to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// How: [`Failure::WrongProtocol`] (not TLS; see `answered`), [`Failure::TlsAlert`] (the
    /// server's words in `detail`), [`Failure::Untrusted`], or how the stream ended.
    pub failure: Failure,
    /// The alert or error in words; empty when there are none.
    pub detail: WireText,
    /// The first bytes that came back, at most [`MAX_ANSWERED`]: what answered in TLS' place.
    pub answered: Vec<u8>,
    /// Who the server showed itself to be, when the handshake got so far.
    pub identity: Option<Identity>,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// The cryptography that everything here uses: ring, named explicitly so that a second
/// provider somewhere in the tree cannot make rustls panic.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Does a handshake on a connected stream. Cancel by dropping the future.
pub async fn connect<S>(stream: S, ask: &Ask<'_>) -> Result<Connected<S>, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ask.roots.load(); // before the clock runs
    let origin = Origin::start();
    let recorder = Arc::new(Recorder::new(ask.roots.clone(), ask.accept));
    let (tap, heard) = Tap::heard_by(stream);
    let failed = |failure, detail: String| Failed {
        failure,
        detail: WireText::from(detail),
        answered: heard.answered(),
        identity: recorder.seen().map(|seen| seen.identity),
        took_ms: origin.ms(),
    };
    let name = ask.server_name.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| failed(Failure::Other, "the name to ask for is not a host name".to_owned()))?;
    let config = config(&recorder, ask.alpn).map_err(|error| failed(Failure::Other, error.to_string()))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, tap);
    match tokio::time::timeout(ask.limit, handshake).await {
        Ok(Ok(stream)) => {
            let took_ms = origin.ms();
            let Some(Seen { identity, judged_ms }) = recorder.seen() else {
                return Err(failed(Failure::Other, "the server showed no certificate".to_owned()));
            };
            let session = Session::of(stream.get_ref().1, identity, (took_ms - judged_ms).max(0.0));
            Ok(Connected { stream, session })
        }
        Ok(Err(error)) => {
            let (failure, detail) = explain(&error, &heard.answered());
            Err(failed(failure, detail))
        }
        Err(_) if is_tls(&heard.answered()) => Err(failed(Failure::TimedOut, String::new())),
        Err(_) => Err(failed(Failure::WrongProtocol, String::new())),
    }
}

fn config(recorder: &Arc<Recorder>, alpn: &[String]) -> Result<ClientConfig, rustls::Error> {
    let verifier: Arc<Recorder> = Arc::clone(recorder);
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    // Each look is a full handshake: a resumed one would show no certificate.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// True for nothing at all and for what starts like a TLS record (RFC 8446, 5.1).
fn is_tls(answered: &[u8]) -> bool {
    match answered {
        [] => true,
        [kind] => (0x14..=0x17).contains(kind),
        [kind, major, ..] => (0x14..=0x17).contains(kind) && *major == 3,
    }
}

/// What [`Failed::detail`] says of a server that answers in TLS 1.1 or older.
pub const OLD_VERSION: &str = "answers in a version older than TLS 1.2";

fn explain(error: &io::Error, answered: &[u8]) -> (Failure, String) {
    if !is_tls(answered) {
        return (Failure::WrongProtocol, String::new());
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => {
            (Failure::TlsAlert, alert.as_str().unwrap_or("unnamed alert").to_owned())
        }
        Some(rustls::Error::InvalidCertificate(why)) => (Failure::Untrusted, why.to_string()),
        Some(rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)) => {
            (Failure::Other, OLD_VERSION.to_owned())
        }
        Some(other) => (Failure::Other, other.to_string()),
        None => (classify(error), error.to_string()),
    }
}

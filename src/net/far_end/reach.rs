//! The way to a far end: its name, TCP over the path, TLS with the key that the policy pins.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Missed, PATIENCE, RUNS, trouble};
use crate::model::{Contact, Failure, FarEnd, NotMeasured, SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::dial::{self, Undialled};
use crate::net::resolve;
use crate::net::tls::{self, Accept, Ask, Connected, Failed, Roots, Tap};
use crate::wire::control::ALPN;

/// A TCP connection to the far end, with the host as the policy names it.
pub(super) async fn reach<'a>(
    far_end: &'a FarEnd,
    source: &SourceAddress,
    origin: &Origin,
) -> Result<(&'a str, TcpStream, Contact, Vec<Missed>), NotMeasured> {
    let shown = &far_end.address;
    let (host, port) = far_end.host_port().ok_or_else(|| {
        trouble(format!("`{shown}` is no host:port"), "write the far end's address as host:port")
    })?;
    let addresses = resolve::lookup(host, port, PATIENCE).await.map_err(|failure| {
        trouble(
            format!("the far end's name {host}: {failure}"),
            "check the name of the far end in the policy",
        )
    })?;
    let addresses = dial::usable(addresses, source)?;
    let (stream, contact, missed) = dial_any(&addresses, source, origin).await?;
    Ok((host, stream, contact, missed))
}

async fn dial_any(
    addresses: &[SocketAddr],
    source: &SourceAddress,
    origin: &Origin,
) -> Result<(TcpStream, Contact, Vec<Missed>), NotMeasured> {
    let (mut missed, mut words) = (Vec::new(), Vec::new());
    for &address in addresses {
        match dial::tcp(address, source, PATIENCE, origin).await? {
            Ok(dialled) => return Ok((dialled.stream, dialled.contact, missed)),
            Err(Undialled { failure, detail, contact, .. }) => {
                let more = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
                words.push(format!("{address} {failure}{more}"));
                missed.push(Missed { contact, failure });
            }
        }
    }
    Err(trouble(format!("the far end cannot be connected to: {}", words.join("; ")), RUNS))
}

/// TLS with whatever key the other side has, then the pin, before anything is sent through it.
/// The handshake proves that the other side holds that key.
pub(super) async fn handshake(
    stream: TcpStream,
    host: &str,
    remote: SocketAddr,
    far_end: &FarEnd,
) -> Result<TlsStream<Tap<TcpStream>>, NotMeasured> {
    let roots = Roots::given(Vec::new(), Vec::new());
    let connected = shake_hands(stream, host, &roots).await.map_err(|failed| no_tls(remote, &failed))?;
    let identity = &connected.session.identity;
    if identity.pinned(std::slice::from_ref(&far_end.pin)) {
        return Ok(connected.stream);
    }
    let shown = identity.leaf().map_or_else(
        || "a certificate that cannot be read".to_owned(),
        |leaf| format!("the key {} in a certificate for {} by {}", leaf.spki, leaf.subject, leaf.issuer),
    );
    Err(trouble(
        format!(
            "{remote} does not have the far end's key: the policy pins {}, but it showed {shown}. \
             Either the far end was set up anew, or something in between intercepts TLS",
            far_end.pin
        ),
        "compare the pin with what `golive far-end` prints; if it is the same, ask the network team \
         which proxy inspects TLS to this host, and have the host exempted",
    ))
}

/// TLS with whoever answers, offered as a far end is.
pub(super) async fn shake_hands(
    stream: TcpStream,
    host: &str,
    roots: &Roots,
) -> Result<Connected<TcpStream>, Failed> {
    let alpn = [String::from_utf8_lossy(ALPN).into_owned()];
    let ask = Ask { alpn: &alpn, limit: PATIENCE, ..Ask::new(host, Accept::Any, roots) };
    tls::connect(stream, &ask).await
}

pub(super) fn no_tls(remote: SocketAddr, failed: &Failed) -> NotMeasured {
    let answered = match failed.answered.as_slice() {
        _ if failed.failure != Failure::WrongProtocol => String::new(),
        [] => String::new(),
        said => format!("; it said: {}", WireText::from_bytes(said)),
    };
    let detail = if failed.detail.is_empty() { String::new() } else { format!(" ({})", failed.detail) };
    trouble(
        format!("no TLS with the far end at {remote}: {}{detail}{answered}", failed.failure),
        "make sure that `golive far-end` listens there, and ask the network team whether a proxy or firewall \
         answers in its place",
    )
}

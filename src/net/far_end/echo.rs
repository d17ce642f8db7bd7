//! Does what arrives at the far end begin as what left here?

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::reach::{no_tls, reach, shake_hands};
use super::{PATIENCE, RUNS, nonsense, refused, trouble};
use crate::model::{Contact, FarEnd, NotMeasured, SourceAddress};
use crate::net::clock::Origin;
use crate::net::tls::{Identity, Roots};
use crate::wire::client_hello::ClientHello;
use crate::wire::control::{Frames, Refusal, Reply, Request, encode};

/// A TLS connection to the far end as both ends saw it begin.
#[derive(Debug)]
pub struct Echoed {
    /// Addresses and time of the TCP handshake.
    pub contact: Contact,
    /// Who answered.
    pub identity: Identity,
    /// It has the key that the policy pins.
    pub pinned: bool,
    /// The hello that was sent.
    pub sent: ClientHello,
    /// The hello that arrived; absent when it was none that the far end could read. `Err` when the far
    /// end, or whoever answered in its place, did not say.
    pub arrived: Result<Option<ClientHello>, NotMeasured>,
}

/// Asks. Nothing secret is sent, whoever answers.
///
/// # Errors
/// Why there is no TLS with the far end at all.
pub async fn echo(
    far_end: &FarEnd,
    source: &SourceAddress,
    origin: &Origin,
    roots: &Roots,
) -> Result<Echoed, NotMeasured> {
    let (host, stream, contact, _) = reach(far_end, source, origin).await?;
    let shown = contact.remote.to_string();
    let connected =
        shake_hands(stream, host, roots).await.map_err(|failed| no_tls(contact.remote, &failed))?;
    let (mut tls, identity) = (connected.stream, connected.session.identity);
    let sent = tls.get_ref().0.hello_said();
    let sent =
        sent.ok_or_else(|| trouble("this machine's own TLS hello could not be read", "report this"))?;
    let asked = encode(&Request::echo()).map_err(|_| nonsense(&shown))?;
    let exchange = async {
        tls.write_all(&asked).await?;
        tls.flush().await?;
        let (mut frames, mut buffer) = (Frames::default(), vec![0; 4096]);
        loop {
            if let Ok(Some(reply)) = frames.take::<Reply>() {
                return std::io::Result::Ok(Some(reply));
            }
            match tls.read(&mut buffer).await? {
                0 => return Ok(None),
                count => frames.feed(buffer.get(..count).unwrap_or_default()),
            }
        }
    };
    let arrived = match timeout(PATIENCE, exchange).await {
        Ok(Ok(Some(Reply::Echo { hello }))) => Ok(hello),
        Ok(Ok(Some(Reply::Refuse { why: Refusal::BadRequest, .. }))) => Err(trouble(
            format!("the far end {shown} is older than this question"),
            "update golive where `golive far-end` runs",
        )),
        Ok(Ok(Some(Reply::Refuse { why, detail }))) => Err(refused(&shown, why, &detail)),
        Ok(Ok(Some(_))) => Err(nonsense(&shown)),
        Ok(Ok(None) | Err(_)) | Err(_) => {
            Err(trouble(format!("{shown} ended the connection without an answer"), RUNS))
        }
    };
    let pinned = identity.pinned(std::slice::from_ref(&far_end.pin));
    Ok(Echoed { contact, identity, pinned, sent, arrived })
}

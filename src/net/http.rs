//! One page of a web server, from the path's own address: no proxy, no redirection, no cookie.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::clock::Origin;
use super::dial;
use super::failure::classify;
use super::tls::{self, Accept, Ask, Roots};
use crate::model::{Contact, Failure, NotMeasured, SourceAddress, WireText};
use crate::wire::http::{Page, Pages, WebUrl, get};

/// What to ask of a web server, and how long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The page.
    pub url: &'a WebUrl,
    /// Kind of content that is wanted: HTTP's `Accept`.
    pub accept: &'a str,
    /// Bytes of its body at most.
    pub most: usize,
    /// Longest time for the connection, for its TLS handshake and for the answer, each.
    pub limit: Duration,
}

/// How it ended without a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// How.
    pub failure: Failure,
    /// The system's or the protocol's words; empty when there are none.
    pub detail: WireText,
    /// True when there was a connection.
    pub connected: bool,
}

/// One exchange.
#[derive(Debug)]
pub struct Fetched {
    /// Addresses and times; `took_ms` ends with the answer.
    pub contact: Contact,
    /// The page, or how the exchange ended without one.
    pub outcome: Result<Page, Trouble>,
}

/// Fetches a page from one address of its host. Over TLS the certificate must be one that this machine
/// trusts for the name.
pub async fn fetch(
    address: SocketAddr,
    request: &Request<'_>,
    source: &SourceAddress,
    roots: &Roots,
    origin: &Origin,
) -> Result<Fetched, NotMeasured> {
    let dialled = match dial::tcp(address, source, request.limit, origin).await? {
        Ok(dialled) => dialled,
        Err(failed) => {
            let trouble =
                Trouble { failure: failed.failure, detail: WireText::from(failed.detail), connected: false };
            return Ok(Fetched { contact: failed.contact, outcome: Err(trouble) });
        }
    };
    let mut contact = dialled.contact;
    let mut stream = dialled.stream;
    let question = get(request.url, request.accept);
    let outcome = if request.url.is_tls() {
        let mut ask = Ask::new(request.url.host(), Accept::Trusted, roots);
        ask.limit = request.limit;
        match tls::connect(stream, &ask).await {
            Ok(mut connected) => {
                exchange(&mut connected.stream, &question, Pages::new(request.most), request.limit).await
            }
            Err(failed) => Err(Trouble { failure: failed.failure, detail: failed.detail, connected: true }),
        }
    } else {
        exchange(&mut stream, &question, Pages::new(request.most), request.limit).await
    };
    contact.took_ms = origin.ms() - contact.offset_ms;
    Ok(Fetched { contact, outcome })
}

/// Sends a question and takes what comes for a response. What came of a page when its server fell
/// silent or cut it off counts.
pub async fn exchange<S>(
    stream: &mut S,
    question: &[u8],
    pages: Pages,
    limit: Duration,
) -> Result<Page, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    exchange_watched(stream, question, pages, limit, |_| {}).await
}

/// As [`exchange`]; `heard` is told of every piece that comes, how many bytes it has.
pub async fn exchange_watched<S>(
    stream: &mut S,
    question: &[u8],
    mut pages: Pages,
    limit: Duration,
    mut heard: impl FnMut(usize) + Send,
) -> Result<Page, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let trouble = |failure, detail: WireText| Trouble { failure, detail, connected: true };
    let deadline = Instant::now() + limit;
    let sent = async {
        stream.write_all(question).await?;
        stream.flush().await
    };
    // Who refuses may close before it reads all: what it said shows when reading.
    let sent = timeout_at(deadline, sent).await;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = timeout_at(deadline, stream.read(&mut buffer)).await;
        let ended = match read {
            Ok(Ok(length @ 1..)) => {
                heard(length);
                pages.receive(buffer.get(..length).unwrap_or_default());
                None
            }
            Ok(Ok(_)) => Some(Failure::Closed),
            Ok(Err(error)) => Some(classify(&error)),
            Err(_) => Some(Failure::TimedOut),
        };
        let page = if ended.is_some() { pages.end() } else { pages.take() };
        match (page, ended) {
            (Err(bad), _) => return Err(trouble(Failure::WrongProtocol, WireText::from(bad.to_string()))),
            (Ok(Some(page)), _) => return Ok(page),
            (Ok(None), None) => {}
            (Ok(None), Some(failure)) => {
                let detail = match sent {
                    Ok(Err(error)) => WireText::from(error.to_string()),
                    _ => WireText::from_bytes(pages.first_bytes()),
                };
                return Err(trouble(failure, detail));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceAddress;

    async fn serve(says: &'static [u8]) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 2048]).await;
            let _ = stream.write_all(says).await;
        });
        at
    }

    async fn ask(at: SocketAddr, most: usize) -> Fetched {
        let url = WebUrl::try_from(format!("http://{at}/")).unwrap();
        let request = Request { url: &url, accept: "*/*", most, limit: Duration::from_secs(5) };
        fetch(at, &request, &SourceAddress::default(), &Roots::system(), &Origin::start()).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_is_fetched_and_bounded() {
        let at = serve(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nsuccess").await;
        let page = ask(at, 4).await.outcome.unwrap();
        assert_eq!((page.response.status, page.body.as_slice(), page.whole), (200, &b"succ"[..], false));
    }

    #[tokio::test]
    async fn what_is_no_web_server_is_told() {
        let at = serve(b"SSH-2.0-x\r\n").await;
        assert_eq!(ask(at, 100).await.outcome.unwrap_err().failure, Failure::WrongProtocol);
        let at = serve(b"").await;
        let hung_up = ask(at, 100).await.outcome.unwrap_err();
        assert!(hung_up.connected && matches!(hung_up.failure, Failure::Closed | Failure::Reset));
    }
}

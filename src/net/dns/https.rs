//! DNS over HTTPS (RFC 8484), over HTTP/2: the version that the RFC recommends, and the only one that
//! some public resolvers still serve.

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Method, Request, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::model::Failure;
use crate::net::failure::classify;

/// Protocol name in ALPN (RFC 9113, 3.2).
pub(super) const ALPN: &str = "h2";

/// Media type of a DNS message (RFC 8484, 6).
const MESSAGE: &str = "application/dns-message";

/// Longest answer that is taken: what a DNS message's own length field allows over TCP.
const LONGEST: usize = 65_535;

/// Where to ask.
pub(super) struct Place<'a> {
    pub(super) server_name: &'a str,
    pub(super) port: u16,
    pub(super) path: &'a str,
}

/// Sends a message and gives the answer's bytes.
pub(super) async fn exchange<S>(
    stream: S,
    place: &Place<'_>,
    message: Vec<u8>,
    limit: Duration,
) -> Result<Vec<u8>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let work = async {
        let (sender, connection) = h2::client::handshake(stream).await.map_err(|error| meaning(&error))?;
        tokio::select! {
            answer = ask(sender, place, message) => answer,
            ended = connection => Err(ended.err().map_or(Failure::Closed, |error| meaning(&error))),
        }
    };
    tokio::time::timeout(limit, work).await.unwrap_or(Err(Failure::TimedOut))
}

async fn ask(sender: SendRequest<Bytes>, place: &Place<'_>, message: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let Place { server_name, port, path } = place;
    let authority = if *port == 443 { (*server_name).to_owned() } else { format!("{server_name}:{port}") };
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("https://{authority}{path}"))
        .header(header::CONTENT_TYPE, MESSAGE)
        .header(header::ACCEPT, MESSAGE)
        .header(header::CONTENT_LENGTH, message.len())
        .body(())
        .map_err(|_| Failure::Other)?;
    let mut sender = sender.ready().await.map_err(|error| meaning(&error))?;
    let (answer, mut body) = sender.send_request(request, false).map_err(|error| meaning(&error))?;
    body.send_data(Bytes::from(message), true).map_err(|error| meaning(&error))?;
    let answer = answer.await.map_err(|error| meaning(&error))?;
    // A page in the place of an answer: a portal, or a server that serves no DNS there.
    let is_dns = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == MESSAGE);
    if answer.status() != StatusCode::OK || !is_dns {
        return Err(Failure::WrongProtocol);
    }
    let mut body = answer.into_body();
    let mut read = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|error| meaning(&error))?;
        let _ = body.flow_control().release_capacity(piece.len());
        if read.len() + piece.len() > LONGEST {
            return Err(Failure::WrongProtocol);
        }
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

fn meaning(error: &h2::Error) -> Failure {
    error.get_io().map_or(Failure::WrongProtocol, classify)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { server_name: "dns.example", port: 443, path: "/dns-query" };
    const LIMIT: Duration = Duration::from_secs(10);

    /// What comes back of an answer with this status, type and body.
    async fn answered(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let serve = async move {
            let mut connection = h2::server::handshake(theirs).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                assert_eq!(request.uri(), "https://dns.example/dns-query");
                assert_eq!(request.headers()[header::CONTENT_TYPE], MESSAGE);
                let answer = http::Response::builder().status(status).header(header::CONTENT_TYPE, kind);
                let mut sender = respond.send_response(answer.body(()).unwrap(), false).unwrap();
                let _ = sender.send_data(Bytes::from(body.clone()), true);
            }
        };
        let server = tokio::spawn(serve);
        let answer = exchange(ours, &PLACE, vec![1, 2, 3], LIMIT).await;
        server.abort();
        answer
    }

    #[tokio::test]
    async fn only_a_dns_message_of_bounded_length_is_an_answer() {
        assert_eq!(answered(StatusCode::OK, MESSAGE, vec![7; 40_000]).await, Ok(vec![7; 40_000]));
        let page = answered(StatusCode::OK, "text/html", b"<html>".to_vec()).await;
        assert_eq!(page, Err(Failure::WrongProtocol));
        assert_eq!(answered(StatusCode::FORBIDDEN, MESSAGE, vec![]).await, Err(Failure::WrongProtocol));
        assert_eq!(answered(StatusCode::OK, MESSAGE, vec![7; 70_000]).await, Err(Failure::WrongProtocol));
    }

    #[tokio::test]
    async fn what_is_no_http_2_and_silence_are_told_apart() {
        use tokio::io::AsyncWriteExt as _;
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        theirs.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n0123456789").await.unwrap();
        assert_eq!(exchange(ours, &PLACE, vec![1], LIMIT).await, Err(Failure::WrongProtocol));
        let (ours, _theirs) = tokio::io::duplex(1 << 16);
        assert_eq!(exchange(ours, &PLACE, vec![1], Duration::from_millis(50)).await, Err(Failure::TimedOut));
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        drop(theirs);
        assert!(exchange(ours, &PLACE, vec![1], LIMIT).await.is_err());
    }
}

//! A page of metrics for Prometheus to fetch: one path, GET and HEAD, a few callers at once.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Callers at once; more wait.
const CALLERS: usize = 8;
/// Longest time for one caller.
const LIMIT: Duration = Duration::from_secs(10);
/// Prometheus' text format.
const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What makes the page.
pub type Page = Arc<dyn Fn() -> String + Send + Sync>;

/// Where the page is.
#[derive(Debug)]
pub struct Exposition {
    listener: TcpListener,
}

impl Exposition {
    /// Takes the address.
    ///
    /// # Errors
    /// The system's: it is in use, or not this machine's.
    pub async fn bind(at: SocketAddr) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(at).await? })
    }

    /// Where it is, with the port that was really taken.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is stopped.
    pub async fn serve(self, page: Page, stop: CancellationToken) {
        let callers = Arc::new(Semaphore::new(CALLERS));
        loop {
            let caller = tokio::select! {
                caller = Arc::clone(&callers).acquire_owned() => caller,
                () = stop.cancelled() => return,
            };
            let stream = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            let Ok((stream, _)) = stream else {
                // out of sockets: others give theirs back meanwhile
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            };
            let page = Arc::clone(&page);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let answer = answer(&request, &page);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(LIMIT)
                    .keep_alive(false)
                    .max_buf_size(16 << 10)
                    .serve_connection(TokioIo::new(stream), service);
                // who hangs up, or asks in no HTTP, is nobody's trouble
                let _ = tokio::time::timeout(LIMIT, connection).await;
                drop(caller);
            });
        }
    }
}

fn answer(request: &Request<Incoming>, page: &Page) -> Response<Full<Bytes>> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, TYPE, page()),
        (&Method::GET | &Method::HEAD, _) => {
            (StatusCode::NOT_FOUND, "text/plain", "the metrics are at /metrics\n".to_owned())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, http::HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn said(at: SocketAddr, question: &[u8]) -> String {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(question).await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    }

    #[tokio::test]
    async fn one_page_is_served_and_nothing_else() {
        let exposition = Exposition::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (at, stop) = (exposition.address().unwrap(), CancellationToken::new());
        let serving = tokio::spawn(exposition.serve(Arc::new(|| "a 1\n".to_owned()), stop.clone()));
        let page = said(at, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("\r\n\r\na 1\n"), "{page}");
        let head = said(at, b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(said(at, b"GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n").await.starts_with("HTTP/1.1 404"));
        let posted = b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        assert!(said(at, posted).await.starts_with("HTTP/1.1 405"));
        // more callers than are served at once, most of whom say nothing or nonsense
        for _ in 0..30 {
            let _ = said(at, b"\x16\x03\x01 nonsense\r\n\r\n").await;
        }
        assert!(said(at, b"GET /metrics HTTP/1.0\r\n\r\n").await.contains("a 1"));
        stop.cancel();
        serving.await.unwrap();
    }
}

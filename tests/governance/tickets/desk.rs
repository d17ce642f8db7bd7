//! A small HTTP server of the tests' own: hears every byte, over TLS where it is asked to, and
//! answers as it is told.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    /// Path and query, as they were written.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Heard {
    /// A header that must be there once at most.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(have, _)| have == name).map(|(_, value)| value.as_str());
        let first = found.next();
        assert!(found.next().is_none(), "{name} is there twice");
        first
    }

    /// The one part of a multipart body: its headers, and its bytes.
    pub fn part(&self) -> (String, Vec<u8>) {
        let kind = self.header("content-type").unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let (first, last) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}--\r\n"));
        let inner = self.body.strip_prefix(first.as_bytes()).unwrap().strip_suffix(last.as_bytes()).unwrap();
        let end = inner.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (String::from_utf8(inner[..end].to_vec()).unwrap(), inner[end + 4..].to_vec())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Bytes of the body that are really sent.
    pub sent: usize,
}

impl Reply {
    pub fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: vec![("Content-Type", kind.to_owned())], sent: body.len(), body }
    }

    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json;charset=UTF-8", value.to_string())
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Ends in the middle of the body.
    pub fn half(mut self) -> Self {
        self.sent /= 2;
        self
    }
}

/// The server. It ends when it is dropped.
pub struct Desk {
    pub port: u16,
    scheme: &'static str,
    heard: Arc<Mutex<Vec<Heard>>>,
    over: Arc<AtomicBool>,
}

impl Desk {
    /// `answer` gives the reply; `None` closes the connection without a word.
    pub fn new(answer: impl FnMut(&Heard) -> Option<Reply> + Send + 'static) -> Self {
        Self::on(None, answer)
    }

    /// As `new`, over TLS.
    pub fn over_tls(
        tls: Arc<rustls::ServerConfig>,
        answer: impl FnMut(&Heard) -> Option<Reply> + Send + 'static,
    ) -> Self {
        Self::on(Some(tls), answer)
    }

    fn on(
        tls: Option<Arc<rustls::ServerConfig>>,
        mut answer: impl FnMut(&Heard) -> Option<Reply> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (log, stop) = (Arc::clone(&heard), Arc::clone(&over));
        let scheme = if tls.is_some() { "https" } else { "http" };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                let mut serve = |stream: &mut dyn Stream| {
                    let Some(request) = hear(stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    if let Some(reply) = answer(&request) {
                        let _ = say(stream, &reply);
                    }
                };
                match &tls {
                    None => serve(&mut stream),
                    Some(tls) => {
                        let connection = rustls::ServerConnection::new(Arc::clone(tls)).unwrap();
                        let mut stream = rustls::StreamOwned::new(connection, stream);
                        serve(&mut stream);
                        // without it a client may take the answer for one that was cut off
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                }
            }
        });
        Self { port, scheme, heard, over }
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Method and target of each request.
    pub fn lines(&self) -> Vec<String> {
        self.heard().iter().map(|heard| format!("{} {}", heard.method, heard.target)).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A connection, bare or in TLS.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn hear(stream: &mut dyn Stream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { method, target, headers, body })
}

fn say(stream: &mut dyn Stream, reply: &Reply) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {} Said\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    )?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body[..reply.sent])?;
    stream.flush()
}

//! As much of HTTP/1.1 (RFC 9110, RFC 9112) as golive's questions need: an upload that lasts a given
//! time, whose body is sent in chunks; a small page, as it comes; a proxy's `CONNECT`; a head alone.
//!
//! Not HTTP/2: there a second flow control of the server's own choosing would hold an upload up.

mod address;
mod block_page;
mod browse;
mod page;
mod product;
mod push;
mod response;
mod status;
#[cfg(test)]
mod tests;

pub use address::WebUrl;
pub use block_page::block_page;
pub use browse::Browse;
pub use page::{Page, Pages};
pub use product::product;
pub use push::{PushUrl, push};
pub use response::{BadResponse, MAX_HEAD, Response, Responses};
pub use status::{meaning, remedy};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a body is uploaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// The server keeps it under the URL (`WebDAV`, object stores).
    #[default]
    Put,
    /// The server does with it what it likes (speed tests).
    Post,
}

impl Verb {
    /// The method's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Post => "POST",
        }
    }
}

/// Head of the request. The server is asked to say beforehand whether it will take the body
/// (RFC 9110, 10.1.1). `host` with its port where that is not the usual one.
pub fn request(verb: Verb, host: &str, path: &str) -> Vec<u8> {
    let verb = verb.word();
    format!(
        "{verb} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: golive/{}\r\nAccept: */*\r\n\
         Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\
         Connection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

/// Head of a request for nothing but the head of the answer, made anew and not a cache's.
pub fn head(host: &str, path: &str) -> Vec<u8> {
    format!(
        "HEAD {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: golive/{}\r\nAccept: */*\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

/// Asks for a page, past every cache (RFC 9111, 5.2.1.4). `accept` is the kind of content that is wanted.
pub fn get(url: &WebUrl, accept: &str) -> Vec<u8> {
    format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: golive/{}\r\nAccept: {accept}\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
        url.path(),
        url.authority(),
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

/// Asks a proxy for a tunnel to `host:port` (RFC 9110, 9.3.6). `credentials` are the value of
/// `Proxy-Authorization`, a secret.
pub fn connect(authority: &str, credentials: Option<&str>) -> Vec<u8> {
    let credentials =
        credentials.map_or_else(String::new, |value| format!("Proxy-Authorization: {value}\r\n"));
    format!(
        "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: golive/{}\r\n{credentials}\r\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

/// One chunk of a body (RFC 9112, 7.1); never of nothing, which would end it.
pub fn chunk(data: &[u8]) -> Vec<u8> {
    if data.is_empty() {
        return Vec::new();
    }
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// The end of a body.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

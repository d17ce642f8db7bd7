//! What a viewer's browser or player asks a web server.

use std::fmt::Write as _;

use super::WebUrl;
use crate::model::Secret;

/// A browser's name, and golive's: some sites answer nobody else.
const AGENT: &str = concat!("Mozilla/5.0 (compatible; golive/", env!("CARGO_PKG_VERSION"), ")");

/// One request for a page, playlist or segment, over a connection that is kept.
#[derive(Debug, Clone, Copy)]
pub struct Browse<'a> {
    /// What is asked for.
    pub url: &'a WebUrl,
    /// Kind of content that is wanted: HTTP's `Accept`.
    pub accept: &'a str,
    /// The part that is wanted: its first byte and its length.
    pub span: Option<(u64, u64)>,
    /// The page on which a player runs, whose origin a browser sends along (the Fetch standard's CORS).
    pub player: Option<&'a WebUrl>,
}

impl Browse<'_> {
    /// Its head, as a server takes it.
    pub fn head(&self) -> String {
        self.with_target(self.url.path())
    }

    /// Its head, as a proxy takes it for `http://` (RFC 9112, 3.2.2). `proof` is the value of
    /// `Proxy-Authorization`.
    pub fn head_for_proxy(&self, proof: Option<&Secret>) -> Secret {
        let target = format!("http://{}{}", self.url.authority(), self.url.path());
        let mut head = self.with_target(&target);
        if let Some(proof) = proof {
            head.truncate(head.len() - 2);
            let _ = write!(head, "Proxy-Authorization: {}\r\n\r\n", proof.reveal());
        }
        Secret::from(head)
    }

    fn with_target(&self, target: &str) -> String {
        let mut head = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\nAccept: {}\r\n\
             Accept-Language: en\r\nCache-Control: no-cache\r\n",
            self.url.authority(),
            self.accept
        );
        if let Some((start, length)) = self.span {
            let last = start.saturating_add(length.saturating_sub(1));
            let _ = write!(head, "Range: bytes={start}-{last}\r\n");
        }
        if let Some(player) = self.player {
            let _ = write!(head, "Origin: {}\r\n", player.origin());
        }
        head + "\r\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_part_and_origin() {
        let url = WebUrl::try_from("http://cdn.example:8080/a.m4s?t=1".to_owned()).unwrap();
        let player = WebUrl::try_from("https://event.example.com/live".to_owned()).unwrap();
        let ask = Browse { url: &url, accept: "*/*", span: Some((10, 5)), player: Some(&player) };
        let head = ask.head();
        assert!(head.starts_with("GET /a.m4s?t=1 HTTP/1.1\r\nHost: cdn.example:8080\r\n"), "{head}");
        assert!(
            head.contains("\r\nRange: bytes=10-14\r\nOrigin: https://event.example.com\r\n\r\n"),
            "{head}"
        );
        let proof = Secret::from("Basic eA==".to_owned());
        let for_proxy = ask.head_for_proxy(Some(&proof));
        assert!(for_proxy.reveal().starts_with("GET http://cdn.example:8080/a.m4s?t=1 HTTP/1.1\r\n"));
        assert!(for_proxy.reveal().ends_with("\r\nProxy-Authorization: Basic eA==\r\n\r\n"));
    }
}

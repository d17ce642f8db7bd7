//! A small response with its body: bytes in, a page out. No more of the body is kept than was wanted.

use super::response::{BadResponse, Response, Responses};

/// Longest line with the size of a chunk (RFC 9112, 7.1).
const MAX_SIZE_LINE: usize = 256;

/// A response with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its head.
    pub response: Response,
    /// The body, as much of it as was wanted.
    pub body: Vec<u8>,
    /// True when that is all of it.
    pub whole: bool,
    /// Bytes of the body that came, also those that were not wanted.
    pub length: u64,
}

impl Page {
    /// Enough to recognise it by: its title, or else its first words. As its server wrote it.
    pub fn beginning(&self) -> String {
        let start = String::from_utf8_lossy(self.body.get(..4096).unwrap_or(&self.body));
        let after = |text: &str, mark: &str| text.to_ascii_lowercase().find(mark).map(|at| at + mark.len());
        let title = after(&start, "<title").and_then(|at| {
            let (_, rest) = start.get(at..)?.split_once('>')?;
            Some(rest.split('<').next().unwrap_or_default().to_owned())
        });
        let shown = title.unwrap_or_else(|| start.chars().take(160).collect());
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// How long the body is (RFC 9112, 6.3).
#[derive(Debug)]
enum Framing {
    Length(u64),
    Chunked(Chunk),
    UntilClose,
}

/// Where in a body of chunks we are.
#[derive(Debug)]
enum Chunk {
    Size(Vec<u8>),
    Data(u64),
    AfterData,
    Last,
}

/// Takes bytes as they come and gives one page.
#[derive(Debug)]
pub struct Pages {
    heads: Responses,
    head: Option<(Response, Framing)>,
    body: Vec<u8>,
    most: usize,
    tunnel: bool,
    /// Wait for the end of the body, though no more of it is kept.
    to_the_end: bool,
    length: u64,
}

impl Pages {
    /// Of a `GET`; at most so many bytes of its body.
    pub fn new(most: usize) -> Self {
        let (heads, body) = (Responses::default(), Vec::new());
        Self { heads, head: None, body, most, tunnel: false, to_the_end: false, length: 0 }
    }

    /// Of a `GET` whose whole body is to come; at most so many bytes of it are kept.
    pub fn to_the_end(most: usize) -> Self {
        Self { to_the_end: true, ..Self::new(most) }
    }

    /// Of a `CONNECT`: after a success no body follows, but the tunnel (RFC 9110, 9.3.6).
    pub fn of_connect(most: usize) -> Self {
        Self { tunnel: true, ..Self::new(most) }
    }

    /// Takes bytes of the connection, at most some kilobytes at once.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.head.is_some() {
            self.more(bytes);
        } else {
            self.heads.receive(bytes);
        }
    }

    /// The page, if there is enough of it.
    ///
    /// # Errors
    /// It is not HTTP/1, or its head does not end.
    pub fn take(&mut self) -> Result<Option<Page>, BadResponse> {
        while self.head.is_none() {
            match self.heads.take()? {
                None => return Ok(None),
                Some(interim) if interim.is_interim() => {}
                Some(response) => {
                    let framing = self.framing(&response);
                    self.head = Some((response, framing));
                    let rest = self.heads.rest();
                    self.more(&rest);
                }
            }
        }
        let is_over = match &self.head {
            Some((_, Framing::Length(left))) => *left == 0,
            Some((_, Framing::Chunked(chunk))) => matches!(chunk, Chunk::Last),
            _ => false,
        };
        if is_over || (!self.to_the_end && self.body.len() >= self.most) {
            return Ok(self.give(is_over));
        }
        Ok(None)
    }

    /// The page when the connection has ended; none when not even its head came.
    ///
    /// # Errors
    /// What came is not HTTP/1.
    pub fn end(&mut self) -> Result<Option<Page>, BadResponse> {
        if let Some(page) = self.take()? {
            return Ok(Some(page));
        }
        let whole = matches!(self.head, Some((_, Framing::UntilClose)));
        Ok(self.give(whole))
    }

    /// The first bytes that came, while no head is whole.
    pub fn first_bytes(&self) -> &[u8] {
        self.heads.held()
    }

    fn give(&mut self, whole: bool) -> Option<Page> {
        let (response, _) = self.head.take()?;
        Some(Page { response, body: std::mem::take(&mut self.body), whole, length: self.length })
    }

    fn framing(&self, response: &Response) -> Framing {
        if matches!(response.status, 204 | 304) || (self.tunnel && response.is_success()) {
            return Framing::Length(0);
        }
        if let Some(coding) = response.values("transfer-encoding").last() {
            let chunked = coding.as_str().to_ascii_lowercase().ends_with("chunked");
            return if chunked { Framing::Chunked(Chunk::Size(Vec::new())) } else { Framing::UntilClose };
        }
        let length = response.value("content-length").and_then(|length| length.as_str().parse().ok());
        length.map_or(Framing::UntilClose, Framing::Length)
    }

    fn more(&mut self, bytes: &[u8]) {
        let room = self.most.saturating_sub(self.body.len());
        match &mut self.head {
            Some((_, Framing::Length(left))) => {
                let length = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= length as u64;
                self.length += length as u64;
                self.body.extend(bytes.iter().take(length.min(room)));
            }
            Some((_, Framing::UntilClose)) => {
                self.length += bytes.len() as u64;
                self.body.extend(bytes.iter().take(room));
            }
            Some((_, Framing::Chunked(chunk))) => {
                for &byte in bytes {
                    if let Some(data) = chunk.step(byte) {
                        self.length += 1;
                        if self.body.len() < self.most {
                            self.body.push(data);
                        }
                    }
                }
            }
            None => {}
        }
    }
}

impl Chunk {
    /// One byte further; gives it back when it is one of the body's. What is no size ends the body.
    fn step(&mut self, byte: u8) -> Option<u8> {
        match self {
            Self::Size(line) => {
                if byte == b'\n' {
                    let text = String::from_utf8_lossy(line);
                    let digits = text.split(';').next().unwrap_or_default().trim();
                    *self = match u64::from_str_radix(digits, 16) {
                        Ok(0) | Err(_) => Self::Last,
                        Ok(size) => Self::Data(size),
                    };
                } else if line.len() < MAX_SIZE_LINE {
                    line.push(byte);
                } else {
                    *self = Self::Last;
                }
                None
            }
            Self::Data(left) => {
                *left -= 1;
                if *left == 0 {
                    *self = Self::AfterData;
                }
                Some(byte)
            }
            Self::AfterData => {
                if byte == b'\n' {
                    *self = Self::Size(Vec::new());
                }
                None
            }
            Self::Last => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WireText;
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]], most: usize) -> Option<Page> {
        let mut pages = Pages::new(most);
        for piece in pieces {
            pages.receive(piece);
            if let Some(page) = pages.take().unwrap() {
                return Some(page);
            }
        }
        pages.end().unwrap()
    }

    #[test]
    fn a_body_ends_as_its_head_says() {
        for (head, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", "success\nmore"),
            ("HTTP/1.1 200 OK\r\n\r\n", "success\n"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "4;x=y\r\nsucc\r\n4\r\ness\n\r\n0\r\n\r\n",
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:8\r\n\r\n", "success\n"),
        ] {
            let whole = [head.as_bytes(), body.as_bytes()].concat();
            for pieces in [vec![&whole[..]], whole.chunks(1).collect()] {
                let page = read(&pieces, 1000).unwrap();
                assert_eq!((page.response.status, page.whole), (200, true), "{head}");
                assert_eq!(String::from_utf8_lossy(&page.body), "success\n", "{head}");
            }
        }
        let none = read(&[b"HTTP/1.1 204 No Content\r\n\r\n"], 10).unwrap();
        assert!(none.whole && none.body.is_empty());
    }

    #[test]
    fn a_body_is_bounded_and_a_cut_one_is_not_whole() {
        let endless = read(&[b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 5000]], 100).unwrap();
        assert_eq!((endless.body.len(), endless.whole), (100, false));
        let cut = read(&[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"], 100).unwrap();
        assert_eq!((cut.body.as_slice(), cut.whole), (&b"abc"[..], false));
        assert_eq!(read(&[b"HTTP/1.1 20"], 100), None);
    }

    #[test]
    fn a_tunnel_has_no_body_and_a_refusal_has_one() {
        let mut granted = Pages::of_connect(100);
        granted.receive(b"HTTP/1.1 200 Connection established\r\n\r\n");
        assert!(granted.take().unwrap().unwrap().whole);
        let mut refused = Pages::of_connect(100);
        refused.receive(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nPROXY-AUTHENTICATE: Basic realm=\"x\"\r\n\r\n<h1>");
        assert_eq!(refused.take().unwrap(), None);
        let page = refused.end().unwrap().unwrap();
        let schemes: Vec<_> = page.response.values("Proxy-Authenticate").map(WireText::as_str).collect();
        assert_eq!(schemes, ["Negotiate", "Basic realm=\"x\""]);
        assert_eq!(page.body, b"<h1>");
    }

    #[test]
    fn a_page_is_recognised_by_its_title_or_first_words() {
        for (body, shown) in [
            ("<html>\n <TITLE lang=en>Web Page\n Blocked</TITLE><p>…", "Web Page Blocked"),
            ("Access\r\n  denied", "Access denied"),
            ("<title", "<title"),
            ("", ""),
        ] {
            let mut pages = Pages::new(1000);
            pages.receive(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes());
            assert_eq!(pages.end().unwrap().unwrap().beginning(), shown);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), at in 1usize..50) {
            let whole = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &bytes].concat();
            let mut pages = Pages::new(64);
            for piece in whole.chunks(at) {
                pages.receive(piece);
                if let Ok(Some(page)) = pages.take() {
                    prop_assert!(page.body.len() <= 64);
                }
            }
            let _ = pages.end();
        }
    }
}

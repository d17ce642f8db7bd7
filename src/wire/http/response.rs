//! Heads of responses: bytes in, a status and fields out.

use crate::model::WireText;

/// Longest head that is taken.
pub const MAX_HEAD: usize = 32 * 1024;
/// Fields of a head that are kept.
const MAX_FIELDS: usize = 100;

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code, 100 to 999.
    pub status: u16,
    /// The server's words for it.
    pub reason: WireText,
    /// Where a redirection leads.
    pub location: Option<WireText>,
    /// Its fields in order, at most [`MAX_FIELDS`].
    fields: Vec<(WireText, WireText)>,
}

impl Response {
    /// When the server made it, to the second (`Date`, RFC 9110, 6.6.1).
    pub fn date(&self) -> Option<jiff::Timestamp> {
        let date = jiff::fmt::rfc2822::parse(self.value("date")?.as_str());
        date.ok().map(|date| date.timestamp())
    }

    /// True when it comes from a cache (`Age`, RFC 9111, 5.1): its date is of the past.
    pub fn is_cached(&self) -> bool {
        self.value("age").is_some()
    }

    /// True when another response follows (RFC 9110, 15.2).
    pub const fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// True when the server did what was asked.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Every value of a field, whatever the case of its name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a WireText> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.as_str().eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of a field.
    pub fn value(&self, name: &str) -> Option<&WireText> {
        self.fields
            .iter()
            .find(|(known, _)| known.as_str().eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Every field: name and value.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Not HTTP/1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadResponse {
    /// Another protocol; its first bytes.
    #[error("not HTTP/1: {0}")]
    NotHttp(WireText),
    /// More than [`MAX_HEAD`] bytes without an end.
    #[error("a response whose head does not end")]
    TooLong,
}

/// Takes bytes as they come and gives heads.
#[derive(Debug, Default)]
pub struct Responses {
    held: Vec<u8>,
}

impl Responses {
    /// Takes bytes of the connection.
    pub fn receive(&mut self, bytes: &[u8]) {
        let room = (MAX_HEAD + 1).saturating_sub(self.held.len());
        self.held.extend(bytes.iter().take(room));
    }

    /// The next head, if it is whole.
    ///
    /// # Errors
    /// It is not HTTP/1, or does not end.
    pub fn take(&mut self) -> Result<Option<Response>, BadResponse> {
        const PROTOCOL: &[u8] = b"HTTP/1.";
        let begun = self.held.len().min(PROTOCOL.len());
        if self.held.get(..begun) != PROTOCOL.get(..begun) {
            return Err(BadResponse::NotHttp(WireText::from_bytes(
                self.held.get(..80).unwrap_or(&self.held),
            )));
        }
        let Some(length) = end(&self.held) else {
            return if self.held.len() > MAX_HEAD { Err(BadResponse::TooLong) } else { Ok(None) };
        };
        let head: Vec<u8> = self.held.drain(..length).collect();
        parse(&head).map(Some)
    }

    /// What came after the heads that were taken.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// What was received and is not taken.
    pub fn held(&self) -> &[u8] {
        &self.held
    }
}

/// Length of the head, its empty line included.
fn end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn parse(head: &[u8]) -> Result<Response, BadResponse> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let bad = || BadResponse::NotHttp(WireText::from(first));
    let mut words = first.splitn(3, ' ').skip(1);
    let code = words.next().ok_or_else(bad)?;
    let status = code.parse().ok().filter(|status| code.len() == 3 && *status >= 100).ok_or_else(bad)?;
    let fields: Vec<(WireText, WireText)> = lines
        .filter_map(|line| line.split_once(':'))
        .take(MAX_FIELDS)
        .map(|(name, value)| (WireText::from(name.trim()), WireText::from(value.trim())))
        .collect();
    let reason = WireText::from(words.next().unwrap_or_default().trim());
    let mut response = Response { status, reason, location: None, fields };
    response.location = response.value("location").cloned();
    Ok(response)
}

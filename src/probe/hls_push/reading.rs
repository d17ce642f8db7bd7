//! What came of each file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Contact, WireText};
use crate::net::tls::Session;
use crate::net::viewer::{Ended, Way};
use crate::wire::http::{PushUrl, Verb};

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// Where files went; the key is not in it.
    pub url: PushUrl,
    /// By which method.
    pub verb: Verb,
    /// Bit rate of pictures and sound, kb/s.
    pub media_kbps: u64,
    /// How long a segment plays, ms.
    pub segment_ms: u64,
    /// Segments that were to be pushed.
    pub planned: u32,
    /// The way that was taken.
    pub way: Way,
    /// Each request in order.
    pub pushes: Vec<Push>,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A segment.
    Segment,
    /// The playlist that names all segments so far.
    Playlist,
    /// To delete a file again.
    Delete,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Push {
    /// What for.
    pub what: What,
    /// Bytes of its body.
    pub bytes: u64,
    /// When it began, milliseconds since the check started.
    pub offset_ms: f64,
    /// The connection, to the server or to the proxy.
    pub contact: Option<Contact>,
    /// Whether the connection was there before.
    pub kept: bool,
    /// What was agreed in TLS; on a connection that was there before, see the request that made it.
    pub session: Option<Box<Session>>,
    /// From the connection to the end of the answer, ms.
    pub took_ms: f64,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// No answer in HTTP.
    None(Ended),
    /// An answer; the key is not in its texts.
    Http(Head),
}

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// HTTP's status.
    pub status: u16,
    /// The server's words for it.
    pub reason: WireText,
    /// What it says of its content's kind.
    pub content_type: Option<WireText>,
    /// Where a redirection leads, without its query.
    pub location: Option<WireText>,
    /// The filter whose block page it looks like: a hint.
    pub product: Option<String>,
    /// The beginning of its body.
    pub body: WireText,
}

impl Head {
    /// Whether the server says that it did what was asked: a page is none of its words.
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status) && !self.is_page()
    }

    /// A web page with a success. Servers say 201 or 204 of a file that is new or replaced; some web
    /// servers add a page to their 201.
    pub fn is_page(&self) -> bool {
        let html = self.content_type.as_ref().is_some_and(|kind| kind.as_str().contains("html"));
        self.status == 200 && (html || self.product.is_some())
    }
}

impl Push {
    /// Whether the server took the file, or deleted it.
    pub fn is_taken(&self) -> bool {
        matches!(&self.answer, Answer::Http(head) if head.is_taken())
    }
}

//! What came to a viewer's browser.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::target::Content;
use crate::model::{Contact, WireText};
use crate::net::tls::Session;
use crate::net::viewer::{Download, Ended, Way};
use crate::wire::http::WebUrl;
use crate::wire::streaming::Container;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The address, as asked.
    pub url: WebUrl,
    /// What it is.
    pub kind: Content,
    /// The way that was taken.
    pub way: Way,
    /// Each request in order.
    pub steps: Vec<Step>,
    /// From the first question to the whole of the page, playlist and all, ms; for a stream to the end of
    /// its first segment. Absent when it did not come.
    pub took_ms: Option<f64>,
    /// Whether the page holds the text that it must; absent when none is named or no page came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_text: Option<bool>,
    /// What there is to play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// How much came when the line was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<Download>,
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The page.
    Page,
    /// The playlist or manifest.
    Playlist,
    /// The playlist of one quality.
    Variant,
    /// What a decoder needs first.
    Init,
    /// A segment.
    Segment,
    /// The playlist once more, to see whether it moves.
    SecondLook,
}

impl What {
    /// For a sentence: "the playlist".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Page => "the page",
            Self::Playlist => "the playlist",
            Self::Variant => "the playlist of its best quality",
            Self::Init => "the initialisation segment",
            Self::Segment => "the first segment",
            Self::SecondLook => "the playlist, asked again",
        }
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What for.
    pub what: What,
    /// The address without its query, where tokens are.
    pub location: WireText,
    /// Its host.
    pub host: WireText,
    /// The connection, to the host or to the proxy.
    pub contact: Option<Contact>,
    /// Whether the connection was there before.
    pub kept: bool,
    /// What was agreed in TLS; on a connection that was there before, see the step that made it.
    pub session: Option<Box<Session>>,
    /// From the question to the first byte of the answer, ms.
    pub answered_ms: Option<f64>,
    /// From the question to the end, ms.
    pub took_ms: f64,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing was asked: the policy does not name the host.
    Unnamed,
    /// No page.
    None(Ended),
    /// A page, playlist or segment.
    Page(Head),
}

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// HTTP's status.
    pub status: u16,
    /// What it says of its content's kind.
    pub content_type: Option<WireText>,
    /// Bytes of its body that came.
    pub bytes: u64,
    /// Whether that is all of it.
    pub whole: bool,
    /// Whether it ended before as much came as was to be read.
    pub cut: bool,
    /// Whether a player on the page that the policy names may read it; absent without such a page.
    pub allows_player: Option<bool>,
    /// The filter whose block page it looks like: a hint.
    pub product: Option<String>,
    /// The beginning of its body, where it is text and not what was asked for.
    pub body: WireText,
}

/// What there is to play.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// Why a player can do nothing with it, if so.
    pub trouble: Option<WireText>,
    /// Every quality.
    pub qualities: Vec<Quality>,
    /// Highest bit rate of the quality that was played, kb/s, as announced.
    pub kbps: Option<u64>,
    /// Whether more is to come.
    pub live: bool,
    /// How often something new must come, s.
    pub every_s: f64,
    /// How much can be played, s.
    pub seconds: f64,
    /// Whether something new came; absent when nobody looked, since nothing more is to come.
    pub moved: Option<bool>,
    /// How long was waited for that, s.
    pub waited_s: f64,
    /// Whether segments are encrypted as a whole.
    pub encrypted: bool,
    /// What the segment is; absent when it did not come, or is encrypted.
    pub container: Option<Container>,
    /// How long the segment plays, s.
    pub segment_s: f64,
}

/// One quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// Highest bit rate, kb/s, as announced.
    pub kbps: u64,
    /// Width, pixels.
    pub width: Option<u32>,
    /// Height, pixels.
    pub height: Option<u32>,
}

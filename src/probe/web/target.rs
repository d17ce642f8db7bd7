//! What viewers open, and where it may lead.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Endpoint, Transport};
use crate::net::viewer::{Load, Via};
use crate::probe::Problem;
use crate::wire::http::WebUrl;

/// Hosts that a policy may name beside the address' own.
const MAX_HOSTS: usize = 16;

/// What viewers open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `https://…` (or `http://…`) of the page, the playlist or the manifest.
    pub url: WebUrl,
    /// What it is: `page` (also when left out), `hls` or `dash`.
    #[serde(default)]
    pub kind: Content,
    /// Other hosts that it may lead to (redirections, playlists, segments): a name, or `*.` and a domain.
    /// Nothing is asked of any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Text that the page must hold, such as the event's title: what tells it from a page in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Page on which the player runs, where that is another site than the stream's: browsers ask the
    /// stream's servers for leave (CORS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub player: Option<WebUrl>,
    /// Whether a browser's proxy settings count: `as_configured` (also when left out) or `direct`.
    #[serde(default, skip_serializing_if = "Via::is_usual")]
    pub via: Via,
    /// Load the line with segments, to see how much comes: the check runs alone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<Load>,
}

/// What an address is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A web page: event, player, channel, chat.
    #[default]
    Page,
    /// An HLS playlist (RFC 8216).
    Hls,
    /// A DASH manifest (ISO/IEC 23009-1).
    Dash,
}

impl Target {
    /// Whether the policy names the host of an address: only then is anything asked of it.
    pub(super) fn names(&self, url: &WebUrl) -> bool {
        url.is_of(self.url.host(), &self.hosts)
    }

    /// Every place that may be asked.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        let port = self.url.port();
        let hosts = std::iter::once(self.url.host()).chain(self.hosts.iter().map(String::as_str));
        let places = hosts.flat_map(|host| {
            let implied = host.starts_with("*.");
            let at = move |port| Endpoint { implied, ..Endpoint::new(host, port, Transport::Tcp) };
            // Who asks in the clear is often sent to TLS.
            [Some(at(port)), (!self.url.is_tls()).then(|| at(443))].into_iter().flatten()
        });
        places.collect()
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if self.hosts.len() > MAX_HOSTS {
            problem("hosts", "at most 16 hosts are followed");
        }
        if !self.hosts.iter().all(|host| WebUrl::may_name(host)) {
            problem(
                "hosts",
                "write names such as `cdn.example.com` or `*.example.com`, without scheme or port",
            );
        }
        if self.kind != Content::Page && self.contains.is_some() {
            problem("contains", "only of a page: playlists and segments are recognised by what they are");
        }
        if self.contains.as_ref().is_some_and(|text| text.trim().is_empty()) {
            problem("contains", "is empty, which every page holds");
        }
        if self.kind == Content::Page && (self.player.is_some() || self.download.is_some()) {
            problem("kind", "`player` and `download` need `hls` or `dash`");
        }
        if let Some(load) = &self.download
            && (!(4..=60).contains(&load.seconds) || !(1..=16).contains(&load.connections))
        {
            problem("download", "4 to 60 seconds, 1 to 16 connections");
        }
        problems
    }
}

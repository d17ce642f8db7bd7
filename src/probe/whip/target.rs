//! Which endpoint, and whether to publish to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limits;
use crate::model::{Publish, SecretSource};
use crate::probe::Problem;
use crate::wire::http::WebUrl;
use crate::wire::turn::TurnUrl;

/// Longest test stream, in seconds. Longer ones are rehearsals.
pub const MAX_MEDIA_SECONDS: u32 = 60;
/// Hosts that a policy may name beside the endpoint's own.
const MAX_HOSTS: usize = 16;

/// Which endpoint, and whether to publish to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The endpoint: `https://host/path`, without a key.
    pub url: WebUrl,
    /// Other hosts that it may send us to (a redirection, the session's own address): a name, or `*.` and a
    /// domain. The test key goes to no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Whether to publish. Without, the endpoint is only asked what it takes: no UDP is sent.
    #[serde(default)]
    pub publish: Publish,
    /// Where the bearer token is under which the test is published. Never the key of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_key: Option<SecretSource>,
    /// A TURN server through which it is tried once more when no media address answers over UDP, as an encoder
    /// would that is set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// How many seconds of the test stream are sent (default 5).
    #[serde(default = "default_media_seconds")]
    pub media_seconds: u32,
}

/// A TURN server, as an `RTCIceServer` of WebRTC names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// `turn:host:3478?transport=udp`, `turn:host:443?transport=tcp` or `turns:host:443` (RFC 7065).
    pub url: TurnUrl,
    /// User name; absent: the server asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's credential. It never leaves this machine: the server gets a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<SecretSource>,
}

/// Receivers report once a second or so.
const fn default_media_seconds() -> u32 {
    5
}

impl Target {
    pub(super) fn problems(&self, limits: &Limits) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if !self.url.is_tls() {
            problem("url", "WHIP is HTTPS (RFC 9725, 4): the test key would travel in the clear");
        }
        if self.hosts.len() > MAX_HOSTS || !self.hosts.iter().all(|host| WebUrl::may_name(host)) {
            problem(
                "hosts",
                "at most 16 names such as `media.example.com` or `*.example.com`, without scheme or port",
            );
        }
        match (self.publish, &self.test_key) {
            (Publish::Test, None) => problem(
                "test_key",
                "publishing needs a test key: `{ env = \"NAME\" }`; an endpoint without keys passes any over",
            ),
            (Publish::Never, Some(_)) => {
                problem("test_key", "nothing is published: add `publish = \"test\"` or leave the key out");
            }
            _ => {}
        }
        if self.turn.is_some() && self.publish == Publish::Never {
            problem("turn", "nothing is published, so that nothing is relayed");
        }
        if !(1..=MAX_MEDIA_SECONDS).contains(&self.media_seconds) {
            problem("media_seconds", "from 1 to 60 seconds");
        }
        let limits = [
            ("connect_ms", limits.connect_ms.is_some()),
            ("round_trip_ms", limits.round_trip_ms.is_some()),
            ("loss_percent", limits.loss_percent.is_some()),
        ];
        for (field, _) in limits.into_iter().filter(|(_, set)| *set && self.publish == Publish::Never) {
            problem(field, "nothing is published, so that nothing can meet this limit");
        }
        problems
    }
}

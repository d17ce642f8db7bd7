//! `host:port`, as a policy names a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Endpoint;

/// `host:port`; an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// Port, never 0.
    pub port: u16,
}

impl TryFrom<String> for HostPort {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let (host, port) = Endpoint::split(&text)
            .ok_or("write it as `host:port`, such as server.example:5201 or [2001:db8::1]:862")?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl From<HostPort> for String {
    fn from(place: HostPort) -> Self {
        place.to_string()
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

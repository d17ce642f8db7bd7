//! `turn:` and `turns:` addresses (RFC 7065), as web pages and vendors write them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Endpoint, Transport};

/// What carries TURN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        })
    }
}

/// `turn:host:port?transport=udp`, `turn:host:port?transport=tcp` or `turns:host:port`; ports are 3478 and
/// 5349 where none is named, the transport is UDP for `turn:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TurnUrl {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What carries it.
    pub over: Over,
}

impl TurnUrl {
    /// What a firewall must let out for it.
    pub fn endpoint(&self) -> Endpoint {
        let transport = if self.over == Over::Udp { Transport::Udp } else { Transport::Tcp };
        Endpoint::new(&*self.host, self.port, transport)
    }
}

impl TryFrom<String> for TurnUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const FORM: &str = "a TURN address is `turn:host:port?transport=udp`, `turn:host:port?transport=tcp` or `turns:host:port`";
        let (scheme, rest) = text.split_once(':').ok_or(FORM)?;
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let transport = query.map(|query| query.strip_prefix("transport=").ok_or(FORM)).transpose()?;
        let over = match (scheme.to_ascii_lowercase().as_str(), transport) {
            ("turn", None | Some("udp")) => Over::Udp,
            ("turn", Some("tcp")) => Over::Tcp,
            ("turns", None | Some("tcp")) => Over::Tls,
            ("turns", Some("udp")) => {
                return Err("TURN over DTLS is not asked: name `turns:` with `transport=tcp`");
            }
            _ => return Err(FORM),
        };
        let usual = if over == Over::Tls { 5349 } else { 3478 };
        let bare = place.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (host, port) = match (bare, place.contains(':')) {
            (Some(address), _) => (address, usual),
            (None, false) => (place, usual),
            (None, true) => Endpoint::split(place).ok_or(FORM)?,
        };
        let literal = host.parse::<std::net::Ipv6Addr>().is_ok();
        if !Endpoint::may_be_host(host)
            || host.contains(['@', '#', '[', ']'])
            || literal != host.contains(':')
        {
            return Err(FORM);
        }
        Ok(Self { host: host.to_owned(), port, over })
    }
}

impl From<TurnUrl> for String {
    fn from(url: TurnUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for TurnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, over } = self;
        let (scheme, transport) = match over {
            Over::Udp => ("turn", "udp"),
            Over::Tcp => ("turn", "tcp"),
            Over::Tls => ("turns", "tcp"),
        };
        let brackets = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}:{}{host}{}:{port}?transport={transport}", brackets.0, brackets.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_shown_in_full() {
        for (text, shown) in [
            ("turn:turn.example.com", "turn:turn.example.com:3478?transport=udp"),
            ("turns:turn.example.com", "turns:turn.example.com:5349?transport=tcp"),
            ("TURN:192.0.2.1:443?transport=tcp", "turn:192.0.2.1:443?transport=tcp"),
            ("turns:[2001:db8::1]:443?transport=tcp", "turns:[2001:db8::1]:443?transport=tcp"),
            ("turn:[2001:db8::1]", "turn:[2001:db8::1]:3478?transport=udp"),
        ] {
            assert_eq!(TurnUrl::try_from(text.to_owned()).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "turn.example.com",
            "stun:turn.example.com",
            "turn://turn.example.com",
            "turn:user@turn.example.com",
            "turn:turn.example.com:0",
            "turn:turn.example.com?transport=sctp",
            "turns:turn.example.com?transport=udp",
            "turn:",
        ] {
            assert!(TurnUrl::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}

//! Proxies: who names one to this machine, what a proxy script (PAC) says, and a tunnel through one.
//!
//! The crate that reads settings and runs scripts (`proxy-watch`) is named here and nowhere else.

mod script;
mod settings;
mod tunnel;

pub use script::{FETCH, MOST as MOST_OF_SCRIPT, Step, WPAD, fetch_script, run};
pub use settings::{LONGEST as SETTINGS, Named, Word, environment, settings};
pub use tunnel::{Connect, Door, LONGEST, Opened, Stream, Tunnel, open, reach};

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::Secret;

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS, of whatever version.
    Socks,
}

/// A proxy, without whatever admits to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What admits to a proxy, as `user:password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials(Secret);

impl Credentials {
    /// The value of `Proxy-Authorization` (RFC 7617).
    pub fn proof(&self) -> Secret {
        Secret::from(format!("Basic {}", STANDARD.encode(self.0.reveal())))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks => "socks",
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

impl TryFrom<String> for Proxy {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        const FORM: &str = "a proxy is written `http://host:port` (or https://, socks://)";
        let url = Url::parse(&text).map_err(|_| FORM)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("name the proxy without user and password: a secret has no place in a policy");
        }
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => Scheme::Socks,
            _ => return Err(FORM),
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let usual = if scheme == Scheme::Socks { Some(1080) } else { url.port_or_known_default() };
        let port = url.port().or(usual).filter(|port| *port != 0).ok_or(FORM)?;
        if host.is_empty() { Err(FORM) } else { Ok(Self { scheme, host, port }) }
    }
}

impl From<Proxy> for String {
    fn from(proxy: Proxy) -> Self {
        proxy.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_written_as_an_address_and_never_with_a_password() {
        for (text, shown) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("http://proxy.example", "http://proxy.example:80"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
            ("socks5h://proxy.example", "socks://proxy.example:1080"),
        ] {
            let proxy = Proxy::try_from(text.to_owned()).unwrap();
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(Proxy::try_from(shown.to_owned()).unwrap(), proxy);
        }
        for text in ["proxy.example:3128", "ftp://a", "http://", "http://a:0"] {
            assert!(Proxy::try_from(text.to_owned()).is_err(), "{text}");
        }
        let refused = Proxy::try_from("http://me:hunter2@proxy.example:3128".to_owned()).unwrap_err();
        assert!(!refused.contains("hunter2"));
    }
}

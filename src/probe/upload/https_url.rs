//! An address that takes uploads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// `https://host/path`: without user, query or fragment, where secrets hide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct HttpsUrl {
    text: String,
    host: String,
    port: u16,
    path: String,
}

impl HttpsUrl {
    /// Host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path, from its `/` on.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host as in HTTP's `Host`, with its port where that is not the usual one.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }
}

impl TryFrom<String> for HttpsUrl {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        const FORM: &str = "an address that takes uploads is `https://host/path`";
        let url = Url::parse(&text).map_err(|_| FORM)?;
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err("name an address without user, password, query and fragment: a secret has no place \
                        in a policy");
        }
        let host =
            url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(FORM)?;
        if url.scheme() != "https" || host.is_empty() {
            return Err(FORM);
        }
        Ok(Self { host, port, path: url.path().to_owned(), text: url.into() })
    }
}

impl From<HttpsUrl> for String {
    fn from(url: HttpsUrl) -> Self {
        url.text
    }
}

impl std::fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

//! An address that takes uploads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::http::WebUrl;

/// `https://host/path`: without user and query, where secrets hide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct HttpsUrl(WebUrl);

impl HttpsUrl {
    /// Host, without brackets.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// TCP port.
    pub const fn port(&self) -> u16 {
        self.0.port()
    }

    /// Path, from its `/` on.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Host as in HTTP's `Host`, with its port where that is not the usual one.
    pub fn authority(&self) -> String {
        self.0.authority()
    }
}

impl TryFrom<String> for HttpsUrl {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        const FORM: &str = "an address that takes uploads is `https://host/path`";
        if text.contains(['?', '#', '@']) {
            return Err("name an address without user, password, query and fragment: a secret has no place \
                        in a policy");
        }
        let url = WebUrl::try_from(text).map_err(|_| FORM)?;
        if url.is_tls() { Ok(Self(url)) } else { Err(FORM) }
    }
}

impl From<HttpsUrl> for String {
    fn from(url: HttpsUrl) -> Self {
        url.0.into()
    }
}

impl std::fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

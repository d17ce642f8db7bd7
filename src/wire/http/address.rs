//! `http://` and `https://` URLs that a policy, a network or a machine names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::Endpoint;

/// `http://host/path` or `https://host/path`: never with a user, where secrets hide, and without a
/// fragment, which is no server's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct WebUrl {
    text: String,
    tls: bool,
    host: String,
    port: u16,
    path: String,
    queried: bool,
}

impl WebUrl {
    /// True for `https://`.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// Host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path with its query, from its `/` on.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// True when it has a query: the place of tokens and of a client's own addresses.
    pub const fn has_query(&self) -> bool {
        self.queried
    }

    /// It without its query.
    pub fn without_query(&self) -> &str {
        self.text.split('?').next().unwrap_or_default()
    }

    /// Host as in HTTP's `Host`, with its port where that is not the usual one.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Scheme, host and port, as a browser tells sites apart (RFC 6454).
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }

    /// Whether its host is `own` or one of those `named`: a name, or `*.` and a domain for all below it.
    pub fn is_of(&self, own: &str, named: &[String]) -> bool {
        let host = self.host.to_ascii_lowercase();
        own.eq_ignore_ascii_case(&host)
            || named.iter().any(|named| {
                let named = named.to_ascii_lowercase();
                match named.strip_prefix("*.") {
                    Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
                    None => named == host,
                }
            })
    }

    /// Whether [`Self::is_of`] can find a host by this: a name with a dot, or `*.` and a domain.
    pub fn may_name(host: &str) -> bool {
        let bare = host.strip_prefix("*.").unwrap_or(host);
        Endpoint::may_be_host(bare) && !bare.contains(['*', ':']) && bare.contains('.')
    }

    /// Where a redirection from here leads; none when that is no web address.
    pub fn join(&self, location: &str) -> Option<Self> {
        Self::of(Url::parse(&self.text).ok()?.join(location).ok()?).ok()
    }

    fn of(mut url: Url) -> Result<Self, &'static str> {
        const FORM: &str = "a web address is `http://host/path` or `https://host/path`";
        if !url.username().is_empty() || url.password().is_some() {
            return Err("name an address without user and password: a secret has no place in it");
        }
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(FORM),
        };
        url.set_fragment(None);
        let host =
            url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(FORM)?;
        if host.is_empty() {
            return Err(FORM);
        }
        let queried = url.query().is_some();
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        Ok(Self { text: url.into(), tls, host, port, path, queried })
    }
}

impl TryFrom<String> for WebUrl {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let url =
            Url::parse(&text).map_err(|_| "a web address is `http://host/path` or `https://host/path`")?;
        Self::of(url)
    }
}

impl From<WebUrl> for String {
    fn from(url: WebUrl) -> Self {
        url.text
    }
}

impl std::fmt::Display for WebUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<WebUrl, &'static str> {
        WebUrl::try_from(text.to_owned())
    }

    #[test]
    fn an_address_is_taken_apart() {
        let plain = url("http://a.example/generate_204").unwrap();
        assert_eq!((plain.host(), plain.port(), plain.path()), ("a.example", 80, "/generate_204"));
        assert!(!plain.is_tls() && plain.authority() == "a.example");
        let odd = url("https://[2001:db8::1]:8443/x?token=1#part").unwrap();
        assert_eq!((odd.host(), odd.authority().as_str()), ("2001:db8::1", "[2001:db8::1]:8443"));
        assert_eq!((odd.path(), odd.has_query()), ("/x?token=1", true));
        assert_eq!(odd.without_query(), "https://[2001:db8::1]:8443/x");
    }

    #[test]
    fn hosts_are_found_by_name_and_below_a_domain() {
        let named = ["*.cdn.example".to_owned(), "B.example".to_owned()];
        let is_of = |text: &str| url(text).unwrap().is_of("a.example", &named);
        assert!(
            is_of("https://A.example/") && is_of("https://b.example/") && is_of("https://x.y.cdn.example/")
        );
        assert!(
            !is_of("https://cdn.example/")
                && !is_of("https://evilcdn.example/")
                && !is_of("https://c.example/")
        );
        assert!(WebUrl::may_name("*.cdn.example") && WebUrl::may_name("b.example"));
        assert!(
            ["*", "*.*.example", "localhost", "a.example:443", "https://a.example"]
                .iter()
                .all(|no| !WebUrl::may_name(no))
        );
    }

    #[test]
    fn what_is_none_or_carries_a_secret_is_refused() {
        for text in
            ["", "a.example", "ftp://a.example/", "http://:80/", "http://a:0/", "http://u:p@a.example/"]
        {
            assert!(url(text).is_err(), "{text}");
        }
        assert!(!url("http://me:hunter2@a.example/").unwrap_err().contains("hunter2"));
    }

    #[test]
    fn a_redirection_is_relative_to_where_it_came_from() {
        let from = url("http://a.example/check").unwrap();
        assert_eq!(from.join("/login?mac=1").unwrap().without_query(), "http://a.example/login");
        assert_eq!(from.join("https://portal.example/").unwrap().host(), "portal.example");
        assert_eq!(from.join("javascript:alert(1)"), None);
    }
}

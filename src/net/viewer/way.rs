//! The way that a browser on this machine takes to an address: none, or a proxy that is named here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::{SourceAddress, WireText};
use crate::net::clock::Origin;
use crate::net::dhcp;
use crate::net::proxy::{self, Credentials, Named, Proxy, Step, Word};
use crate::net::tls::Roots;
use crate::wire::http::WebUrl;

/// Whether proxies that are named on this machine are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// As a browser on this machine would.
    #[default]
    AsConfigured,
    /// Never.
    Direct,
}

impl Via {
    /// Whether it may be left out.
    pub fn is_usual(&self) -> bool {
        *self == Self::AsConfigured
    }
}

/// The way that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Without a proxy.
    Direct {
        /// Why: nobody names one, an exception, a script's word.
        why: WireText,
    },
    /// Through a proxy.
    Proxy {
        /// The proxy.
        url: Proxy,
        /// Who names it: `https_proxy`, `settings for https`, a script's address.
        place: WireText,
        /// Whether a name and password stand beside it, which are kept nowhere.
        credentials: bool,
    },
}

/// A way with what admits to it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The way.
    pub way: Way,
    pub(super) credentials: Option<Credentials>,
}

impl Chosen {
    pub(super) const fn proxy(&self) -> Option<&Proxy> {
        match &self.way {
            Way::Proxy { url, .. } => Some(url),
            Way::Direct { .. } => None,
        }
    }
}

/// Without a proxy, whatever is named here.
pub fn direct(why: &str) -> Chosen {
    Chosen { way: Way::Direct { why: WireText::from(why) }, credentials: None }
}

/// As a browser would choose: by the environment, or else by the machine's or desktop's settings, which
/// may name a script (PAC) or have one looked for on the network (WPAD). A script that cannot be had or
/// run means no proxy, as it does to browsers.
pub async fn choose(url: &WebUrl, source: &SourceAddress, roots: &Roots, origin: &Origin) -> Chosen {
    let Ok(destination) = Url::parse(&url.to_string()) else { return direct("nobody names a proxy") };
    let mut named = proxy::environment(&destination);
    if named.is_empty() {
        named = proxy::settings(destination.clone()).await.unwrap_or_default();
    }
    if let Some(exempts) = named.iter().find(|named| named.word == Word::Exempt) {
        return direct(&format!("{} exempts the host", exempts.place));
    }
    for Named { place, word } in named {
        let (script, place) = match word {
            Word::Proxy(proxy, credentials) if is_for(&place, url.is_tls()) => {
                return through(proxy, credentials, &place);
            }
            Word::InlineScript(text) => (Ok((text, None)), place),
            Word::Script(at) => (fetched(&at, source, roots, origin).await, at),
            Word::Discover => {
                let at = dhcp::noted(source).options.proxy_script.unwrap_or_else(|| proxy::WPAD.to_owned());
                (fetched(&at, source, roots, origin).await, at)
            }
            _ => continue,
        };
        let place = place.split('?').next().unwrap_or_default().to_owned();
        let Ok((text, own)) = script else {
            return direct(&format!("the proxy script {place} could not be fetched"));
        };
        let to = destination.clone();
        let ran = tokio::task::spawn_blocking(move || proxy::run(&text, &to, own)).await;
        return match ran.map(|steps| steps.map(|steps| steps.into_iter().next())) {
            Ok(Ok(Some(Step::Proxy(proxy)))) => through(proxy, None, &place),
            Ok(Ok(_)) => direct(&format!("the proxy script {place} says so")),
            _ => direct(&format!("the proxy script {place} gave no answer")),
        };
    }
    direct("nobody names a proxy")
}

type Script = Result<(String, Option<std::net::IpAddr>), ()>;

async fn fetched(at: &str, source: &SourceAddress, roots: &Roots, origin: &Origin) -> Script {
    let url = WebUrl::try_from(at.to_owned()).map_err(|_| ())?;
    proxy::fetch_script(&url, source, roots, origin).await.map_err(|_| ())
}

fn through(proxy: Proxy, credentials: Option<Credentials>, place: &str) -> Chosen {
    let way = Way::Proxy { url: proxy, place: WireText::from(place), credentials: credentials.is_some() };
    Chosen { way, credentials }
}

/// Whether what stands at `place` is for addresses of this scheme: `https_proxy`, `settings for all`.
fn is_for(place: &str, tls: bool) -> bool {
    let scheme = if tls { "https" } else { "http" };
    place
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case(scheme) || word.eq_ignore_ascii_case("all"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_for_its_scheme() {
        assert!(is_for("https_proxy", true) && !is_for("https_proxy", false));
        assert!(is_for("settings for http", false) && !is_for("settings for http", true));
        assert!(is_for("all_proxy", true) && is_for("ALL_PROXY", false));
    }
}

//! The ingest that must be reached, and where to look for proxies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::HostPort;
use crate::net::proxy;
use crate::probe::Problem;
use crate::wire::http::WebUrl;
use crate::wire::rtmp::address::Address;

/// Proxies that a policy may name.
const MAX_NAMED: usize = 4;

/// Which ingest, and where to look for proxies beside this machine's own settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The ingest: `rtmp://`, `rtmps://` or `https://`, without a stream key.
    pub url: String,
    /// Proxies to try beside those that this machine is told of: `http://host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<proxy::Proxy>,
    /// A proxy script (PAC) to run beside those that this machine is told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<WebUrl>,
    /// Whether to look for a script on the network: DHCP option 252 and the name `wpad` (also when left
    /// out).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub wpad: bool,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_yes(wpad: &bool) -> bool {
    *wpad
}

/// The ingest, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Ingest {
    pub(super) place: HostPort,
    /// RTMP's own address, where it is asked in RTMP; else its certificate is asked for.
    pub(super) rtmp: Option<Address>,
}

impl Target {
    /// The ingest.
    pub(super) fn ingest(&self) -> Option<Ingest> {
        if let Ok(address) = Address::parse(&self.url) {
            let place = HostPort { host: address.host.clone(), port: address.port };
            return Some(Ingest { place, rtmp: Some(address).filter(|address| !address.tls) });
        }
        let web = WebUrl::try_from(self.url.clone()).ok().filter(WebUrl::is_tls)?;
        Some(Ingest { place: HostPort { host: web.host().to_owned(), port: web.port() }, rtmp: None })
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field, what: &str| problems.push(Problem { field, what: what.to_owned() });
        if self.ingest().is_none() {
            problem(
                "url",
                "write the ingest as rtmp://host/app, rtmps://host/app or https://host/path, without user and password",
            );
        }
        if self.proxies.len() > MAX_NAMED {
            problem("proxies", "at most 4 proxies are tried");
        }
        problems
    }
}

//! Proxies: what breaks TLS open, what takes port 80 for HTTP alone, what must be asked.

mod mitmproxy;
mod squid;

use serde::Deserialize;

use super::nftables::{Setting, Table, chain, redirect, to_ports};
use super::{Installed, Place};
use crate::ground::peer::free_port;

/// Which program.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// Passes what is no HTTP inside TLS.
    #[default]
    Mitmproxy,
    /// Answers with HTTP's 400 what is no HTTP inside TLS.
    Squid,
}

/// Ends TLS and begins it anew, signing with the venue's own authority.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsInterception {
    #[serde(default)]
    by: Program,
    /// The laptop's administrators put the venue's authority into its store.
    #[serde(default)]
    trusted: bool,
    /// Server names, with all below them, that it leaves alone.
    #[serde(default)]
    bypass: Vec<String>,
    #[serde(default = "https")]
    ports: Vec<u16>,
    /// Who signs for the servers (mitmproxy).
    #[serde(default)]
    authority: Signer,
    /// It passes on to servers that nobody vouches for, too (mitmproxy).
    #[serde(default)]
    lenient: bool,
}

/// Who signs for the servers that a proxy speaks for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// An authority of its own making.
    #[default]
    Own,
    /// The public one, which should never lend its key to anybody.
    Public,
}

fn https() -> Vec<u16> {
    vec![443]
}

impl TlsInterception {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let port = free_port();
        let installed = Installed::new(place, "tls_interception");
        let (mut installed, authority) = match self.by {
            Program::Mitmproxy => {
                let with =
                    mitmproxy::With { bypass: &self.bypass, signer: self.authority, lenient: self.lenient };
                let (peer, authority) = mitmproxy::start(place, port, "transparent", &with);
                (installed.with(peer), authority)
            }
            Program::Squid => {
                let gate = squid::Gate { tls: Some(port), bypass: &self.bypass, ..squid::Gate::default() };
                let (squid, authority) = squid::start(place, &gate);
                (installed.with(squid), authority)
            }
        };
        installed.told.authority = Some(authority);
        installed.told.trusted = self.trusted;
        installed.with(Table::load(place, &redirect(place, &to_ports("tcp", &self.ports), port)))
    }
}

/// A proxy that nobody was told of and that speaks HTTP alone: squid, which answers all else
/// with 400.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpOnly {
    #[serde(default = "http")]
    ports: Vec<u16>,
}

fn http() -> Vec<u16> {
    vec![80]
}

impl HttpOnly {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let port = free_port();
        let (peer, _) = squid::start(place, &squid::Gate { http: Some(port), ..squid::Gate::default() });
        let table = Table::load(place, &redirect(place, &to_ports("tcp", &self.ports), port));
        Installed::new(place, "http_only").with(table).with(peer)
    }
}

/// A proxy that must be asked, on port 3128.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplicitProxy {
    #[serde(default = "squid")]
    by: Program,
    /// What becomes of those who don't ask it.
    #[serde(default)]
    direct: Direct,
    /// Ports to which it connects.
    #[serde(default = "https")]
    connect: Vec<u16>,
    /// squid: who asks must show a name and password; any will do.
    #[serde(default)]
    asks: bool,
    /// mitmproxy: see [`TlsInterception`].
    #[serde(default)]
    trusted: bool,
    #[serde(default)]
    bypass: Vec<String>,
}

fn squid() -> Program {
    Program::Squid
}

/// What becomes of traffic beside the proxy. DNS passes in any case.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direct {
    #[default]
    Pass,
    Drop,
    Reject,
}

/// Where everybody looks for a proxy.
const PORT: u16 = 3128;

impl ExplicitProxy {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let mut installed = Installed::new(place, "explicit_proxy");
        installed.told.proxy = Some(format!("http://{}:{PORT}", place.address4));
        installed = match self.by {
            Program::Squid => {
                let gate = squid::Gate {
                    explicit: Some((PORT, &self.connect)),
                    asks: self.asks,
                    ..squid::Gate::default()
                };
                installed.with(squid::start(place, &gate).0)
            }
            Program::Mitmproxy => {
                let with = mitmproxy::With { bypass: &self.bypass, ..mitmproxy::With::default() };
                let (peer, authority) = mitmproxy::start(place, PORT, "regular", &with);
                installed.told.authority = Some(authority);
                installed.told.trusted = self.trusted;
                installed.with(peer)
            }
        };
        let from = "iifname $inside meta l4proto { tcp, udp } th dport != 53";
        let rules = match self.direct {
            Direct::Pass => return installed,
            Direct::Drop => format!("{from} counter drop"),
            Direct::Reject => {
                // Linux tells one destination so once a second: several questions at once would go without an answer.
                installed = installed.with(Setting::set(place, "net.ipv4.icmp_ratelimit", 0));
                format!("{from} counter reject with icmpx admin-prohibited")
            }
        };
        installed.with(Table::load(place, &chain("direct", "filter hook forward priority filter", &rules)))
    }
}

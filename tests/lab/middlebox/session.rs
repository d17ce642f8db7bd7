//! Boxes that end sessions: too old, too large, or forgotten while idle.

use serde::Deserialize;

use super::nftables::{Setting, Table, accounting, chain, of_ports, to_ports};
use super::{Installed, Place};

/// Ends every session after a time or a number of the client's bytes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionCutter {
    /// Since its first packet.
    #[serde(default)]
    after_s: Option<u32>,
    /// Sent by the client, headers and all.
    #[serde(default)]
    after_bytes: Option<u64>,
    #[serde(default)]
    how: Cut,
    #[serde(default)]
    transport: Transport,
    /// Empty: any port.
    #[serde(default)]
    ports: Vec<u16>,
}

/// How it ends a session. UDP knows no reset.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    #[default]
    Reset,
    Drop,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    #[default]
    Tcp,
    Udp,
    Both,
}

impl SessionCutter {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let protocols: &[&str] = match self.transport {
            Transport::Tcp => &["tcp"],
            Transport::Udp => &["udp"],
            Transport::Both => &["tcp", "udp"],
        };
        let mut rules = Vec::new();
        for protocol in protocols {
            let begun = to_ports(protocol, &self.ports);
            let ours = of_ports(protocol, &self.ports);
            let end = match (self.how, *protocol) {
                (Cut::Reset, "tcp") => "counter reject with tcp reset",
                _ => "counter drop",
            };
            if self.after_s.is_some() {
                rules.push(format!("{begun} ct state new add @young {{ ct id }}"));
                rules.push(format!("{ours} ct state established ct id != @young {end}"));
            }
            if let Some(bytes) = self.after_bytes {
                rules.push(format!("{ours} ct original bytes > {bytes} {end}"));
            }
        }
        assert!(!rules.is_empty(), "session_cutter needs after_s or after_bytes");
        let seconds = self.after_s.unwrap_or(1);
        let set =
            format!("set young {{ typeof ct id; flags dynamic,timeout; timeout {seconds}s; size 65535; }}\n");
        let body = set + &chain("forward", "filter hook forward priority mangle", &rules.join("\n "));
        let accounting = accounting(place);
        Installed::new(place, "session_cutter").with(accounting).with(Table::load(place, &body))
    }
}

/// A stateful firewall: what was idle for so long is forgotten, and no packet that isn't the first
/// of a session from the inside passes any more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleTimeout {
    #[serde(default)]
    udp_s: Option<u32>,
    #[serde(default)]
    tcp_s: Option<u32>,
}

impl IdleTimeout {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let mut installed = Installed::new(place, "idle_timeout");
        let set = |key: &str, value| Setting::set(place, &format!("net.netfilter.nf_conntrack_{key}"), value);
        if let Some(seconds) = self.udp_s {
            installed = installed.with(set("udp_timeout", seconds)).with(set("udp_timeout_stream", seconds));
        }
        if let Some(seconds) = self.tcp_s {
            // Not loose: a segment of an unknown session doesn't begin one.
            installed = installed.with(set("tcp_timeout_established", seconds)).with(set("tcp_loose", 0));
        }
        let rules = "meta l4proto { tcp, udp } ct state invalid counter drop\n \
                     iifname $outside meta l4proto { tcp, udp } ct state new counter drop";
        installed.with(Table::load(place, &chain("forward", "filter hook forward priority filter", rules)))
    }
}

//! How a check shares the line with others, and what it will cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a probe may run beside others. Lanes run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Asks a person; touches no network.
    Person,
    /// Only asks questions: side by side, bounded.
    Ask,
    /// Measures delay: while no load runs, one at a time.
    Delay,
    /// Loads the line: alone.
    Load,
}

/// Transport protocol of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// ICMP or `ICMPv6` echo (RFC 792, RFC 4443); the port is 0.
    Icmp,
}

/// One place that a check will send traffic to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Host name or literal address; `system resolver` style words are not hosts: see `implied`.
    pub host: String,
    /// Port, 0 for ICMP.
    pub port: u16,
    /// Transport protocol.
    pub transport: Transport,
    /// True when the machine's own set-up names the host (its resolvers), not the policy.
    #[serde(default)]
    pub implied: bool,
}

impl Endpoint {
    /// An endpoint that the policy names.
    pub fn new(host: impl Into<String>, port: u16, transport: Transport) -> Self {
        Self { host: host.into(), port, transport, implied: false }
    }

    /// Host and port of `host:port`, brackets of an IPv6 literal taken off; `None` when it is
    /// neither.
    pub fn split(text: &str) -> Option<(&str, u16)> {
        let (host, port) = text.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let port = port.parse().ok()?;
        (!host.is_empty() && port != 0).then_some((host, port))
    }

    /// Host and port of `host:port`, or of a bare host with the port that is meant then.
    pub fn host_port_or(named: &str, port: u16) -> (String, u16) {
        let bare = || (named.trim_start_matches('[').trim_end_matches(']'), port);
        let (host, port) = Self::split(named).unwrap_or_else(bare);
        (host.to_owned(), port)
    }

    /// False for text that is neither a host nor `host:port`: empty, with blanks, or a URL.
    pub fn may_be_host(named: &str) -> bool {
        !named.is_empty() && !named.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
    }

    /// True for a loopback literal or `localhost`: traffic that cannot leave this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

/// What a check will cost: an upper bound, printed by `golive plan` before anything is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Demand {
    /// Places contacted.
    pub endpoints: Vec<Endpoint>,
    /// Bytes sent at most.
    pub bytes_up: u64,
    /// Bytes received at most.
    pub bytes_down: u64,
    /// Packets sent at most.
    pub packets: u64,
    /// Seconds that it takes when all goes well.
    pub seconds: f64,
    /// Seconds after which it gives up.
    pub seconds_max: f64,
}

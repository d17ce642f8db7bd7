//! What to send, and to what.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limits;
use crate::model::{AtMost, Dscp, FarEnd, FarEndName, HostPort};
use crate::probe::Problem;
use crate::wire::stamp::{BASE_BYTES, CLASS_OF_SERVICE_BYTES, MAX_BYTES, MAX_PACKETS};

/// Fastest ICMP: more is load on hosts that answer it in their slow path.
const MAX_PING_RATE: u32 = 50;
const MAX_RATE: u32 = 5000;
/// Fastest handshakes: more look like an attack to a server.
const MAX_HANDSHAKE_RATE: u32 = 20;
const HANDSHAKE_RATE: u32 = 5;
/// What a watch sends beside a stream that is live: 200 packets like those of a voice call, so that one
/// lost of them is still within a limit of 0.5 %, at some 45 kb/s while they last.
pub(super) const LIGHT_RATE: u32 = 20;
pub(super) const LIGHT_PAYLOAD: u16 = 200;
pub(super) const LIGHT_S: u16 = 10;
/// Largest MTU that is asked about: Ethernet's.
const LARGEST_MTU: u32 = 1500;

/// What answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum To {
    /// A far end of this policy: a STAMP session of its own, opened with the token.
    FarEnd(FarEndName),
    /// `host:port` of any other STAMP reflector that takes packets without a session, such as
    /// a router's (port 862).
    Reflector(HostPort),
    /// A host that answers ICMP echo.
    Ping(String),
    /// `host:port` of any TCP server: handshakes are timed, and ended at once.
    Tcp(HostPort),
}

/// What to send, and to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `{ far_end = "cloud" }`, `{ reflector = "router.example:862" }`, `{ ping = "host" }` or
    /// `{ tcp = "host:443" }`.
    pub to: To,
    /// Where nothing comes back, or this user may not send ICMP: time TCP handshakes with this port
    /// of the same host instead. Absent: nothing takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_port: Option<u16>,
    /// Class of service to send with: `"ef"`, `"af41"`, or a number. Absent: the ordinary one.
    /// Whether it arrives is asked of the far end, or of a reflector that knows RFC 8972.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<Dscp>,
    /// Packets per second; absent: 100, of ICMP 10, of TCP 5. A 6 Mb/s stream over SRT has about 580.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_per_s: Option<u32>,
    /// Payload of UDP or ICMP, in bytes; absent: 1332 (seven transport stream packets in SRT:
    /// 1360 bytes of IPv4), of ICMP 56.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u16>,
    /// How long, in seconds, for each address family; absent: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u16>,
}

impl Target {
    /// Most packets per second.
    fn top_rate(&self) -> u32 {
        match self.to {
            To::FarEnd(_) | To::Reflector(_) => MAX_RATE,
            To::Ping(_) => MAX_PING_RATE,
            To::Tcp(_) => MAX_HANDSHAKE_RATE,
        }
    }

    /// True for STAMP, which has sizes and classes of its own.
    pub(super) const fn is_stamp(&self) -> bool {
        matches!(self.to, To::FarEnd(_) | To::Reflector(_))
    }

    /// Packets per second.
    pub fn rate(&self) -> u32 {
        self.packets_per_s.unwrap_or(match self.to {
            To::FarEnd(_) | To::Reflector(_) => 100,
            To::Ping(_) => 10,
            To::Tcp(_) => HANDSHAKE_RATE,
        })
    }

    /// Handshakes per second where they take the packets' place.
    pub(super) fn handshake_rate(&self) -> u32 {
        if matches!(self.to, To::Tcp(_)) { self.rate() } else { HANDSHAKE_RATE }
    }

    /// Payload, in bytes; handshakes have none.
    pub fn payload(&self) -> u16 {
        self.payload_bytes.unwrap_or(match self.to {
            To::FarEnd(_) | To::Reflector(_) => 1332,
            To::Ping(_) => 56,
            To::Tcp(_) => 0,
        })
    }

    /// Duration, in seconds.
    pub fn seconds(&self) -> u16 {
        self.seconds.unwrap_or(10)
    }

    /// Packets for each address family.
    pub fn packets(&self) -> u32 {
        self.rate().saturating_mul(self.seconds().into())
    }

    /// Host and port; port 0 for ICMP. `None` for a far end that the policy does not have.
    pub(super) fn place(&self, far_ends: &BTreeMap<FarEndName, FarEnd>) -> Option<(String, u16)> {
        match &self.to {
            To::FarEnd(name) => {
                let (host, port) = far_ends.get(name)?.host_port()?;
                Some((host.to_owned(), port))
            }
            To::Reflector(place) | To::Tcp(place) => Some((place.host.clone(), place.port)),
            To::Ping(host) => Some((host.trim_start_matches('[').trim_end_matches(']').to_owned(), 0)),
        }
    }
}

pub(super) fn problems(
    target: &Target,
    limits: &Limits,
    far_ends: &BTreeMap<FarEndName, FarEnd>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |field, what: String| problems.push(Problem { field, what });
    if target.place(far_ends).is_none() {
        let To::FarEnd(name) = &target.to else { return problems };
        problem("to", format!("there is no far end `{name}` with an address host:port in this policy"));
    }
    let (top, rate, payload) = (target.top_rate(), target.rate(), usize::from(target.payload()));
    if !(1..=top).contains(&rate) {
        problem("packets_per_s", format!("1 to {top} packets per second are possible here"));
    }
    let least = match target.to {
        To::FarEnd(_) | To::Reflector(_) if target.dscp.is_some() => BASE_BYTES + CLASS_OF_SERVICE_BYTES,
        To::FarEnd(_) | To::Reflector(_) => BASE_BYTES,
        To::Ping(_) => 8,
        To::Tcp(_) => 0,
    };
    let most = if matches!(target.to, To::Tcp(_)) { 0 } else { MAX_BYTES };
    if !(least..=most).contains(&payload) {
        problem("payload_bytes", format!("{least} to {most} bytes are possible here"));
    }
    if target.dscp.is_some() && !target.is_stamp() {
        problem("dscp", "only a far end or a reflector says with which DSCP packets arrive".to_owned());
    }
    if target.tcp_port == Some(0) || (target.tcp_port.is_some() && matches!(target.to, To::Tcp(_))) {
        problem("tcp_port", "name a port, and only where something else than TCP is asked first".to_owned());
    }
    if limits.mtu_bytes.is_some_and(|limit| !(68..=LARGEST_MTU).contains(&limit.0)) {
        problem("mtu_bytes", format!("68 to {LARGEST_MTU} bytes can be asked about"));
    }
    if limits.mtu_bytes.is_some() && !target.is_stamp() {
        problem("mtu_bytes", "only a far end or a reflector answers packets of any size".to_owned());
    }
    if limits.dscp.is_some() && target.dscp.is_none() {
        problem("dscp", "say in the target which DSCP to send with".to_owned());
    }
    let packets = target.packets();
    if packets == 0 || packets as usize > MAX_PACKETS {
        problem("seconds", format!("that makes {packets} packets; 1 to {MAX_PACKETS} are possible"));
    }
    if let Some(AtMost(limit)) = limits.loss_percent
        && limit > 0.0
        && f64::from(packets) * limit < 100.0
    {
        let needed = (100.0 / limit).ceil();
        let what = format!(
            "one lost packet of {packets} is more than {limit} % already: send at least {needed} packets"
        );
        problem("loss_percent", what);
    }
    problems
}

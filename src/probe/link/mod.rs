//! `link`: what this machine hangs on: cable, Wi-Fi, cellular or VPN, how fast, how clean.
//!
//! # Asks
//! The interface by which the stream leaves: its medium, speed, duplex, MTU, errors, power saving,
//! the default routes beside it, and on request how far the default gateway is.
//! # Why it matters
//! Everything else is measured through it. A laptop that sits on Wi-Fi or behind a VPN passes a test
//! at ten in the morning and fails when the hall fills; a cable at half duplex loses packets.
//! # How it can mislead
//! The system tells what the driver knows: virtual machines and Wi-Fi have no speed, a VPN's
//! interface hides the link below it, and a fast link says nothing of the line behind it. Errors
//! count since the interface came up. The gateway's delay is its own leisure, too.
//! # Needs
//! Linux; nothing else. ICMP echo to the gateway where this user may, else its refusal of a datagram.

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe};
use crate::model::{
    AtLeast, AtMost, Code, Demand, Exactly, FarEnd, FarEndName, Finding, Lane, NotMeasured, OneOf,
};
use crate::net::link::Asked;

/// The probe.
#[derive(Debug)]
pub struct Link;

/// What to look at: the interface of the check's path, else the one of the default route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Also ask the default gateway, which is inside the network, for its delay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gateway: bool,
}

/// What a link is made of.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Ethernet by cable, or what looks like it (a virtual machine's).
    Wired,
    /// Wi-Fi (IEEE 802.11).
    Wifi,
    /// A cellular modem.
    Cellular,
    /// A tunnel: what leaves by it leaves from somewhere else.
    Vpn,
    /// Anything else.
    Other,
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wired => "wired",
            Self::Wifi => "Wi-Fi",
            Self::Cellular => "cellular",
            Self::Vpn => "a VPN",
            Self::Other => "of another kind",
        })
    }
}

/// As in a policy: `"wifi"`.
impl fmt::Debug for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wired => "\"wired\"",
            Self::Wifi => "\"wifi\"",
            Self::Cellular => "\"cellular\"",
            Self::Vpn => "\"vpn\"",
            Self::Other => "\"other\"",
        })
    }
}

/// How both ends share a cable (IEEE 802.3).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplex {
    /// Both send at once.
    Full,
    /// One at a time: with one end at full duplex, packets are lost under load.
    Half,
}

/// As in a policy: `"full"`.
impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Full { "\"full\"" } else { "\"half\"" })
    }
}

crate::limits! {
    /// What the link must be.
    pub struct Limits {
        /// Media that are allowed: `wired`, `wifi`, `cellular`, `vpn`, `other`.
        pub media: OneOf<Medium>,
        /// Media that are allowed without a warning.
        pub preferred: OneOf<Medium>,
        /// Megabits a second that the link itself has.
        pub speed_mbps: AtLeast<f64>,
        /// `full` or `half`.
        pub duplex: Exactly<Duplex>,
        /// Bytes of the largest IP packet.
        pub mtu_bytes: AtLeast<u32>,
        /// Packets in error, of a million, since the interface came up.
        pub errors_per_million: AtMost<f64>,
        /// Median round trip to the default gateway, ms (`gateway = true` in the target).
        pub gateway_ms: AtMost<f64>,
        /// `false`: the system may not put the device to sleep.
        pub power_saving: Exactly<bool>,
    }
}

/// What the system says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// How it was measured.
    pub method: String,
    /// The interface.
    pub interface: String,
    /// What it is made of.
    pub medium: Medium,
    /// Megabits a second; none where the driver does not say.
    pub speed_mbps: Option<u32>,
    /// Full or half duplex; none where the driver does not say.
    pub duplex: Option<Duplex>,
    /// Bytes of the largest IP packet.
    pub mtu_bytes: Option<u32>,
    /// Whether a cable is plugged in, or an access point joined.
    pub carrier: Option<bool>,
    /// How often the carrier was lost since the interface came up.
    pub carrier_losses: Option<u64>,
    /// Packets received and sent since then.
    pub packets: Option<u64>,
    /// Of those, in error.
    pub errors: Option<u64>,
    /// Whether the system may put the device to sleep.
    pub power_saving: Option<bool>,
    /// Every default route of this machine.
    pub default_routes: Vec<DefaultRoute>,
    /// How far the gateway is, when that was asked and there is one.
    pub gateway: Option<Gateway>,
}

/// One default route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultRoute {
    /// Its interface.
    pub interface: String,
    /// The next router; none on a tunnel.
    pub address: Option<IpAddr>,
    /// Whether it is for IPv6.
    pub ipv6: bool,
    /// Its rank: the lowest is taken.
    pub metric: u32,
}

/// The default gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gateway {
    /// Its address.
    pub address: IpAddr,
    /// How it was asked.
    pub by: Asked,
    /// Requests.
    pub requests: u16,
    /// Round trips of those that were answered, ms.
    pub round_trips_ms: Vec<f64>,
}

impl Probe for Link {
    const NAME: &'static str = "link";
    const LANE: Lane = Lane::Ask;
    const ABOUT: About = About {
        asks: "What this machine hangs on: cable, Wi-Fi, cellular or VPN; speed, duplex, MTU, errors, power saving, default routes, and on request the gateway's delay",
        why: "everything else is measured through it, and Wi-Fi, a VPN or a cable at half duplex fails when the hall is full, not on survey day",
        misleads: "the system tells what the driver knows: virtual machines and Wi-Fi name no speed, a VPN hides the link below it, and a fast link says nothing of the line behind it",
        needs: "Linux",
    };
    const VIEWERS: &'static str =
        "the picture would freeze whenever this machine's own link is shared, weak or asleep";
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(target: &Target) -> Result<Light<Target>, &'static str> {
        Ok(Light::any_time(target.clone()))
    }

    fn demand(target: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        run::demand(target)
    }

    fn brief(target: &Target) -> String {
        format!("this machine's own link{}", if target.gateway { " and its gateway" } else { "" })
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env).await
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }
}

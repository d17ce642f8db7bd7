//! What stands in the way: one file per kind, real software where there is any.
//!
//! A scenario puts a box into the venue's router or the building as `[[router]]` or `[[building]]`
//! and one key, its kind. Each is invisible until then, and gone when its [`Installed`] drops.

mod answer;
mod mark;
mod nat;
mod nftables;
mod port_mapping;
mod portal;
mod protocol;
mod proxy;
mod rate;
mod relay;
mod resolver;
mod server;
mod session;
mod spoof;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

use crate::ground::authority::Authority;
use crate::ground::namespace::Namespace;
use crate::ground::peer::Peer;

/// One box, as a scenario's TOML says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Middlebox {
    /// Rules of the forward chain, for both families.
    Nftables(nftables::Rules),
    /// Chains, sets and objects of a table of its own.
    NftablesTable(nftables::Body),
    /// Kills what speaks one protocol, whatever the port.
    ProtocolBlock(protocol::ProtocolBlock),
    /// Ends sessions of a certain age or size.
    SessionCutter(session::SessionCutter),
    /// Forgets sessions that were idle.
    IdleTimeout(session::IdleTimeout),
    /// Sets every packet's DSCP to zero.
    DscpBleach(mark::DscpBleach),
    /// Address translation, once more.
    Nat(nat::Nat),
    /// Says over NAT-PMP which address it has outside.
    PortMapping(port_mapping::PortMapping),
    /// Polices each flow, or all together.
    RateLimit(rate::RateLimit),
    /// Accepts for every server until the client has answered.
    SynProxy(spoof::SynProxy),
    /// Accepts everything itself and knows no server.
    AcceptsAll(spoof::AcceptsAll),
    /// Ends TLS and begins it anew.
    TlsInterception(proxy::TlsInterception),
    /// A proxy that takes a port for HTTP alone.
    HttpOnly(proxy::HttpOnly),
    /// A proxy that must be asked.
    ExplicitProxy(proxy::ExplicitProxy),
    /// Terms to be agreed to first.
    CaptivePortal(portal::CaptivePortal),
    /// A server that says the same to everybody.
    Answer(answer::Answer),
    /// The resolver that this box offers.
    Resolver(resolver::Resolver),
    /// One more resolver in the laptop's list, which never answers.
    SilentResolver(resolver::SilentResolver),
    /// What happens to DNS that would pass by this box' resolver.
    DnsGate(resolver::DnsGate),
}

/// Where a box is put.
pub struct Place<'a> {
    /// What to call it in a log: `router`.
    pub name: &'a str,
    pub namespace: &'a Namespace,
    /// Interface towards the laptop.
    pub inside: &'a str,
    /// Interface towards the internet.
    pub outside: &'a str,
    /// Its own addresses on the inside.
    pub address4: Ipv4Addr,
    pub address6: Ipv6Addr,
    /// Whom a resolver here asks.
    pub resolvers: &'a [SocketAddr],
    /// The authority that stands in the place of Mozilla's roots.
    pub public: &'a Authority,
}

/// What the laptop is told by the network, or by those who administer both.
#[derive(Debug, Default, Clone)]
pub struct Told {
    /// Resolvers by DHCP, in this order. Empty: as the venue has it.
    pub resolvers: Vec<IpAddr>,
    /// The venue's own authority as PEM, where it signs for others.
    pub authority: Option<String>,
    /// Whether administrators put that authority into the laptop's store.
    pub trusted: bool,
    /// The proxy to use, as `https_proxy` wants it.
    pub proxy: Option<String>,
    /// The captive portal's API (RFC 8908), which DHCP would give by RFC 8910.
    pub captive_api: Option<String>,
}

/// A part of a box: removed on drop.
trait Part: Send {
    /// What it saw or did, for a person.
    fn said(&self) -> String;
}

impl Part for Peer {
    fn said(&self) -> String {
        self.log()
    }
}

/// A box in its place. Dropping it removes all of it.
pub struct Installed {
    name: String,
    parts: Vec<Box<dyn Part>>,
    told: Told,
}

impl Installed {
    fn new(place: &Place, kind: &str) -> Self {
        Self { name: format!("{} {kind}", place.name), parts: Vec::new(), told: Told::default() }
    }

    fn with(mut self, part: impl Part + 'static) -> Self {
        self.parts.push(Box::new(part));
        self
    }

    /// What the laptop is told.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// What it did: counters of its rules, words of its programs.
    pub fn log(&self) -> String {
        let said = self.parts.iter().map(|part| part.said()).collect::<String>();
        format!("-- {}\n{said}", self.name)
    }
}

impl Middlebox {
    /// Puts it there. Panics with what to install when a program is missing.
    pub fn install(&self, place: &Place) -> Installed {
        match self {
            Self::Nftables(rules) => rules.install(place),
            Self::NftablesTable(body) => body.install(place),
            Self::ProtocolBlock(block) => block.install(place),
            Self::SessionCutter(cutter) => cutter.install(place),
            Self::IdleTimeout(timeout) => timeout.install(place),
            Self::DscpBleach(bleach) => bleach.install(place),
            Self::Nat(nat) => nat.install(place),
            Self::PortMapping(mapping) => mapping.install(place),
            Self::RateLimit(limit) => limit.install(place),
            Self::SynProxy(proxy) => proxy.install(place),
            Self::AcceptsAll(spoof) => spoof.install(place),
            Self::TlsInterception(proxy) => proxy.install(place),
            Self::HttpOnly(proxy) => proxy.install(place),
            Self::ExplicitProxy(proxy) => proxy.install(place),
            Self::CaptivePortal(portal) => portal.install(place),
            Self::Answer(answer) => answer.install(place),
            Self::Resolver(resolver) => resolver.install(place),
            Self::SilentResolver(silent) => silent.install(place),
            Self::DnsGate(gate) => gate.install(place),
        }
    }
}

//! Resolvers of a venue: unbound or dnsmasq, honest or lying, and what becomes of DNS that would
//! pass them by.

mod front;
mod manners;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

use manners::Manners;

use super::nftables::{Table, chain};
use super::{Installed, Part, Place};
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, free_port};
use crate::ground::zones::ANCHORS;

/// A resolver on the box' own addresses; it asks the place's.
#[expect(clippy::struct_excessive_bools, reason = "each by its own name, as scenarios write them")]
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resolver {
    /// Names, with all below them, that it doesn't let resolve.
    filters: Vec<String>,
    /// What it says of them.
    with: Denial,
    /// Where its block page is, for `with = "page"`.
    page: Vec<IpAddr>,
    /// Unknown names get these addresses: the advertisements of the provider.
    nxdomain_to: Vec<IpAddr>,
    /// Every answer comes so late.
    delay_ms: u64,
    /// Over UDP it answers with the truncation bit and nothing else.
    truncates: bool,
    /// It doesn't listen to TCP.
    no_tcp: bool,
    /// It refuses all names but these.
    only: Vec<String>,
    /// It answers every question with this code (RFC 1035, 4.1.1).
    code: Option<u8>,
    /// It answers questions for IPv6 addresses with this code (RFC 4074).
    aaaa_code: Option<u8>,
    /// Names whose IPv4 addresses it leaves out.
    no_a: Vec<String>,
    /// It is older than EDNS and answers FORMERR to it (RFC 6891, 7).
    no_edns: bool,
    /// It verifies DNSSEC: it knows the keys of the world's signed zones.
    validates: bool,
    /// It asks for no DNSSEC records, whatever it is asked for, and so passes none on.
    strips_dnssec: bool,
    /// Where it listens instead of on the box' own addresses: a stub on the laptop itself.
    at: Vec<IpAddr>,
    /// What listens there is no resolver: it sends every packet back.
    echoes: bool,
}

/// An answer for a filtered name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    #[default]
    Nxdomain,
    Refused,
    /// What a validating resolver says of a zone whose keys don't match what the parent signed:
    /// here by a trust anchor that no key of the zone has.
    Servfail,
    /// 0.0.0.0 and ::.
    Zero,
    Page,
}

impl Resolver {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let own = [IpAddr::V4(place.address4), IpAddr::V6(place.address6)];
        let own = if self.at.is_empty() { &own[..] } else { &self.at[..] };
        let mut installed = Installed::new(place, "resolver");
        installed.told.resolvers = own.to_vec();
        let manners = self.manners();
        if manners.are_plain() {
            let listen: Vec<SocketAddr> = own.iter().map(|own| SocketAddr::new(*own, 53)).collect();
            return installed.with(self.program(place, &listen));
        }
        let behind = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), free_port());
        let program = self.program(place, &[behind]);
        installed.with(program).with(front::start(place.namespace, own, behind, manners))
    }

    fn manners(&self) -> Manners {
        Manners {
            nxdomain_to: self.nxdomain_to.clone(),
            delay: std::time::Duration::from_millis(self.delay_ms),
            truncates: self.truncates,
            tcp: !self.no_tcp,
            code: self.code,
            aaaa_code: self.aaaa_code,
            no_a: self.no_a.clone(),
            no_edns: self.no_edns,
            strips_dnssec: self.strips_dnssec,
            echoes: self.echoes,
        }
    }

    fn program(&self, place: &Place, listen: &[SocketAddr]) -> Peer {
        let port = listen[0].port();
        let peer = match self.with {
            Denial::Zero | Denial::Page => self.dnsmasq(place, listen),
            Denial::Nxdomain if self.filters.is_empty() && self.only.is_empty() && !self.validates => {
                self.dnsmasq(place, listen)
            }
            Denial::Nxdomain | Denial::Refused | Denial::Servfail => self.unbound(place, listen),
        };
        peer.await_udp(port).await_tcp(port)
    }

    fn dnsmasq(&self, place: &Place, listen: &[SocketAddr]) -> Peer {
        let zero = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let lie = if self.with == Denial::Page { &self.page[..] } else { &zero[..] };
        let lies =
            self.filters.iter().flat_map(|name| lie.iter().map(move |to| format!("--address=/{name}/{to}")));
        let ask = place.resolvers.iter().map(|to| format!("--server={}#{}", to.ip(), to.port()));
        Peer::of("dnsmasq", "dnsmasq-base")
            .args([
                "--keep-in-foreground",
                "--no-resolv",
                "--no-hosts",
                "--conf-file=/dev/null",
                "--pid-file=",
            ])
            .args(["--bind-interfaces", "--log-facility=-", "--log-queries", "--user=", "--cache-size=0"])
            .args([format!("--port={}", listen[0].port())])
            .args(listen.iter().map(|at| format!("--listen-address={}", at.ip())))
            .args(ask)
            .args(lies)
            .inside(place.namespace)
            .spawn()
    }

    fn unbound(&self, place: &Place, listen: &[SocketAddr]) -> Peer {
        let each = |key: &str, list: &[SocketAddr]| -> String {
            let lines = list.iter().map(|at| format!(" {key}: {}@{}\n", at.ip(), at.port()));
            lines.collect::<Vec<_>>().concat()
        };
        let (listen, ask) = (each("interface", listen), each("forward-addr", place.resolvers));
        let mut denials: String = self.filters.iter().map(|name| self.denial(name)).collect();
        if !self.only.is_empty() {
            denials += " local-zone: \".\" refuse\n";
            denials.extend(self.only.iter().map(|name| format!(" local-zone: \"{name}\" transparent\n")));
        }
        if self.validates {
            denials.extend(ANCHORS.map(|anchor| format!(" trust-anchor: \"{anchor}\"\n")));
        }
        let verifies = self.validates || self.with == Denial::Servfail;
        let modules = if verifies { "validator iterator" } else { "iterator" };
        let config = format!(
            "server:\n chroot: \"\"\n username: \"\"\n directory: \".\"\n pidfile: \"\"\n do-daemonize: no\n \
             use-syslog: no\n logfile: \"\"\n log-queries: yes\n num-threads: 1\n module-config: \"{modules}\"\n \
             do-not-query-localhost: no\n access-control: 0.0.0.0/0 allow\n access-control: ::/0 allow\n\
             {listen}{denials}forward-zone:\n name: \".\"\n{ask}remote-control:\n control-enable: no\n"
        );
        Peer::of("unbound", "unbound")
            .file("unbound.conf", config)
            .args(["-d", "-p", "-c", "unbound.conf"])
            .inside(place.namespace)
            .spawn()
    }

    fn denial(&self, name: &str) -> String {
        match self.with {
            Denial::Refused => format!(" local-zone: \"{name}\" refuse\n"),
            // A key that nobody has: what the zone holds can't be proved.
            Denial::Servfail => format!(" trust-anchor: \"{name}. IN DS 4711 13 2 {}\"\n", "4711".repeat(16)),
            _ => format!(" local-zone: \"{name}\" always_nxdomain\n"),
        }
    }
}

/// Resolvers that the laptop is told of beside the honest one, and that never answer.
#[derive(Debug, Clone, Deserialize)]
pub struct SilentResolver(Vec<IpAddr>);

impl SilentResolver {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let mut installed = Installed::new(place, "silent_resolver");
        installed.told.resolvers.clone_from(&self.0);
        let rule = |address: &IpAddr| match address {
            IpAddr::V4(address) => format!("ip daddr {address} counter drop\n "),
            IpAddr::V6(address) => format!("ip6 daddr {address} counter drop\n "),
        };
        let rules = self.0.iter().map(rule).collect::<Vec<_>>().concat();
        let body = chain("swallow", "filter hook prerouting priority mangle", &rules);
        for address in &self.0 {
            installed = installed.with(Address::add(place.namespace, place.inside, *address));
        }
        installed.with(Table::load(place, &body))
    }
}

/// One more address of an interface, so that neighbours find it. Removed when dropped.
struct Address {
    namespace: String,
    interface: String,
    with_length: String,
}

impl Address {
    fn add(namespace: &Namespace, interface: &str, address: IpAddr) -> Self {
        let nodad: &[&str] = if address.is_ipv6() { &["nodad"] } else { &[] };
        let address = format!("{address}/{}", if address.is_ipv6() { 128 } else { 32 });
        namespace.ip(&[&["address", "add", &address, "dev", interface], nodad].concat());
        Self { namespace: namespace.name().to_owned(), interface: interface.to_owned(), with_length: address }
    }
}

impl Part for Address {
    fn said(&self) -> String {
        format!("{} on {}\n", self.with_length, self.interface)
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        let mut command = std::process::Command::new(crate::ground::peer::need("ip", "iproute2"));
        let args = ["-n", &self.namespace, "address", "delete", &self.with_length, "dev", &self.interface];
        let _ = command.args(args).output();
    }
}

/// What becomes of DNS that is not for this box.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsGate {
    /// Plain DNS over UDP and TCP. `redirect` needs a `resolver` on the same box.
    port_53: Passage,
    /// DNS over TLS and over QUIC: port 853.
    dot: Passage,
}

/// How something may pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    #[default]
    Pass,
    /// To this box instead, which answers in the other's name.
    Redirect,
    Drop,
    Reject,
}

impl DnsGate {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let mut body = String::new();
        for (port, passage) in [(53, self.port_53), (853, self.dot)] {
            let what = format!("iifname $inside meta l4proto {{ tcp, udp }} th dport {port} counter");
            let end = match passage {
                Passage::Pass => continue,
                Passage::Redirect => {
                    let rules = format!(
                        "meta nfproto ipv4 {what} dnat ip to $address4\n meta nfproto ipv6 {what} dnat ip6 to $address6"
                    );
                    let kind = "nat hook prerouting priority dstnat";
                    body += &chain(&format!("bring_here{port}"), kind, &rules);
                    continue;
                }
                Passage::Drop => format!("{what} drop"),
                Passage::Reject => {
                    format!(
                        "iifname $inside tcp dport {port} counter reject with tcp reset\n \
                         iifname $inside udp dport {port} counter reject with icmpx port-unreachable"
                    )
                }
            };
            body += &chain(&format!("gate{port}"), "filter hook forward priority filter", &end);
        }
        Installed::new(place, "dns_gate").with(Table::load(place, &body))
    }
}

#![allow(clippy::all, clippy::pedantic, unused_qualifications)] // stand-in until the real one lands
use crate::ground::authority::Authority;
use crate::ground::namespace::Namespace;
use crate::ground::peer::Peer;
use std::net::*;
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct R {}
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Middlebox {
    Nftables(String),
    Resolver(R),
}
pub struct Place<'a> {
    pub name: &'static str,
    pub namespace: &'a Namespace,
    pub inside: &'a str,
    pub outside: &'a str,
    pub address4: Ipv4Addr,
    pub address6: Ipv6Addr,
    pub resolvers: &'a [SocketAddr],
    pub public: &'a Authority,
}
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub resolvers: Vec<IpAddr>,
    pub authority: Option<String>,
    pub trusted: bool,
    pub proxy: Option<String>,
}
pub struct Installed(Option<Peer>, Told);
impl Installed {
    pub fn log(&self) -> String {
        String::new()
    }
    pub fn told(&self) -> &Told {
        &self.1
    }
}
impl Middlebox {
    pub fn install(&self, place: &Place<'_>) -> Installed {
        match self {
            Self::Nftables(rules) => {
                place.namespace.rules(&format!(
                    "table inet box {{\n chain x {{\n type filter hook forward priority 0;\n{rules}\n}}\n}}\n"
                ));
                Installed(None, Told::default())
            }
            Self::Resolver(_) => Installed(
                Some(
                    Peer::of("dnsmasq", "dnsmasq-base")
                        .args([
                            "--keep-in-foreground",
                            "--no-resolv",
                            "--no-hosts",
                            "--conf-file=/dev/null",
                            "--pid-file=",
                            "--bind-interfaces",
                            "--log-facility=-",
                            "--user=",
                        ])
                        .args([
                            format!("--server={}", place.resolvers[0].ip()),
                            format!("--listen-address={}", place.address4),
                        ])
                        .inside(place.namespace)
                        .spawn()
                        .await_udp(53),
                ),
                Told::default(),
            ),
        }
    }
}

//! nftables: rules as a scenario writes them, and the tables and kernel settings of other kinds.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;

use super::{Installed, Part, Place};
use crate::ground::peer::need;

/// Rules of a forward chain: `tcp dport 1935 drop`; on the laptop of its output, on a server of its
/// input. `$inside` and `$outside` are the interfaces, `$address4` and `$address6` the box' own
/// addresses.
#[derive(Debug, Clone, Deserialize)]
pub struct Rules(String);

/// The body of a table of the family `inet`: chains with hooks, sets, objects.
#[derive(Debug, Clone, Deserialize)]
pub struct Body(String);

impl Rules {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let hook = match (place.inside, place.outside) {
            ("lo", _) => "output",
            (_, "lo") => "input",
            _ => "forward",
        };
        let body = chain("rules", &format!("filter hook {hook} priority filter"), &self.0);
        Installed::new(place, "nftables").with(Table::load(place, &body))
    }
}

impl Body {
    pub(super) fn install(&self, place: &Place) -> Installed {
        Installed::new(place, "nftables_table").with(Table::load(place, &self.0))
    }
}

/// A base chain that lets pass what its rules don't.
pub(super) fn chain(name: &str, kind: &str, rules: &str) -> String {
    format!("chain {name} {{\n type {kind}; policy accept;\n {rules}\n}}\n")
}

/// Packets to one of these ports, or to any where the list is empty.
pub(super) fn to_ports(protocol: &str, ports: &[u16]) -> String {
    match ports {
        [] => format!("meta l4proto {protocol}"),
        ports => format!("{protocol} dport {{ {} }}", list(ports)),
    }
}

/// Packets, and answers to them, of sessions to one of these ports, or to any where the list is
/// empty.
pub(super) fn of_ports(protocol: &str, ports: &[u16]) -> String {
    match ports {
        [] => format!("meta l4proto {protocol}"),
        ports => format!("meta l4proto {protocol} ct original proto-dst {{ {} }}", list(ports)),
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// A chain that brings `what` from the inside to `port` of this box.
pub(super) fn redirect(place: &Place, what: &str, port: u16) -> String {
    let Place { address4, address6, .. } = place;
    let through = format!("iifname $inside fib daddr type != local {what} counter");
    chain(
        "bring_here",
        "nat hook prerouting priority dstnat",
        &format!(
            "meta nfproto ipv4 {through} dnat ip to {address4}:{port}\n \
             meta nfproto ipv6 {through} dnat ip6 to [{address6}]:{port}"
        ),
    )
}

/// A loaded table. Deleted when dropped.
pub(super) struct Table {
    namespace: String,
    name: String,
}

impl Table {
    pub(super) fn load(place: &Place, body: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("box{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let Place { inside, outside, address4, address6, .. } = place;
        place.namespace.rules(&format!(
            "define inside = \"{inside}\"\ndefine outside = \"{outside}\"\n\
             define address4 = {address4}\ndefine address6 = {address6}\n\
             table inet {name} {{\n{body}\n}}\n"
        ));
        Self { namespace: place.namespace.name().to_owned(), name }
    }

    /// Its name, in the family `inet`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn nft(&self, verb: &str) -> Option<String> {
        let mut command = Command::new(need("ip", "iproute2"));
        command.args(["netns", "exec", &self.namespace]).arg(need("nft", "nftables"));
        let output = command.args([verb, "table", "inet", &self.name]).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Part for Table {
    fn said(&self) -> String {
        self.nft("list").unwrap_or_default()
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // The namespace may be gone already, and the table with it.
        let _ = self.nft("delete");
    }
}

/// A kernel setting of the namespace. Put back when dropped.
pub(super) struct Setting {
    namespace: String,
    key: String,
    before: String,
}

impl Setting {
    pub(super) fn set(place: &Place, key: &str, value: impl std::fmt::Display) -> Self {
        let sysctl = need("sysctl", "procps");
        let sysctl = sysctl.to_str().unwrap();
        let before = place.namespace.exec(sysctl, &["-n", key]).trim().to_owned();
        place.namespace.exec(sysctl, &["-qw", &format!("{key}={value}")]);
        Self { namespace: place.namespace.name().to_owned(), key: key.to_owned(), before }
    }
}

impl Part for Setting {
    fn said(&self) -> String {
        format!("{} was {}\n", self.key, self.before)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let mut command = Command::new(need("ip", "iproute2"));
        command.args(["netns", "exec", &self.namespace]).arg(need("sysctl", "procps"));
        let _ = command.args(["-qw", &format!("{}={}", self.key, self.before)]).output();
    }
}

/// Counts bytes and packets per connection (`ct bytes`): off in Linux unless asked for.
pub(super) fn accounting(place: &Place) -> Setting {
    Setting::set(place, "net.netfilter.nf_conntrack_acct", 1)
}

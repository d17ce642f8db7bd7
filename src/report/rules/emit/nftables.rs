//! nftables: a chain of its own that an existing forward chain jumps to. A table of its own would
//! not do: in nftables a packet that one base chain accepts is still dropped by the next one.

use super::script::{self, Script};
use super::{Direction, Site};
use crate::model::Family;
use crate::report::rules::ChangeRequest;

/// For `nft -f`, all or nothing.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let base = site.chain("inet filter forward");
    let (table, _) = base.rsplit_once(' ').unwrap_or(("inet filter", base));
    let name = request.prefix().replace('-', "_");
    let own = format!("{table} {name}");
    if direction == Direction::BackOut {
        out.say(format!("Closes at once. Then remove what is empty: nft -a list chain {base},"));
        out.say(format!("nft delete rule {base} handle N, nft delete chain {own}"));
        out.line(format!("flush chain {own}"));
        return;
    }
    out.line(format!("add chain {own}"));
    out.line(format!("flush chain {own}"));
    for rule in &request.rules {
        out.about(rule);
        for leg in rule.legs() {
            if !out.has_addresses(&leg) {
                continue;
            }
            let ip = if leg.family == Family::V4 { "ip" } else { "ip6" };
            let (from, to) = (script::joined(&leg.sources, ", "), script::joined(&leg.destinations, ", "));
            let ports: Vec<String> = rule.ports.iter().map(u16::to_string).collect();
            let (transport, ports) = (script::transport(rule.transport), ports.join(", "));
            let name = &rule.name;
            out.line(format!(
                "add rule {own} {ip} saddr {{ {from} }} {ip} daddr {{ {to} }} {transport} dport {{ {ports} }} \
                 accept comment \"{name}\""
            ));
        }
    }
    out.line(format!("insert rule {base} jump {name} comment \"{name}\""));
}

//! Windows Firewall: outbound rules of one group, for the machine that streams. Its own address is
//! left to it.

use super::script::{self, Script, description, joined};
use super::{Direction, Site};
use crate::model::Family;
use crate::report::rules::ChangeRequest;

/// PowerShell, as administrator.
pub fn write(request: &ChangeRequest, direction: Direction, _: &Site, out: &mut Script) {
    let group = request.prefix();
    if direction == Direction::BackOut {
        out.line(format!("Remove-NetFirewallRule -Group '{group}'"));
        return;
    }
    out.note("for the machine that streams; they matter where its outbound default is to block");
    for rule in &request.rules {
        out.about(rule);
        for leg in rule.legs() {
            if !out.has_addresses(&leg) {
                continue;
            }
            let family = if leg.family == Family::V4 { "v4" } else { "v6" };
            let ports: Vec<String> = rule.ports.iter().map(u16::to_string).collect();
            let local = if leg.placeholder {
                String::new()
            } else {
                format!(" -LocalAddress {}", joined(&leg.sources, ","))
            };
            out.line(format!(
                "New-NetFirewallRule -Name '{name}-{family}' -DisplayName '{name}-{family}' -Group '{group}' \
                 -Direction Outbound -Action Allow -Protocol {protocol}{local} -RemoteAddress {to} \
                 -RemotePort {ports} -Description '{description}'",
                name = rule.name,
                protocol = script::transport(rule.transport).to_ascii_uppercase(),
                to = joined(&leg.destinations, ","),
                ports = ports.join(","),
                description = description(request, rule, 250),
            ));
        }
    }
}

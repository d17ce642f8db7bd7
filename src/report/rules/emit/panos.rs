//! Palo Alto PAN-OS: address and service objects, a schedule, and rules at the top of the rule
//! base. Rules and FQDN objects hold both families.

use super::script::{self, Script, description};
use super::{Direction, Site, schedule};
use crate::report::rules::{ChangeRequest, Rule};

/// `configure` commands.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let all = request.prefix();
    let scheduled = schedule::of(request).is_some();
    if direction == Direction::BackOut {
        for rule in &request.rules {
            out.line(format!("delete rulebase security rules {}", rule.name));
        }
        for rule in &request.rules {
            let (sources, destinations) = objects(rule);
            for (name, _) in sources.iter().chain(&destinations) {
                out.line(format!("delete address {name}"));
            }
            out.line(format!("delete service {}-svc", rule.name));
        }
        if scheduled {
            out.line(format!("delete schedule {all}"));
        }
        return;
    }
    if let Some(schedule) = script::zone_note(out, request) {
        let shown = |at: jiff::civil::DateTime| at.strftime("%Y/%m/%d@%H:%M").to_string();
        let (from, until) = (shown(schedule.from), shown(schedule.until));
        out.line(format!("set schedule {all} schedule-type non-recurring {from}-{until}"));
    }
    let (from, to) = (site.inside("trust"), site.outside("untrust"));
    for rule in &request.rules {
        out.about(rule);
        let (sources, destinations) = objects(rule);
        for (name, value) in sources.iter().chain(&destinations) {
            out.line(format!("set address {name} {value}"));
        }
        let ports: Vec<String> = rule.ports.iter().map(u16::to_string).collect();
        let (name, transport) = (&rule.name, script::transport(rule.transport));
        out.line(format!("set service {name}-svc protocol {transport} port {}", ports.join(",")));
        let names = |objects: &[(String, String)]| {
            objects.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
        };
        let during = if scheduled { format!(" schedule {all}") } else { String::new() };
        out.line(format!(
            "set rulebase security rules {name} from {from} to {to} source [ {} ] destination [ {} ] \
             application any service {name}-svc action allow{during} description \"{}\"",
            names(&sources),
            names(&destinations),
            description(request, rule, 250)
        ));
    }
    // the last moved stands first
    for rule in request.rules.iter().rev() {
        out.line(format!("move rulebase security rules {} top", rule.name));
    }
}

type Objects = Vec<(String, String)>;

/// Names and values of a rule's senders and destinations.
fn objects(rule: &Rule) -> (Objects, Objects) {
    let of = |side: &str, addresses: &mut dyn Iterator<Item = std::net::IpAddr>| -> Objects {
        let object = |(at, ip): (usize, std::net::IpAddr)| {
            let bits = if ip.is_ipv4() { 32 } else { 128 };
            (format!("{}-{side}-{}", rule.name, at + 1), format!("ip-netmask {ip}/{bits}"))
        };
        addresses.enumerate().map(object).collect()
    };
    let legs = rule.legs();
    let sources = of("src", &mut legs.iter().flat_map(|leg| leg.sources.iter().copied()));
    let destinations = match &rule.destination.name {
        Some(host) => vec![(format!("{}-dst", rule.name), format!("fqdn {host}"))],
        None => of("dst", &mut legs.iter().flat_map(|leg| leg.destinations.iter().copied())),
    };
    (sources, destinations)
}

//! Juniper SRX: a global address book, applications, a scheduler, and policies between two zones.

use super::script::{self, Script, description};
use super::{Direction, Site, schedule};
use crate::report::rules::{ChangeRequest, Rule};

/// `set` and `delete` commands, for `load set`.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let all = request.prefix();
    let zones = format!("from-zone {} to-zone {}", site.inside("trust"), site.outside("untrust"));
    let scheduled = schedule::of(request).is_some();
    if direction == Direction::BackOut {
        for rule in &request.rules {
            out.line(format!("delete security policies {zones} policy {}", rule.name));
        }
        for rule in &request.rules {
            for (name, _) in addresses(rule) {
                out.line(format!("delete security address-book global address {name}"));
            }
            for (name, _) in applications(rule) {
                out.line(format!("delete applications application {name}"));
            }
        }
        if scheduled {
            out.line(format!("delete schedulers scheduler {all}"));
        }
        return;
    }
    if let Some(schedule) = script::zone_note(out, request) {
        let shown = |at: jiff::civil::DateTime| at.strftime("%Y-%m-%d.%H:%M").to_string();
        let (from, until) = (shown(schedule.from), shown(schedule.until));
        out.line(format!("set schedulers scheduler {all} start-date {from} stop-date {until}"));
    }
    out.note("policies are read in order: move these before one that denies (insert security policies ... before policy ...)");
    for rule in &request.rules {
        out.about(rule);
        for (name, value) in addresses(rule) {
            out.line(format!("set security address-book global address {name} {value}"));
        }
        for (name, value) in applications(rule) {
            out.line(format!("set applications application {name} {value}"));
        }
        let policy = format!("set security policies {zones} policy {}", rule.name);
        out.line(format!("{policy} description \"{}\"", description(request, rule, 250)));
        for (name, _) in addresses(rule) {
            let word = if name.contains("-src-") { "source-address" } else { "destination-address" };
            out.line(format!("{policy} match {word} {name}"));
        }
        for (name, _) in applications(rule) {
            out.line(format!("{policy} match application {name}"));
        }
        out.line(format!("{policy} then permit"));
        if scheduled {
            out.line(format!("{policy} scheduler-name {all}"));
        }
    }
}

/// Names and values of the rule's addresses, senders first.
fn addresses(rule: &Rule) -> Vec<(String, String)> {
    let legs = rule.legs();
    let object = |side: &'static str| {
        move |(at, ip): (usize, std::net::IpAddr)| {
            let bits = if ip.is_ipv4() { 32 } else { 128 };
            (format!("{}-{side}-{}", rule.name, at + 1), format!("{ip}/{bits}"))
        }
    };
    let sources = legs.iter().flat_map(|leg| leg.sources.iter().copied()).enumerate();
    let mut all: Vec<(String, String)> = sources.map(object("src")).collect();
    if let Some(host) = &rule.destination.name {
        all.push((format!("{}-dst", rule.name), format!("dns-name {host}")));
    } else {
        let to = legs.iter().flat_map(|leg| leg.destinations.iter().copied()).enumerate();
        all.extend(to.map(object("dst")));
    }
    all
}

fn applications(rule: &Rule) -> impl Iterator<Item = (String, String)> {
    let transport = script::transport(rule.transport);
    let name = &rule.name;
    rule.ports.iter().map(move |port| {
        (format!("{name}-{transport}-{port}"), format!("protocol {transport} destination-port {port}"))
    })
}

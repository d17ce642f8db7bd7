//! Fortinet `FortiOS` (7.0 and later): address, service and schedule objects, and one policy per
//! address family.

use super::script::{self, Script, description};
use super::{Direction, Site, schedule};
use crate::model::Family;
use crate::report::rules::{ChangeRequest, Leg};

/// CLI commands.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let all = request.prefix();
    let scheduled = schedule::of(request).is_some();
    let legs: Vec<Leg> = request.legs().collect();
    if direction == Direction::BackOut {
        return back_out(&all, scheduled, request, &legs, out);
    }
    if let Some(schedule) = script::zone_note(out, request) {
        let shown = |at: jiff::civil::DateTime| at.strftime("%H:%M %Y/%m/%d").to_string();
        out.line("config firewall schedule onetime");
        out.line(format!("    edit \"{all}\""));
        out.line(format!("        set start {}", shown(schedule.from)));
        out.line(format!("        set end {}", shown(schedule.until)));
        out.line("    next");
        out.line("end");
    }
    for leg in &legs {
        out.about_once(leg.rule);
        let table = table(leg);
        out.line(format!("config firewall {table}"));
        for (name, value) in objects(leg) {
            out.line(format!("    edit \"{name}\""));
            for line in value {
                out.line(format!("        {line}"));
            }
            out.line("    next");
        }
        out.line("end");
    }
    out.line("config firewall service custom");
    for rule in &request.rules {
        let ports: Vec<String> = rule.ports.iter().map(u16::to_string).collect();
        out.line(format!("    edit \"{}-svc\"", rule.name));
        out.line(format!("        set {}-portrange {}", script::transport(rule.transport), ports.join(" ")));
        out.line("    next");
    }
    out.line("end");
    out.note("policies are read in order: move these before one that denies (move ... before ...)");
    out.line("config firewall policy");
    for leg in &legs {
        policy(request, leg, &all, scheduled, site, out);
    }
    out.line("end");
}

fn policy(request: &ChangeRequest, leg: &Leg, all: &str, scheduled: bool, site: &Site, out: &mut Script) {
    let six = if leg.family == Family::V6 { "6" } else { "" };
    let named = |side: &str| {
        let names = objects(leg).into_iter().map(|(name, _)| name).filter(|name| name.contains(side));
        names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ")
    };
    out.line("    edit 0");
    out.line(format!("        set name \"{}\"", policy_name(leg)));
    out.line(format!("        set srcintf \"{}\"", site.inside("any")));
    out.line(format!("        set dstintf \"{}\"", site.outside("any")));
    out.line(format!("        set srcaddr{six} {}", named("-src")));
    out.line(format!("        set dstaddr{six} {}", named("-dst")));
    out.line("        set action accept");
    out.line(format!("        set schedule \"{}\"", if scheduled { all } else { "always" }));
    out.line(format!("        set service \"{}-svc\"", leg.rule.name));
    out.line("        set logtraffic all");
    out.line(format!("        set comments \"{}\"", description(request, leg.rule, 250)));
    out.line("    next");
}

/// A policy made by `edit 0` has a number that only the firewall knows, so it is found by name.
fn back_out(all: &str, scheduled: bool, request: &ChangeRequest, legs: &[Leg], out: &mut Script) {
    out.note(
        "FortiOS numbers policies by itself: find N of each name (show firewall policy | grep -f NAME) first",
    );
    out.line("config firewall policy");
    for leg in legs {
        out.say(format!("delete N of \"{}\"", policy_name(leg)));
    }
    out.line("end");
    out.line("config firewall service custom");
    for rule in &request.rules {
        out.line(format!("    delete \"{}-svc\"", rule.name));
    }
    out.line("end");
    for leg in legs {
        out.line(format!("config firewall {}", table(leg)));
        for (name, _) in objects(leg) {
            out.line(format!("    delete \"{name}\""));
        }
        out.line("end");
    }
    if scheduled {
        out.line("config firewall schedule onetime");
        out.line(format!("    delete \"{all}\""));
        out.line("end");
    }
}

const fn table(leg: &Leg) -> &'static str {
    match leg.family {
        Family::V4 => "address",
        Family::V6 => "address6",
    }
}

/// At most 35 characters.
fn policy_name(leg: &Leg) -> String {
    format!("{}-{}", leg.rule.name, if leg.family == Family::V4 { "v4" } else { "v6" })
}

/// Names of the leg's address objects with their settings, senders first.
fn objects(leg: &Leg) -> Vec<(String, Vec<String>)> {
    let name = policy_name(leg);
    let host = |side: &str, at: usize, ip: &std::net::IpAddr| {
        let set = if ip.is_ipv4() {
            format!("set subnet {ip} 255.255.255.255")
        } else {
            format!("set ip6 {ip}/128")
        };
        (format!("{name}-{side}{}", at + 1), vec![set])
    };
    let mut all: Vec<_> = leg.sources.iter().enumerate().map(|(at, ip)| host("src", at, ip)).collect();
    match &leg.rule.destination.name {
        Some(fqdn) => {
            all.push((format!("{name}-dst"), vec!["set type fqdn".into(), format!("set fqdn \"{fqdn}\"")]));
        }
        None => all.extend(leg.destinations.iter().enumerate().map(|(at, ip)| host("dst", at, ip))),
    }
    all
}

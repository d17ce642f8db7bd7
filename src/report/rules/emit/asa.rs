//! Cisco ASA: objects, a time range, and entries at the head of an access list.

use super::script::{self, Script, description};
use super::{Direction, Site, schedule};
use crate::model::Family;
use crate::report::rules::{ChangeRequest, Leg};

/// `configure terminal` commands.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let list = site.chain("inside_access_in");
    let range = request.prefix();
    let scheduled = schedule::of(request).is_some();
    let during = if scheduled { format!(" time-range {range}") } else { String::new() };
    let legs: Vec<Leg> = request.legs().collect();
    if direction == Direction::BackOut {
        for leg in &legs {
            entries(leg, &during).for_each(|entry| out.line(format!("no access-list {list} {entry}")));
            out.line(format!("no access-list {list} remark {}", remark(request, leg)));
        }
        for leg in &legs {
            out.line(format!("no object-group network {}-src", object(leg)));
            let kind = if leg.rule.destination.name.is_some() { "object" } else { "object-group" };
            out.line(format!("no {kind} network {}-dst", object(leg)));
        }
        if scheduled {
            out.line(format!("no time-range {range}"));
        }
        return;
    }
    if let Some(schedule) = script::zone_note(out, request) {
        let shown = |at: jiff::civil::DateTime| at.strftime("%H:%M %d %B %Y").to_string();
        out.line(format!("time-range {range}"));
        // the end minute belongs to the range
        let (begins, ends) = (shown(schedule.from), shown(schedule.last()));
        out.line(format!(" absolute start {begins} end {ends}"));
    }
    for leg in &legs {
        objects(leg, out);
    }
    // each at line 1, so that the first comes last and stands first, its remark above it
    for leg in legs.iter().rev() {
        entries(leg, &during).for_each(|entry| out.line(format!("access-list {list} line 1 {entry}")));
        out.line(format!("access-list {list} line 1 remark {}", remark(request, leg)));
    }
}

fn object(leg: &Leg) -> String {
    let family = if leg.family == Family::V4 { "v4" } else { "v6" };
    format!("{}-{family}", leg.rule.name)
}

/// ASA takes 100 characters.
fn remark(request: &ChangeRequest, leg: &Leg) -> String {
    format!("{} {}", object(leg), description(request, leg.rule, 65))
}

fn objects(leg: &Leg, out: &mut Script) {
    out.about_once(leg.rule);
    let hosts = |out: &mut Script, addresses: &[std::net::IpAddr]| {
        for ip in addresses {
            out.line(format!(" network-object host {ip}"));
        }
    };
    out.line(format!("object-group network {}-src", object(leg)));
    hosts(out, &leg.sources);
    if let Some(name) = &leg.rule.destination.name {
        let family = if leg.family == Family::V4 { "v4" } else { "v6" };
        out.line(format!("object network {}-dst", object(leg)));
        out.line(format!(" fqdn {family} {name}"));
    } else {
        out.line(format!("object-group network {}-dst", object(leg)));
        hosts(out, &leg.destinations);
    }
}

fn entries(leg: &Leg, during: &str) -> impl Iterator<Item = String> {
    let (rule, object) = (leg.rule, object(leg));
    let kind = if rule.destination.name.is_some() { "object" } else { "object-group" };
    let transport = script::transport(rule.transport);
    let during = during.to_owned();
    rule.ports.iter().map(move |port| {
        format!("extended permit {transport} object-group {object}-src {kind} {object}-dst eq {port}{during}")
    })
}

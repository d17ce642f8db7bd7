//! AWS security group: the same JSON opens (`aws ec2 authorize-security-group-egress`) and takes
//! back (`aws ec2 revoke-security-group-egress`), by `--cli-input-json file://…`.

use serde_json::{Value, json};

use super::script::{self, Script, description};
use super::{Direction, Site};
use crate::model::Family;
use crate::report::rules::ChangeRequest;

/// JSON, without comments. The group's id is the site's chain.
pub fn write(request: &ChangeRequest, direction: Direction, site: &Site, out: &mut Script) {
    let verb = if direction == Direction::Open { "authorize" } else { "revoke" };
    out.note(format!("load with: aws ec2 {verb}-security-group-egress --cli-input-json file://FILE"));
    out.note("a security group knows no date: revoke it after the event");
    let group = site.chain("sg-REPLACE");
    if group == "sg-REPLACE" {
        out.note("put the security group's id in place of sg-REPLACE (or give it by --chain)");
    }
    let mut permissions: Vec<Value> = Vec::new();
    for leg in request.legs() {
        if leg.destinations.is_empty() {
            let rule = leg.rule;
            let host = rule.destination.name.as_deref().unwrap_or_default();
            out.note(format!("{}: not written, since no address of {host} is known", rule.name));
            continue;
        }
        let (ranges, cidr, bits) = match leg.family {
            Family::V4 => ("IpRanges", "CidrIp", 32),
            Family::V6 => ("Ipv6Ranges", "CidrIpv6", 128),
        };
        let description = description(request, leg.rule, 200);
        let range = |ip| json!({ cidr: format!("{ip}/{bits}"), "Description": description });
        let all: Vec<Value> = leg.destinations.iter().map(range).collect();
        for port in &leg.rule.ports {
            permissions.push(json!({
                "IpProtocol": script::transport(leg.rule.transport),
                "FromPort": port,
                "ToPort": port,
                ranges: all,
            }));
        }
    }
    let whole = json!({ "GroupId": group, "IpPermissions": permissions });
    out.line(serde_json::to_string_pretty(&whole).unwrap_or_default());
}

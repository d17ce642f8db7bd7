//! Holds what the rules do against what they must do.

use super::{Address, Limits, Reading, Treatment};
use crate::model::{Finding, Transport, text};
use crate::wire::firewall::{Decider, Outcome};

crate::codes! {
    ALLOWED = "firewall.allowed", "No rule of this machine stops it.";
    BLOCKED = "firewall.blocked", "A rule of this machine stops it.";
    UNSURE = "firewall.unsure", "A rule of this machine may stop it, by a test that golive does not know.";
    NO_NAME = "firewall.no_name", "The host's name gives no address, so no rule could be asked about it.";
    NOT_EXPECTED = "firewall.not_expected", "The policy does not say what the rules must do.";
}

pub(super) fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
    let Some(expect) = limits.expect.as_ref().map(|expect| expect.0) else {
        let remedy = "say `expect = \"allowed\"` or `expect = \"blocked\"` in the check's limits";
        return vec![Finding::unknown(NOT_EXPECTED, "allowed or blocked", named(reading), remedy)];
    };
    let expected = format!("{expect}: {}", named(reading));
    if reading.addresses.is_empty() {
        let why = reading.lookup.map_or("no address", |why| why.words());
        let remedy = "check the host's name in the policy and this machine's name servers";
        return vec![Finding::unknown(NO_NAME, expected, format!("{}: {why}", host(reading)), remedy)];
    }
    reading.addresses.iter().map(|address| one(expect, &expected, reading, address)).collect()
}

fn one(expect: Treatment, expected: &str, reading: &Reading, address: &Address) -> Finding {
    let at = address.address;
    let named = named(reading);
    match (&address.outcome, expect) {
        (Outcome::Allowed, Treatment::Allowed) => Finding::pass(ALLOWED, expected, allowed(reading, address)),
        (Outcome::Allowed, Treatment::Blocked) => {
            let remedy = format!("add a rule that stops {named} to this machine's own firewall");
            Finding::fail(ALLOWED, expected, allowed(reading, address), remedy)
        }
        (Outcome::Blocked(by), Treatment::Blocked) => {
            Finding::pass(BLOCKED, expected, format!("{at}: stopped by {}", shown(by)))
        }
        (Outcome::Blocked(by), Treatment::Allowed) => {
            let remedy = format!("allow {named} out in this machine's own firewall, before {}", shown(by));
            Finding::fail(BLOCKED, expected, format!("{at}: stopped by {}", shown(by)), remedy)
        }
        (Outcome::Unsure(by), _) => {
            let each: Vec<String> = by.iter().map(shown).collect();
            let remedy =
                format!("look at these rules by hand: whether they stop {named} cannot be told here");
            Finding::unknown(UNSURE, expected, format!("{at}: may be stopped by {}", each.join("; ")), remedy)
        }
    }
}

fn allowed(reading: &Reading, address: &Address) -> String {
    let (rules, tools) = (reading.rules, reading.tools.join(", "));
    format!("{}: none of {rules} rules stops it ({})", address.address, text::escape(&tools))
}

/// A rule's text is whatever its author wrote.
fn shown(decider: &Decider) -> String {
    text::escape(&decider.to_string()).into_owned()
}

fn host(reading: &Reading) -> String {
    text::escape(&reading.host).into_owned()
}

fn named(reading: &Reading) -> String {
    let transport = if reading.transport == Transport::Udp { "UDP" } else { "TCP" };
    format!("{transport} {} to {}", reading.port, host(reading))
}

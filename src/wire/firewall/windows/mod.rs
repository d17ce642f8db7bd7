//! Windows Firewall, from the registry, and where that is not to be read, from netsh.
//!
//! A rule that blocks wins over one that allows, whatever their order, and only those who prove who they are
//! (`IPsec`) pass before it; what no rule decides is for the profile.

pub mod netsh;
pub mod registry;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use super::{Action, Chain, Rule, Test, written};

/// A profile that is active.
struct Profile<'a> {
    name: &'a str,
    is_on: bool,
    blocks: bool,
}

/// The rules that may decide about what leaves: who passes by proof, what is blocked, what is allowed.
#[derive(Default)]
struct Ordered([Vec<Rule>; 3]);

impl Ordered {
    fn add(&mut self, rule: Rule, by_proof: bool) {
        let [proven, blocked, allowed] = &mut self.0;
        match rule.action {
            Action::Accept if by_proof => proven.push(rule),
            Action::Accept => allowed.push(rule),
            _ => blocked.push(rule),
        }
    }

    /// As one chain in the order in which they decide; none where the firewall is off.
    fn chain(self, profiles: &[Profile]) -> Vec<Chain> {
        if profiles.iter().all(|profile| !profile.is_on) {
            return Vec::new();
        }
        let mut rules: Vec<Rule> = self.0.into_iter().flatten().collect();
        let blocks = profiles.iter().filter(|profile| profile.is_on && profile.blocks).count();
        if blocks > 0 && blocks < profiles.len() {
            let shown = "what the active profiles block by themselves".to_owned();
            rules.push(Rule { shown, tests: vec![Test::Unknown], action: Action::Drop });
        }
        vec![Chain {
            table: "Windows Firewall".to_owned(),
            name: "outbound".to_owned(),
            output: Some(0),
            policy: Some(if blocks == profiles.len() { Action::Drop } else { Action::Accept }),
            rules,
        }]
    }
}

/// `1935`, `9000-9010`.
fn ports(part: &str) -> Option<(u16, u16)> {
    let (low, high) = part.split_once('-').unwrap_or((part, part));
    Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
}

/// `192.0.2.1`, `192.0.2.0/255.255.255.0`, `192.0.2.1-192.0.2.9`.
fn addresses(part: &str) -> Option<(IpAddr, IpAddr)> {
    match part.split_once('-') {
        Some((low, high)) => Some((low.trim().parse().ok()?, high.trim().parse().ok()?)),
        None => written(part.trim()),
    }
}

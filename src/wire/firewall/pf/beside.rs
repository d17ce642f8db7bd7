//! What pf's rules do not say themselves: interfaces that are not filtered, groups of interfaces, tables.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::{Action, Rule, Test, written};

/// Most tables that are asked for.
const MOST_TABLES: usize = 32;
/// Longest name of a table (`PF_TABLE_NAME_SIZE`).
const LONGEST_NAME: usize = 31;

/// What was told beside the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Interfaces that are not filtered at all.
    pub skipped: Vec<String>,
    /// Groups, and the interfaces in each; none where that is not told, as on macOS.
    pub groups: Option<BTreeMap<String, Vec<String>>>,
    /// Tables, and the first and last address of each of their networks.
    pub tables: BTreeMap<String, Vec<(IpAddr, IpAddr)>>,
}

impl Beside {
    /// `set skip on lo0`, which no rule shows: what leaves by it is not looked at.
    pub(super) fn skips(&self) -> Option<Rule> {
        let rule = |names: Vec<String>| Rule {
            shown: format!("set skip on {}", names.join(" ")),
            tests: vec![Test::By(names, false)],
            action: Action::Accept,
        };
        (!self.skipped.is_empty()).then(|| rule(self.skipped.clone()))
    }

    /// By an interface, or by any of a group: a group's name ends in no digit (ifconfig(8)), an interface's does.
    pub(super) fn by(&self, name: &str, not: bool) -> Test {
        if name.ends_with(|c: char| c.is_ascii_digit()) {
            return Test::By(vec![name.to_owned()], not);
        }
        match &self.groups {
            _ if name == "any" => Test::By(vec!["lo0".to_owned()], !not), // all but loopback (pf.conf(5))
            Some(groups) => Test::By(groups.get(name).cloned().unwrap_or_default(), not),
            None => Test::Unknown,
        }
    }
}

/// Interfaces that are not filtered, from `pfctl -v -s Interfaces`.
pub fn skipped(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.trim_end().strip_suffix(" (skip)")).map(str::to_owned).collect()
}

/// Groups of interfaces, from `ifconfig -a`; none where it tells of no group.
pub fn groups(text: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut interface = None;
    for line in text.lines() {
        if !line.starts_with(char::is_whitespace) {
            interface = line.split_once(':').map(|(name, _)| name.to_owned());
        } else if let (Some(names), Some(interface)) = (line.trim().strip_prefix("groups:"), &interface) {
            for group in names.split_whitespace() {
                groups.entry(group.to_owned()).or_default().push(interface.clone());
            }
        }
    }
    (!groups.is_empty()).then_some(groups)
}

/// Names of the tables that the rules test for where a packet goes; those that no argument of a tool should
/// be are left out.
pub fn tables(rules: &str) -> Vec<String> {
    let is_name = |name: &&str| {
        (1..=LONGEST_NAME).contains(&name.len())
            && !name.starts_with('-')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    let words =
        rules.split_whitespace().filter_map(|word| word.strip_prefix('<')?.strip_suffix('>')).filter(is_name);
    let names: BTreeSet<&str> = words.collect();
    names.into_iter().take(MOST_TABLES).map(str::to_owned).collect()
}

/// The networks of a table, from `pfctl -t NAME -T show`; none where some are taken out again (`!`), or it is
/// no such list.
pub fn table(text: &str) -> Option<Vec<(IpAddr, IpAddr)>> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(written).collect()
}

//! Names in the place of names: the same for the same, and never one that occurs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::address;
use crate::policy::Sensitive;

/// Endings that make a name a private one, for judging (see the `dns` probe).
const PRIVATE_ENDINGS: [&str; 10] =
    ["localhost", "local", "test", "internal", "home.arpa", "lan", "home", "corp", "intranet", "private"];

/// What stands for what. First everything is noted, then [`Pseudonyms::assign`] gives the names.
#[derive(Debug)]
pub(super) struct Pseudonyms {
    kinds: BTreeSet<Sensitive>,
    /// What was found, in order: its stem (`host`, `person` …) and itself.
    found: Vec<(&'static str, String)>,
    /// Stem and original → what stands for it. Empty in the first pass.
    given: BTreeMap<(&'static str, String), String>,
    assigned: bool,
    /// What running text may hold, the longest first, and what stands for it.
    terms: Vec<(String, String)>,
}

impl Pseudonyms {
    pub fn new(kinds: BTreeSet<Sensitive>) -> Self {
        Self { kinds, found: Vec::new(), given: BTreeMap::new(), assigned: false, terms: Vec::new() }
    }

    pub fn hides(&self, kind: Sensitive) -> bool {
        self.kinds.contains(&kind)
    }

    /// What stands for a text of this kind: `person-2`.
    pub fn of(&mut self, kind: Sensitive, stem: &'static str, text: &str) -> String {
        if self.hides(kind) { self.look(stem, text) } else { text.to_owned() }
    }

    /// What stands for the digest of a key: a digest that no key has.
    pub fn pin(&mut self, text: &str) -> String {
        self.of(Sensitive::Serial, "pin", &text.to_ascii_lowercase())
    }

    /// What stands for a host's name, without a port.
    pub fn host(&mut self, name: &str) -> String {
        let bare = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if !self.hides(Sensitive::Host) || bare.is_empty() || bare == "localhost" {
            return name.to_owned();
        }
        match bare.strip_prefix("*.") {
            Some(parent) => format!("*.{}", self.look("host", parent)),
            None => self.look("host", &bare),
        }
    }

    /// What stands for an address.
    pub fn address(&mut self, ip: IpAddr) -> IpAddr {
        if !self.hides(Sensitive::Address) || address::anonymous(ip) {
            return ip;
        }
        self.look("address", &ip.to_string()).parse().unwrap_or(ip)
    }

    fn look(&mut self, stem: &'static str, text: &str) -> String {
        let key = (stem, text.to_owned());
        if let Some(given) = self.given.get(&key) {
            return given.clone();
        }
        if !self.assigned && !self.found.contains(&key) {
            self.found.push(key);
        }
        text.to_owned()
    }

    /// Ends the first pass: gives each a name that occurs nowhere.
    pub fn assign(&mut self) {
        let taken: BTreeSet<String> = self.found.iter().map(|(_, text)| text.to_ascii_lowercase()).collect();
        let mut used = BTreeSet::new();
        for (stem, text) in std::mem::take(&mut self.found) {
            let free = (1..=u16::MAX)
                .filter_map(|number| shown(stem, &text, number))
                .find(|name| !taken.contains(&name.to_ascii_lowercase()) && !used.contains(name));
            // with none left, nothing of it is shown: what needs an address then fails to be read
            let name = free.unwrap_or_else(|| "[withheld]".to_owned());
            used.insert(name.clone());
            self.given.insert((stem, text), name);
        }
        self.assigned = true;
        self.terms = self.in_texts();
    }

    /// See [`Pseudonyms::in_texts`]; none in the first pass.
    pub fn terms(&self) -> &[(String, String)] {
        &self.terms
    }

    /// What a text may hold of these: the longest first. Hosts of one label are words of many
    /// texts, and stand for themselves there.
    fn in_texts(&self) -> Vec<(String, String)> {
        let mut terms: Vec<(String, String)> = Vec::new();
        for ((stem, text), name) in &self.given {
            match *stem {
                "host" if text.contains('.') => terms.push((text.clone(), name.clone())),
                "person" => {
                    terms.push((text.clone(), name.clone()));
                    let long = |part: &&str| part.chars().filter(|c| c.is_alphabetic()).count() > 2;
                    let parts = text.split_whitespace().filter(long);
                    terms.extend(parts.map(|part| (part.to_owned(), name.clone())));
                }
                _ => {}
            }
        }
        terms.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        terms.dedup_by(|a, b| a.0 == b.0);
        terms
    }
}

fn shown(stem: &'static str, text: &str, number: u16) -> Option<String> {
    match stem {
        "address" => address::candidate(text.parse().ok()?, number).map(|ip| ip.to_string()),
        "pin" => Some(format!("sha256:{number:064x}")),
        "host" => {
            let is = |ending: &&&str| text.strip_suffix(**ending).is_some_and(|rest| rest.ends_with('.'));
            let ending = PRIVATE_ENDINGS.iter().find(is).map(|ending| format!(".{ending}"));
            Some(format!("host-{number}{}", ending.unwrap_or_default()))
        }
        _ => Some(format!("{stem}-{number}")),
    }
}

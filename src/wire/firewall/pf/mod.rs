//! `pfctl -s info` and `pfctl -a '*' -s rules` of macOS and the BSDs (pfctl(8), pf.conf(5)).
//!
//! The last rule that is met decides, but for `quick`, which decides at once: so the quick ones are
//! walked first, in their order, and then the others from the last to the first. What stands in an
//! anchor is walked in its place, under the anchor's own tests.

mod beside;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use super::{Action, Chain, Rule, Test, words, written};
pub use beside::{Beside, groups, skipped, table, tables};

/// Most nested anchors that are read.
const DEEPEST: usize = 16;
/// Names that pfctl writes for ports, from `/etc/services`; another's name is not known here.
const SERVICES: [(&str, u16); 8] = [
    ("ssh", 22),
    ("domain", 53),
    ("http", 80),
    ("ntp", 123),
    ("https", 443),
    ("rtsp", 554),
    ("macromedia-fcs", 1935),
    ("stun", 3478),
];

/// Whether the filter is on, from `pfctl -s info`.
///
/// # Errors
/// What the text does not say.
pub fn is_enabled(info: &str) -> Result<bool, String> {
    let status = info.lines().find_map(|line| line.trim_start().strip_prefix("Status:"));
    match status.and_then(|status| status.split_whitespace().next()) {
        Some("Enabled") => Ok(true),
        Some("Disabled") => Ok(false),
        _ => Err("no line says whether it is enabled".to_owned()),
    }
}

/// The rules for what leaves, as one chain in the order in which they decide.
///
/// # Errors
/// Anchors that are not closed, or nested too deep.
pub fn parse(text: &str, beside: &Beside) -> Result<Vec<Chain>, String> {
    let (mut quick, mut others) = (Vec::from_iter(beside.skips()), Vec::new());
    // Each open anchor's tests, and whether it is for what leaves.
    let mut open: Vec<(Vec<Test>, bool)> = Vec::new();
    // An anchor for many whose brackets have just been opened.
    let mut for_many: Option<Rule> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let empty = for_many.take();
        if line == "}" {
            open.pop().ok_or("a bracket closes nothing")?;
            // Not every pfctl follows the star to the anchors that it stands for.
            quick.extend(empty.filter(|_| open.iter().all(|(_, leaves)| *leaves)));
            continue;
        }
        let (line, opens) = line.strip_suffix('{').map_or((line, false), |line| (line.trim_end(), true));
        let mut read = read(line, beside, open.is_empty());
        if opens && read.leaves && line.contains('*') {
            for_many = Some(Rule {
                shown: line.to_owned(),
                tests: read.rule.tests.clone(),
                action: Action::Unknown,
            });
        }
        if opens && read.is_anchor && !read.is_quick {
            if open.len() == DEEPEST {
                return Err("anchors are nested too deep".to_owned());
            }
            open.push((read.rule.tests, read.leaves));
            continue;
        }
        if opens {
            // Whether such an anchor ends the walk hangs on what is met within: it stays unknown.
            open.push((vec![Test::Unknown], read.leaves));
        }
        if !read.leaves || open.iter().any(|(_, leaves)| !leaves) {
            continue;
        }
        let around = open.iter().flat_map(|(tests, _)| tests.iter().cloned());
        read.rule.tests.extend(around);
        (if read.is_quick { &mut quick } else { &mut others }).push(read.rule);
    }
    if !open.is_empty() {
        return Err("it ends within an anchor".to_owned());
    }
    others.reverse();
    quick.extend(others);
    Ok(vec![Chain {
        table: "pf".to_owned(),
        name: "rules".to_owned(),
        output: Some(0),
        policy: Some(Action::Accept),
        rules: quick,
    }])
}

struct Read {
    rule: Rule,
    leaves: bool,
    is_quick: bool,
    is_anchor: bool,
}

fn read(line: &str, beside: &Beside, is_main: bool) -> Read {
    let is_named = line.strip_prefix("anchor").is_some_and(|rest| rest.trim_start().starts_with('"'));
    let words = words(line);
    let mut words = words.iter().map(String::as_str).peekable();
    let first = words.next().unwrap_or_default();
    let action = match first {
        "pass" => Action::Accept,
        "block" if words.peek().is_some_and(|word| word.starts_with("return")) => Action::Reject,
        "block" => Action::Drop,
        "match" | "scrub" | "scrub-anchor" | "dummynet" | "dummynet-anchor" => Action::Nothing,
        _ => Action::Unknown,
    };
    let rule = Rule { shown: line.to_owned(), tests: Vec::new(), action };
    let mut read = Read { rule, leaves: true, is_quick: false, is_anchor: first == "anchor" };
    if is_named {
        words.next();
    }
    while let Some(word) = words.next() {
        let test = match word {
            "in" => {
                read.leaves = false;
                continue;
            }
            "quick" => {
                read.is_quick = true;
                continue;
            }
            "out" | "drop" | "return" | "return-rst" | "log" | "all" | "keep" | "modulate" | "synproxy"
            | "state" | "no" | "fragment" | "reassemble" => continue,
            "label" | "flags" | "queue" | "tag" if flags_of_the_first(word, words.peek().copied()) => {
                words.next();
                continue;
            }
            // What is told to the sender, and the options of a state.
            _ if word.starts_with("return-icmp") || word.starts_with('(') => {
                let mut last = word;
                while !last.ends_with(')') {
                    let Some(next) = words.next() else { break };
                    last = next;
                }
                continue;
            }
            "inet" => Test::Ipv4(true, false),
            "inet6" => Test::Ipv4(false, false),
            "proto" => {
                words.next().map_or(Test::Unknown, |name| Test::Protocol(vec![name.to_owned()], false))
            }
            "on" => {
                let not = words.next_if_eq(&"!").is_some();
                words.next().map_or(Test::Unknown, |name| beside.by(name, not))
            }
            "from" if words.peek() == Some(&"any") => {
                words.next();
                if words.peek() == Some(&"port") { Test::Unknown } else { continue }
            }
            "to" if words.next_if_eq(&"any").is_some() => continue,
            // An anchor may have a table of its own of the same name.
            "to" => to(&mut words, is_main.then_some(beside)),
            "port" => port(&mut words).unwrap_or(Test::Unknown),
            _ => Test::Unknown,
        };
        read.rule.tests.push(test);
    }
    read
}

/// Whether this option leaves the rule for the first packet of a connection, which has SYN alone.
fn flags_of_the_first(word: &str, value: Option<&str>) -> bool {
    word != "flags" || matches!(value, Some("S/SA" | "S/SAFR" | "any"))
}

type Words<'a, I> = std::iter::Peekable<I>;

fn to<'a, I: Iterator<Item = &'a str>>(words: &mut Words<'a, I>, beside: Option<&Beside>) -> Test {
    let not = words.next_if_eq(&"!").is_some();
    let Some(first) = words.next() else { return Test::Unknown };
    if let Some(name) = first.strip_prefix('<').and_then(|name| name.strip_suffix('>')) {
        let addresses = beside.and_then(|beside| beside.tables.get(name));
        return addresses.map_or(Test::Unknown, |addresses| Test::To(addresses.clone(), not));
    }
    let Some((low, high)) = written(first) else { return Test::Unknown };
    if words.next_if_eq(&"-").is_none() {
        return Test::To(vec![(low, high)], not);
    }
    let last = words.next().and_then(|word| word.parse::<IpAddr>().ok());
    last.map_or(Test::Unknown, |last| Test::To(vec![(low, last)], not))
}

/// `= 80`, `!= 80`, `< 80`, `9000:9010`, `8000 >< 8003` (between), `8000 <> 8003` (outside).
fn port<'a, I: Iterator<Item = &'a str>>(words: &mut Words<'a, I>) -> Option<Test> {
    let first = words.next()?;
    let one = |range, not| Some(Test::Port(vec![range], not));
    if let Some((low, high)) = first.split_once(':') {
        return one((number(low)?, number(high)?), false);
    }
    if matches!(first, "=" | "!=" | "<" | "<=" | ">" | ">=") {
        let port = number(words.next()?)?;
        return match first {
            "=" | "!=" => one((port, port), first == "!="),
            "<=" | ">" => one((0, port), first == ">"),
            _ => one((port, u16::MAX), first == "<"),
        };
    }
    let (operator, last) = (words.next()?, words.next()?);
    let (low, high) = (number(first)?, number(last)?);
    match operator {
        "><" => one((low.checked_add(1)?, high.checked_sub(1)?), false),
        "<>" => one((low, high), true),
        _ => None,
    }
}

fn number(text: &str) -> Option<u16> {
    let named = || SERVICES.iter().find(|(name, _)| *name == text).map(|(_, port)| *port);
    text.parse().ok().or_else(named)
}

//! A machine's own packet filter, read from what its tools print: which rule decides about a packet
//! that leaves. Text in, an answer out; nothing here runs a tool.
//!
//! What a rule tests and golive does not know is neither met nor unmet: such a rule makes the answer
//! unsure where it could change it, and is named.

pub mod iptables;
pub mod nftables;
pub mod pf;
mod told;
pub mod windows;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use told::Told;

use crate::model::Transport;

/// Most bytes of a tool's output that are read.
pub const MOST_BYTES: usize = 16 << 20;
/// Most rules that are walked for one packet: jumps may not make it endless.
const MOST_STEPS: usize = 200_000;
/// Deepest nest of jumps; nftables allows 16 (`NFT_JUMP_STACK_SIZE`).
const DEEPEST: usize = 16;
/// Most rules that are named as what may decide.
const MOST_DOUBTS: usize = 16;
/// Longest text of one rule that is shown.
const LONGEST: usize = 200;

/// The first packet of a connection or exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Where to.
    pub to: IpAddr,
    /// The port there.
    pub port: u16,
    /// TCP or UDP.
    pub transport: Transport,
    /// The interface that it leaves by, where that is known.
    pub interface: Option<String>,
}

/// A chain of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Its table: `inet filter`.
    pub table: String,
    /// Its name in the table.
    pub name: String,
    /// For packets that leave, in this order (lowest first); none for a chain that is jumped to.
    pub output: Option<i64>,
    /// What becomes of what no rule decides.
    pub policy: Option<Action>,
    /// In order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// As a person knows it.
    pub shown: String,
    /// All must be met.
    pub tests: Vec<Test>,
    /// What then becomes of the packet.
    pub action: Action,
}

/// What a rule tests; the flag is true for "is not".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// IPv4 (true) or IPv6.
    Ipv4(bool, bool),
    /// One of these protocols.
    Protocol(Vec<String>, bool),
    /// To one of these ranges of ports.
    Port(Vec<(u16, u16)>, bool),
    /// To one of these ranges of addresses: the first and the last.
    To(Vec<(IpAddr, IpAddr)>, bool),
    /// By one of these interfaces; a trailing `*` stands for anything.
    By(Vec<String>, bool),
    /// In one of these states of connection tracking.
    State(Vec<String>, bool),
    /// Something that is not known here.
    Unknown,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It may pass this chain.
    Accept,
    /// It disappears.
    Drop,
    /// It is refused, and the sender is told.
    Reject,
    /// Another chain decides, and then the next rule.
    Jump(String),
    /// Another chain decides.
    Goto(String),
    /// Back to the chain that jumped here.
    Return,
    /// Nothing: a counter, a log line.
    Nothing,
    /// Something that is not known here.
    Unknown,
}

/// A rule or policy that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decider {
    /// Its table: `inet filter`.
    pub table: String,
    /// Its chain.
    pub chain: String,
    /// The rule; none for the chain's policy.
    pub rule: Option<String>,
    /// Whether the sender is told.
    pub rejects: bool,
}

/// `inet filter, chain output: tcp dport 1935 drop`.
impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, chain {}: ", self.table, self.chain)?;
        match &self.rule {
            Some(rule) => f.write_str(rule),
            None => write!(f, "its policy {}", if self.rejects { "reject" } else { "drop" }),
        }
    }
}

/// What becomes of a packet that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No rule stops it.
    Allowed,
    /// This stops it.
    Blocked(Decider),
    /// These may stop it, by tests that are not known here.
    Unsure(Vec<Decider>),
}

/// What becomes of a packet that leaves past these chains.
pub fn decide(chains: &[Chain], packet: &Packet) -> Outcome {
    let mut base: Vec<&Chain> = chains.iter().filter(|chain| chain.output.is_some()).collect();
    base.sort_by_key(|chain| chain.output);
    let mut walk = Walk { chains, packet, steps: 0, doubts: Vec::new() };
    for chain in base {
        let (mut end, maybe_accepted) = walk.through(chain, 0);
        if end == End::Undecided {
            end = policy(chain);
        }
        match end {
            End::Stopped(decider) if maybe_accepted => walk.doubt(decider),
            End::Stopped(decider) => return Outcome::Blocked(decider),
            _ => {}
        }
    }
    if walk.doubts.is_empty() { Outcome::Allowed } else { Outcome::Unsure(walk.doubts) }
}

/// How a chain ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Accepted,
    Stopped(Decider),
    Undecided,
}

struct Walk<'a> {
    chains: &'a [Chain],
    packet: &'a Packet,
    steps: usize,
    doubts: Vec<Decider>,
}

impl Walk<'_> {
    fn doubt(&mut self, decider: Decider) {
        if self.doubts.len() < MOST_DOUBTS {
            self.doubts.push(decider);
        }
    }

    /// How it ends, and whether a rule that is not known may have accepted it before.
    fn through(&mut self, chain: &Chain, depth: usize) -> (End, bool) {
        let mut maybe_accepted = false;
        for rule in &chain.rules {
            self.steps += 1;
            let met = self.met(rule);
            if met == Some(false) {
                continue;
            }
            let decider = Decider {
                table: chain.table.clone(),
                chain: chain.name.clone(),
                rule: Some(rule.shown.chars().take(LONGEST).collect()),
                rejects: rule.action == Action::Reject,
            };
            let end = match &rule.action {
                Action::Nothing => continue,
                Action::Return if met == Some(true) => return (End::Undecided, maybe_accepted),
                Action::Return => {
                    // What follows in this chain may be passed by.
                    maybe_accepted = true;
                    continue;
                }
                Action::Accept => End::Accepted,
                Action::Drop | Action::Reject => End::Stopped(decider),
                Action::Jump(name) | Action::Goto(name) => {
                    let (end, maybe) = self.jump(chain, name, depth, decider);
                    maybe_accepted |= maybe;
                    if matches!(rule.action, Action::Goto(_)) && end == End::Undecided && met == Some(true) {
                        return (End::Undecided, maybe_accepted);
                    }
                    end
                }
                Action::Unknown => {
                    self.doubt(decider);
                    maybe_accepted = true;
                    continue;
                }
            };
            match (end, met) {
                (End::Undecided, _) => {}
                (end, Some(true)) => return (end, maybe_accepted),
                (End::Stopped(decider), _) => self.doubt(decider),
                (End::Accepted, _) => maybe_accepted = true,
            }
        }
        (End::Undecided, maybe_accepted)
    }

    fn jump(&mut self, from: &Chain, name: &str, depth: usize, decider: Decider) -> (End, bool) {
        let chains = self.chains;
        let target = chains.iter().find(|chain| chain.table == from.table && chain.name == name);
        match target {
            Some(target) if depth < DEEPEST && self.steps < MOST_STEPS => self.through(target, depth + 1),
            _ => {
                self.doubt(decider);
                (End::Undecided, true)
            }
        }
    }

    /// Whether all of a rule's tests are met; `None` when that is not known.
    fn met(&self, rule: &Rule) -> Option<bool> {
        let each = || rule.tests.iter().map(|test| test.met(self.packet));
        if each().any(|met| met == Some(false)) {
            return Some(false);
        }
        each().all(|met| met == Some(true)).then_some(true)
    }
}

fn policy(chain: &Chain) -> End {
    match chain.policy {
        Some(Action::Drop | Action::Reject) => End::Stopped(Decider {
            table: chain.table.clone(),
            chain: chain.name.clone(),
            rule: None,
            rejects: chain.policy == Some(Action::Reject),
        }),
        _ => End::Undecided,
    }
}

impl Test {
    fn met(&self, packet: &Packet) -> Option<bool> {
        let (met, negated) = match self {
            Self::Ipv4(ipv4, negated) => (packet.to.is_ipv4() == *ipv4, *negated),
            Self::Protocol(list, negated) => {
                let own = if packet.transport == Transport::Udp { ["udp", "17"] } else { ["tcp", "6"] };
                (list.iter().any(|word| own.contains(&word.as_str())), *negated)
            }
            Self::Port(ranges, negated) => {
                (ranges.iter().any(|(low, high)| (*low..=*high).contains(&packet.port)), *negated)
            }
            Self::To(ranges, negated) => {
                (ranges.iter().any(|(low, high)| is_in(packet.to, *low, *high)), *negated)
            }
            Self::By(names, negated) => (by(names, packet)?, *negated),
            Self::State(states, negated) => {
                if states.iter().any(|state| state == "untracked" || state == "UNTRACKED") {
                    return None;
                }
                (states.iter().any(|state| state.eq_ignore_ascii_case("new")), *negated)
            }
            Self::Unknown => return None,
        };
        Some(met != negated)
    }
}

fn by(names: &[String], packet: &Packet) -> Option<bool> {
    let Some(own) = &packet.interface else {
        // What is not for this machine does not leave by its loopback (`lo0` on BSD), whichever it leaves by.
        let only_loopback = names.iter().all(|name| name == "lo" || name == "lo0");
        return (only_loopback && !packet.to.is_loopback()).then_some(false);
    };
    let met = |name: &String| match name.strip_suffix('*') {
        Some(start) => own.starts_with(start),
        None => own == name,
    };
    Some(names.iter().any(met))
}

fn is_in(address: IpAddr, low: IpAddr, high: IpAddr) -> bool {
    // Ends of two families are no range.
    address.is_ipv4() == low.is_ipv4() && low.is_ipv4() == high.is_ipv4() && (low..=high).contains(&address)
}

/// The first and the last address of a network.
fn network(address: IpAddr, length: u8) -> Option<(IpAddr, IpAddr)> {
    let length = u32::from(length);
    match address {
        IpAddr::V4(ip) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            let low = ip.to_bits() & !host;
            (length <= 32).then(|| (IpAddr::V4(low.into()), IpAddr::V4((low | host).into())))
        }
        IpAddr::V6(ip) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            let low = ip.to_bits() & !host;
            (length <= 128).then(|| (IpAddr::V6(low.into()), IpAddr::V6((low | host).into())))
        }
    }
}

/// `192.0.2.1`, `192.0.2.0/24`, and with a mask, as old tools write it: `192.0.2.0/255.255.255.0`.
fn written(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.trim().parse().ok()?;
    if length.is_empty() {
        return Some((address, address));
    }
    let mask = || length.parse::<std::net::Ipv4Addr>().ok().map(std::net::Ipv4Addr::to_bits);
    let by_mask = || mask().filter(|mask| mask.leading_ones() + mask.trailing_zeros() == 32);
    let length = length.parse::<u8>().ok().or_else(|| u8::try_from(by_mask()?.leading_ones()).ok())?;
    network(address, length)
}

/// Words, quoted ones as one.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

//! `iptables-save` and `ip6tables-save` (iptables-save(8), iptables-extensions(8)).

use super::{Action, Chain, Rule, Test, words, written};

/// Tables in the order in which packets that leave pass them (`linux/netfilter_ipv4.h`).
const ORDER: [(&str, i64); 5] =
    [("raw", -300), ("mangle", -150), ("nat", -100), ("filter", 0), ("security", 50)];

/// The chains of one family's output. What cannot be read becomes a rule that is not known.
pub fn parse(text: &str, ipv4: bool) -> Vec<Chain> {
    let (mut chains, mut table): (Vec<Chain>, String) = (Vec::new(), String::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = format!("{} {}", if ipv4 { "iptables" } else { "ip6tables" }, name.trim());
        } else if let Some(rest) = line.strip_prefix(':') {
            let mut words = rest.split_whitespace();
            let (name, policy) = (words.next().unwrap_or_default(), words.next().unwrap_or("-"));
            let own = table.rsplit(' ').next().unwrap_or_default();
            let order = ORDER.iter().find(|(known, _)| *known == own).map(|(_, order)| *order);
            chains.push(Chain {
                table: table.clone(),
                name: name.to_owned(),
                output: order.filter(|_| name == "OUTPUT"),
                policy: match policy {
                    "ACCEPT" => Some(Action::Accept),
                    "DROP" => Some(Action::Drop),
                    _ => None,
                },
                rules: Vec::new(),
            });
        } else if let Some(rest) = line.strip_prefix("-A ") {
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let chain = chains.iter_mut().rfind(|chain| chain.table == table && chain.name == name);
            if let Some(chain) = chain {
                chain.rules.push(rule(rest, ipv4));
            }
        }
    }
    chains
}

fn rule(text: &str, ipv4: bool) -> Rule {
    let mut rule =
        Rule { shown: text.to_owned(), tests: vec![Test::Ipv4(ipv4, false)], action: Action::Nothing };
    let (words, mut negated, mut at) = (words(text), false, 0);
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1).map_or("", String::as_str);
        let not = std::mem::take(&mut negated);
        let mut taken = 2;
        match word.as_str() {
            "!" => (negated, taken) = (true, 1),
            // A module's name; its options follow.
            "-m" | "--match" | "--comment" => {}
            "-p" | "--protocol" => rule.tests.push(Test::Protocol(vec![value.to_owned()], not)),
            "-d" | "--destination" => {
                rule.tests.push(written(value).map_or(Test::Unknown, |to| Test::To(vec![to], not)));
            }
            "-o" | "--out-interface" => rule.tests.push(Test::By(vec![value.replace('+', "*")], not)),
            "--dport" | "--destination-port" | "--dports" | "--destination-ports" => {
                rule.tests.push(ports(value).map_or(Test::Unknown, |ports| Test::Port(ports, not)));
            }
            "--state" | "--ctstate" => {
                rule.tests.push(Test::State(value.split(',').map(str::to_owned).collect(), not));
            }
            "-j" | "--jump" => {
                rule.action = action(value);
                break; // a target's own options follow
            }
            "-g" | "--goto" => {
                rule.action = Action::Goto(value.to_owned());
                break;
            }
            _ => (rule.tests, taken) = ([rule.tests, vec![Test::Unknown]].concat(), 1),
        }
        at += taken;
    }
    rule
}

fn action(target: &str) -> Action {
    match target {
        "ACCEPT" => Action::Accept,
        "DROP" => Action::Drop,
        "REJECT" => Action::Reject,
        "RETURN" => Action::Return,
        "LOG" | "NFLOG" | "ULOG" | "MARK" | "CONNMARK" | "DSCP" | "TOS" | "TCPMSS" | "CT" | "NOTRACK"
        | "MASQUERADE" | "SNAT" | "CHECKSUM" | "TRACE" | "CLASSIFY" | "AUDIT" | "SET" => Action::Nothing,
        "QUEUE" | "NFQUEUE" | "DNAT" | "REDIRECT" | "TPROXY" | "" => Action::Unknown,
        chain => Action::Jump(chain.to_owned()),
    }
}

/// `80`, `1000:2000`, `80,443,8000:8080`.
fn ports(text: &str) -> Option<Vec<(u16, u16)>> {
    let one = |part: &str| match part.split_once(':') {
        Some((low, high)) => {
            let low = if low.is_empty() { 0 } else { low.parse().ok()? };
            Some((low, if high.is_empty() { u16::MAX } else { high.parse().ok()? }))
        }
        None => part.parse().ok().map(|port| (port, port)),
    };
    text.split(',').map(one).collect()
}

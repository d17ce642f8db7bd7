//! `nft -j list ruleset` (libnftables-json(5)).

use std::net::IpAddr;

use serde_json::Value;

use super::{Action, Chain, Rule, Test};

/// The chains of its filter hooks for packets that leave. What cannot be read becomes a test that is
/// not known.
///
/// # Errors
/// Why the text is no ruleset.
pub fn parse(text: &str) -> Result<Vec<Chain>, String> {
    let ruleset: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let objects = ruleset["nftables"].as_array().ok_or("it has no list `nftables`")?;
    let mut chains: Vec<Chain> = Vec::new();
    for chain in objects.iter().filter_map(|object| object.get("chain")) {
        // A base chain of the type route or nat passes filters' verdicts on all the same.
        let of_output = chain["hook"].as_str() == Some("output");
        chains.push(Chain {
            table: table(chain),
            name: word(&chain["name"]),
            output: of_output.then(|| chain["prio"].as_i64().unwrap_or(0)),
            policy: match chain["policy"].as_str() {
                Some("drop") => Some(Action::Drop),
                Some("accept") => Some(Action::Accept),
                _ => None,
            },
            rules: Vec::new(),
        });
    }
    let sets: Vec<&Value> =
        objects.iter().filter_map(|object| object.get("set").or_else(|| object.get("map"))).collect();
    for rule in objects.iter().filter_map(|object| object.get("rule")) {
        let (table, name) = (table(rule), word(&rule["chain"]));
        if let Some(chain) = chains.iter_mut().find(|chain| chain.table == table && chain.name == name) {
            chain.rules.push(read(rule, &table, &sets));
        }
    }
    Ok(chains)
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn table(object: &Value) -> String {
    let table = object.get("table").unwrap_or(&object["name"]);
    format!("{} {}", word(&object["family"]), word(table))
}

fn read(rule: &Value, table: &str, sets: &[&Value]) -> Rule {
    let (mut tests, mut action, mut shown) = (Vec::new(), Action::Nothing, Vec::new());
    match table.split(' ').next() {
        Some("ip") => tests.push(Test::Ipv4(true, false)),
        Some("ip6") => tests.push(Test::Ipv4(false, false)),
        _ => {}
    }
    for expression in rule["expr"].as_array().into_iter().flatten() {
        let Some((kind, body)) = expression.as_object().and_then(|object| object.iter().next()) else {
            continue;
        };
        match kind.as_str() {
            "match" => {
                tests.extend(matched(body, table, sets));
                shown.push(said(body));
                continue;
            }
            "accept" => action = Action::Accept,
            "drop" => action = Action::Drop,
            "reject" => action = Action::Reject,
            "return" => action = Action::Return,
            "jump" => action = Action::Jump(word(&body["target"])),
            "goto" => action = Action::Goto(word(&body["target"])),
            "counter" | "log" | "mangle" | "notrack" | "flow" | "ct helper" | "ct timeout" | "masquerade"
            | "snat" | "meter" => continue,
            // What iptables' own modules test (`xt`) nft does not tell; neither is a limit met or unmet.
            "xt" if body["type"].as_str() == Some("match") => tests.push(Test::Unknown),
            "limit" | "quota" | "ct count" => tests.push(Test::Unknown),
            _ => action = Action::Unknown,
        }
        shown.push(kind.clone());
    }
    let handle = rule["handle"].as_u64().map_or_else(String::new, |handle| format!(" (handle {handle})"));
    Rule { shown: format!("{}{handle}", shown.join(" ")), tests, action }
}

/// A match as people write it: `tcp dport 1935`.
fn said(body: &Value) -> String {
    let left = match kind(&body["left"]) {
        ("payload", left) => format!("{} {}", word(&left["protocol"]), word(&left["field"])),
        (kind @ ("meta" | "ct"), left) => format!("{kind} {}", word(&left["key"])),
        (kind, _) => kind.to_owned(),
    };
    let operator = match body["op"].as_str() {
        Some("!=") => " !=",
        _ => "",
    };
    let right = match &body["right"] {
        Value::String(text) => text.clone(),
        other => other.to_string().replace('"', ""),
    };
    format!("{left}{operator} {right}")
}

fn kind(value: &Value) -> (&str, &Value) {
    value.as_object().and_then(|object| object.iter().next()).map_or(("", value), |(key, value)| (key, value))
}

fn matched(body: &Value, table: &str, sets: &[&Value]) -> Vec<Test> {
    let negated = match body["op"].as_str() {
        Some("==" | "in") | None => false,
        Some("!=") => true,
        _ => return vec![Test::Unknown],
    };
    let Some(right) = elements(&body["right"], table, sets) else { return vec![Test::Unknown] };
    let (kind, left) = kind(&body["left"]);
    let of = |key: &str| left[key].as_str().unwrap_or_default();
    let words = || {
        right
            .iter()
            .map(|value| value.as_str().map(str::to_owned).or(number(value)))
            .collect::<Option<Vec<_>>>()
    };
    let to = || right.iter().map(addresses).collect::<Option<Vec<_>>>();
    let ports = || right.iter().map(ports).collect::<Option<Vec<_>>>();
    let protocol = |name: &str| Test::Protocol(vec![name.to_owned()], false);
    let unknown = || vec![Test::Unknown];
    match (kind, of("protocol"), of("field"), of("key")) {
        ("payload", "th", "dport", _) => ports().map_or_else(unknown, |p| vec![Test::Port(p, negated)]),
        ("payload", name @ ("tcp" | "udp"), "dport", _) => {
            let port = ports().map_or(Test::Unknown, |ports| Test::Port(ports, negated));
            vec![protocol(name), port]
        }
        ("payload", name @ ("tcp" | "udp" | "sctp" | "dccp" | "icmp" | "icmpv6"), _, _) => {
            vec![protocol(name), Test::Unknown]
        }
        ("payload", name @ ("ip" | "ip6"), "daddr", _) => {
            let to = to().map_or(Test::Unknown, |ranges| Test::To(ranges, negated));
            vec![Test::Ipv4(name == "ip", false), to]
        }
        ("payload", name @ ("ip" | "ip6"), "protocol" | "nexthdr", _) => {
            let test = words().map_or(Test::Unknown, |words| Test::Protocol(words, negated));
            vec![Test::Ipv4(name == "ip", false), test]
        }
        ("payload", name @ ("ip" | "ip6"), _, _) => vec![Test::Ipv4(name == "ip", false), Test::Unknown],
        ("meta", _, _, "l4proto") => words().map_or_else(unknown, |w| vec![Test::Protocol(w, negated)]),
        ("meta", _, _, "nfproto") => {
            let of = |family: &str| right.iter().any(|value| value.as_str() == Some(family));
            match (of("ipv4"), of("ipv6")) {
                (true, false) => vec![Test::Ipv4(true, negated)],
                (false, true) => vec![Test::Ipv4(false, negated)],
                _ => unknown(),
            }
        }
        ("meta", _, _, "oifname" | "oif") => words().map_or_else(unknown, |w| vec![Test::By(w, negated)]),
        ("ct", _, _, "state") => words().map_or_else(unknown, |w| vec![Test::State(w, negated)]),
        _ => unknown(),
    }
}

fn number(value: &Value) -> Option<String> {
    value.as_u64().map(|number| number.to_string())
}

/// What a match compares with, sets resolved; `None` when it is something else.
fn elements(right: &Value, table: &str, sets: &[&Value]) -> Option<Vec<Value>> {
    let plain = |values: &Value| {
        let element = |value: &Value| match kind(value) {
            ("elem", inner) => inner["val"].clone(),
            _ => value.clone(),
        };
        values.as_array().map(|values| values.iter().map(element).collect::<Vec<_>>())
    };
    match right {
        Value::Array(_) => plain(right),
        Value::String(name) if name.starts_with('@') => {
            let named =
                |set: &&&Value| self::table(set) == table && set["name"].as_str() == name.strip_prefix('@');
            let set = sets.iter().find(named)?;
            set.get("elem").map_or(Some(Vec::new()), plain)
        }
        other => match kind(other) {
            ("set", inner) => plain(inner),
            _ => Some(vec![other.clone()]),
        },
    }
}

/// A port, or a range of them.
fn ports(value: &Value) -> Option<(u16, u16)> {
    let port = |value: &Value| u16::try_from(value.as_u64()?).ok();
    match kind(value) {
        ("range", ends) => Some((port(&ends[0])?, port(&ends[1])?)),
        _ => port(value).map(|port| (port, port)),
    }
}

/// An address, a network, or a range of addresses.
fn addresses(value: &Value) -> Option<(IpAddr, IpAddr)> {
    let address = |value: &Value| value.as_str()?.parse::<IpAddr>().ok();
    match kind(value) {
        ("prefix", inner) => {
            super::network(address(&inner["addr"])?, u8::try_from(inner["len"].as_u64()?).ok()?)
        }
        ("range", ends) => Some((address(&ends[0])?, address(&ends[1])?)),
        _ => address(value).map(|address| (address, address)),
    }
}

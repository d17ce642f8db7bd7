//! Names for rules, and hosts that may stand in a rule at all.

use std::net::IpAddr;

/// Longest part of a rule's name that comes from the policy: `golive-` before and `-99` behind
/// it make 28, what iptables takes for a chain.
const MAX_TICKET: usize = 16;

/// The change's number (else the event's title) as a part of names: `chg0031337`.
pub fn ticket(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
        if out.len() == MAX_TICKET {
            break;
        }
    }
    let trimmed = out.trim_end_matches('-');
    if trimmed.is_empty() { "event".to_owned() } else { trimmed.to_owned() }
}

/// A host as a rule may name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A name of letters, digits and hyphens (RFC 1123), in lower case, without a dot at its end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Reads a host; `None` for what no firewall takes as one.
pub fn host(text: &str) -> Option<Host> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Some(Host::Address(ip.to_canonical()));
    }
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
    };
    // a name whose last label is a number would be read as an address
    let number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|c| c.is_ascii_digit()));
    let good = name.len() <= 253 && !number && name.split('.').all(label);
    good.then_some(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_a_plain_word() {
        for (text, word) in [
            ("CHG0031337", "chg0031337"),
            ("Autumn product launch", "autumn-product-l"),
            ("\n!\"; rm -rf /", "rm-rf"),
            ("äöü", "event"),
            ("", "event"),
        ] {
            assert_eq!(ticket(text), word);
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        assert_eq!(host("A.Example.com."), Some(Host::Name("a.example.com".into())));
        assert_eq!(host("[2001:db8::7]"), Some(Host::Address("2001:db8::7".parse().unwrap())));
        assert_eq!(host("::ffff:192.0.2.7"), Some(Host::Address("192.0.2.7".parse().unwrap())));
        for bad in ["a b", "a;b.example", "a\nb", "-a.example", "", "1.2.3", "a..b", "x\u{1b}[31m.example"] {
            assert_eq!(host(bad), None, "{bad:?}");
        }
    }
}

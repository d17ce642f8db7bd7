//! Hosts, addresses and names in strings: as the whole string, in a URL, in running text.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use super::pseudonym::Pseudonyms;

/// A host, an address, or either with a port.
pub(super) fn host(text: &str, pseudonyms: &mut Pseudonyms) -> String {
    if let Some(shown) = numeric(text, pseudonyms) {
        return shown;
    }
    match text.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()) => {
            format!("{}:{port}", pseudonyms.host(name))
        }
        // what is neither is text of a stranger (a certificate may hold anything as a name)
        _ if text.contains(char::is_whitespace) || text.contains(':') => self::text(text, pseudonyms),
        _ => pseudonyms.host(text),
    }
}

/// An address, bare or in brackets, with or without a port.
fn numeric(text: &str, pseudonyms: &mut Pseudonyms) -> Option<String> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        let ip = pseudonyms.address(socket.ip());
        return Some(match (socket, ip) {
            (SocketAddr::V6(v6), IpAddr::V6(ip)) => {
                SocketAddrV6::new(ip, v6.port(), v6.flowinfo(), v6.scope_id()).to_string()
            }
            (socket, ip) => SocketAddr::new(ip, socket.port()).to_string(),
        });
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(pseudonyms.address(ip).to_string());
    }
    let inner: IpAddr = text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    Some(format!("[{}]", pseudonyms.address(inner)))
}

/// A URL: its host is replaced, its path stays but for what it names.
pub(super) fn url(text: &str, pseudonyms: &mut Pseudonyms) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return self::text(text, pseudonyms) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // there is no user in the URLs of a policy; were there one, it goes
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{}{}", host(authority, pseudonyms), self::text(path, pseudonyms))
}

/// Running text: every word that is an address or looks like a host's name (two labels or more,
/// the last of letters), and every name that is known from elsewhere.
pub(super) fn text(text: &str, pseudonyms: &mut Pseudonyms) -> String {
    let mut out = String::with_capacity(text.len());
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '*');
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !part(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&word(token, pseudonyms));
        rest = after;
    }
    out.push_str(rest);
    known(out, pseudonyms)
}

fn word(token: &str, pseudonyms: &mut Pseudonyms) -> String {
    // a URL without an authority (RFC 7065)
    for scheme in ["turn:", "turns:"] {
        if let Some(place) = token.strip_prefix(scheme) {
            return format!("{scheme}{}", word(place, pseudonyms));
        }
    }
    let core = token.trim_end_matches(['.', ':', '-']);
    let tail = token.get(core.len()..).unwrap_or_default();
    if let Some(shown) = numeric(core, pseudonyms) {
        return format!("{shown}{tail}");
    }
    let (name, port) = match core.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => (name, core.get(name.len()..)),
        _ => (core, None),
    };
    if looks_like_a_host(name) {
        return format!("{}{}{tail}", pseudonyms.host(name), port.unwrap_or_default());
    }
    token.to_owned()
}

fn looks_like_a_host(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
        && last.chars().count() > 1
        && last.chars().all(char::is_alphabetic)
}

/// Replaces names that are known, where they stand as words.
fn known(mut text: String, pseudonyms: &Pseudonyms) -> String {
    for (term, name) in pseudonyms.terms() {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| find(rest, term)).map(|at| from + at) {
            let end = at + term.len();
            let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let inside = joins(text.get(..at).and_then(|before| before.chars().next_back()))
                || joins(text.get(end..).and_then(|after| after.chars().next()));
            if inside {
                from = end;
            } else {
                text.replace_range(at..end, name);
                from = at + name.len();
            }
        }
    }
    text
}

/// Without regard to the case of ASCII letters, so that lengths stay.
fn find(text: &str, term: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(&term.to_ascii_lowercase())
}

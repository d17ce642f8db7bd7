//! What each string of a policy or a reading holds, by the key that it stands under.

use serde_json::Value;

use super::pseudonym::Pseudonyms;
use super::scan;
use crate::policy::Sensitive;

/// What a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// A word of golive's own, an id, a date, a digest: kept.
    Word,
    /// A host, an address, or either with a port.
    Host,
    /// A URL.
    Url,
    /// A person's name.
    Person,
    /// A person's public key.
    Key,
    /// A certificate's serial number.
    Serial,
    /// The digest of a server's key.
    Pin,
    /// To whom a certificate is made out, or who signed it.
    Subject,
    /// The path of a file.
    File,
    /// What a person wrote for colleagues: evidence, reasons.
    Prose,
    /// Any other text: kept, but for what in it names a machine or a person. The careful default.
    Text,
}

/// Replaces every string below a value. In the first pass nothing changes and everything is noted.
pub(super) fn walk(value: &mut Value, keys: &mut Vec<String>, pseudonyms: &mut Pseudonyms) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                keys.push(key.clone());
                walk(value, keys, pseudonyms);
                keys.pop();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, keys, pseudonyms)),
        Value::String(text) => *text = replace(text, holds(keys), pseudonyms),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn holds(keys: &[String]) -> Holds {
    let last = keys.last().map_or("", String::as_str);
    let below = |name: &str| keys.iter().rev().skip(1).any(|key| key == name);
    match last {
        "schema" | "id" | "check" | "role" | "asked" | "of" | "by" | "owner" | "path" | "stream"
        | "far_end" | "env" | "value" | "code" | "cause" | "method" | "sha256" | "enforcement"
        | "accepts" | "level" | "starts" | "ends" | "expires" | "key_until" | "granted" | "since" | "at"
        | "not_before" | "not_after" | "verified_at" | "started" | "alpn" | "cipher" | "end" | "verified"
        | "review_by" => Holds::Word,
        "from" | "to" if below("window") => Holds::Word,
        "name" if below("people") || below("answer") => Holds::Person,
        "project_manager" => Holds::Person,
        "name" if below("layers") => Holds::File,
        "source" if below("provenance") => Holds::Text,
        "host" | "name" | "server_name" | "sans" | "address" | "addresses" | "resolvers"
        | "control_suffix" | "control" | "decoy" | "named" | "iperf3" | "remote" | "local" | "source"
        | "seen_as" | "servers" | "https_date" | "stun" | "other" | "router" => Holds::Host,
        "url" | "to" | "https" | "api" | "proxies" | "script" | "location" | "user-portal-url"
        | "venue-info-url" => Holds::Url,
        "key" if below("people") || below("revoked") => Holds::Key,
        "serial" => Holds::Serial,
        "spki" | "pin" | "pins" => Holds::Pin,
        "subject" | "issuer" => Holds::Subject,
        "file" => Holds::File,
        "evidence" | "why_none" | "compensating" | "way_back" | "objective" | "reference" => Holds::Prose,
        "reason" if below("waivers") || below("revoked") => Holds::Prose,
        _ => Holds::Text,
    }
}

fn replace(text: &str, holds: Holds, pseudonyms: &mut Pseudonyms) -> String {
    if text.is_empty() {
        return String::new();
    }
    match holds {
        Holds::Word => text.to_owned(),
        Holds::Host => scan::host(text, pseudonyms),
        Holds::Url => scan::url(text, pseudonyms),
        Holds::Person => pseudonyms.of(Sensitive::Name, "person", text),
        Holds::Key => pseudonyms.of(Sensitive::Name, "key", text),
        Holds::Serial => pseudonyms.of(Sensitive::Serial, "serial", text),
        Holds::Pin => pseudonyms.pin(text),
        Holds::Subject => pseudonyms.of(Sensitive::Serial, "CN=certificate", text),
        Holds::File => pseudonyms.of(Sensitive::Text, "file", text),
        Holds::Prose if pseudonyms.hides(Sensitive::Text) => "[withheld]".to_owned(),
        Holds::Prose | Holds::Text => scan::text(text, pseudonyms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_beside_the_roster_are_people_too() {
        let mut policy = json!({ "provider": {
            "project_manager": "Greta Umlaut", "why_none": "Umlaut has no time",
        }, "event": { "title": "Launch, led by Greta" } });
        let mut pseudonyms = Pseudonyms::new(Sensitive::ALL.into());
        walk(&mut policy, &mut Vec::new(), &mut pseudonyms);
        pseudonyms.assign();
        walk(&mut policy, &mut Vec::new(), &mut pseudonyms);
        let text = policy.to_string();
        assert!(
            !text.contains("Greta") && !text.contains("Umlaut") && text.contains("led by person-1"),
            "{text}"
        );
    }
}

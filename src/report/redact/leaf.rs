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
    /// Any other text: kept, but for what in it names a machine or a person.
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

/// What no class is known for is treated as text, the careful default.
fn holds(keys: &[String]) -> Holds {
    class(keys).unwrap_or(Holds::Text)
}

/// The class of a field of policies and readings. A test holds that each of them has one.
fn class(keys: &[String]) -> Option<Holds> {
    let last = keys.last().map_or("", String::as_str);
    let below = |name: &str| keys.iter().rev().skip(1).any(|key| key == name);
    // below these the last key is a name of the policy's own, and says nothing
    match keys.iter().rev().nth(1).map(String::as_str) {
        Some("accountable") => return Some(Holds::Word),
        Some("left_out") => return Some(Holds::Text),
        _ => {}
    }
    Some(match last {
        "schema" | "id" | "check" | "role" | "asked" | "of" | "by" | "owner" | "path" | "stream"
        | "far_end" | "env" | "value" | "code" | "cause" | "method" | "sha256" | "enforcement"
        | "accepts" | "level" | "starts" | "ends" | "expires" | "key_until" | "granted" | "since" | "at"
        | "not_before" | "not_after" | "verified_at" | "started" | "alpn" | "cipher" | "end" | "verified"
        | "review_by" | "opened" | "ask" | "required" | "appointed" | "scope" | "offers" | "product"
        | "digest" | "carry_at_most" => Holds::Word,
        "from" | "to" if below("window") => Holds::Word,
        "name" if below("people") || below("answer") => Holds::Person,
        "project_manager" | "username" => Holds::Person,
        "name" if below("layers") => Holds::File,
        "source" if below("provenance") => Holds::Text,
        "host" | "name" | "server_name" | "sans" | "address" | "addresses" | "resolvers"
        | "control_suffix" | "control" | "decoy" | "named" | "iperf3" | "remote" | "local" | "source"
        | "seen_as" | "servers" | "https_date" | "stun" | "other" | "router" | "outside" | "aliases"
        | "ping" | "reflector" | "tcp" | "from" | "ways" | "names_itself" | "hosts" | "relayed"
        | "mapped" => Holds::Host,
        "server" if below("dns") => Holds::Host,
        "url" | "urls" | "to" | "https" | "api" | "proxies" | "script" | "location" | "user-portal-url"
        | "venue-info-url" | "player" => Holds::Url,
        "key" if below("notary") => Holds::Pin,
        "key" if below("people") || below("revoked") => Holds::Key,
        "serial" => Holds::Serial,
        "spki" | "pin" | "pins" => Holds::Pin,
        "subject" | "issuer" => Holds::Subject,
        "file" => Holds::File,
        "evidence" | "why_none" | "compensating" | "way_back" | "objective" | "reference" => Holds::Prose,
        "reason" if below("waivers") || below("revoked") => Holds::Prose,
        "title" | "venue" | "change" | "time_zone" | "question" | "wanted" | "why" | "reason" | "detail"
        | "remedy" | "description" | "problem" | "failed" | "said" | "first" | "looks_like" | "server"
        | "protocol" | "version" | "state" | "body" | "content_type" | "software" | "no_lifetimes"
        | "why_not" | "congestion" | "dscp" | "sent" | "interface" | "kiss" | "nonsense" | "text"
        | "chain" | "rule" | "table" | "tools" | "trouble" | "place" | "page" | "contains" | "codec" => {
            Holds::Text
        }
        _ => return None,
    })
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
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::model::NotMeasured;
    use crate::policy::Policy;
    use crate::probe::Reading;
    use crate::report::v1::MeasuredDoc;

    /// Paths of the strings that a type can hold, by its schema; `*` stands for a key of a map.
    fn strings(schema: &Value, at: &Value, keys: &mut Vec<String>, found: &mut BTreeSet<Vec<String>>) {
        if keys.len() > 12 {
            return;
        }
        if let Some(name) = at["$ref"].as_str() {
            let below = schema.pointer(name.trim_start_matches('#')).unwrap();
            return strings(schema, below, keys, found);
        }
        let mut deeper = |key: Option<&str>, below: &Value| {
            keys.extend(key.map(str::to_owned));
            strings(schema, below, keys, found);
            key.map(|_| keys.pop());
        };
        for (key, below) in at["properties"].as_object().into_iter().flatten() {
            deeper(Some(key), below);
        }
        if at["additionalProperties"].is_object() {
            deeper(Some("*"), &at["additionalProperties"]);
        }
        for below in at["patternProperties"].as_object().into_iter().flat_map(|map| map.values()) {
            deeper(Some("*"), below);
        }
        for list in ["oneOf", "anyOf", "allOf", "prefixItems"] {
            at[list].as_array().into_iter().flatten().for_each(|below| deeper(None, below));
        }
        if at["items"].is_object() {
            deeper(None, &at["items"]);
        }
        let string =
            at["type"] == "string" || at["type"].as_array().is_some_and(|t| t.contains(&json!("string")));
        let ours = at["enum"].is_array() || at["const"].is_string() || at["format"] == "date-time";
        if string && !ours {
            found.insert(keys.clone());
        }
    }

    #[test]
    fn every_string_of_policies_and_readings_has_a_class() {
        let mut found = BTreeSet::new();
        for (schema, start) in [
            (schemars::schema_for!(Policy), None),
            (schemars::schema_for!(Reading), Some("reading")),
            (schemars::schema_for!(MeasuredDoc), None),
            (schemars::schema_for!(NotMeasured), None),
        ] {
            let schema = schema.to_value();
            let mut keys: Vec<String> = start.map(str::to_owned).into_iter().collect();
            strings(&schema, &schema, &mut keys, &mut found);
        }
        for known in ["people.*.name", "close_out.left_out.*", "reading.dns.name", "source.address"] {
            assert!(found.iter().any(|keys| keys.join(".") == known), "{known}: {found:?}");
        }
        let unknown: Vec<String> =
            found.iter().filter(|keys| class(keys).is_none()).map(|keys| keys.join(".")).collect();
        assert!(
            unknown.is_empty(),
            "say in class() what these fields hold, so that redaction is right about them: {unknown:#?}"
        );
    }

    #[test]
    fn a_turn_url_hides_its_host_and_stays_one() {
        let urls = ["turn:203.0.113.77:443?transport=tcp", "turns:relay.corp.example:5349?transport=tcp"];
        let mut reading =
            json!({ "urls": urls, "detail": format!("asked {}", urls[0]), "username": "greta" });
        let mut pseudonyms = Pseudonyms::new(Sensitive::ALL.into());
        walk(&mut reading, &mut Vec::new(), &mut pseudonyms);
        pseudonyms.assign();
        walk(&mut reading, &mut Vec::new(), &mut pseudonyms);
        let text = reading.to_string();
        for hidden in ["203.0.113.77", "corp", "greta"] {
            assert!(!text.contains(hidden), "{text}");
        }
        assert_eq!(text.matches("turn:").count(), 2, "{text}");
        assert_eq!(text.matches(":443").count() + text.matches(":5349").count(), 3, "{text}");
    }

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

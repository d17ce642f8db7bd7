//! Short digests of a report's parts: when a report is not the one that was signed, they tell
//! which part is another.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Part → the first half of its SHA-256. The whole file's digest is what counts; these only say
/// where to look.
pub(super) type Parts = BTreeMap<String, String>;

/// Longest name of a part that is shown; names come from files.
const MAX_NAME: usize = 100;

/// The digests of a report's parts; of what is no JSON object, none.
pub(super) fn parts(report: &[u8]) -> Parts {
    let Ok(Value::Object(document)) = serde_json::from_slice(report) else { return Parts::new() };
    let mut parts = Parts::new();
    for (key, value) in &document {
        match (key.as_str(), value) {
            ("checks", Value::Array(checks)) => each_check(checks, &mut parts),
            ("policy", Value::Object(policy)) => each_section(policy, &mut parts),
            _ => note(key, value, &mut parts),
        }
    }
    parts
}

fn each_check(checks: &[Value], parts: &mut Parts) {
    let mut order = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let name = check["id"].as_str().map_or_else(|| index.to_string(), str::to_owned);
        order.push(name.clone());
        note(&format!("check {name}"), check, parts);
    }
    note("order of the checks", &Value::from(order), parts);
}

fn each_section(policy: &Map<String, Value>, parts: &mut Parts) {
    for (key, value) in policy {
        match (key.as_str(), value) {
            ("resolved", Value::Object(sections)) => {
                for (section, value) in sections {
                    note(&format!("policy, {section}"), value, parts);
                }
            }
            _ => note(&format!("policy, {key}"), value, parts),
        }
    }
}

fn note(name: &str, value: &Value, parts: &mut Parts) {
    let mut digest = super::sha256(value.to_string().as_bytes());
    digest.truncate(32);
    parts.insert(name.chars().take(MAX_NAME).collect(), digest);
}

/// What differs between the parts that were signed and those of this report, in words.
pub(super) fn changed(signed: &Parts, report: &[u8]) -> Vec<String> {
    if signed.is_empty() {
        return vec!["the decision does not say of which parts it was made".to_owned()];
    }
    let now = parts(report);
    if now.is_empty() {
        return vec!["the file is no longer JSON".to_owned()];
    }
    let mut changed: Vec<String> = signed
        .iter()
        .filter_map(|(name, digest)| match now.get(name) {
            Some(same) if same == digest => None,
            Some(_) => Some(name.clone()),
            None => Some(format!("{name} (gone)")),
        })
        .collect();
    let added = now.keys().filter(|name| !signed.contains_key(*name));
    changed.extend(added.map(|name| format!("{name} (added)")));
    if changed.is_empty() {
        changed.push("only its layout (spaces, line breaks, the way a value is written)".to_owned());
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named() {
        let before =
            br#"{"verdict":1,"checks":[{"id":"a","x":1},{"id":"b"}],"policy":{"resolved":{"people":1}}}"#;
        let signed = parts(before);
        for (from, to, named) in [
            ("\"verdict\":1", "\"verdict\":2", "verdict"),
            ("\"x\":1", "\"x\":2", "check a"),
            ("\"people\":1", "\"people\":2", "policy, people"),
            (",{\"id\":\"b\"}", "", "check b (gone)"),
            ("\"verdict\":1", "\"verdict\": 1", "only its layout"),
            ("\"verdict\"", "\"verdikt\"", "verdict (gone)"),
            ("{\"verdict", "\"verdict", "no longer JSON"),
        ] {
            let after = String::from_utf8_lossy(before).replacen(from, to, 1);
            let changed = changed(&signed, after.as_bytes()).join("; ");
            assert!(changed.contains(named), "{named}: {changed}");
        }
    }
}

//! What differs between two policies, in the policy's own words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Policy;

/// Key of a value → the value, as JSON writes it.
type Flat = BTreeMap<String, String>;

/// Each difference on a line: `+` added, `-` gone, `~` another value. The layers' names and
/// digests come last.
pub fn diff(before: &Policy, after: &Policy) -> Vec<String> {
    let (before, after) = (flat(before), flat(after));
    let mut lines: Vec<(bool, String)> = Vec::new();
    for (key, was) in &before {
        match after.get(key) {
            Some(is) if is == was => {}
            Some(is) => lines.push((layer(key), format!("~ {key}: {was} → {is}"))),
            None => lines.push((layer(key), format!("- {key}: {was}"))),
        }
    }
    let added = after.iter().filter(|(key, _)| !before.contains_key(*key));
    lines.extend(added.map(|(key, is)| (layer(key), format!("+ {key}: {is}"))));
    lines.sort_by_key(|(layer, line)| (*layer, line.get(2..).unwrap_or_default().to_owned()));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn layer(key: &str) -> bool {
    key.starts_with("layer ")
}

fn flat(policy: &Policy) -> Flat {
    let mut out = Flat::new();
    let Ok(Value::Object(all)) = serde_json::to_value(policy) else { return out };
    for (section, value) in &all {
        match (section.as_str(), value) {
            ("checks", Value::Array(checks)) => {
                for check in checks {
                    let id = check["id"].as_str().unwrap_or_default();
                    // `question.tls.limits` says more than the file: there it is `limits`
                    let mut check = check.clone();
                    let question = check.as_object_mut().and_then(|check| check.remove("question"));
                    let kind =
                        question.as_ref().and_then(Value::as_object).and_then(|kinds| kinds.iter().next());
                    if let Some((kind, asked)) = kind {
                        out.insert(format!("check {id} probe"), kind.clone());
                        walk(&format!("check {id}"), asked, &mut out);
                    }
                    walk(&format!("check {id}"), &check, &mut out);
                }
            }
            ("waivers", Value::Array(waivers)) => {
                for waiver in waivers {
                    let of = |key: &str| waiver[key].as_str().unwrap_or_default();
                    walk(&format!("waiver {} ({})", of("check"), of("accepts")), waiver, &mut out);
                }
            }
            ("layers", Value::Array(layers)) => {
                for layer in layers {
                    let of = |key: &str| layer[key].as_str().unwrap_or_default().to_owned();
                    out.insert(format!("layer {}", of("name")), of("sha256"));
                }
            }
            _ => walk(section, value, &mut out),
        }
    }
    out
}

/// Tables key by key; anything else whole.
fn walk(path: &str, value: &Value, out: &mut Flat) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| walk(&format!("{path}.{key}"), value, out));
        }
        value => {
            out.insert(path.to_owned(), value.to_string());
        }
    }
}

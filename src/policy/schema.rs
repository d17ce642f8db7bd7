//! JSON Schema of a policy file, for editors (`#:schema policy.schema.json`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::draft::Draft;
use crate::probe::Kind;

/// The schema of a policy file: every section, every probe's target and limits, with docs.
pub fn schema() -> Value {
    let mut schema = Value::from(schemars::schema_for!(Draft));
    let names = names(&schema);
    tidy(&mut schema, &names);
    let definitions = schema["$defs"].clone();
    with_bounds(&mut schema, &definitions);
    if let Some(definitions) = schema["$defs"].as_object_mut() {
        let sorted: BTreeMap<String, Value> = std::mem::take(definitions)
            .into_iter()
            .filter(|(old, _)| bound(old).is_none())
            .map(|(old, definition)| (names.get(&old).cloned().unwrap_or(old), definition))
            .collect();
        *definitions = sorted.into_iter().collect();
    }
    schema["required"] = Value::from(vec!["schema"]);
    schema
}

/// As `policies/policy.schema.json` holds it.
pub fn schema_file() -> String {
    // Writing a `Value` cannot fail: its keys are text.
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

const REFERENCE: &str = "#/$defs/";

/// Every probe has its own `Target` and `Limits`; they are told apart by the probe's name
/// and not by a number that changes with the order of the list.
fn names(schema: &Value) -> BTreeMap<String, String> {
    let definitions = &schema["$defs"];
    let target_of = |node: &Value| {
        let alternatives = node["anyOf"].as_array().into_iter().flatten();
        let reference = alternatives.chain([node, &node["items"]]).find_map(|node| node["$ref"].as_str());
        reference.and_then(|reference| reference.strip_prefix(REFERENCE)).map(str::to_owned)
    };
    let mut names = BTreeMap::new();
    for probe in Kind::ALL.iter().map(|kind| kind.name()) {
        for (tables, word) in [("CheckTables", "check"), ("FloorTables", "every")] {
            let Some(table) = target_of(&definitions[tables]["properties"][probe]) else { continue };
            let keys = &definitions[&table]["properties"];
            for key in ["target", "limits"] {
                names.extend(target_of(&keys[key]).map(|old| (old, format!("{probe}.{key}"))));
            }
            names.insert(table, format!("{word}.{probe}"));
        }
    }
    names
}

/// What a layer may do to a limit, by the name of its type.
fn bound(definition: &str) -> Option<&'static str> {
    match definition.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "AtMost" => Some("A later layer may only lower it."),
        "AtLeast" => Some("A later layer may only raise it."),
        "Exactly" => Some("A later layer may not change it."),
        "OneOf" => Some("A later layer may only take some away."),
        _ => None,
    }
}

/// Writes each limit's type where it is used: the generic's own name says nothing to an editor,
/// and its number changes with the order of the probes.
fn with_bounds(node: &mut Value, definitions: &Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(|item| with_bounds(item, definitions)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| with_bounds(field, definitions));
            let name =
                fields.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix(REFERENCE));
            let Some((words, Value::Object(own))) =
                name.and_then(|name| Some((bound(name)?, &definitions[name])))
            else {
                return;
            };
            fields.remove("$ref");
            for (key, value) in own.clone() {
                fields.entry(key).or_insert(value);
            }
            if let Some(Value::String(description)) = fields.get_mut("description") {
                *description = format!("{description}\n{words}");
            }
        }
        _ => {}
    }
}

/// TOML has no null, and an editor needs no Rust.
fn tidy(node: &mut Value, names: &BTreeMap<String, String>) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(|item| tidy(item, names)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| tidy(field, names));
            without_null(fields);
            if fields.get("default").is_some_and(is_empty) {
                fields.remove("default");
            }
            if matches!(
                fields.get("format").and_then(Value::as_str),
                Some("uint8" | "uint16" | "uint32" | "uint64" | "double")
            ) {
                fields.remove("format");
            }
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(new) = reference.strip_prefix(REFERENCE).and_then(|old| names.get(old))
            {
                *reference = format!("{REFERENCE}{new}");
            }
        }
        _ => {}
    }
}

fn is_empty(default: &Value) -> bool {
    match default {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn without_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = fields.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(alternatives)) = fields.get_mut("anyOf") else { return };
    alternatives.retain(|alternative| alternative["type"] != "null");
    if let [Value::Object(only)] = alternatives.as_slice() {
        let only = only.clone();
        fields.remove("anyOf");
        for (key, value) in only {
            fields.entry(key).or_insert(value);
        }
    }
}

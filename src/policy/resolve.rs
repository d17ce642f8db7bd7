//! The merged policy as one TOML file: what golive will hold the network against, and who
//! said so.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::layer::keys;
use super::validity::Validity;
use super::{Places, Policy};
use crate::model::text::escape;

/// Writes the policy; each value's comment names the file and line that it comes from.
pub(super) fn render(policy: &Policy, places: &Places) -> String {
    let mut writer = Writer { out: String::new(), places };
    writer.line(&format!("schema = {}", text(&policy.schema)));
    writer.line("\n# made of these layers, base first; a later one may only tighten:");
    for layer in &policy.layers {
        let facts = layer.provenance.as_ref();
        let facts = facts.map(|facts| format!("  facts of {}, until {}", facts.verified, facts.review_by));
        let (name, sha256) = (escape(&layer.name), &layer.sha256);
        writer.line(&format!("#   {name}  sha256 {sha256}{}", facts.unwrap_or_default()));
    }
    writer.policy(policy);
    writer.out
}

struct Writer<'a> {
    out: String,
    places: &'a Places,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// One value with its origin.
    fn value(&mut self, path: &[&str], key: &str, value: &str, absent: &str) {
        let place = self.places.get(&keys(path));
        let origin =
            place.map_or_else(|| absent.to_owned(), |place| format!("{}:{}", place.file, place.line));
        self.line(&format!("{key} = {value}  # {origin}"));
    }

    fn policy(&mut self, policy: &Policy) {
        let all = json(policy);
        self.section("[event]", &["event"], &all["event"]);
        for role in policy.people.keys() {
            let role = role.as_str();
            self.section(&format!("[people.{}]", key(role)), &["people", role], &all["people"][role]);
        }
        self.section("[accountable]", &["accountable"], &all["accountable"]);
        self.section("[provider]", &["provider"], &all["provider"]);
        self.section("[authorisation]", &["authorisation"], &all["authorisation"]);
        self.section("[signatures]", &["signatures"], &all["signatures"]);
        self.section("[redaction]", &["redaction"], &all["redaction"]);
        self.section("[pace]", &["pace"], &all["pace"]);
        self.section("[again]", &["again"], &all["again"]);
        for revoked in all["signatures"]["revoked"].as_array().into_iter().flatten() {
            self.line("\n[[signatures.revoked]]");
            for (name, value) in fields(revoked) {
                self.line(&format!("{name} = {}", inline(name, value)));
            }
        }
        for (section, field) in [("path", "paths"), ("stream", "streams"), ("far_end", "far_ends")] {
            for (name, value) in all[field].as_object().into_iter().flatten() {
                self.section(&format!("[{section}.{}]", key(name)), &[section, name], value);
            }
        }
        for (check, value) in policy.checks.iter().zip(all["checks"].as_array().into_iter().flatten()) {
            let valid_for = Validity::from_seconds(check.valid_for_s).to_string();
            self.check(check.question.kind().name(), check.id.as_str(), &valid_for, value);
        }
        for (index, waiver) in all["waivers"].as_array().into_iter().flatten().enumerate() {
            let index = index.to_string();
            let origin = self.places.get(&keys(&["waiver", &index]));
            let origin = origin.map(|place| format!("  # {}:{}", place.file, place.line)).unwrap_or_default();
            self.line(&format!("\n[[waiver]]{origin}"));
            for (name, value) in fields(waiver) {
                self.line(&format!("{name} = {}", inline(name, value)));
            }
        }
    }

    fn section(&mut self, header: &str, path: &[&str], table: &Value) {
        if fields(table).next().is_none() {
            return;
        }
        self.line(&format!("\n{header}"));
        for (name, value) in fields(table) {
            if name == "revoked" {
                continue;
            }
            if name == "window" {
                for (name, value) in fields(value) {
                    let path = [path, &["window", name]].concat();
                    self.value(&path, &format!("window.{name}"), &inline(name, value), "");
                }
                continue;
            }
            self.value(&[path, &[name]].concat(), &key(name), &inline(name, value), "");
        }
    }

    fn check(&mut self, probe: &str, id: &str, valid_for: &str, check: &Value) {
        self.line(&format!("\n[[check.{probe}]]"));
        self.line(&format!("id = {}", text(id)));
        let question = &check["question"][probe];
        self.value(&["check", id, "target"], "target", &inline("target", &question["target"]), "");
        for (name, value) in fields(&question["limits"]) {
            let path = ["check", id, "limits", name];
            self.value(&path, &format!("limits.{name}"), &inline(name, value), "follows from the event");
        }
        for name in ["enforcement", "owner", "why", "path"] {
            if !check[name].is_null() {
                self.value(&["check", id, name], name, &inline(name, &check[name]), "");
            }
        }
        if check["same_slot"] == true {
            self.value(&["check", id, "same_slot"], "same_slot", "true", "");
        }
        self.value(&["check", id, "valid_for"], "valid_for", &text(valid_for), "golive's default");
    }
}

/// As JSON: one form for all types. The model's types always have one.
fn json(policy: &Policy) -> Value {
    serde_json::to_value(policy).unwrap_or(Value::Null)
}

/// Fields that are set.
fn fields(table: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let table: Option<&Map<String, Value>> = table.as_object();
    table
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), value))
}

/// Keys whose values are date-times, which TOML writes without quotes.
const DATES: &[&str] = &["starts", "ends", "from", "to", "expires", "since", "key_until", "granted"];

/// A value on one line.
fn inline(name: &str, value: &Value) -> String {
    match value {
        Value::String(date) if DATES.contains(&name) && is_date(date) => date.clone(),
        Value::String(string) => text(string),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| inline("", item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(_) => {
            let inner: Vec<String> =
                fields(value).map(|(name, value)| format!("{} = {}", key(name), inline("", value))).collect();
            if inner.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", inner.join(", ")) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn is_date(date: &str) -> bool {
    date.parse::<toml::value::Datetime>().is_ok_and(|date| date.offset.is_some())
}

fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'));
    if bare { name.to_owned() } else { text(name) }
}

/// A basic string in which nothing can act on a terminal.
fn text(string: &str) -> String {
    let mut out = String::from("\"");
    for c in string.chars() {
        let mut buffer = [0; 4];
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if escape(c.encode_utf8(&mut buffer)).starts_with('\\') => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

//! What a check asks, in one short line: for the report and the screens.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::text;

/// Longest line, in characters.
const MAX: usize = 160;
/// Keys of a target that say by themselves what is asked, best first.
const TELLING: [&str; 5] = ["url", "question", "address", "name", "host"];

/// The target's address or question: `rtmps://…`, `ingest.example.net:443 tcp`.
pub(super) fn brief(target: &impl Serialize) -> String {
    match serde_json::to_value(target) {
        Ok(Value::Object(keys)) => line(&keys),
        _ => String::new(),
    }
}

/// Escaped, at most 160 characters.
pub(super) fn bounded(line: &str) -> String {
    let line = text::escape(line);
    if line.chars().count() <= MAX {
        return line.into_owned();
    }
    line.chars().take(MAX - 1).chain(['…']).collect()
}

fn line(target: &Map<String, Value>) -> String {
    let told = TELLING.iter().find_map(|key| Some((*key, target.get(*key)?.as_str()?)));
    let Some((key, told)) = told else {
        let plain = target.iter().filter_map(|(key, value)| scalar(value).map(|v| format!("{key} {v}")));
        return plain.collect::<Vec<_>>().join(", ");
    };
    let mut line = told.to_owned();
    if key == "host"
        && let Some(port) = target.get("port").and_then(Value::as_u64)
    {
        line = if line.contains(':') { format!("[{line}]:{port}") } else { format!("{line}:{port}") };
    }
    if let Some(transport) = target.get("transport").and_then(Value::as_str) {
        line.push(' ');
        line.push_str(transport);
    }
    line
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

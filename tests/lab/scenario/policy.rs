//! The policy of a scenario: the lab's, the checks that it asks, and its own tables on top.

use toml::value::Datetime;
use toml::{Table, Value};

use super::format::Scenario;
use crate::venue::Venue;

const BASE: &str = include_str!("policy.toml");
const CHECKS: &str = include_str!("checks.toml");
const DATED: &str = include_str!("dated.toml");

/// Its text.
///
/// # Errors
/// What is wrong with the scenario, in words.
pub fn text(scenario: &Scenario, venue: &Venue) -> Result<String, String> {
    let mut policy = parse(BASE)?;
    let far_end = table(table(&mut policy, "far_end"), "cloud");
    far_end.insert("pin".to_owned(), Value::String(venue.far_end.pin.clone()));
    let asked = asked(scenario)?;
    table(&mut policy, "check").extend(asked);
    lay_over(&mut policy, &scenario.policy);
    // An event with a date asks who project-manages it.
    if table(&mut policy, "event").contains_key("starts") && !policy.contains_key("provider") {
        lay_over(&mut policy, &parse(DATED)?);
    }
    for (_, value) in &mut policy {
        fill(value, venue)?;
    }
    for check in policy["check"].as_table_mut().into_iter().flatten() {
        for check in check.1.as_array_mut().into_iter().flatten().filter_map(Value::as_table_mut) {
            complete(check);
        }
    }
    toml::to_string(&policy).map_err(|error| error.to_string())
}

/// Puts in what a scenario's file cannot know: `@days 10` is ten days from now, `@pin` the platform's
/// key.
pub(super) fn fill(value: &mut Value, venue: &Venue) -> Result<(), String> {
    match value {
        Value::String(text) if text == "@pin" => text.clone_from(&venue.platform_pin),
        Value::String(text) => {
            if let Some(days) = text.strip_prefix("@days ") {
                *value = Value::Datetime(in_days(days)?);
            }
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill(item, venue))?,
        Value::Table(table) => table.iter_mut().try_for_each(|(_, value)| fill(value, venue))?,
        _ => {}
    }
    Ok(())
}

fn in_days(days: &str) -> Result<Datetime, String> {
    let days: i64 = days.parse().map_err(|error| format!("@days {days}: {error}"))?;
    let seconds = jiff::Timestamp::now().as_second() + days * 86_400;
    let at = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    at.to_string().parse().map_err(|error: toml::value::DatetimeParseError| error.to_string())
}

fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| error.to_string())
}

/// The lab's checks that the scenario asks, by probe.
fn asked(scenario: &Scenario) -> Result<Table, String> {
    let mut checks = parse(CHECKS)?["check"].as_table().cloned().unwrap_or_default();
    let mut missing: Vec<&String> = scenario.ask.iter().collect();
    for (_, of_probe) in &mut checks {
        if let Some(of_probe) = of_probe.as_array_mut() {
            of_probe.retain(|check| {
                let wanted = |id: &&String| check["id"].as_str() == Some(id.as_str());
                let asked = missing.iter().any(wanted);
                missing.retain(|id| !wanted(id));
                asked
            });
        }
    }
    checks.retain(|_, of_probe| of_probe.as_array().is_some_and(|checks| !checks.is_empty()));
    if missing.is_empty() { Ok(checks) } else { Err(format!("checks.toml has no {missing:?}")) }
}

/// Tables are merged, lists joined, the rest replaced.
pub fn lay_over(base: &mut Table, top: &Table) {
    for (key, value) in top {
        match (base.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (Some(Value::Array(below)), Value::Array(above)) => below.extend(above.iter().cloned()),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What every check needs and the lab's leave out.
fn complete(check: &mut Table) {
    let defaults =
        [("enforcement", "hard"), ("owner", "network"), ("why", "the lab asks"), ("valid_for", "7d")];
    for (key, value) in defaults {
        check.entry(key).or_insert_with(|| Value::String(value.to_owned()));
    }
    let is_attest = check.get("target").and_then(Value::as_table).is_some_and(|t| t.contains_key("question"));
    if !is_attest {
        check.entry("path").or_insert_with(|| Value::String("primary".to_owned()));
    }
}

fn table<'a>(inside: &'a mut Table, key: &str) -> &'a mut Table {
    let entry = inside.entry(key).or_insert_with(|| Value::Table(Table::new()));
    entry.as_table_mut().expect("a table")
}

//! Dates in a policy: with date, time and offset from UTC, so that there is one instant
//! that everybody means.

use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::text::KeyPath;

/// A date-time that names no instant: where, and what to write.
pub(super) type Vague = (KeyPath, String);

/// Turns date-times into the text that the model reads; those that leave something out
/// are taken out and returned.
pub(super) fn settle(table: &mut DeTable<'_>) -> Vec<Vague> {
    let mut vague = Vec::new();
    in_table(table, &mut KeyPath::new(), &mut vague);
    vague
}

fn in_table(table: &mut DeTable<'_>, path: &mut KeyPath, found: &mut Vec<Vague>) {
    let before = found.len();
    for (key, value) in table.iter_mut() {
        path.push(key.get_ref().to_string());
        in_value(value.get_mut(), path, found);
        path.pop();
    }
    for (at, _) in &found[before..] {
        if at.len() == path.len() + 1
            && let Some(key) = at.last()
        {
            table.remove(key.as_str());
        }
    }
}

fn in_value(value: &mut DeValue<'_>, path: &mut KeyPath, found: &mut Vec<Vague>) {
    match value {
        DeValue::Datetime(written) if written.offset.is_some() || is_day(path, written) => {
            *value = DeValue::String(written.to_string().into());
        }
        DeValue::Datetime(written) => found.push((path.clone(), advice(written))),
        DeValue::Table(table) => in_table(table, path, found),
        DeValue::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index.to_string());
                in_value(item.get_mut(), path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The days of `[provenance]`: nobody needs the hour at which a document was read.
fn is_day(path: &[String], written: &Datetime) -> bool {
    path.first().is_some_and(|section| section == "provenance") && written.time.is_none()
}

/// What a person probably meant by a date-time that names no instant.
pub(super) fn advice(written: &Datetime) -> String {
    let date = written.date.map_or_else(|| "2026-12-04".to_owned(), |date| date.to_string());
    let time = written.time.map_or_else(|| "14:00:00".to_owned(), |time| time.to_string());
    let missing = match (written.date, written.time) {
        (Some(_), Some(_)) => "the offset from UTC",
        (Some(_), None) => "the time and the offset from UTC",
        _ => "the date and the offset from UTC",
    };
    format!("`{written}` leaves out {missing}; write it like {date}T{time}+01:00, without quotes")
}

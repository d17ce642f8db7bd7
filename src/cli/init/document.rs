//! The policy as text, with comments for whoever goes on with it.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::answers::Answers;
use super::ways::{self, Occasion};

/// How long after the event's end the network may still be probed: the close-out is asked then.
const AFTER: SignedDuration = SignedDuration::from_hours(2);

/// The whole file: what a survey asks.
pub(super) fn text(answers: &Answers, now: Timestamp) -> String {
    let mut out = head(answers);
    facts(&mut out, answers, now);
    ways::write(&mut out, answers, Occasion::Survey);
    out
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `key = value` where there is a value; else what to write, behind a `#`.
fn line(out: &mut String, key: &str, value: Option<&str>, or: &str) {
    let _ = match value {
        Some(value) => writeln!(out, "{key} = {}", quoted(value)),
        None => writeln!(out, "# {key} = {}", quoted(or)),
    };
}

/// Who and what the event is: the same in each of its policies.
pub(super) fn facts(out: &mut String, answers: &Answers, now: Timestamp) {
    event(out, answers);
    people(out, answers);
    authorisation(out, answers, now);
}

/// The platforms and what every policy of golive's builds on.
pub(super) fn layers(answers: &Answers) -> Vec<String> {
    let platforms = answers.platforms.iter().filter_map(|platform| platform.layer.clone());
    platforms.chain(["builtin:baseline".to_owned()]).collect()
}

/// `extends = […]`.
pub(super) fn extends(layers: &[String]) -> String {
    let layers: Vec<String> = layers.iter().map(|layer| format!("    {},\n", quoted(layer))).collect();
    format!("extends = [\n{}]\n", layers.concat())
}

fn head(answers: &Answers) -> String {
    let mut layers = layers(answers);
    layers.push("builtin:governance".to_owned());
    if answers.corporate_lan {
        layers.push("builtin:corporate-lan".to_owned());
    }
    if ways::bonded(answers, Occasion::Survey) {
        layers.push("builtin:bonded-backup".to_owned());
    }
    format!(
        "# A golive policy, begun by `golive init`. It is yours to change; then
#   golive policy check      every mistake with line, column and the nearest right word
#   golive plan              what a run will contact and cost; sends nothing
#   golive check             the run, and its report under reports/
# For an editor that knows the words: golive policy schema > policy.schema.json, and as the first line here
#   #:schema ./policy.schema.json
schema = \"golive-policy/1\"

# What it builds on: `golive policy show NAME` prints one, `golive policy resolve` what they come to. Here a limit
# may be tightened, never loosened.
{}",
        extends(&layers)
    )
}

fn event(out: &mut String, answers: &Answers) {
    let _ = writeln!(out, "\n[event]\ntitle = {}", quoted(&answers.title));
    let _ = writeln!(out, "starts = {}\nends = {}", answers.starts, answers.ends);
    if let Some(zone) = &answers.time_zone {
        let _ = writeln!(out, "time_zone = {}", quoted(zone));
    }
    line(out, "venue", answers.venue.as_deref(), "Hall 3");
    line(out, "objective", answers.objective.as_deref(), "marketing's, in one sentence");
    line(out, "change", answers.change.as_deref(), "CHG0031337");
    line(out, "way_back", None, "who stops the stream, and how; who closes the firewall's rules");
}

fn people(out: &mut String, answers: &Answers) {
    out.push_str(
        "
# Who answers questions and signs. For signatures by key add
#   key = \"ssh-ed25519 AAAA…\"    the line of the .pub file
",
    );
    let provider = answers.provider.as_ref().unwrap_or(&answers.marketing);
    let security = answers.security.as_ref().unwrap_or(&answers.it);
    let roles = [
        ("it", &answers.it),
        ("marketing", &answers.marketing),
        ("provider", provider),
        ("security", security),
    ];
    for (role, name) in roles {
        let _ = writeln!(out, "[people.{role}]\nname = {}", quoted(name));
    }
    out.push_str(
        "
# Exactly one role for each area.
[accountable]
network = \"it\"
brand = \"marketing\"
production = \"provider\"

# Who project-manages, and who produces.
[provider]
by = \"marketing\"
",
    );
    let _ = writeln!(out, "project_manager = {}", quoted(provider));
    out.push_str(if answers.provider.is_some() {
        "appointed = \"provider\"\n"
    } else {
        "why_none = \"our own staff produces the stream\"\n"
    });
}

fn authorisation(out: &mut String, answers: &Answers, now: Timestamp) {
    let zone =
        answers.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:00:00%:z").to_string();
    let ends: Option<Timestamp> = answers.ends.parse().ok();
    let to = ends.unwrap_or(now).saturating_add(AFTER).unwrap_or(now);
    out.push_str(
        "
# IT's leave to probe the destinations that `golive plan` lists, from this network and in this window. Without it
# golive sends nothing beyond this machine.
[authorisation]
by = \"it\"
",
    );
    line(out, "reference", answers.change.as_deref(), "the change request or mail that says so");
    let _ = writeln!(out, "window = {{ from = {}, to = {} }}", shown(now), shown(to));
}

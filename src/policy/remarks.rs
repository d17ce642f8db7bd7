//! What is allowed and yet worth a word: who is accountable, who accepted what, who signs with what.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Check, Level, Policy};
use crate::model::{Area, Role};
use crate::probe::Question;

/// What a reader of a good policy should know, each in a line.
pub fn remarks(policy: &Policy, now: Timestamp) -> Vec<String> {
    let mut found = accountable(policy);
    found.extend(provider(policy));
    found.extend(waivers(policy, now));
    found.extend(keys(policy));
    found.extend(unmeasured(policy));
    found.extend(policy.layers.iter().filter_map(|layer| layer.overdue(now)));
    found
}

/// Two areas are best in two hands.
fn accountable(policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    let mut hands: BTreeMap<&str, Vec<&Area>> = BTreeMap::new();
    for (area, role) in &policy.accountable {
        hands.entry(name(policy, role)).or_default().push(area);
    }
    for (name, areas) in hands.iter().filter(|(_, areas)| areas.len() > 1) {
        let areas: Vec<&str> = areas.iter().map(|area| area.as_str()).collect();
        found.push(format!(
            "{name} is accountable for {}: nobody else looks at what one of them decides",
            areas.join(" and ")
        ));
    }
    found
}

fn name<'a>(policy: &'a Policy, role: &'a Role) -> &'a str {
    policy.people.get(role).map_or(role.as_str(), |person| person.name.as_str())
}

/// An event without a date needs nobody yet who project-manages; before it goes live it does.
fn provider(policy: &Policy) -> Option<String> {
    let what =
        "nobody is asked who project-manages, and whether a provider is appointed: extend governance.toml";
    (!policy.asks_for_provider()).then(|| what.to_owned())
}

/// Waivers that cover nothing any more, or that somebody gave for another's area.
fn waivers(policy: &Policy, now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    for waiver in &policy.waivers {
        if waiver.expires.at() <= now {
            found.push(format!(
                "the waiver of {} expired {}: it covers nothing",
                waiver.check, waiver.expires
            ));
        } else if let Some(ends) = &policy.event.ends
            && waiver.expires.at() < ends.at()
        {
            found.push(format!(
                "the waiver of {} expires {}, before the event ends {ends}",
                waiver.check, waiver.expires
            ));
        }
        let owner = policy.check(&waiver.check).map(|check| &check.owner);
        if let Some(owner) = owner
            && let Some(accountable) = policy.accountable.get(owner)
            && *accountable != waiver.by
        {
            found.push(format!(
                "the waiver of {} is given by {}, and {accountable} is accountable for {owner}",
                waiver.check, waiver.by
            ));
        }
    }
    found
}

/// Keys that are needed and missing, or that stand for two roles.
fn keys(policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    let signatures = &policy.signatures;
    let required: Vec<&Role> = match signatures.required.as_slice() {
        [] => policy.accountable.values().collect(),
        required => required.iter().collect(),
    };
    for (role, person) in &policy.people {
        if signatures.level == Level::Key && person.key.is_none() && required.contains(&role) {
            found.push(format!("{role} must sign with a key, and the policy names none"));
        }
        let body = |text: &str| text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let Some(own) = person.key.as_deref().map(body) else { continue };
        let same = policy.people.iter().filter(|(other, person)| {
            *other > role && person.key.as_deref().is_some_and(|key| body(key) == own)
        });
        found.extend(same.map(|(other, _)| format!("one key stands for {role} and for {other}")));
    }
    found
}

/// Open ports are not yet a line that carries the stream.
fn unmeasured(policy: &Policy) -> Option<String> {
    let carries =
        |check: &Check| matches!(check.question, Question::Upload { .. } | Question::Rehearsal { .. });
    let stream = policy.streams.keys().next().filter(|_| !policy.checks.iter().any(carries))?;
    Some(format!(
        "nobody measures whether the line carries [stream.{stream}]: add an upload or rehearsal check"
    ))
}

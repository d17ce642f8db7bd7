//! Who decides, what they said, and how that is tied to them: the decision blocks of every form.

use serde::Deserialize as _;

use super::brief::capital;
use super::moment::Clock;
use super::text::line;
use crate::model::Role;
use crate::policy::{Level, Signatures};
use crate::report::seal::{Signed, same_hands};
use crate::report::{Document, Filed};

/// The choices that a signer has.
pub const CHOICES: [&str; 3] = ["Go", "Go with conditions", "No-go"];

/// One signer's block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'a> {
    /// Whose: `IT`, `Marketing`.
    pub title: String,
    /// What for: `accountable for network, as it`.
    pub standing: String,
    /// The name that the policy gives.
    pub name: Option<String>,
    /// What they decided, if they did.
    pub said: Option<&'a Signed>,
}

/// Whose decisions stand on page 1, and for what they are accountable.
const AREAS: [(&str, &str); 2] = [("IT", "network"), ("Marketing", "brand")];

/// The two of page 1: IT and marketing each decide for themselves.
pub fn two<'a>(filed: &Filed<'a>) -> [Block<'a>; 2] {
    AREAS.map(|(title, area)| {
        let mut entries = filed.document.accountable.iter();
        let Some(entry) = entries.find(|entry| entry.area.as_str() == area) else {
            let standing = format!("the policy names nobody for {area}");
            return Block { title: title.to_owned(), standing, name: None, said: None };
        };
        Block {
            title: title.to_owned(),
            standing: format!("accountable for {area}, as {}", entry.role),
            name: entry.name.as_deref().map(line),
            said: said(filed, &entry.role),
        }
    })
}

/// Everybody who is accountable, must sign, or has signed.
pub fn everybody<'a>(filed: &Filed<'a>) -> Vec<Block<'a>> {
    let document = filed.document;
    let mut accountable: Vec<_> = document.accountable.iter().collect();
    accountable
        .sort_by_key(|entry| AREAS.iter().position(|(_, area)| *area == entry.area.as_str()).unwrap_or(9));
    let mut roles: Vec<Role> = accountable.iter().map(|entry| entry.role.clone()).collect();
    roles.extend(asked(document).required);
    roles.extend(filed.signed.iter().map(|signed| signed.decision.role.clone()));
    let mut blocks: Vec<(Role, Block<'_>)> = Vec::new();
    for role in roles {
        if blocks.iter().all(|(have, _)| *have != role) {
            let block = block(filed, &role);
            blocks.push((role, block));
        }
    }
    blocks.into_iter().map(|(_, block)| block).collect()
}

fn block<'a>(filed: &Filed<'a>, role: &Role) -> Block<'a> {
    let document = filed.document;
    let entries = document.accountable.iter().filter(|entry| entry.role == *role);
    let areas: Vec<String> = entries.map(|entry| entry.area.to_string()).collect();
    Block {
        title: match role.as_str() {
            "it" => "IT".to_owned(),
            role => capital(role),
        },
        standing: match areas.as_slice() {
            [] => format!("as {role}"),
            areas => format!("accountable for {}, as {role}", areas.join(" and ")),
        },
        name: document.people.get(role).map(|name| line(name)),
        said: said(filed, role),
    }
}

fn said<'a>(filed: &Filed<'a>, role: &Role) -> Option<&'a Signed> {
    filed.signed.iter().find(|signed| signed.decision.role == *role)
}

/// What the policy asks of signatures.
fn asked(document: &Document) -> Signatures {
    let asked = document.policy.resolved.get("signatures");
    asked.and_then(|asked| Signatures::deserialize(asked).ok()).unwrap_or_default()
}

/// How a decision can be tied to its person, and how strongly the policy asks it to be.
pub fn levels(document: &Document) -> String {
    let all = [
        (Level::Named, "a name and a date, which anybody could have written"),
        (Level::Ticket, "the reference of an approval in a ticket system"),
        (Level::Key, "a signature by the person's own key, under this very report"),
    ];
    let all = all.map(|(level, words)| format!("{} ({words})", level.words()));
    let asks = asked(document).level;
    format!(
        "A decision is tied to its person in one of three ways, from weak to strong: {}. This policy asks at least: {}.",
        all.join("; "),
        asks.words()
    )
}

/// Name, value of all that a decision says beyond its choice.
pub fn particulars(signed: &Signed, clock: &Clock) -> Vec<(&'static str, String)> {
    let decision = &signed.decision;
    let mut lines = vec![
        ("Name", line(&decision.name)),
        ("Date, time", clock.to_the_second(decision.at)),
        ("Tied to them", line(&signed.tied())),
    ];
    lines.extend(decision.conditions.iter().map(|condition| ("Condition", line(condition))));
    lines.extend(decision.dissent.iter().map(|dissent| ("Dissent", line(dissent))));
    lines
}

/// What to know of those who decided: that two roles used one key, or one machine.
pub fn remarks(filed: &Filed<'_>) -> Vec<String> {
    same_hands(filed.signed).iter().map(|remark| capital(remark) + ".").collect()
}

/// The choice as a sentence: `Go with conditions`.
pub fn choice(signed: &Signed) -> String {
    capital(&signed.decision.decision.to_string())
}

//! Whether what a report shows follows from the policy and the readings in it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::compare::differences;
use super::line;
use super::v1::{CheckDoc, Document};
use crate::model::Finding;

/// Where a report says something else than what comes of its own policy and readings. Inert text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Departures {
    /// No golive wrote this from them.
    pub hard: Vec<String>,
    /// This golive words it otherwise, which another one may rightly have done.
    pub worded: Vec<String>,
}

/// Holds a report against the one made anew from its policy and readings.
///
/// What the verdict rests on must be the same whichever golive wrote the report: outcomes,
/// enforcement, waivers, expiries, codes, and all that is a copy of the policy. What is shown
/// beside that (limits, targets, figures, series) must be the same where this version wrote it;
/// of another version it is said only. Sentences alone differ between two builds of a version, too.
pub fn departures(stored: &Document, again: &Document) -> Departures {
    let same = stored.golive == again.golive;
    let (hard, worded) = (BTreeMap::new(), BTreeMap::new());
    let mut held = Held { same, found: Departures::default(), hard, worded };
    held.found.hard = differences(stored, again);
    held.report(stored, again);
    for check in &again.checks {
        if let Some(had) = stored.checks.iter().find(|had| had.id == check.id) {
            held.check(had, check);
        }
    }
    held.found.hard.extend(grouped(&held.hard));
    held.found.worded = grouped(&held.worded);
    held.found
}

struct Held {
    /// Both are of the same version.
    same: bool,
    found: Departures,
    /// What differs → where.
    hard: BTreeMap<String, Vec<String>>,
    worded: BTreeMap<String, Vec<String>>,
}

/// `its target (ingest.primary, backup.ingest)`.
fn grouped(found: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    found.iter().map(|(what, of)| format!("{what} ({})", of.join(", "))).collect()
}

impl Held {
    fn report(&mut self, stored: &Document, again: &Document) {
        let (was, is) = (&stored.verdict, &again.verdict);
        if was.expires != is.expires {
            let until =
                |at: Option<jiff::Timestamp>| at.map_or("for ever".to_owned(), |at| format!("until {at}"));
            let (was, is) = (until(was.expires), until(is.expires));
            self.found.hard.push(format!("verdict: said to count {was}, and counts {is}"));
        }
        let ranks = |document: &Document| -> Value {
            document.verdict.reasons.iter().map(|reason| value(&(&reason.rank, &reason.check))).collect()
        };
        self.must("verdict", "its reasons", ranks(stored) == ranks(again));
        let of = |part: &dyn Fn(&Document) -> Value| part(stored) == part(again);
        for (name, same) in [
            ("event", of(&|d| value(&d.event))),
            ("people", of(&|d| value(&d.people))),
            ("accountable", of(&|d| value(&d.accountable))),
            ("authorisation", of(&|d| value(&d.authorisation))),
            ("streams", of(&|d| value(&d.streams))),
            ("waivers", of(&|d| value(&d.waivers))),
            ("close_out", of(&|d| value(&d.close_out))),
            ("layers", of(&|d| value(&d.policy.layers))),
        ] {
            if !same {
                self.found.hard.push(format!("{name}: not as the policy in the report has it"));
            }
        }
        let texts = |document: &Document| -> Vec<String> {
            document.verdict.reasons.iter().map(|reason| reason.text.clone()).collect()
        };
        self.sentences("verdict", "the reasons", &texts(stored), &texts(again));
        // a golive that knows fewer kinds of question lists fewer
        self.worded("the report", "what was not asked", of(&|d| value(&d.not_asked)));
        self.worded("the report", "what the codes mean", of(&|d| value(&d.codes)));
    }

    fn check(&mut self, had: &CheckDoc, has: &CheckDoc) {
        let id = has.id.as_str();
        let of = |part: &dyn Fn(&CheckDoc) -> Value| part(had) == part(has);
        self.must(id, "until when it counts", had.expires == has.expires);
        self.must(id, "its waiver", of(&|c| value(&c.waiver)));
        self.must(id, "its owner", had.owner == has.owner);
        self.must(id, "its path", had.path == has.path);
        self.must(id, "why it is asked", had.why == has.why);
        self.must(id, "its probe", had.probe == has.probe);
        let effects = |check: &CheckDoc| -> Value {
            check.findings.iter().map(|finding| value(&(&finding.code, &finding.effect))).collect()
        };
        self.must(id, "what its findings do", effects(had) == effects(has));
        self.shown(id, "its target", had.target == has.target);
        self.shown(id, "its limits", of(&|c| value(&c.limits)));
        self.shown(id, "its series", alike(&value(&had.series), &value(&has.series)));
        for (what, text) in [
            ("what was expected", (|finding| &finding.expected) as fn(&Finding) -> &String),
            ("what was observed", |finding| &finding.observed),
            ("what to do", |finding| &finding.remedy),
        ] {
            let texts =
                |check: &CheckDoc| -> Vec<String> { check.findings.iter().map(text).cloned().collect() };
            self.sentences(id, what, &texts(had), &texts(has));
        }
        self.worded(id, "what it asks", had.asks == has.asks);
        self.worded(id, "how it misleads", had.misleads == has.misleads);
        self.worded(id, "what viewers would notice", had.viewers == has.viewers);
    }

    /// Whichever golive wrote it.
    fn must(&mut self, of: &str, what: &str, same: bool) {
        if !same {
            note(&mut self.hard, of, what);
        }
    }

    /// A version writes it one way only.
    fn shown(&mut self, of: &str, what: &str, same: bool) {
        if !same {
            note(if self.same { &mut self.hard } else { &mut self.worded }, of, what);
        }
    }

    /// Words alone.
    fn worded(&mut self, of: &str, what: &str, same: bool) {
        if !same {
            note(&mut self.worded, of, what);
        }
    }

    /// Sentences: their figures are shown, the rest is words.
    fn sentences(&mut self, of: &str, what: &str, had: &[String], has: &[String]) {
        let same =
            had.len() == has.len() && had.iter().zip(has).all(|(had, has)| figures(had) == figures(has));
        if same {
            self.worded(of, what, had == has);
        } else {
            self.shown(of, what, false);
        }
    }
}

fn note(found: &mut BTreeMap<String, Vec<String>>, of: &str, what: &str) {
    found.entry(what.to_owned()).or_default().push(line(of));
}

fn value(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}

/// The figures in a text, in their order.
fn figures(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect()
}

/// Equal, but for the last places of a number: another machine may compute them otherwise.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(one, other)| alike(one, other))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, one)| right.get(key).is_some_and(|other| alike(one, other)))
        }
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()),
            _ => one == other,
        },
        _ => one == other,
    }
}

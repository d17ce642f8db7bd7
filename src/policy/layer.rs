//! Layers become one: a later one may add and tighten, never loosen. A loosening names
//! both places.

use std::collections::BTreeMap;

use super::again::Again;
use super::diagnostic::Diagnostic;
use super::draft::{
    Asked, AuthorisationDraft, EventDraft, FarEndDraft, Floor, PathDraft, PersonDraft, Row, StreamDraft,
};
use super::pace::Pace;
use super::parse::Parsed;
use super::provider::ProviderDraft;
use super::redaction::Redaction;
use super::rule::{Rule, fixed, rising, shrinking};
use super::signatures::SignaturesDraft;
use super::text::KeyPath;
use super::validity::Validity;
use super::waiver::{WaiverDraft, WaiverRulesDraft};
use crate::model::{Area, CheckId, Enforcement, FarEndName, Loosened, PathName, Role, StreamName};
use crate::probe::Kind;

/// Where a value comes from: the layer's number and the key in its file.
pub(super) type Origin = (usize, KeyPath);

/// All layers as one draft, and where each value of it comes from.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub event: EventDraft,
    pub people: BTreeMap<Role, PersonDraft>,
    pub accountable: BTreeMap<Area, Option<Role>>,
    pub provider: Option<ProviderDraft>,
    pub authorisation: Option<AuthorisationDraft>,
    pub signatures: SignaturesDraft,
    pub redaction: Redaction,
    pub pace: Pace,
    pub again: Again,
    pub waiver_rules: WaiverRulesDraft,
    pub paths: BTreeMap<PathName, PathDraft>,
    pub streams: BTreeMap<StreamName, StreamDraft>,
    pub far_ends: BTreeMap<FarEndName, FarEndDraft>,
    pub checks: Vec<MergedCheck>,
    pub waivers: Vec<(WaiverDraft, Origin)>,
    /// Key in the merged policy (checks by id) → where its value comes from.
    pub origins: BTreeMap<KeyPath, Origin>,
    floors: BTreeMap<Kind, (Asked, Option<Validity>)>,
}

/// One check as all layers make it.
#[derive(Debug)]
pub(super) struct MergedCheck {
    pub id: CheckId,
    pub asked: Asked,
    pub enforcement: Option<Enforcement>,
    pub owner: Option<Area>,
    pub why: Option<String>,
    pub valid_for: Option<Validity>,
    pub same_slot: Option<bool>,
    pub path: Option<PathName>,
    /// Each table that speaks of it.
    pub seen: Vec<Origin>,
}

/// A key path from words.
pub(super) fn keys(words: &[&str]) -> KeyPath {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn below(path: &[String], key: &str) -> KeyPath {
    [path, &[key.to_owned()]].concat()
}

/// Merges layers, base first. What contradicts is noted in `errors` and left as it was.
pub(super) fn merge(layers: &[Parsed], errors: &mut Vec<Diagnostic>) -> Merged {
    let mut merger = Merger { layers, number: 0, errors, merged: Merged::default() };
    for (number, layer) in layers.iter().enumerate() {
        merger.number = number;
        merger.facts(layer);
        merger.checks(layer);
    }
    merger.apply_floors();
    merger.merged
}

pub(super) struct Merger<'a> {
    layers: &'a [Parsed],
    pub number: usize,
    errors: &'a mut Vec<Diagnostic>,
    pub merged: Merged,
}

impl Merger<'_> {
    /// Takes a value over if the rule lets it: `to` is its key in the merged policy, `from`
    /// in this layer's file.
    fn take<T: PartialEq>(
        &mut self,
        slot: &mut Option<T>,
        later: Option<T>,
        (to, from): (KeyPath, KeyPath),
        rule: Rule<T>,
    ) {
        let Some(later) = later else { return };
        match slot {
            Some(earlier) if *earlier == later => return,
            Some(earlier) => {
                if let Err(words) = rule(earlier, &later) {
                    let key = from.last().cloned().unwrap_or_default();
                    return self.contradiction(&format!("`{key}` {words}"), &from, &to);
                }
            }
            None => {}
        }
        *slot = Some(later);
        self.merged.origins.insert(to, (self.number, from));
    }

    /// The same, where the key is the same in file and merged policy.
    pub fn plain<T: PartialEq>(
        &mut self,
        slot: &mut Option<T>,
        later: Option<T>,
        at: &[String],
        key: &str,
        rule: Rule<T>,
    ) {
        let path = below(at, key);
        self.take(slot, later, (path.clone(), path), rule);
    }

    /// An error that names both places.
    fn contradiction(&mut self, what: &str, from: &[String], earlier: &[String]) {
        let place = self.layers[self.number].text.value(from);
        let mut error = Diagnostic::at(place, what);
        if let Some((layer, path)) = self.merged.origins.get(earlier) {
            error = error.other("the earlier layer has it here", self.layers[*layer].text.value(path));
        }
        self.errors.push(error);
    }

    fn checks(&mut self, layer: &Parsed) {
        for Floor { asked, valid_for } in layer.draft.every.clone().rows() {
            let at = keys(&["every", asked.kind().name()]);
            let (mut floor, mut validity) = self
                .merged
                .floors
                .remove(&asked.kind())
                .unwrap_or_else(|| (Asked::nothing(asked.kind()), None));
            self.limits(&mut floor, &asked, &at, &at);
            self.plain(&mut validity, valid_for, &at, "valid_for", shrinking);
            self.merged.floors.insert(asked.kind(), (floor, validity));
        }
        let mut rows = layer.draft.check.clone().rows();
        rows.sort_by_key(|row| layer.text.position(&row.path_in_file()));
        for row in rows {
            self.check(layer, row);
        }
    }

    fn check(&mut self, layer: &Parsed, row: Row) {
        let from = row.path_in_file();
        let Some(id) = row.id.clone() else {
            if !layer.lost(&from) {
                let what = format!("a check of `{}` has no id", row.asked.kind().name());
                let error = Diagnostic::at(layer.text.key(&from), what);
                self.errors.push(error.help("add id = \"…\", unique in the policy".to_owned()));
            }
            return;
        };
        let to = keys(&["check", id.as_str()]);
        let found = self.merged.checks.iter().position(|check| check.id == id);
        let mut check = match found {
            Some(found)
                if self.merged.checks[found].asked.kind() != row.asked.kind()
                    || self.merged.checks[found].seen.iter().any(|(layer, _)| *layer == self.number) =>
            {
                let what = format!("the id `{id}` is taken");
                return self.contradiction_of_ids(&what, &below(&from, "id"), found);
            }
            Some(found) => self.merged.checks.remove(found),
            None => MergedCheck::new(id, row.asked.kind()),
        };
        check.seen.push((self.number, from.clone()));
        let places = |key: &str| (below(&to, key), below(&from, key));
        self.limits(&mut check.asked, &row.asked, &to, &from);
        let had_target = check.asked.has_target();
        if !check.asked.supply(&row.asked) {
            let what = "`target` is set already; a later layer may not change it";
            self.contradiction(what, &below(&from, "target"), &below(&to, "target"));
        } else if !had_target && check.asked.has_target() {
            self.merged.origins.insert(below(&to, "target"), (self.number, below(&from, "target")));
        }
        self.take(&mut check.enforcement, row.enforcement, places("enforcement"), rising);
        self.take(&mut check.owner, row.owner, places("owner"), fixed);
        self.take(&mut check.why, row.why, places("why"), |_, _| Ok(()));
        self.take(&mut check.valid_for, row.valid_for, places("valid_for"), shrinking);
        self.take(&mut check.same_slot, row.same_slot, places("same_slot"), rising);
        self.take(&mut check.path, row.path, places("path"), fixed);
        let at = found.unwrap_or(self.merged.checks.len());
        self.merged.checks.insert(at, check);
    }

    fn contradiction_of_ids(&mut self, what: &str, from: &[String], found: usize) {
        let error = Diagnostic::at(self.layers[self.number].text.value(from), what);
        let first = self.merged.checks[found].seen.first();
        let first = first.map(|(layer, path)| self.layers[*layer].text.value(&below(path, "id")));
        self.errors.push(match first {
            Some(place) => error.other("by this check", place),
            None => error,
        });
    }

    /// Tightens limits and remembers where each comes from.
    fn limits(&mut self, earlier: &mut Asked, later: &Asked, to: &[String], from: &[String]) {
        let (to, from) = (below(to, "limits"), below(from, "limits"));
        let loosened = earlier.tighten(later).err().unwrap_or_default();
        let set: Vec<String> = self.layers[self.number].text.children(&from).map(str::to_owned).collect();
        for key in set {
            let (to, from) = (below(&to, &key), below(&from, &key));
            if let Some(one) = loosened.iter().find(|one| one.field == key) {
                self.contradiction(&loosening(one), &from, &to);
            } else {
                self.merged.origins.insert(to, (self.number, from));
            }
        }
    }

    /// Holds every check to what its kind must keep.
    fn apply_floors(&mut self) {
        let mut checks = std::mem::take(&mut self.merged.checks);
        for check in &mut checks {
            let kind = check.asked.kind();
            let Some((floor, validity)) = self.merged.floors.get(&kind).cloned() else { continue };
            let (own, all) = (keys(&["check", check.id.as_str()]), keys(&["every", kind.name()]));
            let mut asked = floor;
            let loosened = asked.tighten(&check.asked).err().unwrap_or_default();
            for one in loosened {
                self.below_floor(&loosening(&one), &own, &all, &["limits", one.field]);
            }
            asked.supply(&check.asked);
            check.asked = asked;
            match (check.valid_for, validity) {
                (Some(own_validity), Some(longest)) if own_validity > longest => {
                    let what = format!(
                        "`valid_for` is longer than the {longest} that every check of its kind keeps"
                    );
                    self.below_floor(&what, &own, &all, &["valid_for"]);
                }
                (None, Some(longest)) => check.valid_for = Some(longest),
                _ => {}
            }
            self.inherit(&own, &all);
        }
        self.merged.checks = checks;
    }

    fn below_floor(&mut self, what: &str, own: &[String], all: &[String], key: &[&str]) {
        let at = |path: &[String]| {
            let path = [path, &keys(key)].concat();
            let (layer, path) = self.merged.origins.get(&path)?;
            Some(self.layers[*layer].text.value(path))
        };
        let Some(place) = at(own) else { return };
        let mut error = Diagnostic::at(place, what);
        if let Some(place) = at(all) {
            error = error.other("every check of its kind must keep this", place);
        }
        self.errors.push(error);
    }

    /// What a check has from `[every.PROBE]` comes from there.
    fn inherit(&mut self, own: &[String], all: &[String]) {
        let origins = &self.merged.origins;
        let inherited: Vec<(KeyPath, Origin)> = origins
            .range(all.to_vec()..)
            .take_while(|(path, _)| path.starts_with(all))
            .map(|(path, origin)| ([own, &path[all.len()..]].concat(), origin.clone()))
            .collect();
        for (path, origin) in inherited {
            self.merged.origins.entry(path).or_insert(origin);
        }
    }
}

fn loosening(one: &Loosened) -> String {
    format!("{one}; a later layer may only tighten")
}

impl MergedCheck {
    fn new(id: CheckId, kind: Kind) -> Self {
        Self {
            id,
            asked: Asked::nothing(kind),
            enforcement: None,
            owner: None,
            why: None,
            valid_for: None,
            same_slot: None,
            path: None,
            seen: Vec::new(),
        }
    }
}

impl Row {
    fn path_in_file(&self) -> KeyPath {
        keys(&["check", self.asked.kind().name(), &self.index.to_string()])
    }
}

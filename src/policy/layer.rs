//! Layers become one: a later one may add and tighten, never loosen. A loosening names
//! both places.

use std::collections::BTreeMap;

use super::diagnostic::Diagnostic;
use super::draft::{
    Asked, AuthorisationDraft, EventDraft, FarEndDraft, Floor, PathDraft, PersonDraft, Row, StreamDraft,
    WaiverDraft, WaiverRulesDraft, WindowDraft,
};
use super::parse::Parsed;
use super::rule::{Rule, fixed, rising, shrinking};
use super::signatures::SignaturesDraft;
use super::text::KeyPath;
use super::validity::Validity;
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
    pub authorisation: Option<AuthorisationDraft>,
    pub signatures: SignaturesDraft,
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
    pub path: Option<PathName>,
    /// Each table that speaks of it.
    pub seen: Vec<Origin>,
}

/// A key path from words.
pub(super) fn keys(words: &[&str]) -> KeyPath {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn below(path: &[String], key: &str) -> KeyPath {
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

struct Merger<'a> {
    layers: &'a [Parsed],
    number: usize,
    errors: &'a mut Vec<Diagnostic>,
    merged: Merged,
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
    fn plain<T: PartialEq>(
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

    fn facts(&mut self, layer: &Parsed) {
        let draft = &layer.draft;
        self.event(draft.event.clone());
        for (role, later) in draft.people.clone() {
            let at = keys(&["people", role.as_str()]);
            let mut person = self.merged.people.remove(&role).unwrap_or_default();
            self.plain(&mut person.name, later.name, &at, "name", fixed);
            self.plain(&mut person.key, later.key, &at, "key", fixed);
            self.plain(&mut person.key_until, later.key_until, &at, "key_until", fixed);
            self.merged.people.insert(role, person);
        }
        for (area, later) in draft.accountable.clone() {
            let mut role = self.merged.accountable.remove(&area).flatten();
            self.plain(&mut role, Some(later), &keys(&["accountable"]), area.as_str(), fixed);
            self.merged.accountable.insert(area, role);
        }
        if let Some(later) = draft.authorisation.clone() {
            self.authorisation(later);
        }
        let mut signatures = std::mem::take(&mut self.merged.signatures).with(&draft.signatures);
        let level = draft.signatures.level;
        self.plain(&mut signatures.level, level, &keys(&["signatures"]), "level", rising);
        self.merged.signatures = signatures;
        let (at, asked) = (keys(&["waiver_rules"]), draft.waiver_rules.clone());
        let mut rules = std::mem::take(&mut self.merged.waiver_rules);
        self.plain(&mut rules.longest, asked.longest, &at, "longest", shrinking);
        self.plain(&mut rules.renewals, asked.renewals, &at, "renewals", shrinking);
        self.merged.waiver_rules = rules;
        for (name, later) in draft.path.clone() {
            let at = keys(&["path", name.as_str()]);
            let mut path = self.merged.paths.remove(&name).unwrap_or_default();
            self.plain(&mut path.interface, later.interface, &at, "interface", fixed);
            self.plain(&mut path.source, later.source, &at, "source", fixed);
            self.merged.paths.insert(name, path);
        }
        for (name, later) in draft.stream.clone() {
            let at = keys(&["stream", name.as_str()]);
            let mut stream = self.merged.streams.remove(&name).unwrap_or_default();
            self.plain(&mut stream.to, later.to, &at, "to", fixed);
            self.plain(&mut stream.video_kbps, later.video_kbps, &at, "video_kbps", rising);
            self.plain(&mut stream.audio_kbps, later.audio_kbps, &at, "audio_kbps", rising);
            self.plain(&mut stream.headroom, later.headroom, &at, "headroom", rising);
            self.plain(&mut stream.latency_ms, later.latency_ms, &at, "latency_ms", shrinking);
            self.merged.streams.insert(name, stream);
        }
        for (name, later) in draft.far_end.clone() {
            let at = keys(&["far_end", name.as_str()]);
            let mut far_end = self.merged.far_ends.remove(&name).unwrap_or_default();
            self.plain(&mut far_end.address, later.address, &at, "address", fixed);
            self.plain(&mut far_end.pin, later.pin, &at, "pin", fixed);
            self.plain(&mut far_end.token, later.token, &at, "token", fixed);
            self.merged.far_ends.insert(name, far_end);
        }
        for (index, waiver) in draft.waiver.iter().enumerate() {
            let from = keys(&["waiver", &index.to_string()]);
            let to = keys(&["waiver", &self.merged.waivers.len().to_string()]);
            self.merged.origins.insert(to, (self.number, from.clone()));
            self.merged.waivers.push((waiver.clone(), (self.number, from)));
        }
    }

    fn event(&mut self, later: EventDraft) {
        let at = keys(&["event"]);
        let mut event = std::mem::take(&mut self.merged.event);
        self.plain(&mut event.title, later.title, &at, "title", fixed);
        self.plain(&mut event.starts, later.starts, &at, "starts", fixed);
        self.plain(&mut event.ends, later.ends, &at, "ends", fixed);
        self.plain(&mut event.venue, later.venue, &at, "venue", fixed);
        self.plain(&mut event.objective, later.objective, &at, "objective", fixed);
        self.plain(&mut event.change, later.change, &at, "change", fixed);
        self.plain(&mut event.way_back, later.way_back, &at, "way_back", fixed);
        self.merged.event = event;
    }

    fn authorisation(&mut self, later: AuthorisationDraft) {
        let at = keys(&["authorisation"]);
        let mut whole = self.merged.authorisation.take().unwrap_or_default();
        self.plain(&mut whole.by, later.by, &at, "by", fixed);
        self.plain(&mut whole.reference, later.reference, &at, "reference", fixed);
        if let Some(later) = later.window {
            let at = below(&at, "window");
            let mut window: WindowDraft = whole.window.take().unwrap_or_default();
            self.plain(&mut window.from, later.from, &at, "from", fixed);
            self.plain(&mut window.to, later.to, &at, "to", fixed);
            whole.window = Some(window);
        }
        self.merged.authorisation = Some(whole);
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

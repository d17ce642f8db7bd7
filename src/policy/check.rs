//! Draft to policy: every name resolves, every limit can be met, nothing is empty.

use super::diagnostic::Diagnostic;
use super::draft::{AuthorisationDraft, EventDraft, FarEndDraft, PathDraft, PersonDraft};
use super::event::{Authorisation, Event, Person, Route, Window};
use super::layer::{Merged, MergedCheck, keys};
use super::limits;
use super::names::Names;
use super::parse::Parsed;
use super::signatures::{Revoked, Signatures, SignaturesDraft, bad_key};
use super::text::{KeyPath, Place};
use super::validity::Validity;
use super::wording::table;
use super::{Check, Layer, Policy, SCHEMA};
use crate::model::{Enforcement, FarEnd, PathName};

/// Checks a merged draft. The policy is right only if no error was added.
pub(super) fn check(
    merged: &Merged,
    layers: &[Parsed],
    heads: Vec<Layer>,
    errors: &mut Vec<Diagnostic>,
) -> Policy {
    let names = Names::resolve(layers, errors);
    let mut checker = Checker { merged, layers, names, errors };
    let mut policy = Policy {
        schema: SCHEMA.to_owned(),
        event: checker.event(&merged.event),
        people: merged
            .people
            .iter()
            .filter_map(|(role, person)| Some((role.clone(), checker.person(role.as_str(), person)?)))
            .collect(),
        accountable: checker.accountable(),
        provider: merged.provider.as_ref().and_then(|draft| checker.provider(draft)),
        authorisation: merged.authorisation.as_ref().and_then(|draft| checker.authorisation(draft)),
        signatures: checker.signatures(&merged.signatures),
        redaction: merged.redaction.clone(),
        pace: merged.pace,
        again: merged.again,
        paths: merged
            .paths
            .iter()
            .map(|(name, path)| (name.clone(), checker.route(name.as_str(), path)))
            .collect(),
        streams: merged
            .streams
            .iter()
            .filter_map(|(name, stream)| Some((name.clone(), checker.stream(name.as_str(), stream)?)))
            .collect(),
        far_ends: merged
            .far_ends
            .iter()
            .filter_map(|(name, draft)| Some((name.clone(), checker.far_end(name.as_str(), draft)?)))
            .collect(),
        checks: Vec::new(),
        waivers: Vec::new(),
        layers: heads,
        close_out: None,
    };
    policy.checks = merged.checks.iter().filter_map(|draft| checker.check(draft, &policy)).collect();
    policy.waivers =
        merged.waivers.iter().filter_map(|(draft, origin)| checker.waiver(draft, origin)).collect();
    checker.not_empty();
    checker.provider_asked(&policy);
    policy
}

pub(super) struct Checker<'a> {
    pub merged: &'a Merged,
    pub layers: &'a [Parsed],
    names: Names,
    pub errors: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Where the value at a key of the merged policy stands.
    pub fn place(&self, path: &[String]) -> Place {
        match self.merged.origins.get(path) {
            Some((layer, path)) => self.layers[*layer].text.value(path),
            None => self.table_place(path),
        }
    }

    /// Where a table stands: in the last layer that has it.
    fn table_place(&self, path: &[String]) -> Place {
        let has = |layer: &&Parsed| layer.text.has(path);
        self.layers
            .iter()
            .rev()
            .find(has)
            .or(self.layers.last())
            .map_or_else(Place::default, |layer| layer.text.key(path))
    }

    pub fn error(&mut self, path: &[&str], what: impl AsRef<str>, help: Option<String>) {
        let place = self.place(&keys(path));
        self.errors.push(Diagnostic::at(place, what).help(help));
    }

    /// True when something of this table was left out, or a whole section that it may be.
    pub fn lost(&self, path: &[String]) -> bool {
        let section = path.first().map_or("", String::as_str);
        self.layers.iter().any(|layer| layer.lost(path) || layer.lost_section(section))
    }

    /// A value that must be there. No news when something of its table was left out.
    pub fn required<T: Clone>(
        &mut self,
        value: Option<&T>,
        path: &[&str],
        key: &str,
        help: &str,
    ) -> Option<T> {
        let path = keys(path);
        if value.is_none() && !self.lost(&path) {
            let place = self.table_place(&path);
            let error = Diagnostic::at(place, format!("{} has no {key}", table(&path)));
            self.errors.push(error.help(format!("add {key} = {help}")));
        }
        value.cloned()
    }

    fn event(&mut self, draft: &EventDraft) -> Event {
        let title = self.required(draft.title.as_ref(), &["event"], "title", "\"…\", what is going live");
        let (starts, ends) = (draft.starts.clone(), draft.ends.clone());
        if let (Some(starts), Some(ends)) = (&starts, &ends)
            && ends.at() <= starts.at()
        {
            let what = format!("the event ends {ends}, which is not after it starts ({starts})");
            self.error(&["event", "ends"], what, None);
        }
        let time_zone = self.time_zone(draft);
        Event {
            title: title.unwrap_or_default(),
            starts,
            ends,
            time_zone,
            venue: draft.venue.clone(),
            objective: draft.objective.clone(),
            change: draft.change.clone(),
            way_back: draft.way_back.clone(),
        }
    }

    fn person(&mut self, role: &str, draft: &PersonDraft) -> Option<Person> {
        let name = self.required(draft.name.as_ref(), &["people", role], "name", "\"…\"")?;
        if let Some(why) = draft.key.as_deref().and_then(bad_key) {
            let help = "paste the one line of its .pub file; `ssh-keygen -t ed25519` makes a key".to_owned();
            self.error(&["people", role, "key"], why, Some(help));
        }
        if let (None, Some(_)) = (&draft.key, &draft.key_until) {
            self.error(&["people", role, "key_until"], "there is no key that this could end", None);
        }
        Some(Person { name, key: draft.key.clone(), key_until: draft.key_until.clone() })
    }

    fn signatures(&mut self, draft: &SignaturesDraft) -> Signatures {
        let at = keys(&["signatures", "revoked"]);
        let mut revoked = Vec::new();
        for one in &draft.revoked {
            let parts = [
                (one.key.is_some(), "key", "the line of its .pub file"),
                (one.since.is_some(), "since", "a date-time with offset, such as 2026-12-04T16:00:00+01:00"),
                (filled(one.reason.as_ref()), "reason", "why it no longer counts"),
            ];
            if !self.lost(&at) {
                self.errors.extend(incomplete("this revoked key", &parts, self.table_place(&at)));
            }
            let (Some(key), Some(since), Some(reason)) = (&one.key, &one.since, &one.reason) else {
                continue;
            };
            if let Some(why) = bad_key(key) {
                self.error(&["signatures", "revoked"], why, None);
            }
            revoked.push(Revoked { key: key.clone(), since: since.clone(), reason: reason.clone() });
        }
        let required = draft.required.iter().cloned().collect();
        Signatures { required, level: draft.level.unwrap_or_default(), revoked }
    }

    fn authorisation(&mut self, draft: &AuthorisationDraft) -> Option<Authorisation> {
        let by = self.required(draft.by.as_ref(), &["authorisation"], "by", "\"…\", a role of [people]");
        let window = draft.window.as_ref().map(|window| {
            let at = ["authorisation", "window"];
            let help = "a date-time with offset, such as 2026-12-04T14:00:00+01:00";
            let from = self.required(window.from.as_ref(), &at, "from", help)?;
            let to = self.required(window.to.as_ref(), &at, "to", help)?;
            if to.at() <= from.at() {
                let what = format!("the window ends {to}, which is not after it begins ({from})");
                self.error(&["authorisation", "window", "to"], what, None);
            }
            Some(Window { from, to })
        });
        // A window that is wrong must not become no window: that would allow more.
        let window = match window {
            Some(None) => return None,
            Some(window) => window,
            None => None,
        };
        Some(Authorisation { by: by?, window, reference: draft.reference.clone() })
    }

    fn route(&mut self, name: &str, draft: &PathDraft) -> Route {
        if draft.interface.is_none() && draft.source.is_none() {
            self.required::<()>(
                None,
                &["path", name],
                "interface",
                "\"eth0\", or source = an address of this machine",
            );
        }
        if draft.interface.as_ref().is_some_and(|interface| interface.is_empty() || interface.len() > 64) {
            self.error(&["path", name, "interface"], "this is no interface's name", None);
        }
        let same = |(other, path): &(&PathName, &PathDraft)| {
            other.as_str() < name && path.interface == draft.interface && path.source == draft.source
        };
        let is_named = draft.interface.is_some() || draft.source.is_some();
        if is_named && let Some((other, _)) = self.merged.paths.iter().find(same) {
            let what = format!("[path.{name}] is the same way out as [path.{other}]");
            let help = "a backup is another interface or source address; else leave one of them out";
            self.error(&["path", name], what, Some(help.to_owned()));
        }
        Route { interface: draft.interface.clone(), source: draft.source }
    }

    fn far_end(&mut self, name: &str, draft: &FarEndDraft) -> Option<FarEnd> {
        let at = ["far_end", name];
        let printed = "…, as `golive far-end` prints it";
        let address = self.required(draft.address.as_ref(), &at, "address", "\"host:port\"");
        let pin = self.required(draft.pin.as_ref(), &at, "pin", printed);
        let token = self.required(draft.token.as_ref(), &at, "token", "{ env = \"GOLIVE_TOKEN\" }");
        let far_end = FarEnd { address: address?, pin: pin?, token: token? };
        if far_end.host_port().is_none_or(|(host, port)| host.is_empty() || port == 0) {
            let what = "a far end's address is host and port";
            self.error(
                &["far_end", name, "address"],
                what,
                Some("write it like \"far-end.example:8443\"".to_owned()),
            );
        }
        Some(far_end)
    }

    fn check(&mut self, draft: &MergedCheck, policy: &Policy) -> Option<Check> {
        let damaged = draft
            .seen
            .iter()
            .any(|(layer, path)| self.layers[*layer].lost(path) || self.names.unresolved(*layer, path));
        let question = draft.asked.clone().question();
        let parts = [
            (question.is_some(), "target", "{ … }, what to ask"),
            (draft.enforcement.is_some(), "enforcement", "\"advisory\", \"waivable\" or \"hard\""),
            (draft.owner.is_some(), "owner", "an area of [accountable]"),
            (draft.why.is_some(), "why", "a sentence for people who are no engineers"),
        ];
        if !draft.seen.iter().any(|(layer, path)| self.layers[*layer].lost(path)) {
            let place = self.id_place(draft);
            self.errors.extend(incomplete(&format!("the check `{}`", draft.id), &parts, place));
        }
        let mut question = question?;
        if !damaged {
            let stakes = policy.stakes();
            question.derive(&stakes);
            for (field, what) in limits::problems(&question, policy, &stakes) {
                let place = self.field_place(draft, &field);
                self.errors.push(Diagnostic::at(place, format!("`{field}` {what}")));
            }
        }
        let same_slot = draft.same_slot.unwrap_or_default();
        if same_slot && policy.event.starts.is_none() && !self.lost(&keys(&["event"])) {
            let place = self.place(&keys(&["check", draft.id.as_str(), "same_slot"]));
            let error = Diagnostic::at(place, "`same_slot` needs the event's time");
            self.errors.push(error.help("add starts and ends to [event]".to_owned()));
        }
        Some(Check {
            id: draft.id.clone(),
            path: draft.path.clone(),
            question,
            enforcement: draft.enforcement?,
            owner: draft.owner.clone()?,
            why: draft.why.clone()?,
            valid_for_s: draft.valid_for.unwrap_or(Validity::DAY).seconds(),
            same_slot,
        })
    }

    fn id_place(&self, draft: &MergedCheck) -> Place {
        draft.seen.first().map_or_else(Place::default, |(layer, path)| {
            self.layers[*layer].text.value(&[path.as_slice(), &keys(&["id"])].concat())
        })
    }

    /// Where a limit or a target's key stands; the check's id when it was derived.
    fn field_place(&self, draft: &MergedCheck, field: &str) -> Place {
        let limit = keys(&["check", draft.id.as_str(), "limits", field]);
        if self.merged.origins.contains_key(&limit) {
            return self.place(&limit);
        }
        match self.merged.origins.get(&keys(&["check", draft.id.as_str(), "target"])) {
            Some((layer, path)) => {
                let text = &self.layers[*layer].text;
                let path: KeyPath = [path.as_slice(), &keys(&[field])].concat();
                text.value(&path)
            }
            None => self.id_place(draft),
        }
    }

    fn not_empty(&mut self) {
        if self.lost(&keys(&["check"])) {
            return;
        }
        let place =
            || self.layers.last().map_or_else(Place::default, |layer| layer.text.key(&keys(&["check"])));
        let required = |check: &MergedCheck| check.enforcement.is_none_or(Enforcement::required);
        if self.merged.checks.is_empty() {
            let error = Diagnostic::at(place(), "empty policy: it has no check, so it would prove nothing");
            self.errors.push(error.help("add a [[check.PROBE]] table".to_owned()));
        } else if !self.merged.checks.iter().any(required) {
            let error = Diagnostic::at(
                place(),
                "empty policy: every check is advisory, so nothing could ever be a NO-GO",
            );
            self.errors.push(error.help("make at least one check \"waivable\" or \"hard\"".to_owned()));
        }
    }
}

/// One error for all that a table lacks: whether each part is there, its key, what to write.
pub(super) fn incomplete(what: &str, parts: &[(bool, &str, &str)], place: Place) -> Option<Diagnostic> {
    let missing: Vec<_> = parts.iter().filter(|(there, _, _)| !there).collect();
    let names: Vec<&str> = missing.iter().map(|(_, key, _)| *key).collect();
    let names = match names.as_slice() {
        [] => return None,
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    let add: Vec<String> = missing.iter().map(|(_, key, help)| format!("{key} = {help}")).collect();
    let error = Diagnostic::at(place, format!("{what} has no {names}"));
    Some(error.help(format!("add {}", add.join("; "))))
}

pub(super) fn filled(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

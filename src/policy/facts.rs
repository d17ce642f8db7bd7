//! Layers become one: everything but the checks.

use super::draft::{AuthorisationDraft, EventDraft, WindowDraft};
use super::layer::{Merger, below, keys};
use super::parse::Parsed;
use super::provider::ProviderDraft;
use super::redaction::growing;
use super::rule::{fixed, rising, shrinking};
use super::waiver::{CapDraft, WaiverRulesDraft};

impl Merger<'_> {
    pub fn facts(&mut self, layer: &Parsed) {
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
        if let Some(later) = draft.provider.clone() {
            self.provider(later);
        }
        let mut signatures = std::mem::take(&mut self.merged.signatures).with(&draft.signatures);
        let level = draft.signatures.level;
        self.plain(&mut signatures.level, level, &keys(&["signatures"]), "level", rising);
        self.merged.signatures = signatures;
        let (at, asked) = (keys(&["redaction"]), draft.redaction.clone());
        let mut redaction = std::mem::take(&mut self.merged.redaction);
        self.plain(&mut redaction.kinds, asked.kinds, &at, "kinds", growing);
        self.plain(&mut redaction.ask, asked.ask, &at, "ask", fixed);
        self.merged.redaction = redaction;
        let mut pace = self.merged.pace;
        self.plain(&mut pace.at_once, draft.pace.at_once, &keys(&["pace"]), "at_once", shrinking);
        self.plain(&mut pace.per_second, draft.pace.per_second, &keys(&["pace"]), "per_second", shrinking);
        self.merged.pace = pace;
        let (mut carrying, most) = (self.merged.again, draft.again.carry_at_most);
        self.plain(&mut carrying.carry_at_most, most, &keys(&["again"]), "carry_at_most", shrinking);
        self.merged.again = carrying;
        self.waiver_rules(&draft.waiver_rules);
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
            self.plain(
                &mut stream.video_at_most_kbps,
                later.video_at_most_kbps,
                &at,
                "video_at_most_kbps",
                shrinking,
            );
            self.plain(
                &mut stream.audio_at_most_kbps,
                later.audio_at_most_kbps,
                &at,
                "audio_at_most_kbps",
                shrinking,
            );
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
        self.plain(&mut event.time_zone, later.time_zone, &at, "time_zone", fixed);
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

    fn provider(&mut self, later: ProviderDraft) {
        let at = keys(&["provider"]);
        let mut provider = self.merged.provider.take().unwrap_or_default();
        self.plain(&mut provider.by, later.by, &at, "by", fixed);
        self.plain(&mut provider.project_manager, later.project_manager, &at, "project_manager", fixed);
        self.plain(&mut provider.appointed, later.appointed, &at, "appointed", fixed);
        self.plain(&mut provider.why_none, later.why_none, &at, "why_none", fixed);
        self.merged.provider = Some(provider);
    }

    fn waiver_rules(&mut self, later: &WaiverRulesDraft) {
        let at = keys(&["waiver_rules"]);
        let mut rules = std::mem::take(&mut self.merged.waiver_rules);
        self.plain(&mut rules.longest, later.longest, &at, "longest", shrinking);
        self.plain(&mut rules.renewals, later.renewals, &at, "renewals", shrinking);
        self.cap(&mut rules.advisory, &later.advisory, "advisory");
        self.cap(&mut rules.waivable, &later.waivable, "waivable");
        self.merged.waiver_rules = rules;
    }

    fn cap(&mut self, cap: &mut CapDraft, later: &CapDraft, level: &str) {
        let at = keys(&["waiver_rules", level]);
        self.plain(&mut cap.longest, later.longest, &at, "longest", shrinking);
        self.plain(&mut cap.renewals, later.renewals, &at, "renewals", shrinking);
    }
}

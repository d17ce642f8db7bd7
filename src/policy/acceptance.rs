//! Draft to waiver: complete, of a check that can be waived, within the rules for waivers.

use super::check::{Checker, filled, incomplete};
use super::diagnostic::Diagnostic;
use super::draft::WaiverDraft;
use super::layer::{Origin, keys};
use super::text::Place;
use super::waiver::Waiver;
use crate::model::{CheckId, Enforcement};

impl Checker<'_> {
    pub fn waiver(&mut self, draft: &WaiverDraft, (layer, path): &Origin) -> Option<Waiver> {
        let parsed = &self.layers[*layer];
        let parts = [
            (draft.check.is_some(), "check", "the id of a check"),
            (draft.accepts.is_some(), "accepts", "\"fail\" or \"unknown\""),
            (filled(draft.reason.as_ref()), "reason", "why that is acceptable"),
            (filled(draft.compensating.as_ref()), "compensating", "what is done instead"),
            (draft.by.is_some(), "by", "a role of [people]"),
            (
                draft.expires.is_some(),
                "expires",
                "a date-time with offset, such as 2026-12-04T16:00:00+01:00",
            ),
        ];
        if !parsed.lost(path) {
            self.errors.extend(incomplete("this waiver", &parts, parsed.text.key(path)));
        }
        let check = draft.check.clone()?;
        let place = parsed.text.value(&[path.as_slice(), &keys(&["check"])].concat());
        self.waivable(&check, place);
        self.within_rules(draft, parsed.text.key(path));
        Some(Waiver {
            check,
            accepts: draft.accepts?,
            reason: draft.reason.clone()?,
            compensating: draft.compensating.clone(),
            by: draft.by.clone()?,
            expires: draft.expires.clone()?,
            granted: draft.granted.clone(),
            renewals: draft.renewals,
        })
    }

    /// Only a `waivable` check can be waived.
    fn waivable(&mut self, id: &CheckId, place: Place) {
        let found = self.merged.checks.iter().find(|check| check.id == *id);
        let Some(enforcement) = found.and_then(|check| check.enforcement) else { return };
        let what = match enforcement {
            Enforcement::Waivable => return,
            Enforcement::Hard => format!("the check `{id}` is hard: nobody can waive it"),
            Enforcement::Advisory => format!("the check `{id}` is advisory: there is nothing to waive"),
        };
        let set = self.place(&keys(&["check", id.as_str(), "enforcement"]));
        self.errors.push(Diagnostic::at(place, what).other("its enforcement is set here", set));
    }

    /// Not longer than `[waiver_rules]` lets it hold, and not renewed more often.
    fn within_rules(&mut self, draft: &WaiverDraft, place: Place) {
        let rules = &self.merged.waiver_rules;
        let set = |key| self.place(&keys(&["waiver_rules", key]));
        let mut found = Vec::new();
        if let (Some(granted), Some(expires)) = (&draft.granted, &draft.expires)
            && expires.at() <= granted.at()
        {
            let what = format!("this waiver expires {expires}, which is not after it is granted ({granted})");
            found.push(Diagnostic::at(place.clone(), what));
        }
        match (rules.longest, &draft.granted, &draft.expires) {
            (Some(longest), None, _) => {
                let what = format!("this waiver has no granted, and waivers may hold {longest} at most");
                let error =
                    Diagnostic::at(place.clone(), what).other("the longest is set here", set("longest"));
                found.push(error.help("add granted = a date-time with offset, without quotes".to_owned()));
            }
            (Some(longest), Some(granted), Some(expires))
                if expires.at().duration_since(granted.at()).as_secs()
                    > i64::try_from(longest.seconds()).unwrap_or(i64::MAX) =>
            {
                let what = format!("this waiver holds from {granted} to {expires}, longer than {longest}");
                found.push(
                    Diagnostic::at(place.clone(), what).other("the longest is set here", set("longest")),
                );
            }
            _ => {}
        }
        if let (Some(most), Some(renewals)) = (rules.renewals, draft.renewals)
            && renewals > most
        {
            let what = format!(
                "this waiver was renewed {renewals} times, and {most} is the most: mend what it covers"
            );
            found.push(Diagnostic::at(place, what).other("the most is set here", set("renewals")));
        }
        self.errors.append(&mut found);
    }
}

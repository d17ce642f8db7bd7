//! Draft to waiver: complete, of a check that can be waived, within the rules for waivers.

use super::check::{Checker, filled, incomplete};
use super::diagnostic::Diagnostic;
use super::layer::{MergedCheck, Origin, keys};
use super::nearest::hint;
use super::text::Place;
use super::waiver::{CapDraft, Waiver, WaiverDraft};
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
        let merged = self.merged.checks.iter().find(|one| one.id == check);
        self.waivable(&check, merged, place);
        if let Some(merged) = merged {
            self.scope(draft, merged, &parsed.text.value(&[path.as_slice(), &keys(&["scope"])].concat()));
        }
        self.within_rules(draft, merged.and_then(|check| check.enforcement), &parsed.text.key(path));
        Some(Waiver {
            check,
            accepts: draft.accepts?,
            scope: draft.scope.clone(),
            reason: draft.reason.clone()?,
            compensating: draft.compensating.clone(),
            by: draft.by.clone()?,
            expires: draft.expires.clone()?,
            granted: draft.granted.clone(),
            renewals: draft.renewals,
        })
    }

    /// What is hard cannot be waived. Of an advisory check it is written down who accepted what.
    fn waivable(&mut self, id: &CheckId, check: Option<&MergedCheck>, place: Place) {
        if check.and_then(|check| check.enforcement) != Some(Enforcement::Hard) {
            return;
        }
        let set = self.place(&keys(&["check", id.as_str(), "enforcement"]));
        let error = Diagnostic::at(place, format!("the check `{id}` is hard: nobody can waive it"));
        self.errors.push(error.other("its enforcement is set here", set));
    }

    /// A code that the check's probe never gives would make the waiver cover nothing.
    fn scope(&mut self, draft: &WaiverDraft, check: &MergedCheck, place: &Place) {
        let kind = check.asked.kind();
        let known: Vec<&str> = kind.codes().iter().map(|code| code.id).collect();
        // what judging itself says (too old, another weekday) can befall every check
        let unknown = |code: &&String| !known.contains(&code.as_str()) && !code.starts_with("judge.");
        for code in draft.scope.iter().filter(unknown) {
            let error =
                Diagnostic::at(place.clone(), format!("`{}` never gives the code `{code}`", kind.name()));
            self.errors.push(error.help(hint(code, known.iter().copied())));
        }
    }

    /// Not longer than `[waiver_rules]` lets it hold, and not renewed more often.
    fn within_rules(&mut self, draft: &WaiverDraft, level: Option<Enforcement>, place: &Place) {
        if let (Some(granted), Some(expires)) = (&draft.granted, &draft.expires)
            && expires.at() <= granted.at()
        {
            let what = format!("this waiver expires {expires}, which is not after it is granted ({granted})");
            self.errors.push(Diagnostic::at(place.clone(), what));
        }
        let rules = &self.merged.waiver_rules;
        let all = CapDraft { longest: rules.longest, renewals: rules.renewals };
        self.within(draft, &all, &["waiver_rules"], place);
        match level {
            Some(Enforcement::Advisory) => {
                self.within(draft, &rules.advisory, &["waiver_rules", "advisory"], place);
            }
            Some(Enforcement::Waivable) => {
                self.within(draft, &rules.waivable, &["waiver_rules", "waivable"], place);
            }
            Some(Enforcement::Hard) | None => {}
        }
    }

    /// Within one cap, which stands in this table.
    fn within(&mut self, draft: &WaiverDraft, cap: &CapDraft, table: &[&str], place: &Place) {
        let set = |key: &str| self.place(&[keys(table), keys(&[key])].concat());
        let mut found = Vec::new();
        match (cap.longest, &draft.granted, &draft.expires) {
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
        if let (Some(most), Some(renewals)) = (cap.renewals, draft.renewals)
            && renewals > most
        {
            let what = format!(
                "this waiver was renewed {renewals} times, and {most} is the most: mend what it covers"
            );
            found.push(Diagnostic::at(place.clone(), what).other("the most is set here", set("renewals")));
        }
        self.errors.append(&mut found);
    }
}

//! A report beside the policy that its verifier trusts: what of it is the report's own word only.

use super::Roster;
use super::verify::Verifier;
use crate::policy::{Level, Policy};
use crate::report::line;

impl Verifier<'_> {
    /// Says where the report's policy is another than the trusted one. That alone is nothing bad:
    /// policies change, and the report keeps the one that it was judged by.
    pub fn trusted(&mut self, own: &Policy, today: Option<&Policy>) {
        let Some(today) = today else { return };
        // the same text in another file is the same policy
        let text = |policy: &Policy| Policy { layers: Vec::new(), ..policy.clone() };
        if text(own) != text(today) {
            self.note(
                "the report was judged by another policy than the one that you trust: its checks, limits and \
                 enforcement are its own; `golive judge` with --policy judges its readings by yours"
                    .to_owned(),
            );
        }
        for (role, person) in &today.people {
            if let Some(other) = own.people.get(role).filter(|other| other.name != person.name) {
                self.note(format!(
                    "{role} is {} in the report, and {} in the policy that you trust",
                    line(&other.name),
                    line(&person.name)
                ));
            }
        }
        let alone = Roster::new(today, None);
        let by_key = self.standing.signed.iter().filter(|signed| signed.level == Level::Key);
        let own_word: Vec<String> = by_key
            .filter(|signed| alone.fingerprint(&signed.decision.role).is_none())
            .map(|signed| {
                format!(
                    "the key of {} is the one that the report's own policy names: the policy that you trust names none",
                    signed.decision.role
                )
            })
            .collect();
        self.standing.notes.extend(own_word);
    }
}

//! Who answers for what: exactly one role for each area, and one person who project-manages.

use std::collections::BTreeMap;

use super::Policy;
use super::check::{Checker, incomplete};
use super::layer::keys;
use crate::model::{Area, Role};
use crate::probe::{Question, attest::AnsweredBy};

/// Areas for which somebody must be accountable, and what each of them answers for.
const AREAS: [(&str, &str); 3] = [
    ("network", "\"…\", the role that answers for lines and rules"),
    ("brand", "\"…\", the role that answers for what is said and shown"),
    ("production", "\"…\", the role that answers for picture and sound"),
];

impl Checker<'_> {
    /// The role of each area; an area that is left out is a mistake. That no area has two is
    /// TOML's own rule within a file, and the layers' across files.
    pub fn accountable(&mut self) -> BTreeMap<Area, Role> {
        let at = keys(&["accountable"]);
        let parts = AREAS.map(|(area, help)| {
            let named = self.merged.accountable.keys().any(|known| known.as_str() == area);
            (named, area, help)
        });
        if !self.lost(&at) {
            self.errors.extend(incomplete("[accountable]", &parts, self.place(&at)));
        }
        let named = self.merged.accountable.iter();
        named.filter_map(|(area, role)| Some((area.clone(), role.clone()?))).collect()
    }

    /// An event with a date is about to happen: somebody is asked who project-manages it. What
    /// `[provider]` says answers a question; without one it would count for nothing.
    pub fn provider_asked(&mut self, policy: &Policy) {
        // a check that was left out for a mistake of its own may be the one that asks
        let whole = policy.checks.len() == self.merged.checks.len() && !self.lost(&keys(&["check"]));
        if policy.asks_for_provider() || !whole {
            return;
        }
        let (at, what) = if policy.provider.is_some() {
            (["provider", "project_manager"], "[provider] answers no question")
        } else if policy.event.starts.is_some() {
            (["event", "starts"], "the event has a date, and nobody is asked who project-manages it")
        } else {
            return;
        };
        let help = "extend governance.toml, or ask a role: [[check.attest]] with answered_by = \"provider\" in \
                    its target";
        self.error(&at, what, Some(help.to_owned()));
    }
}

impl Policy {
    /// A check asks who project-manages, and whether a provider is appointed.
    pub(super) fn asks_for_provider(&self) -> bool {
        let asks = |question: &Question| {
            matches!(question, Question::Attest { target, .. }
                if target.answered_by == Some(AnsweredBy::Provider))
        };
        self.checks.iter().any(|check| asks(&check.question))
    }
}

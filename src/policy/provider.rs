//! Who project-manages the event, and the provider: appointed, or why not.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::check::{Checker, filled, incomplete};
use super::layer::keys;
use crate::model::{Answer, Role};
use crate::probe::{Question, attest::AnsweredBy};

/// Who project-manages, and whether a provider is appointed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The role that settled it.
    pub by: Role,
    /// Name of the project manager.
    pub project_manager: String,
    /// The role of the provider that is appointed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointed: Option<Role>,
    /// Why no provider is appointed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_none: Option<String>,
}

/// Who project-manages the event; if nobody can, which provider is appointed, or why none is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderDraft {
    /// The role that settled it.
    #[schemars(with = "Role")]
    pub by: Option<Role>,
    /// Name of the project manager, the provider's or one's own.
    #[schemars(with = "String")]
    pub project_manager: Option<String>,
    /// The role of the provider that is appointed; instead of `why_none`.
    pub appointed: Option<Role>,
    /// Why no provider is appointed; instead of `appointed`.
    pub why_none: Option<String>,
}

impl Checker<'_> {
    pub fn provider(&mut self, draft: &ProviderDraft) -> Option<Provider> {
        let at = keys(&["provider"]);
        let either = draft.appointed.is_some() || filled(draft.why_none.as_ref());
        let parts = [
            (draft.by.is_some(), "by", "the role of [people] that settled it"),
            (filled(draft.project_manager.as_ref()), "project_manager", "\"…\", a name"),
            (either, "appointed", "a role of [people], or why_none = \"…\""),
        ];
        if !self.lost(&at) {
            self.errors.extend(incomplete("[provider]", &parts, self.place(&at)));
        }
        if draft.appointed.is_some() && draft.why_none.is_some() {
            let what = "a provider is appointed, or it is said why none is: not both";
            self.error(&["provider", "why_none"], what, None);
        }
        Some(Provider {
            by: draft.by.clone()?,
            project_manager: draft.project_manager.clone()?,
            appointed: draft.appointed.clone(),
            why_none: draft.why_none.clone(),
        })
    }
}

impl Provider {
    fn evidence(&self, policy: &Policy) -> String {
        let settled = match (&self.appointed, &self.why_none) {
            (Some(role), _) => {
                let name = policy.people.get(role).map_or("", |person| person.name.as_str());
                format!("provider appointed: {name} ({role})")
            }
            (None, Some(why)) => format!("no provider: {why}"),
            (None, None) => String::new(),
        };
        format!("[provider] of the policy: {settled}; project manager: {}", self.project_manager)
    }
}

impl Policy {
    /// What the policy itself answers, as of a time at which it is in force: questions that say
    /// so, and that nobody in `given` answered.
    pub fn answers(&self, given: &[Answer], at: Timestamp) -> Vec<Answer> {
        let Some(provider) = &self.provider else { return Vec::new() };
        let Some(person) = self.people.get(&provider.by) else { return Vec::new() };
        let asks = |question: &Question| match question {
            Question::Attest { target, .. } => target.answered_by == Some(AnsweredBy::Provider),
            _ => false,
        };
        let open = self.checks.iter().filter(|check| asks(&check.question));
        open.filter(|check| given.iter().all(|answer| answer.check != check.id))
            .map(|check| Answer {
                check: check.id.clone(),
                yes: true,
                role: provider.by.clone(),
                name: person.name.clone(),
                at,
                evidence: provider.evidence(self),
                expires: None,
            })
            .collect()
    }
}

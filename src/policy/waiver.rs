//! Waivers: a named person's dated acceptance of one outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::validity::Validity;
use crate::model::{CheckId, Role, When};

/// Which outcome a waiver accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Accepts {
    /// A failed check.
    Fail,
    /// A check that could not be measured.
    Unknown,
}

/// An acceptance. It never changes the outcome itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check.
    pub check: CheckId,
    /// Which outcome.
    pub accepts: Accepts,
    /// Codes of the findings that it accepts; all, when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// Why it is acceptable.
    pub reason: String,
    /// What is done instead.
    pub compensating: Option<String>,
    /// The role that accepts.
    pub by: Role,
    /// Until when.
    pub expires: When,
    /// Since when; before it, it covers nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<When>,
    /// How often it was renewed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewals: Option<u32>,
}

impl Waiver {
    /// As it stands in a policy: a `[[waiver]]` table.
    pub fn to_toml(&self) -> String {
        let text = |text: &str| toml::Value::from(text).to_string();
        let accepts = match self.accepts {
            Accepts::Fail => "fail",
            Accepts::Unknown => "unknown",
        };
        let scope = self.scope.iter().map(|code| text(code)).collect::<Vec<_>>().join(", ");
        let mut lines = vec![
            "[[waiver]]".to_owned(),
            format!("check = {}", text(self.check.as_str())),
            format!("accepts = \"{accepts}\""),
        ];
        lines.extend((!scope.is_empty()).then(|| format!("scope = [{scope}]")));
        lines.push(format!("reason = {}", text(&self.reason)));
        lines.extend(self.compensating.as_ref().map(|instead| format!("compensating = {}", text(instead))));
        lines.push(format!("by = {}", text(self.by.as_str())));
        lines.extend(self.granted.as_ref().map(|granted| format!("granted = {granted}")));
        lines.push(format!("expires = {}", self.expires));
        lines.extend(self.renewals.map(|renewals| format!("renewals = {renewals}")));
        lines.join("\n") + "\n"
    }
}

/// A named role's dated acceptance of one outcome of one check.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaiverDraft {
    /// The check.
    #[schemars(with = "CheckId")]
    pub check: Option<CheckId>,
    /// Which outcome is accepted.
    #[schemars(with = "Accepts")]
    pub accepts: Option<Accepts>,
    /// Why that is acceptable.
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// What is done instead.
    #[schemars(with = "String")]
    pub compensating: Option<String>,
    /// The role that accepts.
    #[schemars(with = "Role")]
    pub by: Option<Role>,
    /// Codes of the findings that are accepted, such as `["path.jitter_high"]`: it covers nothing
    /// when another one stands beside them. All, when absent. The README lists the codes.
    #[serde(default)]
    pub scope: Vec<String>,
    /// Until when: a date-time with offset, without quotes.
    #[schemars(with = "When")]
    pub expires: Option<When>,
    /// Since when: a date-time with offset, without quotes. Needed where `[waiver_rules]` has a
    /// `longest`; before it, the waiver covers nothing.
    pub granted: Option<When>,
    /// How often it was renewed already (default: 0).
    pub renewals: Option<u32>,
}

/// How long waivers may hold, and how often they may be renewed. Hard checks cannot be waived.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WaiverRulesDraft {
    /// Longest time from `granted` to `expires`, such as `"14d"`. A later layer may only shorten it.
    pub longest: Option<Validity>,
    /// How often a waiver may be renewed. A later layer may only lower it.
    pub renewals: Option<u32>,
    /// The same for waivers of advisory checks only; the stricter of both holds.
    pub advisory: CapDraft,
    /// The same for waivers of waivable checks only; the stricter of both holds.
    pub waivable: CapDraft,
}

/// How long waivers of one enforcement level may hold, and how often they may be renewed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CapDraft {
    /// Longest time from `granted` to `expires`. A later layer may only shorten it.
    pub longest: Option<Validity>,
    /// How often a waiver may be renewed. A later layer may only lower it.
    pub renewals: Option<u32>,
}

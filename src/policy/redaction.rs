//! What a copy of the report that is shown to others leaves out (`golive redact`).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Role;

/// A kind of text that a redacted copy replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitive {
    /// IP addresses.
    Address,
    /// Host names.
    Host,
    /// Names and public keys of people.
    Name,
    /// What identifies a certificate: serial number, key digest, to whom it is made out, who signed it.
    Serial,
    /// What people wrote for colleagues: evidence, reasons, the objective, the way back.
    Text,
}

impl Sensitive {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Address, Self::Host, Self::Name, Self::Serial, Self::Text];

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Address => "addresses",
            Self::Host => "host names",
            Self::Name => "people",
            Self::Serial => "certificates' identities",
            Self::Text => "free text",
        }
    }
}

/// What a redacted copy replaces, and who may be asked for the whole report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Redaction {
    /// Kinds to replace (default: all). A later layer may only add.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BTreeSet<Sensitive>")]
    pub kinds: Option<BTreeSet<Sensitive>>,
    /// The role that may be asked for the full report (default: who is accountable for the network).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Role")]
    pub ask: Option<Role>,
}

impl Redaction {
    /// True when the policy says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The kinds to replace.
    pub fn kinds(&self) -> BTreeSet<Sensitive> {
        self.kinds.clone().unwrap_or_else(|| Sensitive::ALL.into())
    }
}

/// A later layer may hide more, never less.
pub(super) fn growing(
    earlier: &BTreeSet<Sensitive>,
    later: &BTreeSet<Sensitive>,
) -> Result<(), &'static str> {
    if later.is_superset(earlier) {
        Ok(())
    } else {
        Err("loosens what an earlier layer asks; kinds may only be added")
    }
}

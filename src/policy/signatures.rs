//! Who must sign the report, how strongly, and which keys no longer count.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ssh_key::{Algorithm, EcdsaCurve, PublicKey};

use crate::model::{Role, When};

/// How strongly a decision is tied to its person. Ordered from weakest to strongest.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A name and a date: whoever could write the file could write them.
    #[default]
    Named,
    /// A reference to an approval in a ticket system, which knows who gave it.
    Ticket,
    /// A signature by a key that the policy names for the role.
    Key,
}

impl Level {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Named => "named only",
            Self::Ticket => "ticket approval",
            Self::Key => "cryptographic",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// Who must sign the report, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signatures {
    /// Roles whose decision the report needs; every accountable role, when empty.
    pub required: Vec<Role>,
    /// How strongly each decision must be tied to its person, at least. A role with a key in
    /// `[people]` always decides by a signature.
    pub level: Level,
    /// Keys that no longer count.
    pub revoked: Vec<Revoked>,
}

/// A key that no longer counts. Whoever holds it can write any date, so that every signature
/// by it is refused, whatever time it states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Public key, OpenSSH format.
    pub key: String,
    /// Since when it is known.
    pub since: When,
    /// Why: `laptop stolen`.
    pub reason: String,
}

impl Signatures {
    /// True when the policy says nothing of signatures.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Who must sign the report, and how.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SignaturesDraft {
    /// Roles whose decision the report needs (default: every accountable role). A later layer
    /// may only add.
    pub required: BTreeSet<Role>,
    /// How strongly each decision must be tied to its person, at least (default: `"named"`).
    /// A role with a key in `[people]` always decides by a signature of it. A later layer may
    /// only raise it.
    pub level: Option<Level>,
    /// Keys that no longer count. A later layer may only add.
    pub revoked: Vec<RevokedDraft>,
}

impl SignaturesDraft {
    /// More roles and more revoked keys tighten. The level follows a rule of its own.
    pub fn with(mut self, later: &Self) -> Self {
        self.required.extend(later.required.iter().cloned());
        self.revoked.extend(later.revoked.iter().cloned());
        self
    }
}

/// A key that no longer counts, whatever time its signatures state.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokedDraft {
    /// Public key, OpenSSH format: the line of a `.pub` file.
    #[schemars(with = "String")]
    pub key: Option<String>,
    /// Since when it is known: a date-time with offset, without quotes.
    #[schemars(with = "When")]
    pub since: Option<When>,
    /// Why, such as `laptop stolen`.
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

/// Why this text is no public key that golive can check signatures of; `None` = it is one.
pub(super) fn bad_key(text: &str) -> Option<&'static str> {
    if text.contains("PRIVATE KEY") {
        return Some("this is a private key: it must never stand in a policy");
    }
    let Ok(key) = PublicKey::from_openssh(text) else {
        return Some("this is no public key of OpenSSH's format, such as \"ssh-ed25519 AAAA… name\"");
    };
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256
        | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384 } => None,
        Algorithm::Rsa { .. } => Some("golive checks no RSA signatures; use an Ed25519 key"),
        _ => Some("golive cannot check signatures of this kind of key; use an Ed25519 key"),
    }
}

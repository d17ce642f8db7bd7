//! Secrets: stream keys, passphrases, tokens. They never show in `Debug`, serde or errors.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// What is shown in a secret's place.
pub const REDACTED: &str = "[secret]";

/// A secret's value: shown and stored as `[secret]`.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
pub struct Secret(String);

impl Secret {
    /// The value itself, for the one place that must send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the value: who was sent it may repeat it in an answer.
    pub fn hidden_in(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, REDACTED) }
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// Where a secret comes from: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// An environment variable's name: `{ env = "GOLIVE_TOKEN" }`.
    Env(String),
    /// A file whose first line it is, relative to the policy: `{ file = "token.txt" }`.
    File(std::path::PathBuf),
    /// The value itself; written as `[secret]` wherever the policy is shown or stored.
    Value(Secret),
}

//! Names that a policy gives to things: checks, paths, roles, streams, far ends.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
pub const MAX_NAME: usize = 64;

/// A name that breaks the rule for names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit")]
pub struct BadName(String);

fn valid(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|c| plain(c) || matches!(c, b'.' | b'_' | b'-'))
}

macro_rules! name {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
        pub struct $Name(String);

        impl $Name {
            /// Checks and wraps a name: 1 to 64 of `a-z 0-9 . _ -`.
            pub fn new(name: &str) -> Result<Self, BadName> {
                Self::try_from(name.to_owned())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $Name {
            type Error = BadName;
            fn try_from(name: String) -> Result<Self, BadName> {
                if valid(&name) { Ok(Self(name)) } else {
                    Err(BadName(super::text::escape(&name).chars().take(MAX_NAME).collect()))
                }
            }
        }

        impl From<$Name> for String {
            fn from(name: $Name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The id of a check, unique in a policy, such as `ingest.primary`.
    CheckId
);
name!(
    /// A way out of the building, such as `primary` or `backup`.
    PathName
);
name!(
    /// A role that signs or answers, such as `it` or `marketing`.
    Role
);
name!(
    /// A stream that will be sent, such as `main`.
    StreamName
);
name!(
    /// A far end that a policy names, such as `cloud`.
    FarEndName
);
name!(
    /// An area with exactly one accountable role: `network`, `brand`, `production`, …
    Area
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert!(CheckId::new("ingest.primary").is_ok());
        for bad in ["", ".x", "A", "a b", "a\u{1b}[31m", &"a".repeat(65)] {
            assert!(CheckId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bad_name_is_shown_escaped() {
        let error = CheckId::new("a\u{1b}[31m").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
}

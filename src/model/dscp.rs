//! The Differentiated Services Code Point: which class of service a packet asks for (RFC 2474).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names of code points: RFC 2474 (class selectors), RFC 2597 (`af`), RFC 3246 (`ef`), RFC 5865
/// (`va`), RFC 8622 (`le`).
const NAMES: [(&str, u8); 23] = [
    ("cs0", 0),
    ("le", 1),
    ("cs1", 8),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("cs2", 16),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("cs3", 24),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("cs4", 32),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("cs5", 40),
    ("va", 44),
    ("ef", 46),
    ("cs6", 48),
    ("cs7", 56),
];

/// A code point, 0 to 63: a policy names it (`"ef"`, `"af41"`) or gives its number (`"46"`).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^([a-z]{2}[0-9]{0,2}|[0-9]{1,2})$"))]
pub struct Dscp(u8);

impl Dscp {
    /// The upper six bits of a DS field (IPv4's TOS octet, IPv6's traffic class).
    pub const fn of_field(field: u8) -> Self {
        Self(field >> 2)
    }

    /// The lower six bits of a number.
    pub const fn of_value(value: u8) -> Self {
        Self(value & 63)
    }

    /// The DS field that asks for it, not ECN-capable.
    pub const fn field(self) -> u8 {
        self.0 << 2
    }

    /// The number.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl TryFrom<String> for Dscp {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        let number = || text.parse().ok().filter(|value| *value < 64);
        named
            .or_else(number)
            .map(Self)
            .ok_or("name a DSCP (\"ef\", \"af41\", \"cs5\") or give its number, 0 to 63")
    }
}

impl From<Dscp> for String {
    fn from(dscp: Dscp) -> Self {
        dscp.to_string()
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, value)| *value == self.0) {
            Some((name, _)) => f.pad(name),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_what_is_neither_is_refused() {
        for (text, value, field) in
            [("ef", 46, 184), ("46", 46, 184), ("af41", 34, 136), ("cs0", 0, 0), ("63", 63, 252)]
        {
            let dscp = Dscp::try_from(text.to_owned()).unwrap();
            assert_eq!((dscp.value(), dscp.field(), Dscp::of_field(field | 3)), (value, field, dscp));
        }
        assert_eq!(Dscp::of_field(0xb8).to_string(), "ef");
        assert_eq!(Dscp::of_field(0xfc).to_string(), "63");
        for text in ["", "EF ", "64", "-1", "af44", "express"] {
            assert!(Dscp::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}

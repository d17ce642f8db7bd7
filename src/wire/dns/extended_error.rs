//! Extended DNS errors (RFC 8914): why a resolver fails or denies, in its own words.

use std::fmt;

use hickory_proto::op::Edns;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::WireText;

/// The option's code (RFC 8914, 2).
const OPTION: u16 = 15;

/// Why a resolver fails or denies. Its word only: nothing keeps others from writing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtendedError {
    /// The reason's code (IANA's registry of extended DNS error codes).
    pub code: u16,
    /// More, for a person; may be empty.
    pub text: WireText,
}

impl ExtendedError {
    pub(super) fn of(edns: &Edns) -> Option<Self> {
        match edns.option(EdnsCode::from(OPTION))? {
            EdnsOption::Unknown(_, bytes) => Self::read(bytes),
            _ => None,
        }
    }

    /// The option's content: a code and text.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (code, text) = bytes.split_first_chunk::<2>()?;
        Some(Self { code: u16::from_be_bytes(*code), text: WireText::from_bytes(text) })
    }

    /// True when somebody's rules forbid the name: blocked, censored, filtered, prohibited.
    pub const fn forbids(&self) -> bool {
        matches!(self.code, 15..=18)
    }

    /// True when the zone's signatures do not hold.
    pub const fn bogus(&self) -> bool {
        matches!(self.code, 6..=12)
    }

    const fn words(&self) -> Option<&'static str> {
        Some(match self.code {
            3 => "stale answer",
            4 => "forged answer",
            5 => "DNSSEC indeterminate",
            6 => "DNSSEC bogus",
            7 => "signature expired",
            8 => "signature not yet valid",
            9 => "DNSKEY missing",
            10 => "RRSIGs missing",
            11 => "no zone key bit set",
            12 => "NSEC missing",
            13 => "cached error",
            14 => "not ready",
            15 => "blocked",
            16 => "censored",
            17 => "filtered",
            18 => "prohibited",
            20 => "not authoritative",
            22 => "no reachable authority",
            23 => "network error",
            _ => return None,
        })
    }
}

impl fmt::Display for ExtendedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => f.write_str(words)?,
            None => write!(f, "extended error {}", self.code)?,
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

//! From where a run looked at the network, without naming it: two runs compare, nobody learns where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine and its way into the network, as digests that cannot be turned back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vantage {
    /// Of the machine's id, hexadecimal.
    pub machine: String,
    /// Of the machine's id, its default routes (interface, next router) and the addresses that it has
    /// there (of IPv6 the /64 prefix, since the rest changes daily), hexadecimal.
    pub network: String,
}

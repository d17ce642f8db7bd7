//! What is to be said of a finding code beyond its one sentence: for `golive explain`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The page of one finding code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Why it matters for a live stream.
    pub why: String,
    /// How it can mislead: when it says too much, or too little.
    pub misleads: String,
    /// What to do.
    #[serde(rename = "do")]
    pub remedy: String,
}

impl Page {
    /// The pages of a `pages.toml`, by code.
    ///
    /// # Errors
    /// The text is no TOML, or a page lacks one of its three parts.
    pub fn all(text: &str) -> Result<BTreeMap<String, Self>, toml::de::Error> {
        toml::from_str(text)
    }
}

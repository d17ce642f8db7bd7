//! The file format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::compare::Expect;
use crate::middlebox::Middlebox;
use crate::truth::Stream;
use crate::venue::{self, Platform};
use crate::wan::Line;

/// Folder of the scenarios.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/scenarios");

/// One network, and what golive must say of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// What the network is, in one sentence.
    pub network: String,
    /// Checks of `checks.toml` to ask, by id.
    #[serde(default)]
    pub ask: Vec<String>,
    /// Laid over the lab's policy table by table: event, streams, waivers, checks of its own
    /// (`[[policy.check.port]]`), limits of every check (`[policy.every.upload.limits]`).
    #[serde(default)]
    pub policy: toml::Table,
    /// People's answers, as in a file of answers.
    #[serde(default)]
    pub answer: Vec<toml::Table>,
    /// The wire between building and internet.
    #[serde(default = "crate::venue::clean_line")]
    pub uplink: Line,
    /// The wire between the cellular router and the internet.
    #[serde(default = "crate::venue::clean_line")]
    pub backup: Line,
    /// What the platform serves.
    #[serde(default)]
    pub platform: Platform,
    /// How golive is run.
    #[serde(default)]
    pub run: Run,
    /// What stands where, from the laptop outwards.
    #[serde(default)]
    pub laptop: Vec<Middlebox>,
    #[serde(default)]
    pub router: Vec<Middlebox>,
    #[serde(default)]
    pub building: Vec<Middlebox>,
    #[serde(default)]
    pub internet: Vec<Middlebox>,
    #[serde(default)]
    pub cell: Vec<Middlebox>,
    #[serde(default)]
    pub cloud: Vec<Middlebox>,
    /// Real streams that this network must carry or lose, for the table of truth.
    #[serde(default)]
    pub truth: Vec<Stream>,
    /// What golive must say.
    pub expect: Expect,
}

/// How golive is run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// As an ordinary user without any capability (nobody).
    pub unprivileged: bool,
    /// The laptop has no IPv6.
    pub no_ipv6: bool,
    /// More of golive's environment.
    pub env: BTreeMap<String, String>,
    /// Ask golive to stop (SIGINT) after so many seconds.
    pub stop_after_s: Option<f64>,
    /// Judge the report again as of so many hours later; this verdict counts.
    pub judged_after_h: Option<f64>,
    /// Longest time that golive may take, s.
    pub at_most_s: u64,
    /// No other scenario may run meanwhile: it measures the line (by itself for those that ask
    /// `line.…`).
    pub alone: bool,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            unprivileged: false,
            no_ipv6: false,
            env: BTreeMap::new(),
            stop_after_s: None,
            judged_after_h: None,
            at_most_s: 120,
            alone: false,
        }
    }
}

impl Scenario {
    /// Reads one.
    ///
    /// # Errors
    /// The file's name with what is wrong in it.
    pub fn read(file: &Path) -> Result<Self, String> {
        let complain = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| complain(&error))?;
        let mut scenario: Self = toml::from_str(&text).map_err(|error| complain(&error))?;
        scenario.name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(scenario)
    }

    /// It measures the line, so that nothing else may load this machine meanwhile.
    pub fn is_alone(&self) -> bool {
        self.run.alone || self.ask.iter().any(|id| id.starts_with("line."))
    }
}

/// Every scenario, by name; a broken file in its place as what is wrong with it.
pub fn all() -> Vec<Result<Scenario, String>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(FOLDER)
        .unwrap_or_else(|error| panic!("{FOLDER}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files.iter().map(|file| Scenario::read(file)).collect()
}

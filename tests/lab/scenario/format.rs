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
    /// The text `@days 10` becomes the date-time ten days from now, `@pin` the pin of the
    /// platform's key; in answers, too.
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
#[expect(clippy::struct_excessive_bools, reason = "switches of a file")]
pub struct Run {
    /// As an ordinary user without any capability (nobody).
    pub unprivileged: bool,
    /// The laptop has no IPv6.
    pub no_ipv6: bool,
    /// Routes that the laptop has beside its own, in ip-route(8)'s words: `prohibit 45.50.0.10`.
    pub routes: Vec<String>,
    /// What else is done to the laptop's links, in ip(8)'s words: `link set eth0 mtu 1200`.
    pub ip: Vec<String>,
    /// The laptop has no IPv4.
    pub no_ipv4: bool,
    /// A VPN (`vpn0`) with a tunnel of this MTU to the router has the laptop's IPv4 default route.
    pub vpn_mtu: Option<u32>,
    /// The laptop's resolvers, whatever the network tells it (`resolv.conf`).
    pub resolvers: Vec<String>,
    /// More lines of its `resolv.conf`: `search`, `options`.
    pub resolv_conf: Vec<String>,
    /// Its `hosts` file.
    pub hosts: String,
    /// Its store of authorities is old: it knows the public one not yet.
    pub old_store: bool,
    /// A library breaks inside every probe that speaks TLS, with the words of this file of the run's
    /// folder: `test-key`.
    pub breaks_with: Option<String>,
    /// More of golive's environment.
    pub env: BTreeMap<String, String>,
    /// The laptop's congestion control; CUBIC when left out.
    pub congestion_control: Option<String>,
    /// More arguments of the far end, such as its caps.
    pub far_end: Vec<String>,
    /// An iperf3 server stands beside the far end, on `cloud.example.net:5201`.
    pub iperf3: bool,
    /// Ask golive to stop (SIGINT) after so many seconds.
    pub stop_after_s: Option<f64>,
    /// The laptop stands still: golive's process is stopped (SIGSTOP) and goes on.
    pub freeze: Option<Freeze>,
    /// The far end ends after so many seconds of the run.
    pub far_end_ends_after_s: Option<f64>,
    /// The far end dies without a word after so many seconds.
    pub far_end_dies_after_s: Option<f64>,
    /// Judge the report again as of so many hours later; this verdict counts.
    pub judged_after_h: Option<f64>,
    /// Longest time that golive may take, s.
    pub at_most_s: u64,
    /// Its truth is part of the short table, which runs with all tests.
    pub short_truth: bool,
    /// No other scenario may run meanwhile: it measures the line (by itself for those that ask
    /// `line.…`).
    pub alone: bool,
}

/// A time in which the laptop stands still.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Seconds of the run after which it begins.
    pub at_s: f64,
    pub for_s: f64,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            unprivileged: false,
            no_ipv6: false,
            routes: Vec::new(),
            ip: Vec::new(),
            no_ipv4: false,
            vpn_mtu: None,
            resolvers: Vec::new(),
            resolv_conf: Vec::new(),
            hosts: String::new(),
            old_store: false,
            breaks_with: None,
            env: BTreeMap::new(),
            congestion_control: None,
            far_end: Vec::new(),
            iperf3: false,
            stop_after_s: None,
            freeze: None,
            far_end_ends_after_s: None,
            far_end_dies_after_s: None,
            judged_after_h: None,
            at_most_s: 120,
            short_truth: false,
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

//! Which finding codes no scenario shows.

use std::collections::BTreeSet;

use golive::probe::Kind;

use super::format::Scenario;

/// Codes that no network can bring about, each with the place where it is tested instead.
const NOT_OF_A_NETWORK: &[(&str, &str)] = &[
    ("port.not_expected", "golive refuses a policy that doesn't say: src/probe/port/tests.rs"),
    ("judge.mismatch", "a stored report that was put together wrongly: src/judge/tests.rs"),
    ("judge.empty", "a reading without content, from a later version: src/judge/tests.rs"),
    ("upload.loaded_rtt_unknown", "a system without TCP_INFO: src/probe/upload/tests.rs"),
    ("upload.retransmits_unknown", "a system without TCP_INFO: src/probe/upload/tests.rs"),
    ("judge.future", "a report judged as of a time before it: src/judge/tests.rs"),
];

/// Every code that golive has and no scenario expects.
pub fn without_scenario(scenarios: &[Scenario]) -> Vec<&'static str> {
    let shown: BTreeSet<&str> = scenarios.iter().flat_map(|scenario| scenario.expect.codes()).collect();
    let elsewhere: BTreeSet<&str> = NOT_OF_A_NETWORK.iter().map(|entry| entry.0).collect();
    let of_probes = Kind::ALL.iter().flat_map(|kind| kind.codes());
    of_probes
        .chain(golive::judge::CODES)
        .map(|code| code.id)
        .filter(|code| !shown.contains(code) && !elsewhere.contains(code))
        .collect()
}

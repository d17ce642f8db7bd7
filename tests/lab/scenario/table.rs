//! The table of scenarios, for a terminal and for `reports/`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::format::Scenario;
use super::run::Outcome;

/// One line for a terminal.
pub fn line(scenario: &Scenario, outcome: &Outcome) -> String {
    let mark = if outcome.differences.is_empty() { "ok    " } else { "DIFFERS" };
    let mut line = format!(
        "{mark} {:<34} {:<14} {:>5.1} s  {}",
        scenario.name,
        outcome.seen.verdict,
        outcome.took.as_secs_f64(),
        scenario.network
    );
    for difference in &outcome.differences {
        let _ = write!(line, "\n         {difference}");
    }
    line
}

/// Scenarios with a verdict that lets a network through which the scenario calls broken, and the
/// other way round.
pub fn false_verdicts(results: &[(Scenario, Outcome)]) -> (usize, usize) {
    let passes = |word: &str| word == "GO" || word == "CONDITIONAL GO";
    let count = |wanted: bool| {
        results
            .iter()
            .filter(|(_, outcome)| !outcome.seen.verdict.is_empty())
            .filter(|(scenario, outcome)| {
                passes(&outcome.seen.verdict) == wanted && passes(&scenario.expect.verdict) != wanted
            })
            .count()
    };
    (count(true), count(false))
}

/// How many networks are clean (nothing but GO is expected there), and how many of those were accused of
/// anything.
pub fn clean(results: &[(Scenario, Outcome)]) -> (usize, usize) {
    let clean = results.iter().filter(|(scenario, _)| scenario.expect.verdict == "GO");
    let accused = clean.clone().filter(|(_, outcome)| outcome.seen.accusations().next().is_some());
    (clean.count(), accused.count())
}

/// The whole as Markdown.
pub fn markdown(results: &[(Scenario, Outcome)]) -> String {
    let mut out = String::from(
        "# What golive finds on the lab's networks\n\n\
         Written by `tests/networks scenarios --write`; do not edit.\n\n",
    );
    let differing = results.iter().filter(|(_, outcome)| !outcome.differences.is_empty()).count();
    let (false_go, false_no_go) = false_verdicts(results);
    let _ = writeln!(
        out,
        "{} networks, {differing} differ from what was expected; false GO: {false_go}, false NO-GO: {false_no_go}.\n",
        results.len()
    );
    let (clean, accused) = clean(results);
    let _ = writeln!(out, "{clean} of them are clean, and {accused} of those are accused of anything.\n");
    out.push_str("| verdict | networks |\n|---|---|\n");
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, outcome) in results {
        *verdicts.entry(&outcome.seen.verdict).or_default() += 1;
    }
    for (verdict, count) in verdicts {
        let _ = writeln!(out, "| {verdict} | {count} |");
    }
    out.push_str(
        "\n| scenario | network | verdict | what golive finds wrong | differs |\n|---|---|---|---|---|\n",
    );
    for (scenario, outcome) in results {
        let mut found: Vec<String> = outcome
            .seen
            .accusations()
            .map(|(check, code, _)| format!("{check}: `{code}`"))
            .chain(
                outcome
                    .seen
                    .not_measured
                    .iter()
                    .map(|(check, cause)| format!("{check}: not measured, {cause}")),
            )
            .collect();
        found.sort();
        found.dedup();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            scenario.name,
            cell(&scenario.network),
            outcome.seen.verdict,
            cell(&found.join("<br>")),
            cell(&outcome.differences.join("<br>"))
        );
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

//! The verdict's properties on a recorded run of every probe.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop")]

use std::path::Path;

use golive::evidence::Evidence;
use golive::judge::{Word, evaluate};
use golive::policy::Policy;
use golive::probe::Question;
use golive::run::Recorded;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A run of the demo: every probe, all well.
fn recorded() -> (Policy, Evidence, jiff::Timestamp) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo.jsonl");
    let recorded = Recorded::read(&file).unwrap();
    (recorded.started.policy.clone(), recorded.evidence(), recorded.started.at)
}

fn goes(word: Word) -> bool {
    matches!(word, Word::Go | Word::ConditionalGo)
}

/// Every limit of the policy that is a number: check, key, whether it is an upper bound.
fn numeric_limits(policy: &Policy) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    for (index, check) in policy.checks.iter().enumerate() {
        for row in check.question.limit_rows() {
            if value(&check.question, &row.field).is_some() {
                found.push((index, row.field, row.bound.starts_with('≤')));
            }
        }
    }
    found
}

fn value(question: &Question, field: &str) -> Option<f64> {
    let json = serde_json::to_value(question).unwrap();
    json.as_object()?.values().next()?.get("limits")?.get(field)?.as_f64()
}

/// The same question with one limit set to another value.
fn with(question: &Question, field: &str, value: f64) -> Question {
    let mut json = serde_json::to_value(question).unwrap();
    let limits = json.as_object_mut().unwrap().values_mut().next().unwrap().get_mut("limits").unwrap();
    let whole = limits.get(field).is_some_and(Value::is_u64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "limits are small and positive"
    )]
    let value = if whole { json!(value.round() as u64) } else { json!(value) };
    limits.as_object_mut().unwrap().insert(field.to_owned(), value);
    serde_json::from_value(json).unwrap()
}

/// What the demo does not ask, on loopback: see tests/cli.rs.
const NOT_OF_THE_DEMO: [&str; 9] =
    ["portal", "proxy", "link", "firewall", "web", "rist", "whip", "turn", "hls_push"];

#[test]
fn the_recorded_run_is_of_every_probe_and_goes() {
    let (policy, evidence, at) = recorded();
    let verdict = evaluate(&policy, &evidence, at);
    assert!(goes(verdict.word), "{:?}", verdict.reasons);
    for (kind, _) in golive::probe::catalogue() {
        if NOT_OF_THE_DEMO.contains(&kind.name()) {
            continue;
        }
        assert!(
            policy.checks.iter().any(|check| check.question.kind() == kind),
            "{} is missing",
            kind.name()
        );
    }
    assert!(numeric_limits(&policy).len() >= 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn loosening_a_limit_never_loses_go(
        which in any::<prop::sample::Index>(),
        scale in prop_oneof![0.001..2.0f64, 1.0..100.0f64],
        more in 1.0..20.0f64,
    ) {
        let (mut policy, evidence, at) = recorded();
        let limits = numeric_limits(&policy);
        let (index, field, upper) = &limits[which.index(limits.len())];
        let question = policy.checks[*index].question.clone();
        let tight = value(&question, field).unwrap() * scale;
        let loose = if *upper { tight * more } else { tight / more };
        policy.checks[*index].question = with(&question, field, tight);
        let before = evaluate(&policy, &evidence, at).word;
        policy.checks[*index].question = with(&question, field, loose);
        let after = evaluate(&policy, &evidence, at).word;
        prop_assert!(goes(after) || !goes(before), "{} {field}: {tight} → {loose}: {before} → {after}", policy.checks[*index].id);
    }

    #[test]
    fn losing_any_reading_never_gains_go(which in any::<prop::sample::Index>()) {
        let (policy, mut evidence, at) = recorded();
        let before = evaluate(&policy, &evidence, at).word;
        let victim = policy.checks[which.index(policy.checks.len())].id.clone();
        evidence.measurements.remove(&victim);
        let after = evaluate(&policy, &evidence, at).word;
        prop_assert!(after > before || (after == before && after != Word::Go));
    }
}

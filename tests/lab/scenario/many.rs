//! Runs many scenarios: side by side those that only ask, one by one those that measure the line.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::format::Scenario;
use super::run::{Outcome, run};

/// Scenarios side by side: they mostly wait for what does not come.
const SIDE_BY_SIDE: usize = 6;

/// Runs all; tells each as it ends. The results stand in the scenarios' order.
pub fn run_all(
    scenarios: Vec<Scenario>,
    told: impl Fn(&Scenario, &Outcome) + Sync,
) -> Vec<(Scenario, Outcome)> {
    let (alone, beside): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(Scenario::is_alone);
    let mut results = in_lanes(&beside, SIDE_BY_SIDE, &told);
    results.extend(in_lanes(&alone, 1, &told));
    results.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    results
}

fn in_lanes(
    scenarios: &[Scenario],
    lanes: usize,
    told: &(impl Fn(&Scenario, &Outcome) + Sync),
) -> Vec<(Scenario, Outcome)> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let ran = std::panic::catch_unwind(|| run(scenario));
                    let outcome = ran.unwrap_or_else(|_| Outcome::broken("the lab itself failed: see above"));
                    told(scenario, &outcome);
                    results.lock().unwrap().push((scenario.clone(), outcome));
                }
            });
        }
    });
    results.into_inner().unwrap()
}

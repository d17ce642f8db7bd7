//! Runs many scenarios.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::format::Scenario;
use super::lanes::SIDE_BY_SIDE;
use super::run::{Outcome, run};

/// Runs all, first those that only ask; tells each as it ends. The results stand in the order of
/// the scenarios' names.
pub fn run_all(
    mut scenarios: Vec<Scenario>,
    told: impl Fn(&Scenario, &Outcome) + Sync,
) -> Vec<(Scenario, Outcome)> {
    scenarios.sort_by_key(Scenario::is_alone);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
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
    let mut results = results.into_inner().unwrap();
    results.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    results
}

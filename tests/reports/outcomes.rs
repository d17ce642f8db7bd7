//! No rendering makes an outcome better than it is.

use golive::model::Outcome;
use golive::report::{html, junit, markdown, summary};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, TestCaseStatus};

use crate::samples;

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::NotApplicable),
        Just(Outcome::Pass),
        Just(Outcome::Warn),
        Just(Outcome::Unknown),
        Just(Outcome::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_outcome_is_shown_as_it_is(outcomes in proptest::collection::vec(any_outcome(), 5), waived in any::<bool>()) {
        let mut document = samples::no_go();
        let waiver = samples::conditional().checks[2].waiver.clone();
        for (check, outcome) in document.checks.iter_mut().zip(&outcomes) {
            check.outcome = *outcome;
            check.waiver = waiver.clone().filter(|_| waived);
        }
        let report = quick_junit::Report::deserialize_from_str(&junit(&document)).unwrap();
        for (case, outcome) in report.test_suites[0].test_cases[1..].iter().zip(&outcomes) {
            let right = match (&case.status, outcome) {
                (TestCaseStatus::NonSuccess { kind, .. }, Outcome::Unknown) => *kind == NonSuccessKind::Error,
                (TestCaseStatus::NonSuccess { kind, .. }, Outcome::Fail) => *kind == NonSuccessKind::Failure,
                (TestCaseStatus::Skipped { .. }, Outcome::NotApplicable)
                | (TestCaseStatus::Success { .. }, Outcome::Pass | Outcome::Warn) => true,
                _ => false,
            };
            prop_assert!(right, "{outcome:?} as {:?}", case.status);
        }
        let (ticket, page) = (markdown(&document), html(&document));
        for (check, outcome) in document.checks.iter().zip(&outcomes) {
            let row = ticket.lines().find(|line| line.starts_with('|') && line.contains(check.id.as_str()));
            let wanted = format!("| {} ", outcome.word());
            prop_assert!(row.unwrap().starts_with(&wanted));
            let (_, detail) = page.split_once(&format!("id=\"{}\"", check.id)).unwrap();
            let (_, badge) = detail.split_once("class=\"badge ").unwrap();
            let (class, _) = badge.split_once('"').unwrap();
            prop_assert_eq!(class, if *outcome == Outcome::NotApplicable { "na" } else { outcome.word() });
        }
        let unknown = outcomes.iter().filter(|outcome| **outcome == Outcome::Unknown).count();
        prop_assert_eq!(summary(&document).contains("not tested: "), unknown > 0);
        prop_assert_eq!(page.contains("Every check of the policy has an answer."), unknown == 0);
    }
}

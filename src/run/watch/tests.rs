use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::{Lane, PathName};
use crate::policy::{self, Policy};

const BUDGET: u64 = 250_000;

fn shipped(name: &str) -> Policy {
    policy::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("policies/{name}.toml"))).unwrap()
}

fn wish(paths: &[&str]) -> Wish {
    let paths = paths.iter().map(|name| PathName::new(name).unwrap()).collect();
    Wish { every: Duration::from_secs(30), most_sent_bps: BUDGET, paths }
}

fn ids(plan: &WatchPlan) -> Vec<&str> {
    plan.policy.checks.iter().map(|check| check.id.as_str()).collect()
}

fn policies() -> Vec<Policy> {
    ["demo", "venue-survey", "show-day"].map(shipped).into()
}

#[test]
fn no_watch_of_a_shipped_policy_loads_the_line_sends_media_or_asks_people() {
    for policy in policies() {
        let plan = WatchPlan::new(&policy, &wish(&[]));
        assert_eq!(plan.watched.len() + plan.left_out.len(), policy.checks.len(), "each is told");
        assert!(!plan.watched.is_empty());
        for (watched, check) in plan.watched.iter().zip(&plan.policy.checks) {
            assert!(matches!(watched.item.lane, Lane::Ask | Lane::Delay), "{}", check.id);
            let asked = serde_json::to_string(&check.question).unwrap();
            for secret in ["\"test\"", "test_key", "stream_id", "passphrase"] {
                assert!(!asked.contains(secret), "{}: {asked}", check.id);
            }
        }
        let lanes = |lane| policy.checks.iter().filter(move |check| check.question.kind().lane() == lane);
        for check in lanes(Lane::Load).chain(lanes(Lane::Person)) {
            let left = plan.left_out.iter().find(|left| left.check == check.id).unwrap();
            assert!(!left.why.is_empty());
        }
    }
}

#[test]
fn intervals_grow_until_the_budget_is_kept() {
    for policy in policies() {
        for most_sent_bps in [1, 1000, 20_000, BUDGET, 1_000_000_000] {
            let plan = WatchPlan::new(&policy, &Wish { most_sent_bps, ..wish(&[]) });
            assert!(plan.most_bps()[0] <= most_sent_bps, "{:?} > {most_sent_bps}", plan.most_bps());
            let longer = plan.watched.iter().all(|one| one.every > Duration::from_secs(30));
            assert_eq!(plan.stretched, longer);
        }
    }
}

#[test]
fn the_backup_is_watched_unless_another_path_is_named() {
    let policy = shipped("venue-survey");
    let plan = WatchPlan::new(&policy, &wish(&[]));
    assert!(ids(&plan).contains(&"backup.ingest") && !ids(&plan).contains(&"venue.portal"));
    let primary = WatchPlan::new(&policy, &wish(&["primary"]));
    assert!(ids(&primary).contains(&"venue.portal") && !ids(&primary).contains(&"backup.ingest"));
    let both = WatchPlan::new(&policy, &wish(&["primary", "backup"]));
    assert!(ids(&both).contains(&"venue.portal") && ids(&both).contains(&"backup.ingest"));
    assert!(ids(&plan).contains(&"youtube.primary.name"), "what names no path is watched always");
}

#[test]
fn it_ends_with_the_event_and_never_after_the_authorisation() {
    let mut policy = shipped("venue-survey");
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let when = |text: &str| crate::model::When::try_from(text.to_owned()).unwrap();
    let ends = |policy: &Policy, lasting| {
        WatchPlan::new(policy, &wish(&[])).ends(lasting, at("2026-12-04T13:00:00Z"))
    };
    policy.event.ends = Some(when("2026-12-04T15:30:00+01:00"));
    policy.authorisation.as_mut().unwrap().window = None;
    assert_eq!(ends(&policy, None), Some((at("2026-12-04T14:30:00Z"), "the event's end")));
    let hour = Some(SignedDuration::from_hours(1));
    assert_eq!(ends(&policy, hour), Some((at("2026-12-04T14:00:00Z"), "--for")));
    let window = policy::Window { from: when("2026-12-01T00:00:00Z"), to: when("2026-12-04T13:10:00Z") };
    policy.authorisation.as_mut().unwrap().window = Some(window);
    assert_eq!(ends(&policy, hour), Some((at("2026-12-04T13:10:00Z"), "the end of the authorisation")));
    policy.event.ends = None;
    policy.authorisation = None;
    assert_eq!(ends(&policy, None), None, "until somebody stops it");
}

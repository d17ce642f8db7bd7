//! How a run begins: its id, what it announces.

use std::time::Duration;

use jiff::Timestamp;

use super::Carried;
use super::event::{CheckHead, FORMAT, Started};
use super::job::Job;
use super::plan::{Item, Plan};
use crate::model::CheckId;
use crate::net::{clock, machine};
use crate::policy::{Check, Policy};
use crate::report::ledger::{self, Entry};

/// Now, or the first second that no run of the event began in: a run is named by it.
pub(super) async fn own_second(known: &[Entry]) -> Timestamp {
    let runs = ledger::runs(known);
    let mut now = clock::now();
    // three seconds: no clock that goes on needs more
    for _ in 0..30 {
        if !runs.contains(&run_id(now).as_str()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        now = clock::now();
    }
    now
}

pub(super) fn started(job: &Job, carried: Option<&Carried>, at: Timestamp) -> Started {
    let plan = Plan::new(&job.policy);
    let asked = |check: &CheckId| carried.is_none_or(|carried| !carried.measurements.contains_key(check));
    Started {
        format: FORMAT.to_owned(),
        run: run_id(at),
        golive: env!("CARGO_PKG_VERSION").to_owned(),
        at,
        policy_source: job.policy_source.clone(),
        answers_source: job.answers_source.clone(),
        checks: plan.items.iter().filter_map(|item| head(&job.policy, item)).collect(),
        seconds: plan.only(asked).seconds(),
        policy: job.policy.clone(),
        vantage: machine::vantage(),
        again: carried.map(|carried| carried.again.clone()),
    }
}

/// `20261204T130000Z`-like, so that folders sort by time.
pub fn run_id(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn head(policy: &Policy, item: &Item) -> Option<CheckHead> {
    let check: &Check = policy.checks.get(item.index)?;
    Some(CheckHead {
        id: check.id.clone(),
        probe: check.question.kind(),
        target: check.question.brief(),
        path: check.path.clone(),
        lane: item.lane,
        enforcement: check.enforcement,
        owner: check.owner.clone(),
        accountable: policy.accountable.get(&check.owner).cloned(),
        why: check.why.clone(),
        limits: check.question.limit_rows(),
        seconds: item.demand.seconds,
    })
}

//! How a watch begins, and the document that it ends in.

use std::time::Duration;

use jiff::Timestamp;

use super::event::{FORMAT, WatchStarted, WishDoc};
use super::{Recorded, WatchJob, WatchPlan};
use crate::judge::watch::{Timeline, exit_code, worst};
use crate::net::clock;
use crate::net::webhook::Webhook;
use crate::report::{LeftOutDoc, WATCH_SCHEMA, WatchDoc, WatchedDoc, policy_digest};
use crate::run::opening::run_id;

pub(super) fn started(job: &WatchJob, plan: &WatchPlan) -> WatchStarted {
    let at = clock::now();
    let [most_sent_bps, most_received_bps] = plan.most_bps();
    let left_out = plan.left_out.iter().map(|left| LeftOutDoc {
        check: left.check.clone(),
        probe: left.probe.name().to_owned(),
        why: left.why.clone(),
    });
    WatchStarted {
        format: FORMAT.to_owned(),
        watch: run_id(at),
        golive: env!("CARGO_PKG_VERSION").to_owned(),
        at,
        ends: plan.ends(job.lasting, at).map(|(at, by)| (at, by.to_owned())),
        policy: plan.policy.clone(),
        policy_source: job.policy_source.clone(),
        policy_sha256: policy_digest(&serde_json::to_value(&job.policy).unwrap_or_default()),
        wish: WishDoc {
            every_ms: u64::try_from(job.wish.every.as_millis()).unwrap_or(u64::MAX),
            most_sent_bps: job.wish.most_sent_bps,
            paths: job.wish.paths.clone(),
        },
        checks: heads(plan),
        left_out: left_out.collect(),
        most_sent_bps,
        most_received_bps,
        stretched: plan.stretched,
        webhook: job.webhook.as_ref().map(Webhook::host),
        metrics: job.metrics.as_ref().and_then(|metrics| metrics.address().ok()),
    }
}

/// Each check that is looked at, before the first look.
pub fn heads(plan: &WatchPlan) -> Vec<WatchedDoc> {
    plan.watched.iter().filter_map(|watched| head(plan, watched)).collect()
}

fn head(plan: &WatchPlan, watched: &super::Watched) -> Option<WatchedDoc> {
    let check = plan.policy.checks.get(watched.item.index)?;
    Some(WatchedDoc {
        check: check.id.clone(),
        probe: check.question.kind().name().to_owned(),
        target: check.question.brief(),
        path: check.path.clone(),
        enforcement: check.enforcement,
        owner: check.owner.clone(),
        accountable: plan.policy.accountable.get(&check.owner).cloned(),
        every_s: watched.every.as_secs_f64(),
        looks: 0,
        state: None,
        worst: None,
        timeline: Timeline::default(),
    })
}

/// All that was seen until `at`.
pub(super) fn of(started: &WatchStarted, recorded: &Recorded, at: Timestamp, ended_by: &str) -> WatchDoc {
    let checks: Vec<WatchedDoc> = started.checks.iter().map(|head| filled(head, recorded, at)).collect();
    let worst = worst(checks.iter().map(|check| (check.enforcement, check.worst)));
    WatchDoc {
        schema: WATCH_SCHEMA.to_owned(),
        golive: env!("CARGO_PKG_VERSION").to_owned(),
        watch: started.watch.clone(),
        started: started.at,
        finished: at,
        ended_by: ended_by.to_owned(),
        resumed: recorded.resumed,
        event: started.policy.event.clone(),
        layers: started.policy.layers.clone(),
        policy_sha256: started.policy_sha256.clone(),
        every_s: Duration::from_millis(started.wish.every_ms).as_secs_f64(),
        most_sent_bps: started.most_sent_bps,
        most_received_bps: started.most_received_bps,
        worst,
        exit_code: exit_code(worst),
        checks,
        left_out: started.left_out.clone(),
        alerts: recorded.alerts.clone(),
        alerts_in_all: recorded.alerts_in_all,
        webhook: recorded.webhook.clone(),
    }
}

/// A check with what was seen of it.
fn filled(head: &WatchedDoc, recorded: &Recorded, at: Timestamp) -> WatchedDoc {
    let Some(record) = recorded.records.get(&head.check) else { return head.clone() };
    let mut timeline = record.timeline.clone();
    if let Some(every) = recorded.interval(&head.check) {
        timeline.close(at, every);
    }
    let (state, worst) = (record.alarm.state(), record.worst);
    WatchedDoc { looks: record.looks, state, worst, timeline, ..head.clone() }
}

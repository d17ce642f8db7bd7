//! Measuring again: what it sends and how long it takes, before anything is sent.

use std::collections::BTreeSet;

use super::{Purpose, Sheet, one};
use crate::model::{CheckId, Transport};
use crate::policy::Policy;
use crate::run::Plan;
use crate::run::plan::volume;
use crate::ui::story::{Card, Story};

impl Sheet {
    /// For measuring the selected check again, or all that need attention.
    ///
    /// # Errors
    /// Why nothing can be measured again.
    pub fn again(policy: &Policy, story: &Story, card: &Card) -> Result<Self, &'static str> {
        if story.ending.is_none() {
            return Err("wait until the run is over");
        }
        if policy.checks.len() < 2 {
            return Err("this is the policy's only check: run golive check again");
        }
        let of = |card: &Card| policy.checks.iter().find(|check| check.id.as_str() == card.id);
        let own = BTreeSet::from([of(card).ok_or("the policy does not know this check")?.id.clone()]);
        let bad = story.cards.iter().filter(|card| card.needs_attention());
        let bad: BTreeSet<CheckId> = bad.filter_map(|card| Some(of(card)?.id.clone())).collect();
        let mut choices = vec![own];
        if bad.len() < policy.checks.len() && !bad.is_empty() && !choices.contains(&bad) {
            choices.push(bad);
        }
        let labels = choices.iter().map(|checks| label(policy, checks)).collect();
        let outcome = card.outcome().map_or("", crate::model::Outcome::word);
        let about = vec![
            format!("{}: {outcome}. {}", card.id, places(policy, &choices)),
            "It is a run of its own, counted in the event's ledger. The other checks are carried from this one, \
             and page 1 says so; what was decided about this report does not hold for the new one."
                .to_owned(),
        ];
        Ok(Self::new("measure again", about, vec![one("measure", labels, 0)], Purpose::Again(choices)))
    }
}

/// `uplink.primary: about 12 s, sends at most 11.3 MB`.
fn label(policy: &Policy, checks: &BTreeSet<CheckId>) -> String {
    let plan = Plan::new(policy).only(|check| checks.contains(check));
    let ((sent, _, _), seconds) = (plan.totals(), plan.seconds().ceil());
    let what = match checks.first().filter(|_| checks.len() == 1) {
        Some(check) => check.to_string(),
        None => format!("all {} that need attention", checks.len()),
    };
    format!("{what}: about {seconds:.0} s, sends at most {}", volume(sent))
}

/// Where the packets of the most that can be chosen go.
fn places(policy: &Policy, choices: &[BTreeSet<CheckId>]) -> String {
    const MOST: usize = 4;
    let plan = Plan::new(policy).only(|check| choices.iter().any(|checks| checks.contains(check)));
    let places: Vec<String> = plan
        .destinations()
        .into_keys()
        .map(|endpoint| match endpoint.transport {
            Transport::Tcp => format!("{} port {} (TCP)", endpoint.host, endpoint.port),
            Transport::Udp => format!("{} port {} (UDP)", endpoint.host, endpoint.port),
            Transport::Icmp => format!("{} (ICMP)", endpoint.host),
        })
        .collect();
    let shown = places.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match places.len() {
        0 => "Nothing is sent.".to_owned(),
        all if all > MOST => format!("Sends to {shown} and {} more places.", all - MOST),
        _ => format!("Sends to {shown}."),
    }
}

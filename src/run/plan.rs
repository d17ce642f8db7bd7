//! What a run will do and cost, known before anything is sent. Pure.

use std::collections::BTreeMap;

use crate::model::{CheckId, Demand, Endpoint, Lane};
use crate::policy::{Pace, Policy};

/// One check of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Index into the policy's checks.
    pub index: usize,
    /// The check.
    pub check: CheckId,
    /// When it may run.
    pub lane: Lane,
    /// What it costs at most.
    pub demand: Demand,
}

/// All checks in the order in which they will be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// By lane, then in the policy's order.
    pub items: Vec<Item>,
    /// How fast questions are asked.
    pub pace: Pace,
}

/// What goes to one destination.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Destination {
    /// The checks that contact it.
    pub checks: Vec<CheckId>,
    /// Bytes sent at most, if every byte of those checks went here.
    pub bytes_up: u64,
    /// Bytes received at most, likewise.
    pub bytes_down: u64,
    /// Packets sent at most, likewise.
    pub packets: u64,
}

impl Plan {
    /// Plans all checks of a policy.
    pub fn new(policy: &Policy) -> Self {
        let mut items: Vec<Item> = policy
            .checks
            .iter()
            .enumerate()
            .map(|(index, check)| Item {
                index,
                check: check.id.clone(),
                lane: check.question.lane(),
                demand: check.question.demand(&policy.far_ends),
            })
            .collect();
        items.sort_by_key(|item| item.lane);
        Self { items, pace: policy.pace }
    }

    /// The same without checks that are not asked.
    #[must_use]
    pub fn only(mut self, asked: impl Fn(&CheckId) -> bool) -> Self {
        self.items.retain(|item| asked(&item.check));
        self
    }

    /// The checks of one lane.
    pub fn lane(&self, lane: Lane) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.lane == lane)
    }

    /// Seconds that the whole run is expected to take.
    pub fn seconds(&self) -> f64 {
        [Lane::Person, Lane::Ask, Lane::Delay, Lane::Load]
            .into_iter()
            .map(|lane| self.lane_seconds(lane))
            .sum()
    }

    /// Seconds that one lane is expected to take.
    pub fn lane_seconds(&self, lane: Lane) -> f64 {
        let each = || self.lane(lane).map(|item| item.demand.seconds);
        let sum: f64 = each().sum();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (shared, count) = (sum / width(lane, &self.pace) as f64, each().count() as f64);
        let paced = self.pace.spacing().as_secs_f64() * count;
        let paced = if lane == Lane::Ask { paced } else { 0.0 };
        each().fold(shared.max(paced), f64::max)
    }

    /// Traffic by destination, in a stable order.
    pub fn destinations(&self) -> BTreeMap<Endpoint, Destination> {
        let mut all: BTreeMap<Endpoint, Destination> = BTreeMap::new();
        for item in &self.items {
            for endpoint in &item.demand.endpoints {
                let entry = all.entry(endpoint.clone()).or_default();
                entry.checks.push(item.check.clone());
                entry.bytes_up = entry.bytes_up.saturating_add(item.demand.bytes_up);
                entry.bytes_down = entry.bytes_down.saturating_add(item.demand.bytes_down);
                entry.packets = entry.packets.saturating_add(item.demand.packets);
            }
        }
        all
    }

    /// Bytes sent, bytes received and packets sent at most, over all checks.
    pub fn totals(&self) -> (u64, u64, u64) {
        self.items.iter().fold((0, 0, 0), |(up, down, packets), item| {
            (
                item.demand.bytes_up.saturating_add(up),
                item.demand.bytes_down.saturating_add(down),
                item.demand.packets.saturating_add(packets),
            )
        })
    }
}

/// Bytes in decimal units, as line rates have: `11.3 MB`.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn volume(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// How many checks of a lane run side by side.
pub fn width(lane: Lane, pace: &Pace) -> usize {
    match lane {
        Lane::Person | Lane::Ask => pace.at_once(),
        Lane::Delay | Lane::Load => 1,
    }
}

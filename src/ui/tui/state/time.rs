//! What a viewer's clock and the plan say of the run.

use jiff::{SignedDuration, Timestamp};

use super::{State, Watching};
use crate::model::Lane;
use crate::run::plan;
use crate::ui::story::{Card, Stage};

impl State {
    /// Milliseconds of the run; stands still once it is over.
    pub fn elapsed_ms(&self) -> f64 {
        (self.ended_ms.unwrap_or(self.now_ms) - self.base_ms).max(0.0)
    }

    /// The viewer's clock, for what turns.
    pub const fn now_ms(&self) -> f64 {
        self.now_ms
    }

    /// The instant that the screen shows: of a run the present one, of a recording that of the
    /// recorded run.
    pub fn instant(&self) -> Option<Timestamp> {
        let opening = self.story.opening.as_ref()?;
        let from = opening.resumed.map_or(opening.at, |(at, _)| at);
        let ms = match self.watching {
            Watching::Run => (self.now_ms - self.base_ms).max(0.0),
            Watching::Recording => self.elapsed_ms(),
        };
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        from.checked_add(SignedDuration::from_millis(ms as i64)).ok()
    }

    /// Milliseconds that a running check has taken so far.
    pub fn running_ms(&self, card: &Card) -> Option<f64> {
        match card.stage {
            Stage::Running { offset_ms } => Some((self.elapsed_ms() - offset_ms).max(0.0)),
            _ => None,
        }
    }

    /// Seconds that are left by the plan: lane by lane, as the run goes through them. `None`
    /// when nothing is left by the plan though checks still run: then nobody knows.
    pub fn seconds_left(&self) -> Option<f64> {
        let lanes = [Lane::Person, Lane::Ask, Lane::Delay, Lane::Load];
        let left: f64 = lanes.into_iter().map(|lane| self.lane_left(lane)).sum();
        let over = left <= 0.0 && self.story.done() < self.story.cards.len();
        (!over).then_some(left)
    }

    fn lane_left(&self, lane: Lane) -> f64 {
        let open = self.story.cards.iter().filter(|card| card.lane == lane && card.outcome().is_none());
        let left = open.map(|card| match card.stage {
            Stage::Measured => 0.0,
            _ => (card.seconds - self.running_ms(card).unwrap_or(0.0) / 1000.0).max(0.0),
        });
        let pace = self.story.policy().map(|policy| policy.pace).unwrap_or_default();
        let (sum, longest) = left.fold((0.0, 0.0_f64), |(sum, longest), one| (sum + one, longest.max(one)));
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let shared = sum / plan::width(lane, &pace) as f64;
        shared.max(longest)
    }
}

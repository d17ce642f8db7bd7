//! When a change of outcome is told: two looks of the last three must agree on it.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::Look;
use crate::model::Outcome;

/// Looks that are weighed together. The state is the second worst of them: it gets worse when two of
/// three looks are that bad, and better when two are that good. One odd look changes nothing.
pub const LOOKS: usize = 3;

/// The state of a check, slow to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alarm {
    last: VecDeque<(Timestamp, Outcome)>,
    state: Option<Outcome>,
}

/// A state that was left for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The state before; `None` before the first.
    pub from: Option<Outcome>,
    /// The state now.
    pub to: Outcome,
    /// When the first of the looks that tell so began.
    pub since: Timestamp,
}

impl Change {
    /// True when people must hear of it: not of a check that is well from the start.
    pub const fn is_news(&self) -> bool {
        self.from.is_some() || !matches!(self.to, Outcome::Pass | Outcome::NotApplicable)
    }
}

impl Alarm {
    /// The state; `None` before two looks were taken in.
    pub const fn state(&self) -> Option<Outcome> {
        self.state
    }

    /// Looks from before nobody looked count no more; the state stays until there are new ones.
    pub fn forget(&mut self) {
        self.last.clear();
    }

    /// Takes a look in.
    pub fn hear(&mut self, look: &Look) -> Option<Change> {
        self.last.push_back((look.at, look.outcome));
        while self.last.len() > LOOKS {
            self.last.pop_front();
        }
        let mut seen: Vec<Outcome> = self.last.iter().map(|(_, outcome)| *outcome).collect();
        seen.sort_unstable();
        let to = *seen.iter().rev().nth(1)?;
        if self.state == Some(to) {
            return None;
        }
        let from = self.state.replace(to);
        let worse = from.is_none_or(|from| to > from);
        let tells = |outcome: Outcome| if worse { outcome >= to } else { outcome <= to };
        let since = self.last.iter().find(|(_, outcome)| tells(*outcome)).map_or(look.at, |(at, _)| *at);
        Some(Change { from, to, since })
    }
}

//! How the checks stand, area by area.

use super::Card;
use crate::model::Outcome;

/// One area of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaSoFar {
    /// Its name.
    pub name: String,
    /// The accountable role and, if the policy names one, the person.
    pub accountable: Option<String>,
    /// What each of its checks came to; `None` for those without an outcome.
    pub outcomes: Vec<Option<Outcome>>,
}

impl AreaSoFar {
    /// The areas of some checks, in the order in which those name them.
    pub fn of(cards: &[Card]) -> Vec<Self> {
        let mut areas: Vec<Self> = Vec::new();
        for card in cards {
            if let Some(area) = areas.iter_mut().find(|area| area.name == card.owner) {
                area.outcomes.push(card.outcome());
            } else {
                areas.push(Self {
                    name: card.owner.clone(),
                    accountable: card.accountable.clone(),
                    outcomes: vec![card.outcome()],
                });
            }
        }
        areas
    }

    /// How many of its checks have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|one| **one == Some(outcome)).count()
    }

    /// How many of its checks have an outcome.
    pub fn done(&self) -> usize {
        self.outcomes.iter().flatten().count()
    }
}

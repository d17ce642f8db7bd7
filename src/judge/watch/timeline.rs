//! Periods of one outcome, and those in which nobody looked.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Look;
use crate::model::Outcome;

/// Most periods that are kept of one check. Beyond them the oldest two become one.
pub const MOST_PERIODS: usize = 200;
/// How late a look may be beyond three times its interval before that is a gap: a machine that is busy
/// is no machine that slept.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// From when to when every look came to the same. An outcome holds until the next look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// When its first look began.
    pub from: Timestamp,
    /// When its last look ended, or the next period began.
    pub until: Timestamp,
    /// What the looks came to; `None` when nobody looked.
    pub outcome: Option<Outcome>,
    /// How many looks.
    pub looks: u64,
    /// Of its first look: the finding that weighs most, or why nothing was measured.
    pub code: String,
    /// Of its first look: what was seen.
    pub said: String,
    /// How many periods were put into this one, oldest first, so that there is an end to them; its
    /// outcome is then the worst of theirs.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub put_together: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The periods of one check: one after another, without a hole, at most [`MOST_PERIODS`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Timeline(Vec<Period>);

impl Timeline {
    /// The periods, oldest first.
    pub fn periods(&self) -> &[Period] {
        &self.0
    }

    /// Takes in a look at a check that is looked at `every` so often; true when nobody looked before it
    /// for much longer than that.
    pub fn add(&mut self, look: &Look, every: SignedDuration) -> bool {
        let at = self.0.last().map_or(look.at, |last| look.at.max(last.until));
        let gap = self.close(at, every);
        let until = look.until.max(at);
        match self.0.last_mut() {
            Some(last) if last.outcome == Some(look.outcome) => {
                last.until = until;
                last.looks = last.looks.saturating_add(1);
            }
            last => {
                if let Some(last) = last {
                    last.until = at;
                }
                self.0.push(Period {
                    from: at,
                    until,
                    outcome: Some(look.outcome),
                    looks: 1,
                    code: look.code.clone(),
                    said: look.said.clone(),
                    put_together: 0,
                });
                self.bound();
            }
        }
        gap
    }

    /// Ends the timeline at `at`: true, and a period of its own, when nobody had looked for long.
    pub fn close(&mut self, at: Timestamp, every: SignedDuration) -> bool {
        let Some(last) = self.0.last() else { return false };
        let longest = every.saturating_mul(3).saturating_add(SLACK);
        if at.duration_since(last.until) <= longest {
            return false;
        }
        self.0.push(Period {
            from: last.until,
            until: at,
            outcome: None,
            looks: 0,
            code: String::new(),
            said: String::new(),
            put_together: 0,
        });
        self.bound();
        true
    }

    fn bound(&mut self) {
        while self.0.len() > MOST_PERIODS {
            let oldest = self.0.remove(0);
            let Some(first) = self.0.first_mut() else { return };
            let worse = oldest.outcome > first.outcome;
            first.from = oldest.from;
            first.looks = first.looks.saturating_add(oldest.looks);
            first.put_together = first.put_together.max(1) + oldest.put_together.max(1);
            if worse {
                (first.outcome, first.code, first.said) = (oldest.outcome, oldest.code, oldest.said);
            }
        }
    }
}

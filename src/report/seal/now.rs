//! Whether a report carries a decision now: who has signed, what has expired, what ran since.

use std::collections::BTreeSet;

use super::verify::Verifier;
use super::{Problem, Roster};
use crate::model::{CheckId, Role};
use crate::policy::Policy;
use crate::report::Document;
use crate::report::ledger::{self, Entry};
use crate::report::v1::WaiverState;

impl Verifier<'_> {
    /// Who must decide has decided, strongly enough.
    pub fn asked(&mut self, roster: &Roster<'_>) {
        for role in roster.needed() {
            let found = self.standing.signed.iter().find(|signed| signed.decision.role == role);
            let has = found.map(|signed| signed.level);
            let tried = self.bundle.words.contains_key(&role);
            let asked = roster.asks(&role);
            match has {
                // why it does not count has been said
                None if tried => {}
                None => {
                    let file = self.standing.file.clone();
                    self.problem(Problem::NotDecided { role, file });
                }
                Some(has) if has < asked => self.problem(Problem::TooWeak { role, has, asked }),
                Some(_) => {}
            }
        }
    }

    /// Whether what the verdict rests on still counts.
    pub fn still(&mut self, document: &Document) {
        let now = self.now;
        let waivers = document.waivers.iter().filter(|waiver| waiver.state == WaiverState::InUse);
        let mut ended = false;
        for waiver in waivers.map(|doc| &doc.waiver).filter(|waiver| waiver.expires.at() <= now) {
            ended = true;
            let (check, by, until) = (waiver.check.clone(), waiver.by.clone(), waiver.expires.at());
            self.problem(Problem::WaiverExpired { check, by, until });
        }
        let required = document.checks.iter().filter(|check| check.enforcement.required());
        let old: Vec<CheckId> = required
            .filter(|check| check.expires.is_some_and(|expires| expires < now))
            .map(|check| check.id.clone())
            .collect();
        if let Some(until) =
            document.verdict.expires.filter(|until| *until <= now && (!ended || !old.is_empty()))
        {
            self.problem(Problem::Stale { until, checks: old });
        }
    }

    pub fn ledger(&mut self, document: &Document, beside: Option<&[Entry]>) {
        let Some(own) = &document.ledger else {
            return self
                .note("this report carries no ledger: earlier runs of the event are not known".to_owned());
        };
        if let Err(error) = own.check(document) {
            return self.problem(Problem::Ledger(error.to_string()));
        }
        let Some(beside) = beside.filter(|_| own.apart.is_none()) else { return };
        if let Err(error) = ledger::check(beside) {
            return self.problem(Problem::Ledger(format!("beside the runs: {error}")));
        }
        let Some(later) = beside.strip_prefix(own.lines.as_slice()) else {
            let what = "the ledger beside the runs does not hold the lines that this report carries: \
                        one of the two was rewritten";
            return self.problem(Problem::Ledger(what.to_owned()));
        };
        for line in later {
            if let Some((verdict, _)) = line.step.outcome() {
                self.note(format!(
                    "since then: run {} of the same event came to {verdict} ({})",
                    line.run, line.at
                ));
            }
        }
    }
}

/// The roles whose decision a report needs.
pub fn must_sign(policy: &Policy) -> BTreeSet<Role> {
    if policy.signatures.required.is_empty() {
        policy.accountable.values().cloned().collect()
    } else {
        policy.signatures.required.iter().cloned().collect()
    }
}

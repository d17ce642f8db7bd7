//! Whether a report, what was decided about it, and what it rests on still stand. Pure: the
//! bytes come in, and the time.

use jiff::{SignedDuration, Timestamp};

use super::{
    Bundle, Decision, Gravity, Problem, Roster, Signature, Words, fingerprint, message, objection, parts,
    sha256,
};
use crate::judge;
use crate::model::Role;
use crate::policy::{Level, Policy};
use crate::report::ledger::Entry;
use crate::report::{self, Document, line};

/// How far two clocks may lie apart.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// One role's decision, read and held against everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    /// What it says.
    pub decision: Decision,
    /// How it is tied to its person, as far as that is proven.
    pub level: Level,
}

impl Signed {
    /// The level and what proves it: `ticket approval: CHG0031337`.
    pub fn tied(&self) -> String {
        let proof = match self.level {
            Level::Key => self.decision.key.as_ref(),
            Level::Ticket => self.decision.ticket.as_ref(),
            Level::Named => None,
        };
        proof.map_or_else(|| self.level.to_string(), |proof| format!("{}: {proof}", self.level))
    }
}

/// What verifying a report came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The report's file name.
    pub file: String,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// The report, if it can be read.
    pub document: Option<Document>,
    /// The decisions that hold.
    pub signed: Vec<Signed>,
    /// Why it may not be relied on; empty = it may.
    pub problems: Vec<Problem>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

impl Standing {
    /// The worst of its problems.
    pub fn gravity(&self) -> Option<Gravity> {
        self.problems.iter().map(Problem::gravity).max()
    }
}

/// Holds a report's files against each other and against now. `today` is a policy that the
/// verifier trusts (newer keys, revoked keys); `beside` the ledger that lies beside the runs.
pub fn verify(bundle: &Bundle, today: Option<&Policy>, beside: Option<&[Entry]>, now: Timestamp) -> Standing {
    let mut verifier = Verifier {
        bundle,
        now,
        standing: Standing {
            file: line(bundle.names.report()),
            sha256: sha256(&bundle.report),
            document: None,
            signed: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        },
    };
    let document = match report::read(&bundle.report) {
        Ok(document) => Some(document),
        Err(error) => {
            let file = verifier.standing.file.clone();
            verifier.problem(Problem::Report { file, why: error.to_string() });
            None
        }
    };
    let own = document.as_ref().and_then(|document| verifier.report(document));
    let roster = own.as_ref().map(|own| Roster::new(own, today));
    verifier.decisions(document.as_ref(), own.as_ref(), roster.as_ref(), today.is_some());
    if let (Some(document), Some(own), Some(roster)) = (&document, &own, &roster) {
        verifier.carried(document, own);
        if document.redacted.is_some() {
            verifier.copy(document);
        } else {
            verifier.asked(roster);
            verifier.trusted(own, today);
            verifier.ledger(document, beside);
        }
        verifier.still(document);
    }
    verifier.standing.document = document;
    verifier.standing
}

pub(super) struct Verifier<'a> {
    pub bundle: &'a Bundle,
    pub now: Timestamp,
    pub standing: Standing,
}

impl Verifier<'_> {
    pub fn problem(&mut self, problem: Problem) {
        self.standing.problems.push(problem);
    }

    pub fn note(&mut self, note: String) {
        self.standing.notes.push(note);
    }

    /// Whether the report follows from what it holds; gives its policy.
    fn report(&mut self, document: &Document) -> Option<Policy> {
        let (policy, evidence) = match report::judged_from(document) {
            Ok(parts) => parts,
            Err(error) => {
                let file = self.standing.file.clone();
                self.problem(Problem::Report { file, why: error.to_string() });
                return None;
            }
        };
        let verdict = judge::evaluate(&policy, &evidence, document.verdict.evaluated_at);
        let again = report::build(document.run.clone(), &policy, &evidence, &verdict);
        let report::Departures { hard, worded } = report::departures(document, &again);
        if !hard.is_empty() {
            self.problem(Problem::Verdict(hard));
        }
        if !worded.is_empty() {
            let wrote = line(&document.golive);
            let by = if document.golive == again.golive { "another build of golive" } else { "golive" };
            self.note(format!(
                "texts that this golive writes otherwise (they are of {by} {wrote}, or of somebody's hand: read them as \
                 such): {}. Outcomes, enforcement, waivers and expiries do follow from the readings",
                worded.join("; ")
            ));
        }
        Some(policy)
    }

    fn decisions(
        &mut self,
        document: Option<&Document>,
        own: Option<&Policy>,
        roster: Option<&Roster<'_>>,
        trusted: bool,
    ) {
        for (role, Words { decision, signature }) in &self.bundle.words {
            let Some(bytes) = decision else {
                let file = self.bundle.names.signature(role.as_str());
                self.problem(Problem::DecisionMissing { file });
                continue;
            };
            let decision = match Decision::from_bytes(bytes) {
                Ok(decision) => decision,
                Err(error) => {
                    let file = self.bundle.names.decision(role.as_str());
                    self.problem(Problem::Decision { file, why: error.to_string() });
                    continue;
                }
            };
            let before = self.standing.problems.len();
            self.about_this(role, &decision);
            if let (Some(document), Some(own), Some(roster)) = (document, own, roster) {
                self.decided(role, &decision, document, own);
                let sound = self.standing.problems.len() == before;
                let level = self.tied(role, &decision, bytes, signature.as_deref(), roster, sound);
                if self.standing.problems.len() == before {
                    self.standing.signed.push(Signed { decision, level });
                }
            }
        }
        let same = same_hands(&self.standing.signed);
        self.standing.notes.extend(same);
        if !trusted && self.standing.signed.iter().any(|signed| signed.level == Level::Key) {
            self.note(
                "the keys are those that the report's own policy names: compare the fingerprints with what \
                 you know, or give a policy that you trust with --policy"
                    .to_owned(),
            );
        }
    }

    /// The decision is about this very report, by the role in its file's name.
    fn about_this(&mut self, role: &Role, decision: &Decision) {
        if decision.role != *role {
            let (file, made_by) = (self.bundle.names.decision(role.as_str()), decision.role.to_string());
            self.problem(Problem::RoleSwapped { file, made_by, role: role.clone() });
        }
        if decision.report_sha256 != self.standing.sha256 {
            self.problem(Problem::ReportChanged {
                file: self.standing.file.clone(),
                role: role.clone(),
                signed: short(&decision.report_sha256),
                found: short(&self.standing.sha256),
                changed: parts::changed(&decision.parts, &self.bundle.report)
                    .iter()
                    .map(|part| line(part))
                    .take(8)
                    .collect(),
            });
        }
    }

    /// Who decided, and when.
    fn decided(&mut self, role: &Role, decision: &Decision, document: &Document, own: &Policy) {
        let file = self.bundle.names.decision(role.as_str());
        let (at, role) = (decision.at, role.clone());
        match own.people.get(&role) {
            None => return self.problem(Problem::UnknownRole { file, role }),
            Some(person) if person.name != decision.name => {
                let (found, named) = (line(&decision.name), line(&person.name));
                return self.problem(Problem::WrongName { file, role, found, named });
            }
            Some(_) => {}
        }
        let computed = document.verdict.evaluated_at;
        if computed.duration_since(at) > SLACK {
            self.problem(Problem::TooEarly { role, at, computed });
        } else if at.duration_since(self.now) > SLACK {
            self.problem(Problem::Future { role, at });
        } else if let Some(until) = document.verdict.expires.filter(|until| at >= *until) {
            self.problem(Problem::SignedStale { role, at, until });
        }
        if objection(decision.verdict, decision.decision).is_some() && decision.dissent.is_none() {
            self.note(format!("{} decided against the verdict and does not say why", decision.role));
        }
    }

    /// How the decision is tied to its person, as far as it is proven.
    fn tied(
        &mut self,
        role: &Role,
        decision: &Decision,
        bytes: &[u8],
        signature: Option<&[u8]>,
        roster: &Roster<'_>,
        sound: bool,
    ) -> Level {
        let without_key = if decision.ticket.is_some() { Level::Ticket } else { Level::Named };
        let file = self.bundle.names.signature(role.as_str());
        let Some(signature) = signature else {
            if let Some(key) = &decision.key {
                let key = line(key);
                self.problem(Problem::SignatureMissing { role: role.clone(), key, file });
            } else if let Some(key) = roster.fingerprint(role) {
                self.problem(Problem::NotByKey { role: role.clone(), has: without_key, key });
            }
            return without_key;
        };
        let signature = match Signature::read(signature) {
            Ok(signature) => signature,
            Err(error) => {
                let why = error.to_string();
                self.problem(Problem::SignatureDamaged { file, role: role.clone(), why });
                return without_key;
            }
        };
        if signature.role().as_ref() != Some(role) {
            let made_by =
                signature.role().map_or("something else than a golive report".to_owned(), String::from);
            self.problem(Problem::RoleSwapped { file, made_by, role: role.clone() });
            return without_key;
        }
        let key = signature.key();
        if let Err(problem) = roster.may_sign(role, &key, decision.at) {
            if roster.own_word_only(role, &key) {
                self.note(format!(
                    "{} is the key of {role} by the report's own policy only, and the policy that you trust \
                     names another: if the key was replaced since, verify with a policy of that time that you trust",
                    fingerprint(&key)
                ));
            }
            self.problem(match problem {
                Problem::WrongKey { role, found, known, .. } => {
                    Problem::WrongKey { file, role, found, known }
                }
                problem => problem,
            });
            return without_key;
        }
        // Of a report or a decision that is another by now, only that is said.
        if sound {
            let message = message(&self.bundle.report, bytes);
            if !signature.fits(&key, role, &message) || decision.key.as_ref() != Some(&fingerprint(&key)) {
                self.problem(Problem::SignatureWrong { file });
                return without_key;
            }
        }
        for other in roster.also(role, &key) {
            self.note(format!("the same key stands for {role} and for {other}"));
        }
        if roster.key(role).is_none() {
            self.note(format!(
                "{role} signed with {}, which the policy does not name: nothing ties that key to {}",
                fingerprint(&key),
                line(&decision.name)
            ));
            return without_key;
        }
        Level::Key
    }
}

/// One person, or one desk, behind several roles: `it and marketing signed with the same key`.
pub fn same_hands(signed: &[Signed]) -> Vec<String> {
    let shared = |of: fn(&Decision) -> Option<&String>, what: &str| -> Vec<String> {
        let mut by: Vec<(&String, Vec<&str>)> = Vec::new();
        for one in signed.iter().map(|signed| &signed.decision) {
            let Some(hand) = of(one) else { continue };
            match by.iter_mut().find(|(known, _)| *known == hand) {
                Some((_, roles)) => roles.push(one.role.as_str()),
                None => by.push((hand, vec![one.role.as_str()])),
            }
        }
        by.iter().filter_map(|(_, roles)| Some(format!("{} {what}", several(roles)?))).collect()
    };
    let mut found = shared(|decision| decision.key.as_ref(), "signed with the same key");
    found.extend(shared(|decision| decision.machine.as_ref(), "decided on the same machine"));
    found
}

/// `it, marketing and provider`; none for one alone.
fn several(roles: &[&str]) -> Option<String> {
    let (last, before) = roles.split_last().filter(|(_, before)| !before.is_empty())?;
    Some(format!("{} and {last}", before.join(", ")))
}

/// Enough of a digest for a message.
fn short(digest: &str) -> String {
    line(digest).chars().take(16).collect::<String>() + "…"
}

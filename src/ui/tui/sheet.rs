//! A sheet of fields to fill in once the run is over: a decision, a waiver to ask for, a folder
//! to write to. Pure: what is filled in becomes an [`Errand`].

mod again;

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use super::errand::{Errand, Means, Signing};
use super::form::Stroke;
use crate::judge::Word;
use crate::model::{CheckId, Enforcement, Outcome, Role, Secret, When, text};
use crate::policy::{Accepts, Policy, Waiver};
use crate::report::seal::{Choice, objection};
use crate::ui::story::{Card, Story};

/// Longest text of a field, in characters: as `golive sign` takes.
const MAX_TEXT: usize = 4000;
const CHOICES: [Choice; 3] = [Choice::Go, Choice::GoWithConditions, Choice::NoGo];
const MEANS: [&str; 5] =
    ["the role's key in the SSH agent", "a key file", "a new key", "an approved ticket", "my name only"];

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text that is shown.
    Text(String),
    /// Text that is not: neither it nor its length.
    Hidden(Secret),
    /// One of several; Up and Down choose.
    One {
        /// All of them.
        of: Vec<String>,
        /// The chosen one.
        at: usize,
    },
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What belongs there, shown while it is empty.
    pub hint: &'static str,
    /// What it holds.
    pub value: Value,
}

/// What the sheet is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Purpose {
    Sign { roles: Vec<Role>, verdict: Word },
    Propose { waiver: Box<Waiver>, codes: Vec<String>, now: Timestamp },
    Export,
    Again(Vec<BTreeSet<CheckId>>),
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// Something on the sheet.
    Typed,
    /// The sheet is to be closed.
    Closed,
    /// This is to be done.
    Ready(Errand),
}

/// The sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What it is for, in a few words.
    pub title: &'static str,
    /// What to know before filling it in.
    pub about: Vec<String>,
    /// What to fill in.
    pub fields: Vec<Field>,
    /// The field that is being filled in.
    pub at: usize,
    /// Why it was not taken.
    pub problem: Option<String>,
    /// What was done: there is nothing left to fill in.
    pub done: Option<String>,
    purpose: Purpose,
}

/// As people write times.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn text_field(name: &'static str, hint: &'static str, value: impl Into<String>) -> Field {
    Field { name, hint, value: Value::Text(value.into()) }
}

fn one(name: &'static str, of: Vec<String>, at: usize) -> Field {
    Field { name, hint: "", value: Value::One { of, at } }
}

impl Sheet {
    fn new(title: &'static str, about: Vec<String>, fields: Vec<Field>, purpose: Purpose) -> Self {
        Self { title, about, fields, at: 0, problem: None, done: None, purpose }
    }

    /// For a decision about the report.
    ///
    /// # Errors
    /// Why nobody can sign.
    pub fn sign(policy: &Policy, story: &Story) -> Result<Self, &'static str> {
        let verdict = story.ending.as_ref().ok_or("there is no report to sign yet")?.word;
        if policy.people.is_empty() {
            return Err("the policy names nobody who could sign");
        }
        let show = |text: &str| story.charset().show(text);
        let roles: Vec<Role> = policy.people.keys().cloned().collect();
        let named = policy.people.iter().map(|(role, person)| format!("{role} ({})", show(&person.name)));
        let choice = match verdict {
            Word::Go => 0,
            Word::ConditionalGo => 1,
            Word::NoGo | Word::Inconclusive => 2,
        };
        let fields = vec![
            one("role", named.collect(), 0),
            one("decision", CHOICES.map(|choice| choice.to_string()).to_vec(), choice),
            text_field("condition", "one of your own, beside the report's", ""),
            text_field("dissent", "why, if you decide otherwise than the verdict", ""),
            one("signed by", MEANS.map(str::to_owned).to_vec(), 0),
            text_field("file/ref", "of the key file, new key or ticket", ""),
            Field {
                name: "passphrase",
                hint: "of the key file; typed, never shown",
                value: Value::Hidden(Secret::from(String::new())),
            },
        ];
        let about = vec![
            format!("The verdict is {verdict}. What you decide is signed together with the report."),
            "Only a key that the policy lets sign for the role is taken.".to_owned(),
        ];
        Ok(Self::new("sign a decision", about, fields, Purpose::Sign { roles, verdict }))
    }

    /// For a waiver of the selected check, to be put before the role that may give it.
    ///
    /// # Errors
    /// Why it cannot be waived.
    pub fn propose(policy: &Policy, story: &Story, card: &Card) -> Result<Self, &'static str> {
        let now = story.ending.as_ref().ok_or("wait until the run is over")?.at;
        let accepts = match card.outcome() {
            Some(Outcome::Fail) => Accepts::Fail,
            Some(Outcome::Unknown) => Accepts::Unknown,
            _ => return Err("this check needs no waiver: it neither failed nor stayed unknown"),
        };
        let check = policy.checks.iter().find(|check| check.id.as_str() == card.id);
        let check = check.ok_or("the policy does not know this check")?;
        if check.enforcement == Enforcement::Hard {
            return Err("this check is hard: nobody can waive it");
        }
        let by = policy.accountable.get(&check.owner).ok_or("nobody is accountable for this check's area")?;
        let person = policy.people.get(by).map(|person| story.charset().show(&person.name));
        let bad = |finding: &&crate::ui::story::FindingText| Outcome::from(finding.effect) != Outcome::Pass;
        let codes: Vec<String> =
            card.findings.iter().filter(bad).map(|finding| finding.code.clone()).collect();
        let waiver = Waiver {
            check: check.id.clone(),
            accepts,
            scope: Vec::new(),
            reason: String::new(),
            compensating: None,
            by: by.clone(),
            expires: When::utc(now),
            granted: Some(When::utc(whole_second(now))),
            renewals: None,
        };
        let until = policy.event.ends.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut scopes = vec!["all that this check may find".to_owned()];
        if !codes.is_empty() {
            scopes.insert(0, format!("only {}", codes.join(", ")));
        }
        let fields = vec![
            one("covers", scopes, 0),
            text_field("reason", "why that is acceptable", ""),
            text_field("instead", "what is done instead", ""),
            text_field("until", "a time like 2026-12-04T18:00:00+01:00", until),
        ];
        let who = person.map_or_else(|| by.to_string(), |name| format!("{by} ({name})"));
        let about = vec![
            format!("{}: {}.", card.id, card.outcome().map_or("", Outcome::word)),
            format!("This waives nothing: it writes the words that {who} puts into the policy, or not."),
        ];
        let purpose = Purpose::Propose { waiver: Box::new(waiver), codes, now };
        Ok(Self::new("ask for a waiver", about, fields, purpose))
    }

    /// For the folder to export to.
    ///
    /// # Errors
    /// Why there is nothing to export.
    pub fn export(story: &Story) -> Result<Self, &'static str> {
        let written = story.ending.as_ref().is_some_and(|ending| ending.report.is_some());
        let opening = story.opening.as_ref().filter(|_| written).ok_or("there is no report to export yet")?;
        let about = vec![
            "HTML, PDF, Markdown, JUnit XML and JSON, with the decisions that lie beside the report."
                .to_owned(),
        ];
        let fields = vec![text_field("folder", "made if it is not there", format!("golive-{}", opening.run))];
        Ok(Self::new("export the report", about, fields, Purpose::Export))
    }

    /// Takes in a key.
    pub fn press(&mut self, stroke: Stroke) -> Filled {
        self.problem = None;
        if self.done.is_some() {
            return if matches!(stroke, Stroke::Close | Stroke::Enter) {
                Filled::Closed
            } else {
                Filled::Typed
            };
        }
        let last = self.fields.len().saturating_sub(1);
        match stroke {
            Stroke::Close => return Filled::Closed,
            Stroke::Enter => match self.errand() {
                Ok(errand) => return Filled::Ready(errand),
                Err((problem, field)) => (self.problem, self.at) = (Some(problem), field),
            },
            Stroke::Next => self.at = if self.at == last { 0 } else { self.at + 1 },
            Stroke::Previous => self.at = self.at.checked_sub(1).unwrap_or(last),
            Stroke::Up => self.choose(false),
            Stroke::Down => self.choose(true),
            Stroke::Erase => self.edit(None),
            Stroke::Char(c) => self.edit(Some(c)),
        }
        Filled::Typed
    }

    /// Goes to a field; a choice that is there already goes on to the next, and around.
    pub fn click(&mut self, field: usize) {
        let Some(clicked) = self.fields.get_mut(field) else { return };
        match &mut clicked.value {
            Value::One { of, at } if field == self.at => *at = (*at + 1) % of.len().max(1),
            _ => self.at = field,
        }
    }

    /// Takes in what came of the errand.
    pub fn told(&mut self, result: Result<String, String>) {
        match result {
            Ok(done) => {
                // a passphrase is kept no longer than it is needed
                self.fields.clear();
                self.done = Some(done);
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    fn choose(&mut self, next: bool) {
        let Some(Field { value: Value::One { of, at }, .. }) = self.fields.get_mut(self.at) else { return };
        *at = if next { (*at + 1).min(of.len().saturating_sub(1)) } else { at.saturating_sub(1) };
    }

    fn edit(&mut self, typed: Option<char>) {
        // what could act on a terminal is no text
        if typed.is_some_and(|c| c.is_control() || text::acts(c)) {
            return;
        }
        let Some(field) = self.fields.get_mut(self.at) else { return };
        let edited = |text: &str| {
            let mut text = text.to_owned();
            match typed {
                None => drop(text.pop()),
                Some(c) if text.chars().count() < MAX_TEXT => text.push(c),
                Some(_) => {}
            }
            text
        };
        match &mut field.value {
            Value::Text(text) => *text = edited(text),
            Value::Hidden(secret) => *secret = Secret::from(edited(secret.reveal())),
            Value::One { .. } if typed.is_some() => self.problem = Some("Up and Down choose".to_owned()),
            Value::One { .. } => {}
        }
    }

    fn text(&self, name: &str) -> &str {
        match self.field(name).map(|(_, field)| &field.value) {
            Some(Value::Text(text)) => text.trim(),
            _ => "",
        }
    }

    fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned()).filter(|text| !text.is_empty())
    }

    fn chosen(&self, name: &str) -> usize {
        match self.field(name).map(|(_, field)| &field.value) {
            Some(Value::One { at, .. }) => *at,
            _ => 0,
        }
    }

    fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// A problem and the field to mend it in.
    fn wrong<T>(&self, problem: impl Into<String>, name: &str) -> Result<T, (String, usize)> {
        Err((problem.into(), self.field(name).map_or(self.at, |(at, _)| at)))
    }

    fn errand(&self) -> Result<Errand, (String, usize)> {
        match &self.purpose {
            Purpose::Sign { roles, verdict } => self.signing(roles, *verdict),
            Purpose::Propose { waiver, codes, now } => self.waiver(waiver, codes, *now),
            Purpose::Export => match self.given("folder") {
                Some(folder) => Ok(Errand::Export(PathBuf::from(folder))),
                None => self.wrong("name a folder", "folder"),
            },
            Purpose::Again(choices) => match choices.get(self.chosen("measure")) {
                Some(checks) => Ok(Errand::Again(checks.clone())),
                None => self.wrong("choose what to measure", "measure"),
            },
        }
    }

    fn signing(&self, roles: &[Role], verdict: Word) -> Result<Errand, (String, usize)> {
        let Some(role) = roles.get(self.chosen("role")).cloned() else {
            return self.wrong("choose a role", "role");
        };
        let choice = CHOICES.get(self.chosen("decision")).copied().unwrap_or(Choice::NoGo);
        let (condition, dissent) = (self.given("condition"), self.given("dissent"));
        if let (Some(why), None) = (objection(verdict, choice), &dissent) {
            return self.wrong(format!("{why}: say why, or decide otherwise"), "dissent");
        }
        let passphrase = match self.field("passphrase").map(|(_, field)| &field.value) {
            Some(Value::Hidden(secret)) => secret.clone(),
            _ => Secret::from(String::new()),
        };
        let means = match (self.chosen("signed by"), self.given("file/ref")) {
            (0, _) => Means::Agent,
            (4, _) => Means::Named,
            (3, Some(ticket)) => Means::Ticket(ticket),
            (1, Some(file)) => Means::Key { file: file.into(), passphrase },
            (2, Some(file)) => Means::NewKey { file: file.into(), passphrase },
            (3, None) => return self.wrong("name the ticket", "file/ref"),
            _ => return self.wrong("name the key's file", "file/ref"),
        };
        Ok(Errand::Sign(Box::new(Signing { role, choice, condition, dissent, means })))
    }

    fn waiver(&self, draft: &Waiver, codes: &[String], now: Timestamp) -> Result<Errand, (String, usize)> {
        let Some(reason) = self.given("reason") else {
            return self.wrong("say why that is acceptable", "reason");
        };
        let Some(compensating) = self.given("instead") else {
            return self.wrong("say what is done instead", "instead");
        };
        let expires = match When::try_from(self.text("until").to_owned()) {
            Err(_) if self.text("until").is_empty() => return self.wrong("say until when", "until"),
            Ok(expires) if expires.at() > now => expires,
            Ok(_) => return self.wrong("this lies in the past", "until"),
            Err(bad) => return self.wrong(bad.to_string(), "until"),
        };
        let scope = if self.chosen("covers") == 0 { codes.to_vec() } else { Vec::new() };
        let waiver = Waiver { scope, reason, compensating: Some(compensating), expires, ..draft.clone() };
        Ok(Errand::Propose(Box::new(waiver)))
    }
}

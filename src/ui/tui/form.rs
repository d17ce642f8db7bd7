//! Questions to people, answered at the screen: yes or no, what supports it, until when. Pure.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::Timestamp;

use crate::model::{CheckId, Outcome, text};
use crate::policy::Policy;
use crate::run::people::{Given, question};
use crate::ui::story::Story;

/// Longest evidence, in characters.
const MAX_EVIDENCE: usize = 1000;
/// Longest time, in characters.
const MAX_UNTIL: usize = 40;

/// A key while the form is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// A character.
    Char(char),
    /// Takes the last character back.
    Erase,
    /// Answers.
    Enter,
    /// Closes the form.
    Close,
    /// The next field.
    Next,
    /// The field before.
    Previous,
    /// The question above.
    Up,
    /// The question below.
    Down,
}

impl Stroke {
    /// From the terminal's event; `None` for what means nothing here.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        if event.modifiers.contains(KeyModifiers::CONTROL) {
            return matches!(event.code, KeyCode::Char('c' | 'C')).then_some(Self::Close);
        }
        Some(match event.code {
            KeyCode::Char(c) => Self::Char(c),
            KeyCode::Backspace => Self::Erase,
            KeyCode::Enter => Self::Enter,
            KeyCode::Esc => Self::Close,
            KeyCode::Tab => Self::Next,
            KeyCode::BackTab => Self::Previous,
            KeyCode::Up => Self::Up,
            KeyCode::Down => Self::Down,
            _ => return None,
        })
    }
}

/// What a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// Something in the form.
    Typed,
    /// The form is to be closed.
    Closed,
    /// A question is answered.
    Answered(Box<Given>),
}

/// Where the next character goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Yes or no.
    Answer,
    /// What supports it.
    Evidence,
    /// Until when it counts.
    Until,
}

/// One question, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its check.
    pub check: CheckId,
    /// The question.
    pub question: String,
    /// Role and name of who must answer.
    pub of: String,
    /// What is asked to support a yes.
    pub wanted: Option<String>,
    /// What it came to so far.
    pub outcome: Option<Outcome>,
}

/// The form.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Every question, in the policy's order.
    pub questions: Vec<Asked>,
    /// The one that is being answered.
    pub at: usize,
    /// Where the next character goes.
    pub field: Field,
    /// The answer.
    pub yes: Option<bool>,
    /// What supports it.
    pub evidence: String,
    /// Until when it counts, as typed.
    pub until: String,
    /// Why it was not taken.
    pub problem: Option<&'static str>,
}

impl Form {
    /// The first question that is open; `None` when the policy asks people nothing.
    pub fn new(policy: &Policy, story: &Story) -> Option<Self> {
        let questions: Vec<Asked> = policy
            .checks
            .iter()
            .filter_map(|check| {
                let target = question(&check.question)?;
                let show = |text: &str| story.charset().show(text);
                let name = policy.people.get(&target.of).map(|person| show(&person.name)).unwrap_or_default();
                Some(Asked {
                    check: check.id.clone(),
                    question: show(&target.question),
                    of: format!("{} ({name})", target.of),
                    wanted: target.evidence.as_deref().map(show),
                    outcome: story.card(&check.id).and_then(crate::ui::story::Card::outcome),
                })
            })
            .collect();
        let open = |one: &Asked| one.outcome.is_none_or(|outcome| outcome == Outcome::Unknown);
        let at = questions.iter().position(open).unwrap_or(0);
        (!questions.is_empty()).then(|| Self {
            questions,
            at,
            field: Field::Answer,
            yes: None,
            evidence: String::new(),
            until: String::new(),
            problem: None,
        })
    }

    /// The next open question behind one that was just answered; `None` when there is none.
    pub fn after(policy: &Policy, story: &Story, given: &Given) -> Option<Self> {
        let mut form = Self::new(policy, story)?;
        let open = |one: &Asked| {
            one.check != given.check && one.outcome.is_none_or(|outcome| outcome == Outcome::Unknown)
        };
        form.at = form.questions.iter().position(open)?;
        Some(form)
    }

    /// The question that is being answered.
    pub fn question(&self) -> Option<&Asked> {
        self.questions.get(self.at)
    }

    /// Takes in a key. `since` is a time that has passed already: an answer cannot end before it.
    pub fn press(&mut self, stroke: Stroke, since: Option<Timestamp>) -> Pressed {
        self.problem = None;
        match stroke {
            Stroke::Close => return Pressed::Closed,
            Stroke::Enter => return self.submit(since),
            Stroke::Up => self.turn(self.at.saturating_sub(1)),
            Stroke::Down => self.turn((self.at + 1).min(self.questions.len().saturating_sub(1))),
            Stroke::Next | Stroke::Previous => self.field = self.beside(stroke == Stroke::Next),
            Stroke::Erase => match self.field {
                Field::Answer => self.yes = None,
                Field::Evidence => drop(self.evidence.pop()),
                Field::Until => drop(self.until.pop()),
            },
            Stroke::Char(c) => self.typed(c),
        }
        Pressed::Typed
    }

    const fn beside(&self, next: bool) -> Field {
        match (self.field, next) {
            (Field::Answer, true) | (Field::Until, false) => Field::Evidence,
            (Field::Evidence, true) | (Field::Answer, false) => Field::Until,
            (Field::Until, true) | (Field::Evidence, false) => Field::Answer,
        }
    }

    /// Goes to a question, which begins empty.
    pub fn turn(&mut self, to: usize) {
        if to != self.at && to < self.questions.len() {
            (self.at, self.field, self.yes) = (to, Field::Answer, None);
            self.evidence.clear();
            self.until.clear();
        }
    }

    fn typed(&mut self, c: char) {
        // what could act on a terminal is no text
        if c.is_control() || text::acts(c) {
            return;
        }
        match (self.field, c) {
            (Field::Answer, 'y' | 'Y') => (self.yes, self.field) = (Some(true), Field::Evidence),
            (Field::Answer, 'n' | 'N') => (self.yes, self.field) = (Some(false), Field::Evidence),
            (Field::Answer, _) => self.problem = Some("y is yes, n is no"),
            (Field::Evidence, c) if self.evidence.chars().count() < MAX_EVIDENCE => self.evidence.push(c),
            (Field::Until, c) if self.until.chars().count() < MAX_UNTIL => self.until.push(c),
            (Field::Evidence | Field::Until, _) => self.problem = Some("this is as long as it may be"),
        }
    }

    fn submit(&mut self, since: Option<Timestamp>) -> Pressed {
        let (Some(question), Some(yes)) = (self.questions.get(self.at), self.yes) else {
            (self.problem, self.field) = (Some("say yes or no first: y or n"), Field::Answer);
            return Pressed::Typed;
        };
        let expires = match self.until.trim() {
            "" => None,
            until => match until.parse::<Timestamp>() {
                Ok(until) if since.is_some_and(|since| until <= since) => {
                    (self.problem, self.field) = (Some("this lies in the past"), Field::Until);
                    return Pressed::Typed;
                }
                Ok(until) => Some(until),
                Err(_) => {
                    self.problem = Some("write the time like 2026-12-04T18:00:00+01:00, or leave it empty");
                    self.field = Field::Until;
                    return Pressed::Typed;
                }
            },
        };
        let evidence = self.evidence.trim().to_owned();
        Pressed::Answered(Box::new(Given { check: question.check.clone(), yes, evidence, expires }))
    }
}

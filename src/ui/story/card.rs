//! One check as a screen shows it.

use jiff::Timestamp;

use super::trace::MAX_TRACES;
use super::{Charset, Trace, Trail, matrix, way_out};
use crate::evidence::{Measured, Measurement};
use crate::judge::{self, Judged, Rank};
use crate::model::{Cause, Code, Effect, Enforcement, Family, Finding, Lane, LimitRow, Outcome, Series};
use crate::policy::{Policy, Waiver};
use crate::probe::Sample;
use crate::run::event::CheckHead;

/// Limits that a live series is held against, as the chart of the finished reading has them.
const HELD_AGAINST: [(&str, &[&str]); 2] = [
    ("upload_kbps", &["rate_kbps"]),
    ("rtt_ms", &["loaded_rtt_ms", "round_trip_p95_ms", "round_trip_p99_ms", "round_trip_p50_ms"]),
];

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Not started.
    Waiting,
    /// Being measured.
    Running {
        /// Milliseconds of the run at which it started.
        offset_ms: f64,
    },
    /// Measured, not judged yet.
    Measured,
    /// Has an outcome.
    Judged(Outcome),
}

/// When, how long and from where a check was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// When it started, UTC.
    pub started: Timestamp,
    /// Milliseconds of the run at which it started.
    pub offset_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Interface and address that it was bound to, if any.
    pub source: Option<String>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingText {
    /// Stable code.
    pub code: String,
    /// What the code means, when this version of golive knows it.
    pub means: Option<String>,
    /// What it does to the check.
    pub effect: Effect,
    /// What is asked.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Address families that this names.
    pub families: Vec<Family>,
    /// What to do; empty when all is well.
    pub remedy: String,
}

/// Why a check could not be measured, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    /// Stable cause.
    pub cause: &'static str,
    /// What happened.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// One check, all texts ready to be shown.
#[derive(Debug, Clone)]
pub struct Card {
    /// Its id.
    pub id: String,
    /// Which probe.
    pub probe: &'static str,
    /// What is asked.
    pub target: String,
    /// The way out.
    pub path: Option<String>,
    /// When it may run.
    pub lane: Lane,
    /// How binding it is.
    pub enforcement: Enforcement,
    /// The area that owns the remedy.
    pub owner: String,
    /// The accountable role and, if the policy names one, the person.
    pub accountable: Option<String>,
    /// Why it is asked.
    pub why: String,
    /// Limits: key and bound.
    pub limits: Vec<(String, String)>,
    /// Seconds that the plan expects.
    pub seconds: f64,
    /// How far it is.
    pub stage: Stage,
    /// When and from where it was measured.
    pub effort: Option<Effort>,
    /// The earlier run that measured it, when its measurement is carried.
    pub carried: Option<String>,
    /// Each comparison.
    pub findings: Vec<FindingText>,
    /// Why it could not be measured.
    pub not_measured: Option<Remedy>,
    /// Who accepted its outcome, until when and why.
    pub waived: Option<String>,
    /// When its evidence stops counting.
    pub expires: Option<Timestamp>,
    /// Series to draw.
    pub traces: Vec<Trace>,
    /// Address families that were asked at the target; empty before, and where that says nothing.
    pub families: Vec<Family>,
    /// How far packets got, of each address that did not let us in.
    pub trails: Vec<Trail>,
    bounds: Vec<LimitRow>,
    codes: &'static [Code],
    /// What a search looks through, in lower case.
    words: String,
}

impl Card {
    pub(super) fn new(charset: Charset, head: &CheckHead, policy: &Policy) -> Self {
        let show = |text: &str| charset.show(text);
        let role = head.accountable.as_ref().or_else(|| policy.accountable.get(&head.owner));
        let accountable = role.map(|role| match policy.people.get(role) {
            Some(person) => format!("{role} ({})", show(&person.name)),
            None => role.to_string(),
        });
        let mut card = Self {
            id: show(head.id.as_str()),
            probe: head.probe.name(),
            target: show(&head.target),
            path: head.path.as_ref().map(ToString::to_string),
            lane: head.lane,
            enforcement: head.enforcement,
            owner: head.owner.to_string(),
            accountable,
            why: show(&head.why),
            limits: head.limits.iter().map(|row| (show(&row.field), show(&row.bound))).collect(),
            seconds: if head.seconds.is_finite() { head.seconds.max(0.0) } else { 0.0 },
            stage: Stage::Waiting,
            effort: None,
            carried: None,
            findings: Vec::new(),
            not_measured: None,
            waived: None,
            expires: None,
            traces: Vec::new(),
            families: Vec::new(),
            trails: Vec::new(),
            bounds: head.limits.clone(),
            codes: head.probe.codes(),
            words: String::new(),
        };
        card.gather_words();
        card
    }

    /// What it came to, once that is known.
    pub const fn outcome(&self) -> Option<Outcome> {
        match self.stage {
            Stage::Judged(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// How much its outcome weighs against GO.
    pub fn weight(&self) -> Option<Rank> {
        judge::weight(self.enforcement, self.outcome()?, self.waived.is_some())
    }

    /// True for what a person must look at: everything that is neither fine nor still to come.
    pub const fn needs_attention(&self) -> bool {
        matches!(self.stage, Stage::Judged(Outcome::Warn | Outcome::Unknown | Outcome::Fail))
    }

    /// True when the run ended before this check was asked.
    pub fn never_asked(&self) -> bool {
        self.outcome() == Some(Outcome::Unknown) && self.effort.is_none() && self.findings.is_empty()
    }

    /// Area and accountable role: `network: it (Anna Berg)`.
    pub fn owned_by(&self) -> String {
        match &self.accountable {
            Some(role) => format!("{}: {role}", self.owner),
            None => self.owner.clone(),
        }
    }

    pub(super) fn start(&mut self, offset_ms: f64) {
        self.stage = Stage::Running { offset_ms: if offset_ms.is_finite() { offset_ms } else { 0.0 } };
        self.traces.clear();
        self.carried = None;
    }

    /// After a crash or a stop: what had begun and not ended will begin again.
    pub(super) fn forget_unfinished(&mut self) {
        let cancelled = self.not_measured.as_ref().is_some_and(|not| not.cause == Cause::Cancelled.word());
        let never = self.effort.is_none();
        if cancelled || never || matches!(self.stage, Stage::Running { .. }) {
            self.stage = Stage::Waiting;
            self.not_measured = None;
            self.findings.clear();
            self.traces.clear();
            self.gather_words();
        }
    }

    pub(super) fn sample(&mut self, charset: Charset, sample: &Sample) {
        let known = self.traces.iter().position(|trace| trace.name == sample.series);
        let index = match known {
            Some(index) => index,
            None if self.traces.len() < MAX_TRACES => {
                let required = self.bound_of(&sample.series);
                self.traces.push(Trace::live(charset, &sample.series, required));
                self.traces.len() - 1
            }
            None => return,
        };
        if let Some(trace) = self.traces.get_mut(index) {
            trace.push(sample);
        }
    }

    pub(super) fn measured(&mut self, charset: Charset, measurement: &Measurement, series: &[Series]) {
        self.stage = Stage::Measured;
        let source = [
            measurement.source.interface.as_deref().map(|name| charset.show(name)),
            measurement.source.address.map(|address| address.to_string()),
        ];
        let source: Vec<String> = source.into_iter().flatten().collect();
        self.effort = Some(Effort {
            started: measurement.started,
            offset_ms: measurement.offset_ms,
            took_ms: measurement.took_ms,
            source: (!source.is_empty()).then(|| source.join(" ")),
        });
        (self.families, self.trails) = match &measurement.result {
            Measured::Reading(reading) => (matrix::families(reading), way_out::trails(reading)),
            Measured::NotMeasured(_) => (Vec::new(), Vec::new()),
        };
        self.not_measured = match &measurement.result {
            Measured::Reading(_) => None,
            Measured::NotMeasured(not) => Some(Remedy {
                cause: not.cause.word(),
                detail: charset.show(&not.detail),
                remedy: charset.show(&not.remedy),
            }),
        };
        if !series.is_empty() {
            self.traces = series.iter().take(MAX_TRACES).map(|one| Trace::of(charset, one)).collect();
        }
        self.gather_words();
    }

    pub(super) fn judged(&mut self, charset: Charset, judged: &Judged, waiver: Option<&Waiver>) {
        self.stage = Stage::Judged(judged.outcome);
        self.expires = judged.expires;
        self.findings = judged.findings.iter().map(|finding| self.said(charset, finding)).collect();
        self.waived = waiver.map(|waiver| {
            let text = format!("accepted by {} until {}: {}", waiver.by, waiver.expires, waiver.reason);
            charset.show(&text)
        });
        self.gather_words();
    }

    fn said(&self, charset: Charset, finding: &Finding) -> FindingText {
        let observed = charset.show(&finding.observed);
        FindingText {
            code: charset.show(&finding.code),
            means: self.means(&finding.code).map(|means| charset.show(means.trim_end_matches('.'))),
            effect: finding.effect,
            expected: charset.show(&finding.expected),
            families: matrix::named(&observed),
            observed,
            remedy: charset.show(&finding.remedy),
        }
    }

    /// True when the check's own texts or those of its findings hold this; `needle` in lower case.
    pub fn mentions(&self, needle: &str) -> bool {
        self.words.contains(needle)
    }

    /// Once for each change of a text, not for each drawing of what was looked for. No text holds the
    /// sign that ends it here.
    fn gather_words(&mut self) {
        let mut words = String::new();
        let mut add = |text: &str| {
            words.push_str(&text.to_lowercase());
            words.push('\n');
        };
        [self.id.as_str(), self.probe, &self.target, &self.owner].into_iter().for_each(&mut add);
        for one in &self.findings {
            let means = one.means.as_deref().unwrap_or_default();
            let texts = [one.code.as_str(), means, &one.expected, &one.observed, &one.remedy];
            texts.into_iter().for_each(&mut add);
        }
        if let Some(not) = &self.not_measured {
            [not.cause, &not.detail, &not.remedy].into_iter().for_each(&mut add);
        }
        self.words = words;
    }

    fn means(&self, code: &str) -> Option<&'static str> {
        let mut known = self.codes.iter().chain(judge::CODES);
        known.find(|known| known.id == code).map(|known| known.means)
    }

    /// The number in the limit that a live series is held against: the limit of the same name, else
    /// the one that [`HELD_AGAINST`] has first, else the only one in the same unit.
    fn bound_of(&self, series: &str) -> Option<f64> {
        let named = |field: &str| self.bounds.iter().find(|row| row.field == field);
        let held = HELD_AGAINST.iter().filter(|(name, _)| *name == series);
        let held = held.flat_map(|(_, fields)| *fields).find_map(|field| named(field));
        let row = named(series).or(held).or_else(|| {
            let (_, unit) = series.rsplit_once('_')?;
            let mut alike =
                self.bounds.iter().filter(|row| row.field.rsplit_once('_').is_some_and(|(_, u)| u == unit));
            alike.next().filter(|_| alike.next().is_none())
        })?;
        let digits = row.bound.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

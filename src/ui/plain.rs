//! The plain log (`--plain`): one line after another, words instead of colour, no cursor
//! movement. For CI logs and screen readers.

use std::io::{self, Write};

use jiff::Timestamp;

use super::story::{Card, Ending, FindingText, Opening, meaning};
use super::{Charset, Reader, Story};
use crate::model::{CheckId, Effect, Enforcement, Outcome};
use crate::run::Event;

/// Writes the log to any writer, flushed after each event.
#[derive(Debug)]
pub struct Plain<W> {
    out: W,
    story: Story,
}

impl<W: Write> Plain<W> {
    /// Lines go to `out`, in UTF-8.
    pub fn new(out: W) -> Self {
        Self::with(out, Charset::Unicode)
    }

    /// Lines go to `out`, in the characters that it can show.
    pub fn with(out: W, charset: Charset) -> Self {
        Self { out, story: Story::new(charset) }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Reader for Plain<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.story.apply(event);
        let Self { out, story } = self;
        match event {
            Event::RunStarted(_) => opening(out, story)?,
            Event::RunResumed { at, kept, old, .. } => {
                let plural = if *kept == 1 { "" } else { "s" };
                writeln!(out, "resumed at {}: {kept} measurement{plural} kept", seconds(*at))?;
                if !old.is_empty() {
                    let old: Vec<&str> = old.iter().map(CheckId::as_str).collect();
                    writeln!(out, "measured anew, since too long ago: {}", old.join(", "))?;
                }
            }
            Event::CheckStarted { check, offset_ms } => started(out, story, check, *offset_ms)?,
            Event::Judged { judged } => {
                if let Some(card) = story.card(&judged.check) {
                    check(out, card)?;
                }
            }
            Event::Interrupted { .. } => {
                let by = story.stopping.as_deref().unwrap_or_default();
                writeln!(out, "stopping: asked by {by}; what was measured is kept")?;
            }
            Event::Asking { checks, .. } => {
                let checks: Vec<&str> = checks.iter().map(CheckId::as_str).collect();
                writeln!(out, "all is measured; waiting for people to answer: {}", checks.join(", "))?;
            }
            Event::Answered { answer } => {
                let word = if answer.yes { "yes" } else { "no" };
                let name = story.charset().show(&answer.name);
                writeln!(out, "answered: {}: {word}, by {name} as {}", answer.check, answer.role)?;
            }
            Event::RunFinished { .. } => {
                if let Some(ending) = &story.ending {
                    verdict(out, story, ending)?;
                }
            }
            Event::Sample { .. } | Event::Measured { .. } | Event::Carried { .. } => return Ok(()),
        }
        out.flush()
    }
}

/// UTC to the second.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Outcome in capitals, so that a search finds it.
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotApplicable => "N/A",
        Outcome::Pass => "PASS",
        Outcome::Warn => "WARN",
        Outcome::Unknown => "UNKNOWN",
        Outcome::Fail => "FAIL",
    }
}

fn opening(out: &mut impl Write, story: &Story) -> io::Result<()> {
    let Some(Opening {
        title, venue, starts, change, run, golive, policy, at, seconds: planned, again, ..
    }) = &story.opening
    else {
        return Ok(());
    };
    writeln!(out, "golive {golive}: may we go live from this network?")?;
    writeln!(out, "event:  {title}")?;
    for (name, value) in [("venue: ", venue), ("starts:", starts), ("change:", change)] {
        if let Some(value) = value {
            writeln!(out, "{name} {value}")?;
        }
    }
    writeln!(out, "policy: {policy}")?;
    writeln!(out, "run:    {run}, started {}", seconds(*at))?;
    match again {
        None => writeln!(out, "plan:   {} checks, about {planned:.0} s", story.cards.len())?,
        Some((run, carried)) => {
            let (all, again) = (story.cards.len(), story.cards.len().saturating_sub(*carried));
            writeln!(
                out,
                "plan:   {again} of {all} checks again, about {planned:.0} s; {carried} carried from run {run}"
            )?;
        }
    }
    writeln!(out)
}

fn started(out: &mut impl Write, story: &Story, check: &CheckId, offset_ms: f64) -> io::Result<()> {
    let Some(card) = story.card(check) else { return Ok(()) };
    writeln!(out, "{} start    {}", clock(offset_ms), named(card))
}

fn clock(ms: f64) -> String {
    format!("[{:6.1} s]", ms / 1000.0)
}

fn named(card: &Card) -> String {
    let path = card.path.as_ref().map(|path| format!(" over {path}")).unwrap_or_default();
    format!("{} ({}{path}) {}", card.id, card.probe, card.target)
}

/// A line for a check that is fine; a paragraph for one that is not.
fn check(out: &mut impl Write, card: &Card) -> io::Result<()> {
    let Some(outcome) = card.outcome() else { return Ok(()) };
    let at = match (&card.carried, &card.effort) {
        (Some(_), _) => "[carried ] ".to_owned(),
        (None, Some(effort)) => clock(effort.offset_ms + effort.took_ms) + " ",
        (None, None) => String::new(),
    };
    if !card.needs_attention() {
        return writeln!(out, "{at}{:<8} {} ({}){}", word(outcome), card.id, card.probe, seen(card));
    }
    writeln!(out, "{at}{:<8} {}", word(outcome), named(card))?;
    if let Some(not) = &card.not_measured {
        writeln!(out, "    not measured ({}): {}", not.cause, not.detail)?;
        line(out, "    to do:    ", &not.remedy)?;
    }
    for finding in card.findings.iter().filter(|finding| finding.effect != Effect::Pass) {
        compared(out, finding)?;
    }
    line(out, "    matters:  ", &card.why)?;
    writeln!(out, "    owner:    {}", card.owned_by())?;
    let binding = match card.enforcement {
        Enforcement::Advisory => "advisory, never blocks",
        Enforcement::Waivable => "required, can be waived",
        Enforcement::Hard => "required, cannot be waived",
    };
    writeln!(out, "    binding:  {binding}")
}

/// What was seen of a check that is fine, in one line.
fn seen(card: &Card) -> String {
    match card.findings.as_slice() {
        [] => String::new(),
        [only] => format!(": {}", only.observed),
        [first, more @ ..] => format!(": {}; and {} more within limits", first.observed, more.len()),
    }
}

fn compared(out: &mut impl Write, finding: &FindingText) -> io::Result<()> {
    let means = finding.means.as_ref().map(|means| format!(": {means}")).unwrap_or_default();
    writeln!(out, "    {} {}{means}", word(finding.effect.into()).to_lowercase(), finding.code)?;
    line(out, "      limit:    ", &finding.expected)?;
    line(out, "      measured: ", &finding.observed)?;
    line(out, "      to do:    ", &finding.remedy)
}

fn line(out: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    if value.is_empty() { Ok(()) } else { writeln!(out, "{name}{value}") }
}

fn verdict(out: &mut impl Write, story: &Story, ending: &Ending) -> io::Result<()> {
    let Ending { word, exit, reasons, at, expires, report, again } = ending;
    writeln!(out)?;
    writeln!(out, "VERDICT: {word} (exit {exit})")?;
    writeln!(out, "{}", meaning(*word))?;
    line(out, "", again.as_deref().unwrap_or_default())?;
    if !reasons.is_empty() {
        writeln!(out, "reasons:")?;
    }
    for reason in reasons {
        writeln!(out, "  {}: {}", reason.weight(), reason.text)?;
    }
    let never: Vec<&str> =
        story.cards.iter().filter(|card| card.never_asked()).map(|card| card.id.as_str()).collect();
    line(out, "never asked: ", &never.join(", "))?;
    remedies(out, story)?;
    writeln!(out, "checks: {}", tally(story))?;
    writeln!(out, "ended:  {}", seconds(*at))?;
    if let Some(expires) = expires {
        writeln!(out, "counts until: {}", seconds(*expires))?;
    }
    match report {
        Some(path) => writeln!(out, "report: {path}"),
        None => writeln!(out, "report: none was written"),
    }
}

/// What to do, by whom, once more at the end, where people look; the same of one check once.
fn remedies(out: &mut impl Write, story: &Story) -> io::Result<()> {
    let mut said: Vec<(&str, &str)> = Vec::new();
    for card in story.cards.iter().filter(|card| card.needs_attention()) {
        let not = card.not_measured.iter().map(|not| &not.remedy);
        let findings = card.findings.iter().filter(|finding| finding.effect != Effect::Pass);
        for remedy in not.chain(findings.map(|finding| &finding.remedy)).filter(|text| !text.is_empty()) {
            if said.contains(&(card.id.as_str(), remedy.as_str())) {
                continue;
            }
            if said.is_empty() {
                writeln!(out, "to do:")?;
            }
            said.push((card.id.as_str(), remedy.as_str()));
            writeln!(out, "  {}, for {}: {remedy}", card.owned_by(), card.id)?;
        }
    }
    Ok(())
}

/// `9 pass, 1 warn, 0 unknown, 2 fail of 12`.
fn tally(story: &Story) -> String {
    let shown = [Outcome::Pass, Outcome::Warn, Outcome::Unknown, Outcome::Fail]
        .map(|outcome| format!("{} {}", story.count(outcome), outcome.word()));
    let absent = match story.count(Outcome::NotApplicable) {
        0 => String::new(),
        count => format!(", {count} not applicable"),
    };
    format!("{}{absent} of {}", shown.join(", "), story.cards.len())
}

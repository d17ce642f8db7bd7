//! What several forms say in the same words, HTML and PDF above all. Picks and phrases; never decides.

use std::fmt::Write as _;

use super::facts;
use super::moment::{Clock, until};
use super::text::{line, number};
use crate::judge::{Rank, Word};
use crate::model::{Effect, Finding, Outcome, Series};
use crate::policy::Accepts;
use crate::report::v1::{CheckDoc, Document, WaiverDoc};

/// What keeps a verdict from GO, worst first, and the heading above it.
pub const REASONS: [(Rank, &str); 3] = [
    (Rank::Blocks, "What stands in the way"),
    (Rank::Unknown, "What must be known first"),
    (Rank::Condition, "Conditions"),
];

/// Said below what was not tested.
pub const SCOPE: &str = "Measured from this machine, on this network, at this hour; not at other hours, and not what the platform itself may do.";

/// With a capital first letter, to begin a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// When the event is.
pub fn when(document: &Document, clock: &Clock) -> Option<String> {
    let event = &document.event;
    match (&event.starts, &event.ends) {
        (Some(starts), Some(ends)) => Some(clock.span(starts.at(), ends.at())),
        (Some(starts), None) => Some(format!("from {}", clock.at(starts.at()))),
        (None, Some(ends)) => Some(format!("until {}", clock.at(ends.at()))),
        (None, None) => None,
    }
}

/// What the event's stream needs: `needs 9.5 Mb/s of upload`.
pub fn needs(kbps: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
    let mbps = kbps as f64 / 1000.0;
    format!("needs {} Mb/s of upload", number(mbps))
}

/// How long the verdict counts from judging, and how far that reaches into the event.
pub fn reach(document: &Document) -> Option<String> {
    let verdict = &document.verdict;
    let left = until(verdict.evaluated_at, verdict.expires?);
    let left = match left.as_str() {
        "" => "already past when it was judged".to_owned(),
        left => format!("{left} from judging"),
    };
    Some(covers(document).map_or_else(|| left.clone(), |covers| format!("{covers}, {left}")))
}

fn covers(document: &Document) -> Option<&'static str> {
    if !matches!(document.verdict.word, Word::Go | Word::ConditionalGo) {
        return None;
    }
    let expires = document.verdict.expires?;
    let event = &document.event;
    if event.starts.as_ref().is_some_and(|starts| expires < starts.at()) {
        return Some("before the event starts: run golive again");
    }
    let ends = event.ends.as_ref()?.at();
    Some(if expires < ends { "before the event ends" } else { "covers the whole event" })
}

/// How many checks came to each outcome; without those that none came to.
pub fn tally(document: &Document) -> Vec<(Outcome, usize)> {
    [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable]
        .into_iter()
        .map(|outcome| (outcome, facts::count(document, outcome)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// What is wrong with a check, in one sentence.
pub fn headline(document: &Document, check: &CheckDoc) -> String {
    if let Some(not) = &check.not_measured {
        return capital(&line(&not.detail));
    }
    let first = facts::troubles(check).first().copied();
    match first.map(|finding| (facts::means(document, finding), finding)) {
        Some((Some(means), _)) => line(means),
        Some((None, finding)) => capital(&line(&finding.observed)),
        None if check.measured.is_none() => "It was never measured.".to_owned(),
        None => "The report does not say why.".to_owned(),
    }
}

/// What to do about a check, each once.
pub fn remedies(check: &CheckDoc) -> Vec<String> {
    let mut remedies: Vec<String> = Vec::new();
    let findings = facts::troubles(check).into_iter().take(3).map(|finding| &finding.remedy);
    for remedy in findings.chain(check.not_measured.as_ref().map(|not| &not.remedy)) {
        let remedy = line(remedy);
        if !remedy.is_empty() && !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    remedies
}

/// Something at stake, and the checks that it hangs on.
pub type Stake<'a> = (String, Vec<&'a CheckDoc>);

/// What viewers would notice, and what else is at stake, from the checks that are not as they
/// should be; each group with the words above it.
pub fn at_stake(document: &Document) -> Vec<(&'static str, Vec<Stake<'_>>)> {
    let failed = document.checks.iter().filter(|check| check.outcome == Outcome::Fail);
    let (seen, unseen): (Vec<_>, Vec<_>) = failed.partition(|check| !check.viewers.is_empty());
    let groups = [
        ("Viewers would notice:", seen),
        ("Also at stake:", unseen),
        ("Nobody knows yet, and it may come to this:", facts::unanswered(document).collect()),
    ];
    let groups = groups.into_iter().filter(|(_, checks)| !checks.is_empty());
    groups.map(|(lead, checks)| (lead, stakes(&checks))).collect()
}

fn stakes<'a>(checks: &[&'a CheckDoc]) -> Vec<Stake<'a>> {
    let mut said: Vec<Stake<'_>> = Vec::new();
    for check in checks {
        let text = capital(&line(facts::stake(check)));
        match said.iter_mut().find(|(have, _)| *have == text) {
            Some((_, checks)) => checks.push(check),
            None => said.push((text, vec![check])),
        }
    }
    said
}

/// Checks that measured a rate.
pub fn rated(document: &Document) -> Vec<&CheckDoc> {
    document.checks.iter().filter(|check| rates(check).next().is_some()).collect()
}

/// The first rate series of a check.
pub fn rates(check: &CheckDoc) -> impl Iterator<Item = &Series> {
    check.series.iter().filter(|series| series.unit == "kb/s").take(1)
}

/// What is said of rates and of the risk for the whole stream, and whatever is not as it should be.
pub fn rate_findings(check: &CheckDoc) -> impl Iterator<Item = &Finding> {
    let telling = |finding: &&Finding| {
        let of_rates = finding.expected.contains("kb/s") || finding.code.rsplit('.').next() == Some("risk");
        finding.effect != Effect::Pass || of_rates
    };
    check.findings.iter().filter(telling).take(6)
}

/// What a waiver accepts.
pub const fn accepts(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Fail => "a failure",
        Accepts::Unknown => "not knowing",
    }
}

/// Role and name of who approved a waiver.
pub fn approver(entry: &WaiverDoc) -> String {
    let name = entry.approver.as_ref().map(|name| format!(" · {}", line(name))).unwrap_or_default();
    format!("{}{name}", entry.waiver.by)
}

/// Why a waiver was given, how often renewed, and what is done instead.
pub fn reason(entry: &WaiverDoc) -> String {
    let mut text = line(&entry.waiver.reason);
    if let Some(times) = facts::renewed(&entry.waiver) {
        let _ = write!(text, "; {times}");
    }
    if !entry.waiver.scope.is_empty() {
        let _ = write!(text, "; covers only: {}", line(&entry.waiver.scope.join(", ")));
    }
    if let Some(instead) = &entry.waiver.compensating {
        let _ = write!(text, "; {}", line(instead));
    }
    text
}

/// Why a check's question has no answer.
pub fn why_unanswered(check: &CheckDoc) -> String {
    if let Some(not) = &check.not_measured {
        return capital(&line(&not.detail));
    }
    match facts::telling(check) {
        Some(finding) => format!("Asked: {}. Seen: {}.", line(&finding.expected), line(&finding.observed)),
        None => "It was never measured.".to_owned(),
    }
}

/// Who allowed the probing.
pub fn authorised(document: &Document, clock: &Clock) -> Option<String> {
    let by = document.authorisation.as_ref()?;
    let mut text = format!("Probing was authorised by {}", facts::who(document, &by.by));
    if let Some(reference) = &by.reference {
        let _ = write!(text, ", {}", line(reference));
    }
    if let Some(window) = &by.window {
        let _ = write!(text, ", {}", clock.span(window.from.at(), window.to.at()));
    }
    text.push('.');
    Some(text)
}

/// When a check was measured, how long that took, from where, and in which run if not in this one.
pub fn measured(document: &Document, clock: &Clock, check: &CheckDoc) -> Option<String> {
    let measured = check.measured.as_ref()?;
    let took = if measured.took_ms < 1000.0 {
        format!("{} ms", number(measured.took_ms))
    } else {
        format!("{} s", number(measured.took_ms / 1000.0))
    };
    let mut text = format!("{}, took {took}", clock.to_the_second(measured.started));
    if let Some(interface) = &measured.source.interface {
        let _ = write!(text, ", from interface {}", line(interface));
    }
    if let Some(address) = measured.source.address {
        let _ = write!(text, ", from {address}");
    }
    if let Some(run) = document.again.as_ref().and_then(|again| again.carried.get(&check.id)) {
        let _ = write!(text, "; carried from run {}", line(run));
    }
    Some(text)
}

/// The words below the policy's digests.
pub const DIGESTS: &str = "SHA-256 of each file as it was read, and of the resolved policy as compact JSON, which report.json holds under policy.resolved.";

/// Said when the policy does not tell the way back.
pub const NO_WAY_BACK: &str =
    "The policy does not say who stops the stream, and how. Settle it before the event.";

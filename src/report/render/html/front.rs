//! Page 1: for a person who is no engineer.

use maud::{Markup, html as markup};

use super::parts::{badge, broken, capital, link, plot, prose, word_class, word_shape};
use super::{Page, answers};
use crate::judge::{Rank, Word};
use crate::model::{Effect, Finding, Outcome, Series};
use crate::report::render::facts;
use crate::report::render::moment::until;
use crate::report::render::text::{line, number};
use crate::report::v1::{CheckDoc, Document};

pub(super) fn page(page: &Page) -> Markup {
    markup! {
        (head(page))
        (verdict(page))
        (blockers(page))
        (viewers(page))
        (upload(page))
        (answers::waivers(page))
        (answers::untested(page))
        div.two {
            (answers::accountable(page))
            (answers::way_back(page))
        }
        (answers::decisions(page))
    }
}

fn head(page: &Page) -> Markup {
    let event = &page.document.event;
    let when = match (&event.starts, &event.ends) {
        (Some(starts), Some(ends)) => Some(page.clock.span(starts.at(), ends.at())),
        (Some(starts), None) => Some(format!("from {}", page.clock.at(starts.at()))),
        (None, Some(ends)) => Some(format!("until {}", page.clock.at(ends.at()))),
        (None, None) => None,
    };
    let facts = [("When", when), ("Where", event.venue.clone()), ("Change", event.change.clone())];
    markup! {
        header.head {
            p.kicker { @if page.document.close_out.is_some() { "Close-out report" } @else { "Go-live report" } }
            @if let Some(words) = facts::redacted(page.document) {
                p.objective { strong { (broken(&capital(&words))) } }
            }
            h1 { (line(&event.title)) }
            @if let Some(objective) = &event.objective { p.objective { (line(objective)) } }
            dl.facts {
                @for (name, value) in &facts {
                    @if let Some(value) = value { div { dt { (name) } dd { (line(value)) } } }
                }
                @for stream in &page.document.streams {
                    div.wide {
                        dt { "Stream " (stream.name) }
                        dd {
                            (broken(&stream.to)) br;
                            span.quiet { "needs " (number(mbps(stream.needed_kbps))) " Mb/s of upload" }
                        }
                    }
                }
            }
        }
    }
}

fn verdict(page: &Page) -> Markup {
    let document = page.document;
    let verdict = &document.verdict;
    let measured = page.clock.span(document.run.started, document.run.finished);
    let judged = page.clock.at(verdict.evaluated_at);
    let tally = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Unknown, Outcome::NotApplicable];
    markup! {
        section class=(format!("verdict {}", word_class(verdict.word))) {
            (word_shape(verdict.word))
            div.says {
                p.word { (verdict.word) }
                p.meaning { (facts::meaning(verdict.word)) }
                @if let Some(says) = facts::close_out(document) { p.meaning { (says) } }
                @for reason in facts::whole_run(document) { p.meaning { (capital(&line(&reason.text))) "." } }
            }
            dl.validity {
                dt { "Counts until" }
                dd {
                    @if let Some(expires) = verdict.expires {
                        strong { (page.clock.at(expires)) }
                        @let left = until(verdict.evaluated_at, expires);
                        br;
                        @if let Some(covers) = covers(document) { (covers) ", " }
                        @if left.is_empty() { "already past when it was judged" } @else { (left) " from judging" }
                    } @else {
                        "nothing that it rests on was measured"
                    }
                }
                dt { "Measured, judged" }
                dd {
                    (measured)
                    @if judged != measured { br; (judged) }
                }
            }
        }
        p.tally {
            @for outcome in tally {
                @let count = facts::count(document, outcome);
                @if count > 0 { span.count { (badge(outcome)) " " (count) } }
            }
            span.quiet { "of " (document.checks.len()) " checks" }
            @if let Some(ledger) = &document.ledger {
                span.quiet { "· " (line(&ledger.words(&document.run.id))) }
            }
            @if document.run.resumed { span.quiet { "· the run was interrupted and resumed" } }
        }
    }
}

/// How far the verdict reaches into the event.
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

fn blockers(page: &Page) -> Markup {
    let document = page.document;
    let groups = [
        (Rank::Blocks, "What stands in the way", "blocks"),
        (Rank::Unknown, "What must be known first", "open"),
        (Rank::Condition, "Conditions", "condition"),
    ];
    markup! {
        @for (rank, title, class) in groups {
            @let checks = facts::checks_of(document, rank);
            @if !checks.is_empty() {
                section {
                    h2 { (title) }
                    @for check in checks { (card(page, check, class)) }
                }
            }
        }
    }
}

/// One check that keeps the verdict from GO: what, how much, who does what about it.
fn card(page: &Page, check: &CheckDoc, class: &str) -> Markup {
    let document = page.document;
    let troubles = facts::troubles(check);
    markup! {
        article class=(format!("card {class}")) {
            div.card-head {
                (badge(check.outcome))
                h3 { (prose(&headline(page, check))) }
                (link(check))
            }
            @if !troubles.is_empty() {
                dl.pair {
                    @for finding in troubles.iter().take(3) {
                        div { dt { "asked" } dd { (prose(&finding.expected)) } }
                        div { dt { "seen" } dd { (prose(&finding.observed)) } }
                    }
                }
            }
            dl.act {
                @for remedy in remedies(check) { dt { "Do" } dd { (prose(&capital(&remedy))) } }
                dt { "Owner" } dd { (facts::owner(document, &check.owner)) }
                @if let Some(waiver) = &check.waiver {
                    dt { "Accepted" }
                    dd { "by " (facts::who(document, &waiver.by)) " until " (page.clock.at(waiver.expires.at())) ": " (line(&waiver.reason)) }
                }
            }
        }
    }
}

/// What is wrong, in one sentence.
fn headline(page: &Page, check: &CheckDoc) -> String {
    if let Some(not) = &check.not_measured {
        return capital(&line(&not.detail));
    }
    let first = facts::troubles(check).first().copied();
    match first.map(|finding| (facts::means(page.document, finding), finding)) {
        Some((Some(means), _)) => line(means),
        Some((None, finding)) => capital(&line(&finding.observed)),
        None if check.measured.is_none() => "It was never measured.".to_owned(),
        None => "The report does not say why.".to_owned(),
    }
}

/// What to do about a check, each once.
fn remedies(check: &CheckDoc) -> Vec<String> {
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

/// What viewers would notice, and what else is at stake, from the checks that are not as they
/// should be.
fn viewers(page: &Page) -> Markup {
    let failed = page.document.checks.iter().filter(|check| check.outcome == Outcome::Fail);
    let (seen, unseen): (Vec<_>, Vec<_>) = failed.partition(|check| !check.viewers.is_empty());
    let groups = [
        ("Viewers would notice:", seen),
        ("Also at stake:", unseen),
        ("Nobody knows yet, and it may come to this:", facts::unanswered(page.document).collect()),
    ];
    markup! {
        @if groups.iter().any(|(_, checks)| !checks.is_empty()) {
            section {
                h2 { "If the event went ahead anyway" }
                @for (lead, checks) in &groups {
                    @if !checks.is_empty() { p.lead { (lead) } (notices(checks)) }
                }
            }
        }
    }
}

fn notices(checks: &[&CheckDoc]) -> Markup {
    let mut said: Vec<(String, Vec<&CheckDoc>)> = Vec::new();
    for check in checks {
        let text = line(facts::stake(check));
        match said.iter_mut().find(|(have, _)| *have == text) {
            Some((_, checks)) => checks.push(check),
            None => said.push((text, vec![check])),
        }
    }
    markup! {
        ul.notices {
            @for (text, checks) in said {
                li {
                    @if !text.is_empty() { (prose(&capital(&text))) " " }
                    span.quiet { "(" @for (at, check) in checks.iter().enumerate() { @if at > 0 { ", " } (check.id) } ")" }
                }
            }
        }
    }
}

/// The first rate series that is held against a need, with what its check says of it.
fn upload(page: &Page) -> Markup {
    let rate = |check: &&CheckDoc| check.series.iter().any(|series| series.unit == "kb/s");
    let checks: Vec<&CheckDoc> = page.document.checks.iter().filter(rate).collect();
    markup! {
        @if !checks.is_empty() {
            section {
                h2 { "Upload: needed against measured" }
                @for check in checks {
                    div.upload {
                        (comparison(check))
                        @for series in rates(check) { (plot(series, 680.0, 140.0)) }
                    }
                }
            }
        }
    }
}

fn rates(check: &CheckDoc) -> impl Iterator<Item = &Series> {
    check.series.iter().filter(|series| series.unit == "kb/s").take(1)
}

/// What is said of rates and of the risk for the whole stream, and whatever is not as it should be.
fn rate_findings(check: &CheckDoc) -> impl Iterator<Item = &Finding> {
    let telling = |finding: &&Finding| {
        let of_rates = finding.expected.contains("kb/s") || finding.code.rsplit('.').next() == Some("risk");
        finding.effect != Effect::Pass || of_rates
    };
    check.findings.iter().filter(telling).take(6)
}

fn comparison(check: &CheckDoc) -> Markup {
    markup! {
        table.compare {
            caption { (badge(check.outcome)) " " (check.id) @if let Some(path) = &check.path { " over " (path) } }
            thead { tr { th { "needed" } th { "measured" } th {} } }
            tbody {
                @for finding in rate_findings(check) {
                    tr { td { (prose(&finding.expected)) } td { (prose(&finding.observed)) } td { (super::parts::effect(finding.effect)) } }
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
fn mbps(kbps: u64) -> f64 {
    kbps as f64 / 1000.0
}

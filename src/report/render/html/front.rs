//! Page 1: for a person who is no engineer.

use maud::{Markup, html as markup};

use super::parts::{badge, broken, effect, link, plot, prose, word_class, word_shape};
use super::{Page, answers};
use crate::judge::Rank;
use crate::report::render::again::again;
use crate::report::render::brief::{self, Stake, capital};
use crate::report::render::facts;
use crate::report::render::text::line;
use crate::report::v1::CheckDoc;

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
    let when = brief::when(page.document, &page.clock);
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
                            span.quiet { (brief::needs(stream.needed_kbps)) }
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
    markup! {
        section class=(format!("verdict {}", word_class(verdict.word))) {
            (word_shape(verdict.word))
            div.says {
                p.word { (verdict.word) }
                p.meaning { (facts::meaning(verdict.word)) }
                @if let Some(says) = facts::close_out(document) { p.meaning { (says) } }
                @if let Some(words) = again(document) { p.meaning { (prose(&words)) } }
                @for reason in facts::whole_run(document) { p.meaning { (capital(&line(&reason.text))) "." } }
            }
            dl.validity {
                dt { "Counts until" }
                dd {
                    @if let Some(expires) = verdict.expires {
                        strong { (page.clock.at(expires)) }
                        @if let Some(reach) = brief::reach(document) { br; (reach) }
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
            @for (outcome, count) in brief::tally(document) { span.count { (badge(outcome)) " " (count) } }
            span.quiet { "of " (document.checks.len()) " checks" }
            @if let Some(ledger) = &document.ledger {
                span.quiet { "· " (line(&ledger.words(&document.run.id))) }
            }
            @if document.run.resumed { span.quiet { "· the run was interrupted and resumed" } }
        }
    }
}

fn blockers(page: &Page) -> Markup {
    let document = page.document;
    let class = |rank| match rank {
        Rank::Blocks => "blocks",
        Rank::Unknown => "open",
        Rank::Condition => "condition",
    };
    markup! {
        @for (rank, title) in brief::REASONS {
            @let checks = facts::checks_of(document, rank);
            @if !checks.is_empty() {
                section {
                    h2 { (title) }
                    @for check in checks { (card(page, check, class(rank))) }
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
                h3 { (prose(&brief::headline(document, check))) }
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
                @for remedy in brief::remedies(check) { dt { "Do" } dd { (prose(&capital(&remedy))) } }
                dt { "Owner" } dd { (facts::owner(document, &check.owner)) }
                @if let Some(waiver) = &check.waiver {
                    dt { "Accepted" }
                    dd { "by " (facts::who(document, &waiver.by)) " until " (page.clock.at(waiver.expires.at())) ": " (line(&waiver.reason)) }
                }
            }
        }
    }
}

/// What viewers would notice, and what else is at stake.
fn viewers(page: &Page) -> Markup {
    let groups = brief::at_stake(page.document);
    markup! {
        @if !groups.is_empty() {
            section {
                h2 { "If the event went ahead anyway" }
                @for (lead, stakes) in &groups { p.lead { (lead) } (notices(stakes)) }
            }
        }
    }
}

fn notices(stakes: &[Stake<'_>]) -> Markup {
    markup! {
        ul.notices {
            @for (text, checks) in stakes {
                li {
                    @if !text.is_empty() { (prose(text)) " " }
                    span.quiet { "(" @for (at, check) in checks.iter().enumerate() { @if at > 0 { ", " } (check.id) } ")" }
                }
            }
        }
    }
}

/// The first rate series that is held against a need, with what its check says of it.
fn upload(page: &Page) -> Markup {
    let checks = brief::rated(page.document);
    markup! {
        @if !checks.is_empty() {
            section {
                h2 { "Upload: needed against measured" }
                @for check in checks {
                    div.upload {
                        (comparison(check))
                        @for series in brief::rates(check) { (plot(series, 680.0, 140.0)) }
                    }
                }
            }
        }
    }
}

fn comparison(check: &CheckDoc) -> Markup {
    markup! {
        table.compare {
            caption { (badge(check.outcome)) " " (check.id) @if let Some(path) = &check.path { " over " (path) } }
            thead { tr { th { "needed" } th { "measured" } th {} } }
            tbody {
                @for finding in brief::rate_findings(check) {
                    tr { td { (prose(&finding.expected)) } td { (prose(&finding.observed)) } td { (effect(finding.effect)) } }
                }
            }
        }
    }
}

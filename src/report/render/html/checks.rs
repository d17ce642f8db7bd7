//! The pages behind: every check with limit beside measurement, plots, method, raw evidence.

use maud::{Markup, html as markup};

use super::Page;
use super::parts::{badge, broken, effect, link, outcome_class, plot, prose};
use crate::report::render::brief::{self, capital};
use crate::report::render::facts;
use crate::report::render::raw::raw;
use crate::report::render::text::{line, number};
use crate::report::v1::CheckDoc;

pub(super) fn pages(page: &Page) -> Markup {
    markup! {
        section.behind {
            h2 { "Every check" }
            (overview(page))
            @for check in &page.document.checks { (detail(page, check)) }
            (policy(page))
        }
    }
}

/// The files that the policy was made from, and how to get at the rest.
fn policy(page: &Page) -> Markup {
    let policy = &page.document.policy;
    markup! {
        article.check {
            h3 { "Policy" }
            dl.digest {
                dt { "Resolved policy" } dd { code { (line(&policy.sha256)) } }
                @for layer in &policy.layers {
                    dt { (broken(&layer.name)) }
                    dd {
                        code { (line(&layer.sha256)) }
                        @if let Some(words) = facts::read_on(layer) { br; span.quiet { (words) } }
                    }
                }
            }
            p.quiet { (brief::DIGESTS) }
            details.raw { summary { "Resolved policy" } pre { (raw(&policy.resolved)) } }
        }
    }
}

fn overview(page: &Page) -> Markup {
    markup! {
        table.overview {
            thead { tr { th { "Outcome" } th { "Check" } th { "Asked of" } th { "Limit" } th { "Measured" } th { "Binding" } } }
            tbody {
                @for check in &page.document.checks {
                    @let finding = facts::telling(check);
                    tr {
                        td { (badge(check.outcome)) }
                        td { (link(check)) br; span.quiet { (line(&check.probe)) } }
                        td { (broken(&check.target)) }
                        td { @if let Some(finding) = finding { (prose(&finding.expected)) } }
                        td {
                            @match finding {
                                Some(finding) => (prose(&finding.observed)),
                                None => span.quiet { "not measured" },
                            }
                        }
                        td.short { (check.enforcement.word()) @if check.waiver.is_some() { br; "waived" } }
                    }
                }
            }
        }
    }
}

fn detail(page: &Page, check: &CheckDoc) -> Markup {
    markup! {
        article class=(format!("check {}", outcome_class(check.outcome))) id=(check.id) {
            div.card-head {
                (badge(check.outcome))
                h3 { (check.id) }
                span.quiet {
                    (line(&check.probe)) " · " (check.enforcement.word()) " · " (facts::owner(page.document, &check.owner))
                    @if let Some(path) = &check.path { " · over " (path) }
                }
            }
            p.target { (line(&check.target)) }
            @if !check.why.is_empty() { p { (prose(&capital(&check.why))) } }
            @if let Some(not) = &check.not_measured {
                p.missing {
                    strong { "Not measured (" (not.cause.word()) "). " }
                    (prose(&capital(&not.detail))) ". " (prose(&capital(&not.remedy))) "."
                }
            } @else if check.measured.is_none() {
                p.missing { strong { "Never measured." } }
            }
            (findings(page, check))
            div.plots { @for series in check.series.iter().take(6) { (plot(series, 680.0, 200.0)) } }
            (how(page, check))
        }
    }
}

fn findings(page: &Page, check: &CheckDoc) -> Markup {
    markup! {
        @if !check.findings.is_empty() {
            table.findings {
                thead { tr { th { "Result" } th { "Limit" } th { "Measured" } th { "Meaning, and what to do" } } }
                tbody {
                    @for finding in check.findings.iter().take(64) {
                        tr {
                            td { (effect(finding.effect)) br; code.quiet { (line(&finding.code)) } }
                            td { (prose(&finding.expected)) }
                            td { (prose(&finding.observed)) }
                            td {
                                @if let Some(means) = facts::means(page.document, finding) { span.quiet { (prose(means)) } }
                                @if !finding.remedy.is_empty() { br; strong { "Do: " } (prose(&finding.remedy)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn how(page: &Page, check: &CheckDoc) -> Markup {
    let methods = check.reading.as_ref().map(facts::methods).unwrap_or_default();
    let exchanges = check.reading.as_ref().map(facts::exchanges).unwrap_or_default();
    markup! {
        dl.how {
            @if let Some(measured) = brief::measured(page.document, &page.clock, check) { dt { "Measured" } dd { (measured) } }
            @if let Some(expires) = check.expires { dt { "Counts until" } dd { (page.clock.at(expires)) } }
            @if !methods.is_empty() { dt { "Method" } dd { (methods.join(", ")) } }
            @if !check.limits.is_empty() {
                dt { "Limits" }
                dd {
                    @for (at, limit) in check.limits.iter().enumerate() {
                        @if at > 0 { ", " }
                        code { (line(&limit.field)) " " (line(&limit.bound)) }
                    }
                }
            }
            @if !exchanges.is_empty() {
                dt { "Contacted" }
                dd {
                    @for exchange in &exchanges {
                        code { (exchange.remote) }
                        @if let Some(local) = &exchange.local { " from " code { (local) } }
                        @if let Some(took) = exchange.took_ms { ", " (number(took)) " ms" }
                        br;
                    }
                }
            }
            dt { "Asks" } dd { (prose(&capital(&check.asks))) }
            dt { "Can mislead" } dd { (prose(&capital(&check.misleads))) }
        }
        @if let Some(reading) = &check.reading {
            details.raw { summary { "Raw reading" } pre { (raw(reading)) } }
        }
    }
}

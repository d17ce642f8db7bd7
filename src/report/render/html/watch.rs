//! The page of a watch.

use maud::{Markup, html as markup};

use super::parts::{badge, broken, outcome_class};
use super::whole_page;
use crate::model::Outcome;
use crate::report::render::moment::Clock;
use crate::report::render::text::line;
use crate::report::render::watch::strip::{Block, blocks};
use crate::report::render::watch::{budget, clock, every, listed, looks, meaning, state, when, within, word};
use crate::report::{WatchDoc, WatchedDoc};

const STYLE: &str = include_str!("watch.css");

/// A watch as one self-contained page.
pub fn watch_html(document: &WatchDoc) -> String {
    let clock = clock(document);
    let body = markup! {
        main {
            (head(document, &clock))
            (overview(document, &clock))
            (alerts(document, &clock))
            @for check in &document.checks { (one(check, &clock)) }
            (left_out(document))
        }
        footer {
            p {
                "golive " (line(&document.golive)) " · " (line(&document.schema)) " · watch " (line(&document.watch))
                " · times in " (clock.name())
            }
            p { "Every period comes from watch.json. A watch is no verdict on the event." }
        }
    };
    whole_page(&format!("Watch: {}", line(&document.event.title)), STYLE, &body)
}

fn head(document: &WatchDoc, clock: &Clock) -> Markup {
    let (from, to) = document.span();
    markup! {
        header.head {
            p.kicker { "Watch during the event" }
            h1 { (line(&document.event.title)) }
            p { (badge(document.worst)) " " strong { (meaning(document.worst)) } }
            p.objective {
                "A watch asks what is light while the stream is live. It says nothing of upload or of the stream itself, and it \
                 is no verdict on the event."
            }
            dl.facts {
                div.wide { dt { "Watched" } dd { (clock.span(from, to)) br; span.quiet { "ended by " (line(&document.ended_by)) } } }
                div { dt { "Checks" } dd { (document.checks.len()) " watched, " (document.left_out.len()) " left out" } }
                div { dt { "Load" } dd { (budget(document)) } }
                @if document.resumed > 0 {
                    div { dt { "Resumed" } dd { (document.resumed) " times after a crash" } }
                }
                @if let Some(webhook) = &document.webhook {
                    div.wide {
                        dt { "Webhook " (broken(&webhook.host)) }
                        dd {
                            (webhook.delivered) " delivered, " (webhook.lost) " lost"
                            @if let Some(trouble) = &webhook.trouble { br; span.quiet { (broken(trouble)) } }
                        }
                    }
                }
            }
        }
    }
}

fn overview(document: &WatchDoc, clock: &Clock) -> Markup {
    let (from, to) = document.span();
    markup! {
        section {
            h2 { "Timelines" }
            p.quiet {
                "The higher a block, the worse: pass, warn, unknown (it could not be asked), fail. A thin line: nobody looked."
            }
            table.timelines {
                thead { tr { th { "Check" } th { "Ended as" } th { (clock.time(from)) " to " (clock.time(to)) } th { "Within limits" } } }
                tbody {
                    @for check in &document.checks {
                        tr {
                            td { a.id href=(format!("#{}", check.check)) { (broken(check.check.as_str())) } }
                            td.short { (ended(check)) }
                            td.strip { (strip(document, check)) }
                            td.short { (within(document, check)) }
                        }
                    }
                }
            }
        }
    }
}

fn ended(check: &WatchedDoc) -> Markup {
    markup! { @match check.state { Some(outcome) => (badge(outcome)), None => span.quiet { (state(check)) } } }
}

fn strip(document: &WatchDoc, check: &WatchedDoc) -> Markup {
    let label =
        format!("{}: {} periods, ended as {}", check.check, check.timeline.periods().len(), state(check));
    markup! {
        svg.strip viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label=(label) {
            @for Block { x, width, height, outcome } in blocks(document, check) {
                rect class=(class(outcome)) x=(x) y=(100 - height) width=(width) height=(height) {}
            }
        }
    }
}

const fn class(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(outcome) => outcome_class(outcome),
        None => "nobody",
    }
}

fn alerts(document: &WatchDoc, clock: &Clock) -> Markup {
    let older = document.alerts_in_all.saturating_sub(document.alerts.len() as u64);
    markup! {
        section {
            h2 { "Alerts" }
            @if document.alerts.is_empty() { p { "There was none." } }
            @if older > 0 { p.quiet { (older) " earlier ones stand in the journal." } }
            @if !document.alerts.is_empty() {
                table.alerts {
                    thead { tr { th { "At" } th { "Check" } th { "Became" } th { "What was seen" } th { "Whose it is" } } }
                    tbody {
                        @for alert in &document.alerts {
                            tr {
                                td.short { (clock.time(alert.at)) br; span.quiet { "seen since " (clock.time(alert.since)) } }
                                td { (broken(alert.check.as_str())) }
                                td.short {
                                    (badge(alert.to))
                                    br; span.quiet { @match alert.from { Some(from) => { "was " (from.word()) }, None => "from the start" } }
                                }
                                td { code { (broken(&alert.code)) } " " (broken(&alert.said)) }
                                td { (alert.owner) @if let Some(role) = &alert.accountable { ": " (role) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn one(check: &WatchedDoc, clock: &Clock) -> Markup {
    let (older, periods) = listed(check);
    markup! {
        section id=(check.check) {
            h2 { (broken(check.check.as_str())) }
            p.quiet {
                (line(&check.probe))
                @if let Some(path) = &check.path { " over " (path) }
                " " (broken(&check.target)) " · " (every(check.every_s)) ", " (check.looks) " looks · " (check.enforcement.word())
            }
            @if older > 0 { p.quiet { (older) " older periods stand in watch.json." } }
            @if periods.is_empty() { p { "It was never looked at." } }
            @if !periods.is_empty() {
                table.periods {
                    thead { tr { th { "When" } th { "What" } th { "Looks" } th { "First seen" } } }
                    tbody {
                        @for period in periods {
                            tr {
                                td.short { (when(period, clock)) }
                                td.short { @match period.outcome { Some(outcome) => (badge(outcome)), None => (word(None)) } }
                                td { (looks(period)) }
                                td { @if !period.code.is_empty() { code { (broken(&period.code)) } " " } (broken(&period.said)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn left_out(document: &WatchDoc) -> Markup {
    markup! {
        @if !document.left_out.is_empty() {
            section {
                h2 { "Not watched" }
                ul {
                    @for left in &document.left_out {
                        li { code { (broken(left.check.as_str())) } " (" (line(&left.probe)) "): " (line(&left.why)) }
                    }
                }
            }
        }
    }
}

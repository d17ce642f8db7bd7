//! The second half of page 1: what is accepted, what is not known, who answers, who decides.

use maud::{Markup, html as markup};

use super::Page;
use super::parts::{broken, capital, link, prose};
use crate::policy::Accepts;
use crate::report::render::facts;
use crate::report::render::text::line;
use crate::report::v1::{CheckDoc, WaiverState};

pub(super) fn waivers(page: &Page) -> Markup {
    let waivers = &page.document.waivers;
    markup! {
        @if !waivers.is_empty() {
            section {
                h2 { "Waivers" }
                table {
                    thead { tr { th { "Check" } th { "Accepts" } th { "Approved by" } th { "Until" } th { "State" } th { "Reason, and what is done instead" } } }
                    tbody {
                        @for entry in waivers {
                            tr {
                                td { code { (broken(entry.waiver.check.as_str())) } }
                                td.short { (accepts(entry.waiver.accepts)) }
                                td { (entry.waiver.by) @if let Some(name) = &entry.approver { " · " (line(name)) } }
                                td { (page.clock.at(entry.waiver.expires.at())) }
                                td.short { (state(entry.state)) }
                                td {
                                    (line(&entry.waiver.reason))
                                    @if let Some(times) = facts::renewed(&entry.waiver) { "; " (times) }
                                    @if !entry.waiver.scope.is_empty() { "; covers only: " (line(&entry.waiver.scope.join(", "))) }
                                    @if let Some(instead) = &entry.waiver.compensating { "; " (line(instead)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

const fn accepts(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Fail => "a failure",
        Accepts::Unknown => "not knowing",
    }
}

const fn state(state: WaiverState) -> &'static str {
    match state {
        WaiverState::InUse => "in use",
        WaiverState::NotNeeded => "not needed",
        WaiverState::Expired => "expired",
        WaiverState::WithoutEffect => "without effect",
    }
}

/// Never left out: also says so when nothing is missing.
pub(super) fn untested(page: &Page) -> Markup {
    let document = page.document;
    let unanswered: Vec<&CheckDoc> = facts::unanswered(document).collect();
    markup! {
        section {
            h2 { "What was not tested" }
            @if document.run.interrupted { p { strong { "The run was stopped before it was over." } } }
            @if unanswered.is_empty() {
                p { "Every check of the policy has an answer." }
            } @else {
                ul.untested {
                    @for check in &unanswered {
                        li {
                            (link(check)) " "
                            span.quiet { (check.enforcement.word()) " · " (line(&check.target)) }
                            br;
                            (prose(&why_unanswered(check)))
                        }
                    }
                }
            }
            @if document.close_out.is_some() {
                p { "Not asked in a close-out:" }
                ul { @for (check, why) in facts::left_open(document) { li { code { (broken(check.as_str())) } ": " (line(why)) } } }
            }
            @if !document.not_asked.is_empty() {
                p.quiet {
                    "The policy does not ask about: "
                    @for (at, kind) in document.not_asked.iter().enumerate() {
                        @if at > 0 { "; " }
                        strong { (line(&kind.probe)) } " (" (line(&kind.asks)) ")"
                    }
                    "."
                }
            }
            p.quiet { "Measured from this machine, on this network, at this hour; not at other hours, and not what the platform itself may do." }
        }
    }
}

fn why_unanswered(check: &CheckDoc) -> String {
    if let Some(not) = &check.not_measured {
        return capital(&line(&not.detail));
    }
    match facts::telling(check) {
        Some(finding) => format!("Asked: {}. Seen: {}.", line(&finding.expected), line(&finding.observed)),
        None => "It was never measured.".to_owned(),
    }
}

pub(super) fn accountable(page: &Page) -> Markup {
    markup! {
        section {
            h2 { "Who answers for what" }
            @if page.document.accountable.is_empty() {
                p { "The policy names nobody." }
            } @else {
                table.roles {
                    @for entry in &page.document.accountable {
                        tr {
                            th scope="row" { (entry.area) }
                            td { (entry.role) }
                            td { @match &entry.name { Some(name) => (line(name)), None => span.quiet { "no name" } } }
                        }
                    }
                }
            }
            @if let Some(by) = &page.document.authorisation {
                p.quiet {
                    "Probing was authorised by " (by.by)
                    @if let Some(name) = page.document.people.get(&by.by) { " (" (line(name)) ")" }
                    @if let Some(reference) = &by.reference { ", " (line(reference)) }
                    @if let Some(window) = &by.window { ", " (page.clock.span(window.from.at(), window.to.at())) }
                    "."
                }
            }
        }
    }
}

pub(super) fn way_back(page: &Page) -> Markup {
    markup! {
        section {
            h2 { "The way back" }
            @match &page.document.event.way_back {
                Some(way) => p { (line(way)) },
                None => p.missing { "The policy does not say who stops the stream, and how. Settle it before the event." },
            }
        }
    }
}

/// Two blocks for ink: IT and marketing each decide for themselves.
pub(super) fn decisions(page: &Page) -> Markup {
    markup! {
        section.decisions {
            h2 { "Decision" }
            (verify(page))
            div.two {
                @for (title, area) in [("IT", "network"), ("Marketing", "brand")] { (decision(page, title, area)) }
            }
        }
    }
}

fn decision(page: &Page, title: &str, area: &str) -> Markup {
    let entry = page.document.accountable.iter().find(|entry| entry.area.as_str() == area);
    markup! {
        div.decision {
            h3 { (title) }
            p.quiet {
                @match entry {
                    Some(entry) => { "accountable for " (area) ", as " (entry.role) },
                    None => { "the policy names nobody for " (area) },
                }
            }
            p.choices { span { "☐ Go" } span { "☐ Go with conditions" } span { "☐ No-go" } }
            dl.ink {
                dt { "Name" } dd { @if let Some(name) = entry.and_then(|entry| entry.name.as_ref()) { (line(name)) } }
                dt { "Conditions, dissent" } dd {} dt {} dd {}
                dt { "Date, time" } dd {}
                dt { "Signature" } dd.tall {}
            }
        }
    }
}

/// The command and the digest, small: the policy's files stand at the end.
fn verify(page: &Page) -> Markup {
    markup! {
        p.verify {
            "The verdict is computed from the readings, never typed. Compute it again: "
            code { (facts::verifies(page.document)) }
            br;
            "Policy SHA-256 " code { (line(&page.document.policy.sha256)) }
        }
    }
}

//! The second half of page 1: what is accepted, what is not known, who answers, who decides.

use maud::{Markup, html as markup};

use super::Page;
use super::parts::{broken, link, prose};
use crate::report::render::decided::{self, Block};
use crate::report::render::text::line;
use crate::report::render::{brief, facts};
use crate::report::seal::Signed;
use crate::report::v1::CheckDoc;

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
                                td.short { (brief::accepts(entry.waiver.accepts)) }
                                td { (brief::approver(entry)) }
                                td { (page.clock.at(entry.waiver.expires.at())) }
                                td.short { (facts::state(entry.state)) }
                                td { (brief::reason(entry)) }
                            }
                        }
                    }
                }
            }
        }
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
                            (prose(&brief::why_unanswered(check)))
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
            @for words in facts::overdue(document) { p { (words) "." } }
            p.quiet { (brief::SCOPE) }
        }
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
            @if let Some(authorised) = brief::authorised(page.document, &page.clock) { p.quiet { (authorised) } }
        }
    }
}

pub(super) fn way_back(page: &Page) -> Markup {
    markup! {
        section {
            h2 { "The way back" }
            @match &page.document.event.way_back {
                Some(way) => p { (line(way)) },
                None => p.missing { (brief::NO_WAY_BACK) },
            }
        }
    }
}

/// IT and marketing each decide for themselves, side by side.
pub(super) fn decisions(page: &Page) -> Markup {
    markup! {
        section.decisions {
            h2 { "Decision" }
            (verify(page))
            div.two { @for block in decided::two(&page.filed) { (decision(page, &block)) } }
            (remarks(page))
        }
    }
}

fn decision(page: &Page, block: &Block<'_>) -> Markup {
    markup! {
        div.decision {
            h3 { (block.title) }
            p.quiet { (block.standing) }
            @match block.said {
                Some(signed) => (said(page, signed)),
                None => {
                    p.choices { @for choice in decided::CHOICES { span { "☐ " (choice) } } }
                    dl.ink {
                        dt { "Name" } dd { @if let Some(name) = &block.name { (name) } }
                        dt { "Signature" } dd { span.quiet { "on the last page" } }
                    }
                },
            }
        }
    }
}

/// A decision that was made, and how it is tied to its person.
pub(super) fn said(page: &Page, signed: &Signed) -> Markup {
    markup! {
        p.said { (decided::choice(signed)) }
        dl.act {
            @for (name, value) in decided::particulars(signed, &page.clock) { dt { (name) } dd { (value) } }
        }
    }
}

/// One key or one machine behind two roles.
pub(super) fn remarks(page: &Page) -> Markup {
    markup! {
        @for remark in decided::remarks(&page.filed) { p { strong { "Note: " } (remark) } }
    }
}

/// The commands and the digests, small.
fn verify(page: &Page) -> Markup {
    markup! {
        p.verify {
            "The verdict is computed from the readings, never typed. Compute it again: "
            code { (facts::verifies(page.document)) }
            ". Hold this report against what was signed: " code { "golive verify report.json" }
            br;
            "report.json SHA-256 " code { (page.filed.sha256()) }
            br;
            "Policy SHA-256 " code { (line(&page.document.policy.sha256)) }
        }
    }
}

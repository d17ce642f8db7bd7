//! The firewall change request, among the pages behind.

use maud::{Markup, html as markup};

use super::Page;
use super::parts::{broken, prose};
use crate::report::render::brief::capital;
use crate::report::render::change_request::{self, BACK_OUT, OURS, notes, rows, shut, verify, window};
use crate::report::render::text::line;

/// Only where something must be opened or closed.
pub(super) fn section(page: &Page) -> Markup {
    let Some(request) = change_request::of(page.document) else { return markup! {} };
    let [open, closed] = verify(&request);
    markup! {
        section {
            h2 { "Firewall change request" @if let Some(change) = &request.change { " " (line(change)) } }
            @if !request.rules.is_empty() {
                p { (capital(&window(&request, &page.clock))) ". Outwards only; nothing that the event does not need." }
                table.rules {
                    thead { tr { th { "Rule" } th { "From" } th { "To" } th { "Service" } th { "Why" } } }
                    tbody {
                        @for row in rows(&request) {
                            tr {
                                td { code { (broken(&row.name)) } }
                                td { (prose(&row.from)) }
                                td { @for to in &row.to { (broken(to)) br; } }
                                td.short { (row.service) }
                                td { @for why in &row.why { (prose(why)) br; } }
                            }
                        }
                    }
                }
            }
            @for note in notes(&request) { p.quiet { (prose(&capital(&note))) } }
            @let (left_open, closed_now): (Vec<_>, Vec<_>) = request.shut.iter().partition(|shut| shut.open);
            @if !left_open.is_empty() {
                p {
                    strong { "Is open and must be closed: remove the rule that opens it" }
                    ". " (OURS) " " code { (request.prefix()) } "."
                }
                ul { @for entry in left_open { li { (entry.check) ", " (prose(&shut(entry))) } } }
            }
            @if !closed_now.is_empty() {
                p { "Must stay closed:" }
                ul { @for entry in closed_now { li { (entry.check) ", " (prose(&shut(entry))) } } }
            }
            p.quiet {
                "Verify with " code { (open) } ", after the event with " code { (closed) }
                "; as configuration and its back-out: " code { (BACK_OUT) } "."
            }
        }
    }
}

//! The last page: everybody who decides, with room for ink.

use maud::{Markup, html as markup};

use super::Page;
use super::answers::{remarks, said};
use crate::report::render::decided::{self, Block};
use crate::report::render::text::line;

pub(super) fn page(page: &Page) -> Markup {
    let document = page.document;
    markup! {
        section.behind.sign-off {
            h2 { "Sign-off" }
            p {
                strong { (document.verdict.word) } " · " (line(&document.event.title))
                @if let Some(expires) = document.verdict.expires { " · counts until " (page.clock.at(expires)) }
                @if let Some(ledger) = &document.ledger { br; (line(&ledger.words(&document.run.id))) }
            }
            p.verify {
                "What is decided here is about this very file: report.json, SHA-256 " code { (page.filed.sha256()) }
            }
            @for refused in page.filed.refused {
                p.missing { strong { "Does not count: " } (refused) }
            }
            div.two { @for block in decided::everybody(&page.filed) { (signer(page, &block)) } }
            (remarks(page))
            p.quiet { (decided::levels(document)) }
        }
    }
}

fn signer(page: &Page, block: &Block<'_>) -> Markup {
    markup! {
        div.decision {
            h3 { (block.title) }
            p.quiet { (block.standing) }
            @match block.said {
                Some(signed) => (said(page, signed)),
                None => p.choices { @for choice in decided::CHOICES { span { "☐ " (choice) } } },
            }
            dl.ink {
                @if block.said.is_none() {
                    dt { "Name" } dd { @if let Some(name) = &block.name { (name) } }
                    dt { "Conditions, dissent" } dd {} dt {} dd {} dt {} dd {}
                    dt { "Date, time" } dd {}
                }
                dt { "Signature" } dd.tall {}
            }
        }
    }
}

//! Self-contained HTML: no script, nothing loaded from anywhere, fit for paper.

mod answers;
mod change_request;
mod checks;
mod front;
mod parts;
mod sign_off;
mod watch;

pub use watch::watch_html;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::facts;
use super::moment::Clock;
use super::text::line;
use crate::report::{Document, Filed, to_json};

const STYLE: &str = include_str!("style.css");
/// Forbids scripts, frames, forms and every request; style stands inline.
const CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What the parts of the page share.
struct Page<'a> {
    filed: Filed<'a>,
    document: &'a Document,
    clock: Clock,
}

/// The report as one HTML file, as nobody has decided about it yet.
pub fn html(document: &Document) -> String {
    // a document is always JSON; were one not, its digest would be that of nothing
    let bytes = to_json(document).unwrap_or_default();
    html_of(&Filed::alone(document, bytes.as_bytes()))
}

/// The same with the decisions that lie beside it.
pub fn html_of(filed: &Filed<'_>) -> String {
    let document = filed.document;
    let page = Page { filed: *filed, document, clock: Clock::of(document) };
    let title = format!("{}: {}", document.verdict.word, line(&document.event.title));
    let body = markup! {
        main {
            (front::page(&page))
            (checks::pages(&page))
            (change_request::section(&page))
            (sign_off::page(&page))
        }
        (footer(&page))
    };
    whole_page(&title, "", &body)
}

/// A page with its style inside, and more style of its own.
fn whole_page(title: &str, more: &str, body: &Markup) -> String {
    let whole: Markup = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(CSP);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(more)) }
            }
            body { (body) }
        }
    };
    whole.into_string()
}

fn footer(page: &Page) -> Markup {
    let document = page.document;
    markup! {
        footer {
            p {
                "golive " (line(&document.golive)) " · " (line(&document.schema)) " · run " (line(&document.run.id))
                " · " (line(&document.run.platform)) " · times in " (page.clock.name())
            }
            p { "Every figure and the verdict come from report.json; verify with " code { (facts::verifies(document)) } }
        }
    }
}

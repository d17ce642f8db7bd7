//! PDF/A-3 for people, paper and archives, with report.json inside. Same bytes for the same
//! report: dates come from the report, never from a clock.

mod bound;
mod change_request;
mod chart;
mod checks;
mod face;
mod flow;
mod front;
mod lines;
mod pages;
mod palette;
mod paper;
mod sign_off;
mod slab;
mod table;
mod tags;
mod watch;

pub use watch::watch_pdf;

use self::bound::{Carried, Cover, bound};
use self::face::Faces;
use self::flow::{Flow, short};
use self::pages::COLUMN;
use self::slab::Slab;
use self::tags::{Role, Tags};
use super::moment::Clock;
use super::text::line;
use crate::report::{Document, Filed};

/// A PDF could not be made. Nothing in a report can cause this; it is a defect of golive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// An embedded font cannot be read.
    #[error("golive's own fonts cannot be read")]
    Font,
    /// A page of no size.
    #[error("no page can be made")]
    Page,
    /// What was made is no PDF/A.
    #[error("the PDF breaks its own standard: {0}")]
    Standard(String),
}

/// What the pages share.
struct Sheet<'a> {
    filed: Filed<'a>,
    document: &'a Document,
    clock: Clock,
    /// SHA-256 of report.json.
    digest: String,
}

/// The report as a PDF/A-3a file that carries its report.json.
pub fn pdf(filed: &Filed<'_>) -> Result<Vec<u8>, PdfError> {
    let document = filed.document;
    let sheet = Sheet { filed: *filed, document, clock: Clock::of(document), digest: filed.sha256() };
    let faces = Faces::embedded()?;
    let mut tags = Tags::new();
    let slabs = slabs(&sheet, &faces, &mut tags);
    let cover = Cover {
        head: format!("{}  ·  {}", document.verdict.word, line(&document.event.title)),
        run: format!("run {}", line(&document.run.id)),
        golive: &document.golive,
        title: format!("{}: {}", document.verdict.word, short(&document.event.title, 300)),
        description: format!("Go-live report of run {}", short(&document.run.id, 100)),
        at: document.verdict.evaluated_at,
        carries: Carried {
            name: "report.json",
            about: "The report that this document shows: golive-report/1",
            bytes: filed.bytes,
            digest: sheet.digest.clone(),
        },
    };
    bound(slabs, &faces, tags, &cover)
}

/// Everything, in the order of reading.
fn slabs(sheet: &Sheet<'_>, faces: &Faces, tags: &mut Tags) -> Vec<Slab> {
    let mut all = Vec::new();
    for build in [front::page, checks::pages, change_request::pages, sign_off::page] {
        let within = tags.add(Tags::ROOT, Role::Section);
        let mut flow = Flow { faces, tags, width: COLUMN, within, slabs: Vec::new() };
        build(sheet, &mut flow);
        all.append(&mut flow.slabs);
    }
    all
}

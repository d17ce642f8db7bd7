//! PDF/A-3 for people, paper and archives, with report.json inside. Same bytes for the same
//! report: dates come from the report, never from a clock.

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

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::SerializeSettings;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};

use self::face::Faces;
use self::flow::{CODE, Flow, QUIET, short, words};
use self::lines::Style;
use self::pages::{COLUMN, HEIGHT, Page, SIDE, WIDTH};
use self::slab::{Pen, Slab, straight};
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
    let sheet = Sheet {
        filed: *filed,
        document: filed.document,
        clock: Clock::of(filed.document),
        digest: filed.sha256(),
    };
    let faces = Faces::embedded()?;
    let mut tags = Tags::new();
    let (mut pages, cut) = pages::pages(slabs(&sheet, &faces, &mut tags));
    let count = pages.len();
    for (at, page) in pages.iter_mut().enumerate() {
        frame(&sheet, &faces, page, at + 1, count, cut);
    }
    let mut document = krilla::Document::new_with(settings()?);
    for page in &pages {
        paper::draw(&mut document, page, &faces, &mut tags)?;
    }
    document.set_outline(outline(&pages));
    document.set_tag_tree(tags.tree());
    document.set_metadata(metadata(&sheet));
    embed(&mut document, filed);
    document.finish().map_err(|error| PdfError::Standard(format!("{error}: {error:?}")))
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

/// What stands on every page: which report, its digest, which page of how many.
fn frame(sheet: &Sheet<'_>, faces: &Faces, page: &mut Page, number: usize, count: usize, cut: bool) {
    let document = sheet.document;
    let small = Style { size: 6.8, ..QUIET };
    let mut around = Slab::default();
    if number > 1 {
        let head = format!("{}  ·  {}", document.verdict.word, line(&document.event.title));
        let text = [words(head, small)];
        if let Some(first) = lines::lines(faces, &text, COLUMN - 140.0, 1).first() {
            around.line(SIDE, 30.0, first, None);
        }
        let run = [words(format!("run {}", line(&document.run.id)), small)];
        if let Some(first) = lines::lines(faces, &run, 130.0, 1).first() {
            let wide = lines::width(faces, &run).min(130.0);
            around.line(WIDTH - SIDE - wide, 30.0, first, None);
        }
        around.shape(straight((SIDE, 44.0), (WIDTH - SIDE, 44.0)), None, Some(Pen::new(palette::RULE, 0.6)));
    }
    let foot = HEIGHT - 34.0;
    around.shape(straight((SIDE, foot), (WIDTH - SIDE, foot)), None, Some(Pen::new(palette::RULE, 0.6)));
    let mut text = vec![words("report.json SHA-256 ", small)];
    text.push(words(sheet.digest.clone(), Style { size: 6.2, colour: palette::SOFT, ..CODE }));
    text.push(words(format!("  ·  golive {}", line(&document.golive)), small));
    if cut && number == count {
        text = vec![words("There is more; it stands in report.json, which this file carries.", small)];
    }
    if let Some(first) = lines::lines(faces, &text, COLUMN - 60.0, 1).first() {
        around.line(SIDE, foot + 5.0, first, None);
    }
    let of = format!("{number} of {count}");
    let wide = faces.text_width(small.face, &of) * small.size;
    around.words(WIDTH - SIDE - wide, foot + 5.0 + small.size * 1.04, of, small, None);
    page.marks.extend(around.marks);
}

fn settings() -> Result<SerializeSettings, PdfError> {
    Ok(SerializeSettings {
        configuration: configuration()?,
        enable_tagging: true,
        ..SerializeSettings::default()
    })
}

fn configuration() -> Result<Configuration, PdfError> {
    ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| PdfError::Standard(format!("{error:?}")))
}

fn metadata(sheet: &Sheet<'_>) -> Metadata {
    let document = sheet.document;
    let title = format!("{}: {}", document.verdict.word, short(&document.event.title, 300));
    Metadata::new()
        .title(title)
        .description(format!("Go-live report of run {}", short(&document.run.id, 100)))
        .language("en".to_owned())
        .creator(format!("golive {}", short(&document.golive, 40)))
        .creation_date(date(document.verdict.evaluated_at))
        .document_id(sheet.digest.clone())
}

fn date(at: Timestamp) -> DateTime {
    let at = at.to_zoned(TimeZone::UTC);
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// The report's own bytes, so that the signatures beside it can be checked against the PDF too.
fn embed(document: &mut krilla::Document, filed: &Filed<'_>) {
    let file = EmbeddedFile {
        path: "report.json".to_owned(),
        mime_type: MimeType::new("application/json"),
        description: Some("The report that this document shows: golive-report/1".to_owned()),
        association_kind: AssociationKind::Source,
        data: filed.bytes.to_vec().into(),
        modification_date: Some(date(filed.document.verdict.evaluated_at)),
        compress: Some(true),
        location: None,
    };
    // only a second file of the same name is refused
    let _ = document.embed_file(file);
}

fn outline(pages: &[Page]) -> Outline {
    let mut outline = Outline::new();
    let mut open: Option<OutlineNode> = None;
    for (at, page) in pages.iter().enumerate() {
        for (level, title, y) in &page.bookmarks {
            let title = title.chars().take(120).collect();
            let node = OutlineNode::new(title, XyzDestination::new(at, Point::from_xy(0.0, *y)));
            match &mut open {
                Some(above) if *level > 1 => above.push_child(node),
                _ => {
                    if let Some(done) = open.replace(node) {
                        outline.push_child(done);
                    }
                }
            }
        }
    }
    if let Some(last) = open {
        outline.push_child(last);
    }
    outline
}

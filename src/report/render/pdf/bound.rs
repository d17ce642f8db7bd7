//! Slabs bound into a file: pages, what stands on each of them, bookmarks, and the document that it carries.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::SerializeSettings;
use krilla::configure::{Accessibility, Archival, Configuration, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};

use super::face::Faces;
use super::flow::{CODE, QUIET, short, words};
use super::lines::{self, Style};
use super::pages::{self, COLUMN, HEIGHT, Page, SIDE, WIDTH};
use super::slab::{Pen, Slab, straight};
use super::tags::Tags;
use super::{PdfError, palette, paper};
use crate::report::render::text::line;

/// What every page says, and what the file says of itself.
pub(super) struct Cover<'a> {
    /// Above later pages, at the left.
    pub head: String,
    /// Above later pages, at the right.
    pub run: String,
    /// golive's version.
    pub golive: &'a str,
    /// The file's title.
    pub title: String,
    /// What it is.
    pub description: String,
    /// Its date: the document's, never a clock's.
    pub at: Timestamp,
    /// The document that it shows.
    pub carries: Carried<'a>,
}

/// A document inside the file.
pub(super) struct Carried<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub about: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Their SHA-256, hexadecimal.
    pub digest: String,
}

/// A PDF/A-3a file.
pub(super) fn bound(
    slabs: Vec<Slab>,
    faces: &Faces,
    mut tags: Tags,
    cover: &Cover<'_>,
) -> Result<Vec<u8>, PdfError> {
    let (mut pages, cut) = pages::pages(slabs);
    let count = pages.len();
    for (at, page) in pages.iter_mut().enumerate() {
        frame(cover, faces, page, at + 1, count, cut);
    }
    let mut document = krilla::Document::new_with(settings()?);
    for page in &pages {
        paper::draw(&mut document, page, faces, &mut tags)?;
    }
    document.set_outline(outline(&pages));
    document.set_tag_tree(tags.tree());
    document.set_metadata(metadata(cover));
    embed(&mut document, cover);
    document.finish().map_err(|error| PdfError::Standard(format!("{error}: {error:?}")))
}

/// What stands on every page: which report, its digest, which page of how many.
fn frame(cover: &Cover<'_>, faces: &Faces, page: &mut Page, number: usize, count: usize, cut: bool) {
    let small = Style { size: 6.8, ..QUIET };
    let mut around = Slab::default();
    if number > 1 {
        let text = [words(cover.head.as_str(), small)];
        if let Some(first) = lines::lines(faces, &text, COLUMN - 140.0, 1).first() {
            around.line(SIDE, 30.0, first, None);
        }
        let run = [words(cover.run.as_str(), small)];
        if let Some(first) = lines::lines(faces, &run, 130.0, 1).first() {
            let wide = lines::width(faces, &run).min(130.0);
            around.line(WIDTH - SIDE - wide, 30.0, first, None);
        }
        around.shape(straight((SIDE, 44.0), (WIDTH - SIDE, 44.0)), None, Some(Pen::new(palette::RULE, 0.6)));
    }
    let foot = HEIGHT - 34.0;
    around.shape(straight((SIDE, foot), (WIDTH - SIDE, foot)), None, Some(Pen::new(palette::RULE, 0.6)));
    let file = cover.carries.name;
    let mut text = vec![words(format!("{file} SHA-256 "), small)];
    text.push(words(cover.carries.digest.as_str(), Style { size: 6.2, colour: palette::SOFT, ..CODE }));
    text.push(words(format!("  ·  golive {}", line(cover.golive)), small));
    if cut && number == count {
        text = vec![words(format!("There is more; it stands in {file}, which this file carries."), small)];
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

fn metadata(cover: &Cover<'_>) -> Metadata {
    Metadata::new()
        .title(cover.title.clone())
        .description(cover.description.clone())
        .language("en".to_owned())
        .creator(format!("golive {}", short(cover.golive, 40)))
        .creation_date(date(cover.at))
        .document_id(cover.carries.digest.clone())
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

/// The document's own bytes, so that what is beside it can be checked against the PDF too.
fn embed(document: &mut krilla::Document, cover: &Cover<'_>) {
    let carries = &cover.carries;
    let file = EmbeddedFile {
        path: carries.name.to_owned(),
        mime_type: MimeType::new("application/json"),
        description: Some(carries.about.to_owned()),
        association_kind: AssociationKind::Source,
        data: carries.bytes.to_vec().into(),
        modification_date: Some(date(cover.at)),
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

//! Draws pages with krilla.

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point};
use krilla::page::PageSettings;
use krilla::paint::{Fill, LineCap, LineJoin, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, SpanTag};
use kurbo::{BezPath, PathEl};

use super::PdfError;
use super::face::Faces;
use super::pages::{HEIGHT, Page, WIDTH};
use super::palette::Colour;
use super::slab::{Drawing, Mark, Pen};
use super::tags::Tags;

/// Draws one page; what belongs to the structure is noted there.
pub fn draw(
    document: &mut krilla::Document,
    page: &Page,
    faces: &Faces,
    tags: &mut Tags,
) -> Result<(), PdfError> {
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PdfError::Page)?;
    let mut sheet = document.start_page_with(settings);
    let mut surface = sheet.surface();
    for marks in page.marks.chunk_by(|one, next| one.part == next.part) {
        let Some(first) = marks.first() else { continue };
        let spoken = matches!(first.drawing, Drawing::Words(..));
        let tag = match first.part {
            None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
            Some(_) if spoken => ContentTag::Span(SpanTag::empty()),
            Some(_) => ContentTag::Other,
        };
        let content = surface.start_tagged(tag);
        for mark in marks {
            put(&mut surface, mark, faces);
        }
        surface.end_tagged();
        if let Some(part) = first.part {
            tags.drawn(part, content);
        }
    }
    surface.finish();
    sheet.finish();
    Ok(())
}

fn put(surface: &mut Surface<'_>, mark: &Mark, faces: &Faces) {
    match &mark.drawing {
        Drawing::Words(x, base, words, style) => {
            surface.set_stroke(None);
            surface.set_fill(Some(fill(style.colour)));
            let (shown, glyphs) = faces.set(style.face, words);
            if !glyphs.is_empty() {
                let at = Point::from_xy(*x, *base);
                surface.draw_glyphs(at, &glyphs, faces.font(style.face), &shown, style.size, false);
            }
        }
        Drawing::Shape(outline, inside, pen) => {
            let Some(path) = path(outline) else { return };
            surface.set_fill(inside.map(fill));
            surface.set_stroke(pen.map(stroke));
            surface.draw_path(&path);
        }
    }
}

fn fill(colour: Colour) -> Fill {
    Fill { paint: colour.into(), ..Fill::default() }
}

fn stroke(pen: Pen) -> Stroke {
    Stroke {
        paint: pen.colour.into(),
        width: pen.width,
        line_cap: if pen.dashed { LineCap::Butt } else { LineCap::Round },
        line_join: LineJoin::Round,
        dash: pen.dashed.then(|| StrokeDash { array: vec![4.5, 3.0], offset: 0.0 }),
        ..Stroke::default()
    }
}

impl From<Colour> for krilla::paint::Paint {
    fn from(Colour(red, green, blue): Colour) -> Self {
        rgb::Color::new(red, green, blue).into()
    }
}

fn path(outline: &BezPath) -> Option<Path> {
    let mut path = PathBuilder::new();
    for element in outline.elements() {
        match *element {
            PathEl::MoveTo(to) => path.move_to(single(to.x), single(to.y)),
            PathEl::LineTo(to) => path.line_to(single(to.x), single(to.y)),
            PathEl::QuadTo(by, to) => path.quad_to(single(by.x), single(by.y), single(to.x), single(to.y)),
            PathEl::CurveTo(a, b, to) => {
                path.cubic_to(single(a.x), single(a.y), single(b.x), single(b.y), single(to.x), single(to.y));
            }
            PathEl::ClosePath => path.close(),
        }
    }
    path.finish()
}

/// A place on a page: as exact as paper needs.
#[expect(clippy::cast_possible_truncation, reason = "places on a page, a few hundred points")]
fn single(value: f64) -> f32 {
    value as f32
}

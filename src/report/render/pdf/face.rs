//! The fonts that every PDF carries: which glyph stands for a character, and how wide it is.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};

use super::PdfError;
use crate::model::text::acts;

/// Shown for a character that no font here has: text of any script may come from the network.
const ABSENT: char = '□';

/// A cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Running text.
    Regular,
    /// Headings and what must not be missed.
    Bold,
    /// What is copied letter by letter: digests, commands, addresses.
    Mono,
}

/// The embedded fonts, read.
pub struct Faces {
    regular: Cut,
    bold: Cut,
    mono: Cut,
}

struct Cut {
    font: Font,
    map: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    /// Ems per unit of the font.
    em: f32,
}

impl Faces {
    /// Reads them.
    pub fn embedded() -> Result<Self, PdfError> {
        Ok(Self {
            regular: Cut::read(include_bytes!("font/Inter-Regular.otf"))?,
            bold: Cut::read(include_bytes!("font/Inter-SemiBold.otf"))?,
            mono: Cut::read(include_bytes!("font/NotoSansMono-Regular.ttf"))?,
        })
    }

    /// As krilla embeds it.
    pub fn font(&self, face: Face) -> Font {
        self.cut(face).font.clone()
    }

    /// Width of a character at one point.
    pub fn width(&self, face: Face, c: char) -> f32 {
        let cut = self.cut(face);
        cut.width(cut.glyph(cut.shown(c)))
    }

    /// Width of text at one point.
    pub fn text_width(&self, face: Face, text: &str) -> f32 {
        text.chars().map(|c| self.width(face, c)).sum()
    }

    /// The glyphs of a text with their places in it; and the text that they really show.
    pub fn set(&self, face: Face, text: &str) -> (String, Vec<KrillaGlyph>) {
        let cut = self.cut(face);
        let mut shown = String::with_capacity(text.len());
        let mut glyphs = Vec::with_capacity(text.len());
        for c in text.chars().map(|c| cut.shown(c)) {
            let start = shown.len();
            shown.push(c);
            let glyph = cut.glyph(c);
            glyphs.push(KrillaGlyph {
                glyph_id: GlyphId::new(glyph.to_u32()),
                text_range: start..shown.len(),
                x_advance: cut.width(glyph),
                x_offset: 0.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            });
        }
        (shown, glyphs)
    }

    const fn cut(&self, face: Face) -> &Cut {
        match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
            Face::Mono => &self.mono,
        }
    }
}

impl Cut {
    fn read(bytes: &'static [u8]) -> Result<Self, PdfError> {
        let font = Font::new(bytes.into(), 0).ok_or(PdfError::Font)?;
        let face = FontRef::new(bytes).map_err(|_| PdfError::Font)?;
        let map = face.charmap();
        let widths = face.glyph_metrics(Size::unscaled(), LocationRef::default());
        map.map(ABSENT).ok_or(PdfError::Font)?;
        let em = 1.0 / font.units_per_em();
        Ok(Self { font, map, widths, em })
    }

    /// The character itself, or the one that stands for what cannot be shown.
    fn shown(&self, c: char) -> char {
        if acts(c) || self.map.map(c).is_none() { ABSENT } else { c }
    }

    fn width(&self, glyph: skrifa::GlyphId) -> f32 {
        self.widths.advance_width(glyph).unwrap_or_default() * self.em
    }

    fn glyph(&self, c: char) -> skrifa::GlyphId {
        self.map.map(c).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_that_reports_use_is_in_the_fonts() {
        let faces = Faces::embedded().unwrap();
        for c in "≥≤→…·×–—−±°µ€“”‘’\u{202f}éüßñøłżčřőğşÆΩЖя".chars()
        {
            for face in [Face::Regular, Face::Bold, Face::Mono] {
                assert_eq!(faces.set(face, &c.to_string()).0, c.to_string(), "{face:?}");
                assert!(faces.width(face, c) > 0.0, "{face:?} {c}");
            }
        }
    }

    #[test]
    fn what_no_font_has_is_seen_to_be_missing() {
        let faces = Faces::embedded().unwrap();
        let (shown, glyphs) = faces.set(Face::Regular, "a😀漢\u{202e}\0z");
        assert_eq!(shown, "a□□□□z");
        assert!(glyphs.iter().all(|glyph| glyph.glyph_id.to_u32() != 0), "no .notdef: PDF/A forbids it");
    }
}

//! The charts of the report, drawn on paper from the same marks as in HTML.

use kurbo::BezPath;

use super::face::Face;
use super::flow::{Flow, QUIET, STRONG, words};
use super::lines::Style;
use super::palette::{Colour, GAP, PAPER, REQUIRED, RULE, SOFT, VALUE, VALUE_AREA};
use super::slab::{Pen, Slab, rectangle, rounded};
use super::tags::{Part, Role};
use crate::model::Series;
use crate::report::render::chart::{Anchor, Chart, Ink, Mark, chart};
use crate::report::render::text::line;

/// Points of paper per unit of the chart, so that its words are as small as they may be.
const SCALE: f64 = 0.72;

impl Flow<'_> {
    /// A series with its title, as wide as the column; words when there is nothing to draw.
    pub fn plot(&mut self, series: &Series, height: f32) {
        let title = line(&series.title);
        let caption = self.tags.add(self.within, Role::Paragraph);
        let mut above = self.set(Some(caption), &[words(title, STRONG)], 0.0, self.width, 2);
        for slab in &mut above {
            slab.keep = true;
        }
        self.slabs.extend(above);
        let size = (f64::from(self.width) / SCALE, f64::from(height) / SCALE);
        match chart(series, size.0, size.1) {
            Some(chart) => {
                let told = format!("{}: {}", chart.title, chart.summary);
                let part = self.tags.add(self.within, Role::Figure(told));
                let drawn = self.drawn(&chart, part);
                self.slabs.push(Slab { height: height + 2.0, ..drawn });
            }
            None => self.paragraph(&[words("Nothing was measured that could be drawn.", QUIET)]),
        }
    }

    fn drawn(&self, chart: &Chart, part: Part) -> Slab {
        let mut slab = Slab::default();
        // areas first: on paper they hide what is below them
        let area = |mark: &&Mark| matches!(mark, Mark::Area(..));
        let (areas, rest): (Vec<_>, Vec<_>) = chart.marks.iter().partition(area);
        for mark in areas.into_iter().chain(rest) {
            let drawing = match mark {
                Mark::Path(ink, points) => (outline(points, false), None, Some(pen(*ink))),
                Mark::Area(ink, points) => (outline(points, true), Some(ground(*ink)), None),
                Mark::Dot(ink, at) => {
                    let (x, y) = place(*at);
                    (rounded(x - 1.2, y - 1.2, 2.4, 2.4, 1.2), Some(pen(*ink).colour), None)
                }
                Mark::Text(ink, at, anchor, text) => {
                    self.label(&mut slab, *ink, place(*at), *anchor, text, part);
                    continue;
                }
            };
            slab.shape(drawing.0, drawing.1, drawing.2);
            if let Some(last) = slab.marks.last_mut() {
                last.part = Some(part);
            }
        }
        slab
    }

    fn label(&self, slab: &mut Slab, ink: Ink, (x, y): (f32, f32), anchor: Anchor, text: &str, part: Part) {
        let face = if ink == Ink::Required { Face::Bold } else { Face::Regular };
        let style = Style { face, size: 7.0, colour: pen(ink).colour };
        // a unit may come from a forged report
        let text: String = text.chars().take(60).collect();
        let wide = self.faces.text_width(face, &text) * style.size;
        let start = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - wide / 2.0,
            Anchor::End => x - wide,
        };
        if ink == Ink::Required {
            let ground = rectangle(start - 1.5, y - 6.2, wide + 3.0, 8.0);
            slab.shape(ground, Some(PAPER), None);
            if let Some(last) = slab.marks.last_mut() {
                last.part = Some(part);
            }
        }
        slab.words(start, y, text, style, Some(part));
    }
}

const fn pen(ink: Ink) -> Pen {
    match ink {
        Ink::Axis => Pen::new(SOFT, 0.7),
        Ink::Grid | Ink::Gap => Pen::new(RULE, 0.5),
        Ink::Value => Pen::new(VALUE, 0.95),
        Ink::Required => Pen { colour: REQUIRED, width: 1.0, dashed: true },
        Ink::Label => Pen::new(SOFT, 0.0),
    }
}

const fn ground(ink: Ink) -> Colour {
    match ink {
        Ink::Value => VALUE_AREA,
        _ => GAP,
    }
}

fn outline(points: &[(f64, f64)], closed: bool) -> BezPath {
    let mut path = BezPath::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let to = (x * SCALE, y * SCALE);
        if at == 0 { path.move_to(to) } else { path.line_to(to) }
    }
    if closed && !points.is_empty() {
        path.close_path();
    }
    path
}

#[expect(clippy::cast_possible_truncation, reason = "places in a chart, a few hundred points")]
fn place((x, y): (f64, f64)) -> (f32, f32) {
    ((x * SCALE) as f32, (y * SCALE) as f32)
}

//! Pieces that several pages use. Never by colour alone: each has a word and a shape.

use maud::{Markup, html as markup};

use crate::judge::Word;
use crate::model::{Effect, Outcome, Series};
use crate::report::render::chart::{Anchor, Chart, Ink, Mark, chart};
use crate::report::render::sign::{self, Sign, Stroke};
use crate::report::render::text::line;
use crate::report::v1::CheckDoc;

/// Class of a verdict.
pub const fn word_class(word: Word) -> &'static str {
    match word {
        Word::Go => "go",
        Word::ConditionalGo => "conditional",
        Word::NoGo => "nogo",
        Word::Inconclusive => "inconclusive",
    }
}

/// The verdict's shape.
pub fn word_shape(word: Word) -> Markup {
    let shape = sign::of_word(word);
    markup! { svg.sign viewBox=(view(shape)) aria-hidden="true" { (strokes(shape)) } }
}

fn view(sign: Sign) -> String {
    format!("0 0 {0} {0}", sign.side)
}

fn strokes(sign: Sign) -> Markup {
    let drawn = sign.strokes.iter().map(|stroke| match stroke {
        Stroke::Frame(path) => ("sign-body", path),
        Stroke::Mark(path) => ("sign-mark", path),
        Stroke::Line(path) => ("stroke", path),
        Stroke::Fill(path) => ("fill", path),
    });
    markup! { @for (class, path) in drawn { path d=(path) class=(class) {} } }
}

/// Class of an outcome.
pub const fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotApplicable => "na",
        Outcome::Pass => "pass",
        Outcome::Warn => "warn",
        Outcome::Unknown => "unknown",
        Outcome::Fail => "fail",
    }
}

/// Shape and word of an outcome.
pub fn badge(outcome: Outcome) -> Markup {
    let shape = sign::of_outcome(outcome);
    markup! {
        span class=(format!("badge {}", outcome_class(outcome))) {
            svg viewBox=(view(shape)) aria-hidden="true" { (strokes(shape)) }
            (outcome.word())
        }
    }
}

/// Shape and word of a finding's effect.
pub fn effect(effect: Effect) -> Markup {
    badge(effect.into())
}

/// Text with places where a long name or address may break.
pub fn broken(raw: &str) -> Markup {
    let line = line(raw);
    markup! {
        @for piece in line.split_inclusive(['.', '/', '-', ':', '_', ',']) { (piece) wbr; }
    }
}

/// Prose, in which a pair of backquotes marks code.
pub fn prose(raw: &str) -> Markup {
    let line = line(raw);
    let paired = line.matches('`').count().is_multiple_of(2);
    markup! {
        @for (at, piece) in line.split('`').enumerate() {
            @if !paired && at > 0 { "`" }
            @if paired && at % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

/// A check's id, leading to its part of the pages behind.
pub fn link(check: &CheckDoc) -> Markup {
    markup! { a.id href=(format!("#{}", check.id)) { (broken(check.id.as_str())) } }
}

/// A series as inline SVG with its title; words when there is nothing to draw.
pub fn plot(series: &Series, width: f64, height: f64) -> Markup {
    markup! {
        figure.plot {
            figcaption { (line(&series.title)) }
            @match chart(series, width, height) {
                Some(chart) => (svg(&chart)),
                None => p.quiet { "Nothing was measured that could be drawn." },
            }
        }
    }
}

fn svg(chart: &Chart) -> Markup {
    let view = format!("0 0 {} {}", chart.width, chart.height);
    let label = format!("{}: {}", chart.title, chart.summary);
    markup! {
        svg viewBox=(view) role="img" aria-label=(label) {
            @for mark in &chart.marks {
                @match mark {
                    Mark::Path(ink, points) => polyline class=(class(*ink)) points=(list(points)) {},
                    Mark::Area(ink, points) => polygon class=(class(*ink)) points=(list(points)) {},
                    Mark::Dot(ink, (x, y)) => {
                        circle class=(class(*ink)) cx=(coordinate(*x)) cy=(coordinate(*y)) r="1.6" {}
                    }
                    Mark::Text(ink, (x, y), anchor, words) => {
                        text class=(class(*ink)) x=(coordinate(*x)) y=(coordinate(*y)) text-anchor=(word(*anchor)) {
                            (words)
                        }
                    }
                }
            }
        }
    }
}

const fn class(ink: Ink) -> &'static str {
    match ink {
        Ink::Axis => "ink-axis",
        Ink::Grid => "ink-grid",
        Ink::Value => "ink-value",
        Ink::Required => "ink-required",
        Ink::Gap => "ink-gap",
        Ink::Label => "ink-label",
    }
}

const fn word(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    }
}

fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

fn list(points: &[(f64, f64)]) -> String {
    let pairs: Vec<String> =
        points.iter().map(|(x, y)| format!("{},{}", coordinate(*x), coordinate(*y))).collect();
    pairs.join(" ")
}

//! Pieces that several pages use. Never by colour alone: each has a word and a shape.

use maud::{Markup, html as markup};

use crate::judge::Word;
use crate::model::{Effect, Outcome, Series};
use crate::report::render::chart::{Anchor, Chart, Ink, Mark, chart};
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

/// The verdict's shape: disc with tick, triangle, octagon with cross, diamond with question mark.
pub fn word_shape(word: Word) -> Markup {
    markup! {
        svg.sign viewBox="0 0 48 48" aria-hidden="true" {
            @match word {
                Word::Go => {
                    circle cx="24" cy="24" r="21" class="sign-body" {}
                    path d="M14 25l7 7 14-16" class="sign-mark" {}
                }
                Word::ConditionalGo => {
                    path d="M24 4L46 43H2z" class="sign-body" {}
                    path d="M24 18v12M24 36.5v.5" class="sign-mark" {}
                }
                Word::NoGo => {
                    path d="M15 3h18l12 12v18L33 45H15L3 33V15z" class="sign-body" {}
                    path d="M16 16l16 16M32 16L16 32" class="sign-mark" {}
                }
                Word::Inconclusive => {
                    path d="M24 1l23 23-23 23L1 24z" class="sign-body" {}
                    path d="M18.5 19.5a5.5 5.5 0 1 1 8 4.9c-1.7.9-2.5 1.9-2.5 3.8M24 34v.5" class="sign-mark" {}
                }
            }
        }
    }
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
    markup! {
        span class=(format!("badge {}", outcome_class(outcome))) {
            svg viewBox="0 0 16 16" aria-hidden="true" {
                @match outcome {
                    Outcome::Pass => { path d="M2.5 8.5l3.5 3.5 7.5-8" class="stroke" {} }
                    Outcome::Warn => { path d="M8 1.5L15.5 14.5H.5z" class="fill" {} }
                    Outcome::Fail => { path d="M3 3l10 10M13 3L3 13" class="stroke" {} }
                    Outcome::Unknown => { path d="M8 .8L15.2 8 8 15.2.8 8z" class="fill" {} }
                    Outcome::NotApplicable => { path d="M3 8h10" class="stroke" {} }
                }
            }
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

/// With a capital first letter, to begin a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

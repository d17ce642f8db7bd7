//! What changed between two reports, for people: text and Markdown from the same lines.

use std::fmt::{self, Write as _};

use super::markdown::{code, plain};
use super::text::{line, number};
use crate::model::Finding;
use crate::report::comparison::{CheckChange, Comparison, Figure, Sense};

/// How a format writes.
struct Style {
    heading: &'static str,
    strong: [&'static str; 2],
    prose: fn(&str) -> String,
    name: fn(&str) -> String,
}

const TEXT: Style = Style { heading: "", strong: ["", ""], prose: line, name: line };
const MARKDOWN: Style = Style { heading: "## ", strong: ["**", "**"], prose: plain, name: code };

/// A few lines for a terminal or a mail.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write_all(&mut out, comparison, &TEXT);
    out
}

/// Markdown, for a ticket.
pub fn markdown(comparison: &Comparison) -> String {
    let mut out = String::from("# What changed between two reports\n\n");
    // writing to a String cannot fail
    let _ = write_all(&mut out, comparison, &MARKDOWN);
    out
}

fn write_all(out: &mut String, comparison: &Comparison, style: &Style) -> fmt::Result {
    let [before, after] = &comparison.runs;
    let [open, close] = style.strong;
    writeln!(out, "{open}{} → {}{close}{}", before.verdict, after.verdict, in_brackets(comparison.verdict))?;
    for (word, side) in [("earlier", before), ("later", after)] {
        let (run, event) = ((style.name)(&side.run), (style.prose)(&side.event));
        let at = side.started.strftime("%Y-%m-%d %H:%M:%S UTC");
        writeln!(out, "- {word}: run {run}, {at}, {event}")?;
    }
    for (sense, title) in [
        (Sense::Worse, "Got worse"),
        (Sense::Better, "Got better"),
        (Sense::Same, "Changed within the same outcome"),
    ] {
        let changes: Vec<&CheckChange> =
            comparison.changed.iter().filter(|change| change.sense == sense).collect();
        if !changes.is_empty() {
            writeln!(out, "\n{}{title}\n", style.heading)?;
        }
        for check in changes {
            change(out, check, style)?;
        }
    }
    if !comparison.not_comparable.is_empty() {
        writeln!(out, "\n{}Not comparable\n", style.heading)?;
        for entry in &comparison.not_comparable {
            writeln!(out, "- {}: {}", (style.name)(entry.check.as_str()), entry.why)?;
        }
    }
    if !comparison.policy.is_empty() {
        writeln!(out, "\n{}The policy\n", style.heading)?;
        for entry in &comparison.policy {
            writeln!(out, "- {}", (style.name)(entry))?;
        }
    }
    let count = comparison.unchanged;
    writeln!(out, "\n{count} {} as before", if count == 1 { "check is" } else { "checks are" })
}

fn change(out: &mut String, change: &CheckChange, style: &Style) -> fmt::Result {
    let [was, is] = change.outcomes;
    let [open, close] = style.strong;
    let name = (style.name)(change.check.as_str());
    if was == is {
        writeln!(out, "- {open}{}{close} {name}", is.word())?;
    } else {
        writeln!(out, "- {open}{} → {}{close} {name}", was.word(), is.word())?;
    }
    for (word, findings) in [("new", &change.appeared), ("gone", &change.gone)] {
        for finding in findings {
            writeln!(out, "  - {word}: {}", found(finding, style))?;
        }
    }
    if let Some(why) = &change.not_measured {
        writeln!(out, "  - {}", (style.prose)(why))?;
    }
    for figure in &change.figures {
        writeln!(out, "  - {}", measured(figure, style))?;
    }
    Ok(())
}

fn found(finding: &Finding, style: &Style) -> String {
    format!("{}, {}", (style.name)(&finding.code), (style.prose)(&finding.observed))
}

fn measured(figure: &Figure, style: &Style) -> String {
    let [was, is] = figure.values.map(number);
    let unit =
        if figure.unit.is_empty() { String::new() } else { format!(" {}", (style.prose)(&figure.unit)) };
    let limit = if figure.limits[0].to_bits() == figure.limits[1].to_bits() {
        String::new()
    } else {
        format!("; its limit {} → {}", number(figure.limits[0]), number(figure.limits[1]))
    };
    format!("{}: {was} → {is}{unit}{}{limit}", (style.prose)(&figure.what), in_brackets(figure.sense))
}

fn in_brackets(sense: Sense) -> String {
    match sense {
        Sense::Same => String::new(),
        sense => format!(" ({})", sense.word()),
    }
}

//! Text for a terminal or a mail, and Markdown for a ticket, from the same lines.

use std::fmt::{self, Write as _};

use super::{clock, every, listed, looks, meaning, state, when, word};
use crate::judge::watch::Period;
use crate::model::CheckId;
use crate::report::render::markdown::{code, plain};
use crate::report::render::moment::Clock;
use crate::report::render::text::line;
use crate::report::{WatchDoc, WatchedDoc};

/// How a format writes.
struct Style {
    title: &'static str,
    heading: &'static str,
    prose: fn(&str) -> String,
    name: fn(&str) -> String,
}

const TEXT: Style = Style { title: "", heading: "", prose: line, name: line };
const MARKDOWN: Style = Style { title: "# ", heading: "## ", prose: plain, name: code };

/// A few lines for a terminal or a mail.
pub fn text(document: &WatchDoc) -> String {
    written(document, &TEXT)
}

/// Markdown, for a ticket.
pub fn markdown(document: &WatchDoc) -> String {
    written(document, &MARKDOWN)
}

fn written(document: &WatchDoc, style: &Style) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write_all(&mut out, document, style);
    out
}

fn write_all(out: &mut String, document: &WatchDoc, style: &Style) -> fmt::Result {
    let clock = clock(document);
    head(out, document, style, &clock)?;
    if !document.alerts.is_empty() {
        writeln!(out, "\n{}Alerts\n", style.heading)?;
    }
    let older = document.alerts_in_all.saturating_sub(document.alerts.len() as u64);
    if older > 0 {
        writeln!(out, "- {older} earlier ones stand in the journal")?;
    }
    for alert in &document.alerts {
        let (code, said) = ((style.name)(&alert.code), (style.prose)(&alert.said));
        let since = clock.time(alert.since);
        let headline = (style.prose)(&alert.headline());
        writeln!(out, "- {} {headline}, seen since {since}; {code} {said}", clock.time(alert.at))?;
    }
    writeln!(out, "\n{}Timelines", style.heading)?;
    for check in &document.checks {
        timeline(out, check, style, &clock)?;
    }
    if !document.left_out.is_empty() {
        writeln!(out, "\n{}Not watched\n", style.heading)?;
    }
    for left in &document.left_out {
        let name = (style.name)(left.check.as_str());
        writeln!(out, "- {name} ({}): {}", (style.prose)(&left.probe), (style.prose)(&left.why))?;
    }
    Ok(())
}

fn head(out: &mut String, document: &WatchDoc, style: &Style, clock: &Clock) -> fmt::Result {
    let (from, to) = document.span();
    writeln!(out, "{}Watch: {}\n", style.title, (style.prose)(&document.event.title))?;
    writeln!(out, "{} Worst state: {}.", meaning(document.worst), document.worst.word())?;
    writeln!(out, "A watch asks what is light while the event runs; it is no verdict on the event.\n")?;
    let by = (style.prose)(&document.ended_by);
    writeln!(out, "- watched {}, ended by {by}", clock.span(from, to))?;
    let (count, left) = (document.checks.len(), document.left_out.len());
    let word = if count == 1 { "check" } else { "checks" };
    writeln!(out, "- {count} {word}, {left} of the policy left out; {}", budget(document))?;
    if document.resumed > 0 {
        writeln!(
            out,
            "- it died and was resumed {} times; what was between is \"not looked at\"",
            document.resumed
        )?;
    }
    if let Some(webhook) = &document.webhook {
        let host = (style.name)(&webhook.host);
        writeln!(out, "- webhook {host}: {} delivered, {} lost", webhook.delivered, webhook.lost)?;
        if let Some(trouble) = &webhook.trouble {
            writeln!(out, "  - the last one was lost because {}", (style.prose)(trouble))?;
        }
    }
    Ok(())
}

/// `every 30 s, at most 12 kb/s sent`.
pub fn budget(document: &WatchDoc) -> String {
    format!("{}, at most {} sent", every(document.every_s), rate(document.most_sent_bps))
}

/// `12 kb/s`, rounded up.
pub fn rate(bps: u64) -> String {
    format!("{} kb/s", bps.div_ceil(1000))
}

fn timeline(out: &mut String, check: &WatchedDoc, style: &Style, clock: &Clock) -> fmt::Result {
    let name = |id: &CheckId| (style.name)(id.as_str());
    let path = check.path.as_ref().map(|path| format!(" over {path}")).unwrap_or_default();
    let heading = if style.heading.is_empty() { "" } else { "### " };
    writeln!(out, "\n{heading}{}: {}\n", name(&check.check), state(check))?;
    let (probe, target) = ((style.prose)(&check.probe), (style.prose)(&check.target));
    writeln!(out, "{probe}{path} {target}; {}, {} looks", every(check.every_s), check.looks)?;
    let (older, periods) = listed(check);
    if older > 0 {
        writeln!(out, "- {older} older periods stand in watch.json")?;
    }
    for period in periods {
        writeln!(out, "- {}", row(period, style, clock))?;
    }
    Ok(())
}

fn row(period: &Period, style: &Style, clock: &Clock) -> String {
    let mut parts = vec![format!("{}: {}", when(period, clock), word(period.outcome))];
    parts.extend(Some(looks(period)).filter(|looks| !looks.is_empty()));
    if period.outcome.is_some() {
        parts.push(
            format!("{} {}", (style.name)(&period.code), (style.prose)(&period.said)).trim().to_owned(),
        );
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

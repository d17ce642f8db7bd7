//! The plain log of a watch: one line after another, words instead of colour.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::Reader;
use crate::judge::watch::Alert;
use crate::model::{CheckId, Outcome, When, text};
use crate::report::{WatchedDoc, watch_every, watch_rate};
use crate::run::watch::{WatchEvent, WatchStarted};

/// Writes the log to any writer, flushed after each event.
#[derive(Debug)]
pub struct PlainWatch<W> {
    out: W,
    bell: bool,
    offset: Offset,
    last: std::collections::BTreeMap<CheckId, Outcome>,
}

impl<W: Write> PlainWatch<W> {
    /// Lines go to `out`; with the terminal's bell at each alert where `bell` is true.
    pub fn new(out: W, bell: bool) -> Self {
        Self { out, bell, offset: Offset::UTC, last: std::collections::BTreeMap::new() }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn time(&self, at: Timestamp) -> String {
        at.to_zoned(TimeZone::fixed(self.offset)).strftime("%H:%M:%S").to_string()
    }
}

impl<W: Write> Reader<WatchEvent> for PlainWatch<W> {
    fn event(&mut self, event: &WatchEvent) -> io::Result<()> {
        match event {
            WatchEvent::WatchStarted(started) => {
                let policy = &started.policy.event;
                let written = policy.starts.as_ref().or(policy.ends.as_ref());
                self.offset = written.map_or(Offset::UTC, When::offset);
                self.opening(started)?;
            }
            WatchEvent::WatchResumed { at, looks } => {
                let at = self.time(*at);
                writeln!(self.out, "{at} resumed: {looks} looks were kept; nobody looked meanwhile")?;
            }
            WatchEvent::Looked { check, look, .. } => {
                // a look that came to the same as the one before is no line: a watch has thousands
                if self.last.insert(check.clone(), look.outcome) == Some(look.outcome) {
                    return Ok(());
                }
                let (at, word) = (self.time(look.at), look.outcome.word());
                let (code, said) = (text::escape(&look.code), text::escape(&look.said));
                writeln!(self.out, "{at} {word:<8} {check} {code}: {said}")?;
            }
            WatchEvent::Alert { alert } => self.alert(alert)?,
            WatchEvent::Delivered { alert, attempts } => {
                let word = if *attempts == 1 { "attempt" } else { "attempts" };
                writeln!(self.out, "         webhook took alert {alert} ({attempts} {word})")?;
            }
            WatchEvent::Undelivered { alert, why } => {
                writeln!(self.out, "         WEBHOOK FAILED for alert {alert}: {}", text::escape(why))?;
            }
            WatchEvent::Status { at, counts, unwell, looks } => self.status(*at, counts, unwell, *looks)?,
            WatchEvent::WatchFinished { at, by, worst, exit_code, report } => {
                let at = self.time(*at);
                writeln!(self.out, "{at} ended by {}", text::escape(by))?;
                writeln!(self.out, "\nWORST STATE: {} (exit {exit_code})", worst.word())?;
                if let Some(report) = report {
                    writeln!(self.out, "report: {}", text::escape(report))?;
                }
            }
        }
        self.out.flush()
    }
}

impl<W: Write> PlainWatch<W> {
    fn opening(&mut self, started: &WatchStarted) -> io::Result<()> {
        let out = &mut self.out;
        writeln!(
            out,
            "golive {}: watching \"{}\"",
            started.golive,
            text::escape(&started.policy.event.title)
        )?;
        let most = [started.most_sent_bps, started.most_received_bps];
        plan(out, &started.checks, most, started.stretched)?;
        for left in &started.left_out {
            writeln!(out, "  not {} ({}): {}", left.check, left.probe, text::escape(&left.why))?;
        }
        let zone = TimeZone::fixed(self.offset);
        let shown = |at: Timestamp| at.to_zoned(zone).strftime("%a %-d %b %Y, %H:%M:%S %:z").to_string();
        let until = started.ends.as_ref().map(|(at, by)| format!("until {} ({by})", shown(*at)));
        writeln!(out, "{}", until.unwrap_or_else(|| "until it is stopped (Ctrl-C)".to_owned()))?;
        if let Some(host) = &started.webhook {
            writeln!(out, "alerts go to the webhook at {host}")?;
        }
        if let Some(address) = started.metrics {
            writeln!(out, "metrics are at http://{address}/metrics")?;
        }
        writeln!(out)
    }

    fn alert(&mut self, alert: &Alert) -> io::Result<()> {
        let bell = if self.bell { "\u{7}" } else { "" };
        let word = if alert.recovered() { "RECOVERED" } else { "ALERT" };
        let (at, since) = (self.time(alert.at), self.time(alert.since));
        let owner = alert
            .accountable
            .as_ref()
            .map_or_else(|| alert.owner.to_string(), |role| format!("{}: {role}", alert.owner));
        let headline = alert.headline();
        let (code, said) = (text::escape(&alert.code), text::escape(&alert.said));
        writeln!(self.out, "{bell}{at} {word} {} {headline}, since {since}", alert.number)?;
        writeln!(self.out, "         {code}: {said}")?;
        writeln!(self.out, "         {} check, owned by {owner}", alert.enforcement.word())
    }

    fn status(
        &mut self,
        at: Timestamp,
        counts: &[usize; 5],
        unwell: &[CheckId],
        looks: u64,
    ) -> io::Result<()> {
        let words = ["not decided", "pass", "warn", "unknown", "fail"];
        let told = counts.iter().zip(words).filter(|(count, _)| **count > 0);
        let told: Vec<String> = told.map(|(count, word)| format!("{count} {word}")).collect();
        let unwell: Vec<&str> = unwell.iter().map(CheckId::as_str).collect();
        let unwell = if unwell.is_empty() { String::new() } else { format!(" ({})", unwell.join(", ")) };
        let at = self.time(at);
        writeln!(self.out, "{at} status   {}{unwell}; {looks} looks", told.join(", "))
    }
}

/// What is looked at, how often, and the budget.
pub fn plan(
    out: &mut impl Write,
    checks: &[WatchedDoc],
    most_bps: [u64; 2],
    stretched: bool,
) -> io::Result<()> {
    let [sent, received] = most_bps.map(watch_rate);
    let count = checks.len();
    let word = if count == 1 { "check" } else { "checks" };
    writeln!(
        out,
        "{count} {word}; at most {sent} sent, and {received} received if every answer were as long as it can be"
    )?;
    if stretched {
        writeln!(out, "(less often than was asked, to keep to the budget)")?;
    }
    for check in checks {
        let path = check.path.as_ref().map(|path| format!(" over {path}")).unwrap_or_default();
        let target = text::escape(&check.target);
        writeln!(out, "  {} ({}{path}) {target}, {}", check.check, check.probe, watch_every(check.every_s))?;
    }
    Ok(())
}

//! Markdown for a ticket. Text of the document can make no markup, link, table or HTML of
//! its own: what could is shown as code.

use std::fmt::{self, Write as _};

use super::again::again_as;
use super::moment::Clock;
use super::{brief, change_request, decided, facts, text};
use crate::judge::Word;
use crate::report::Filed;
use crate::report::v1::{CheckDoc, Document};

/// The report as Markdown (CommonMark with the tables of GitHub).
pub fn markdown(document: &Document) -> String {
    markdown_of(&Filed::alone(document, &[]))
}

/// The same with the decisions that lie beside it.
pub fn markdown_of(filed: &Filed<'_>) -> String {
    let mut out = String::new();
    // writing to a String cannot fail
    let _ = write_all(&mut out, filed);
    out
}

fn write_all(out: &mut String, filed: &Filed<'_>) -> fmt::Result {
    let document = filed.document;
    let clock = Clock::of(document);
    head(out, document, &clock)?;
    for (rank, title) in brief::REASONS {
        let checks = facts::checks_of(document, rank);
        if !checks.is_empty() {
            writeln!(out, "\n## {title}\n")?;
        }
        for check in checks {
            trouble(out, document, check, &clock)?;
        }
    }
    waivers(out, document, &clock)?;
    untested(out, document)?;
    table(out, document)?;
    if let Some(request) = change_request::of(document) {
        writeln!(out, "\n## Firewall change request\n")?;
        change_request::section(out, &request, &clock)?;
    }
    decisions(out, filed, &clock)?;
    last(out, document)
}

fn head(out: &mut String, document: &Document, clock: &Clock) -> fmt::Result {
    let verdict = &document.verdict;
    writeln!(out, "# {} {}: {}\n", sign(verdict.word), verdict.word, plain(&document.event.title))?;
    writeln!(out, "{}\n", facts::meaning(verdict.word))?;
    if let Some(words) = facts::redacted(document) {
        writeln!(out, "**{}**\n", plain(&words))?;
    }
    if let Some(says) = facts::close_out(document) {
        writeln!(out, "{says}\n")?;
    }
    if let Some(words) = again_as(document, code) {
        writeln!(out, "{words}\n")?;
    }
    for reason in facts::whole_run(document) {
        writeln!(out, "- {}", plain(&reason.text))?;
    }
    match verdict.expires {
        Some(expires) => writeln!(out, "- Counts until **{}**", clock.at(expires))?,
        None => writeln!(out, "- Nothing that it rests on was measured")?,
    }
    writeln!(out, "- Judged {}", clock.at(verdict.evaluated_at))?;
    writeln!(out, "- Measured {}", clock.span(document.run.started, document.run.finished))?;
    let event = &document.event;
    if let (Some(starts), Some(ends)) = (&event.starts, &event.ends) {
        writeln!(out, "- Event {}", clock.span(starts.at(), ends.at()))?;
    }
    for (name, value) in [("Where", &event.venue), ("Change", &event.change)] {
        if let Some(value) = value {
            writeln!(out, "- {name}: {}", plain(value))?;
        }
    }
    for stream in &document.streams {
        let (name, to, need) = (&stream.name, code(&stream.to), stream.needed_kbps);
        writeln!(out, "- Stream `{name}` to {to} needs {need} kb/s of upload")?;
    }
    Ok(())
}

fn trouble(out: &mut String, document: &Document, check: &CheckDoc, clock: &Clock) -> fmt::Result {
    writeln!(out, "- **{}** `{}` ({})", check.outcome.word(), check.id, check.enforcement.word())?;
    for finding in facts::troubles(check).into_iter().take(3) {
        if let Some(means) = facts::means(document, finding) {
            writeln!(out, "  - {}", plain(means))?;
        }
        writeln!(out, "  - asked {}, seen {}", plain(&finding.expected), plain(&finding.observed))?;
        if !finding.remedy.is_empty() {
            writeln!(out, "  - do: {}", plain(&finding.remedy))?;
        }
    }
    if let Some(not) = &check.not_measured {
        writeln!(out, "  - not measured ({}): {}", not.cause.word(), plain(&not.detail))?;
        writeln!(out, "  - do: {}", plain(&not.remedy))?;
    } else if check.measured.is_none() {
        writeln!(out, "  - never measured")?;
    }
    writeln!(out, "  - owner: {}", plain(&facts::owner(document, &check.owner)))?;
    let stake = facts::stake(check);
    if !stake.is_empty() {
        writeln!(out, "  - at stake: {}", plain(stake))?;
    }
    if let Some(waiver) = &check.waiver {
        let (by, until) = (plain(&facts::who(document, &waiver.by)), clock.at(waiver.expires.at()));
        writeln!(out, "  - accepted by {by} until {until}: {}", plain(&waiver.reason))?;
    }
    Ok(())
}

fn waivers(out: &mut String, document: &Document, clock: &Clock) -> fmt::Result {
    if document.waivers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Waivers\n")?;
    for entry in &document.waivers {
        let waiver = &entry.waiver;
        let state = facts::state(entry.state);
        let until = clock.at(waiver.expires.at());
        let by = plain(&facts::who(document, &waiver.by));
        write!(out, "- `{}`: {state}; by {by} until {until}: ", waiver.check)?;
        write!(out, "{}", plain(&waiver.reason))?;
        if let Some(instead) = &waiver.compensating {
            write!(out, "; instead: {}", plain(instead))?;
        }
        if let Some(times) = facts::renewed(waiver) {
            write!(out, "; {times}")?;
        }
        if !waiver.scope.is_empty() {
            write!(out, "; covers only: {}", plain(&waiver.scope.join(", ")))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Never left out.
fn untested(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(out, "\n## What was not tested\n")?;
    if document.run.interrupted {
        writeln!(out, "- **The run was stopped before it was over.**")?;
    }
    let mut every = true;
    for check in facts::unanswered(document) {
        every = false;
        writeln!(out, "- `{}` ({}): {}", check.id, check.enforcement.word(), plain(&check.target))?;
    }
    for (check, why) in facts::left_open(document) {
        writeln!(out, "- Not asked in a close-out: `{check}` ({})", plain(why))?;
    }
    if every {
        writeln!(out, "- Every check of the policy has an answer.")?;
    }
    for kind in &document.not_asked {
        writeln!(out, "- The policy does not ask `{}`: {}", code_word(&kind.probe), plain(&kind.asks))?;
    }
    for words in facts::overdue(document) {
        writeln!(out, "- {}", plain(&words))?;
    }
    Ok(())
}

fn table(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(out, "\n## Every check\n")?;
    writeln!(out, "| Outcome | Check | Limit | Measured | Owner |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for check in &document.checks {
        let finding = facts::telling(check);
        let (limit, seen) = match finding {
            Some(finding) => (plain(&finding.expected), plain(&finding.observed)),
            None => (String::new(), "not measured".to_owned()),
        };
        let waived = if check.waiver.is_some() { ", waived" } else { "" };
        let binding = check.enforcement.word();
        writeln!(
            out,
            "| {} ({binding}{waived}) | `{}` | {limit} | {seen} | `{}` |",
            check.outcome.word(),
            check.id,
            check.owner
        )?;
    }
    Ok(())
}

/// Who decides, what they said, and how strongly that is tied to them.
fn decisions(out: &mut String, filed: &Filed<'_>, clock: &Clock) -> fmt::Result {
    writeln!(out, "\n## Decision\n")?;
    for block in decided::everybody(filed) {
        write!(out, "- **{}** ({}): ", plain(&block.title), plain(&block.standing))?;
        let Some(signed) = block.said else {
            let name = block.name.as_deref().map(|name| plain(name) + ", ").unwrap_or_default();
            writeln!(out, "{name}not decided yet")?;
            continue;
        };
        writeln!(out, "**{}**", decided::choice(signed))?;
        for (name, text) in decided::particulars(signed, clock) {
            writeln!(out, "  - {name}: {}", plain(&text))?;
        }
    }
    for remark in decided::remarks(filed) {
        writeln!(out, "- **Note:** {}", plain(&remark))?;
    }
    for refused in filed.refused {
        writeln!(out, "- **Does not count:** {}", plain(refused))?;
    }
    writeln!(out, "\n{}", decided::levels(filed.document))
}

fn last(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(out, "\n## To verify\n")?;
    match &document.event.way_back {
        Some(way) => writeln!(out, "- The way back: {}", plain(way))?,
        None => writeln!(out, "- The way back: **the policy does not say who stops the stream, and how**")?,
    }
    writeln!(out, "- Policy SHA-256: {}", code(&document.policy.sha256))?;
    writeln!(out, "- Compute the verdict again: `{}`", facts::verifies(document))?;
    if let Some(ledger) = &document.ledger {
        writeln!(out, "- Runs: {}; ledger {}", plain(&ledger.words(&document.run.id)), code(&ledger.head))?;
    }
    writeln!(out, "- golive {}, run {}", code(&document.golive), code(&document.run.id))
}

pub(super) const fn sign(word: Word) -> &'static str {
    match word {
        Word::Go => "●",
        Word::ConditionalGo => "▲",
        Word::NoGo => "■",
        Word::Inconclusive => "◆",
    }
}

/// Text of the document, inert in running text and in a table's cell alike. What could become
/// a link, a mention or a formula is shown as code; the rest has its special characters escaped.
pub(super) fn plain(raw: &str) -> String {
    let line = text::line(raw);
    if could_link(&line) || line.starts_with(['=', '+', '-', '#']) {
        return code(&line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '#' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// True for what a ticket system may turn into a link, a mention or a formula by itself:
/// schemes, addresses, and bare host names (two labels or more, the last of letters).
fn could_link(line: &str) -> bool {
    let lower = line.to_lowercase();
    let marks = ["://", "www.", "@", "$", "mailto:", "javascript:", "data:"];
    let host = |word: &str| {
        let labels: Vec<&str> = word.split('.').collect();
        let last = labels.last().copied().unwrap_or_default();
        labels.len() > 1
            && labels.iter().all(|label| !label.is_empty())
            && last.chars().count() > 1
            && last.chars().all(char::is_alphabetic)
    };
    marks.iter().any(|mark| lower.contains(mark))
        || lower.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).any(host)
}

/// Text of the document as a code span. Backquotes and bars, which would end the span or the
/// cell, and angle brackets, which a field that takes HTML would act on, become look-alikes;
/// report.json holds what was really there.
pub(super) fn code(raw: &str) -> String {
    let word = code_word(raw);
    if word.is_empty() { String::new() } else { format!("`{word}`") }
}

fn code_word(raw: &str) -> String {
    let look_alike = |c| match c {
        '`' => '\'',
        '|' => '¦',
        '<' => '‹',
        '>' => '›',
        _ => c,
    };
    text::line(raw).chars().map(look_alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        for (raw, shown) in [
            ("a *b* _c_ [d](e)", r"a \*b\* \_c\_ \[d\](e)"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("see https://evil.example/x|y", "`see https://evil.example/x¦y`"),
            ("read evil.example now", "`read evil.example now`"),
            ("e.g. by M. Keller, 0.41 s.", "e.g. by M. Keller, 0.41 s."),
            ("ask @everyone `now`", "`ask @everyone 'now'`"),
            ("=HYPERLINK(\"x\")", "`=HYPERLINK(\"x\")`"),
            ("a\n# b\n| c |", r"a \# b \| c \|"),
            ("&#x202e;", r"&amp;\#x202e;"),
        ] {
            assert_eq!(plain(raw), shown);
        }
    }
}

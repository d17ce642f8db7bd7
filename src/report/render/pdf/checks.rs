//! The pages behind: every check with limit beside measurement, plots, method, evidence.

use super::flow::{CODE, Flow, QUIET, STRONG, TEXT, badge, prose, short, words};
use super::lines::{Style, Text};
use super::palette::SOFT;
use super::{Sheet, face::Face};
use crate::report::render::brief::{self, capital};
use crate::report::render::facts;
use crate::report::render::text::{line, number};
use crate::report::v1::CheckDoc;

/// Longest text in a row of the overview, in characters; the particulars have more.
const ROW: usize = 160;
/// Findings of one check that are written out; report.json holds all.
const FINDINGS: usize = 24;
/// Plots of one check.
const PLOTS: usize = 4;
/// Checks that are written out each by itself; all stand in the overview.
const DETAILS: usize = 120;

pub(super) fn pages(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let before = flow.slabs.len();
    flow.heading(2, "Every check");
    if let Some(first) = flow.slabs.get_mut(before) {
        first.new_page = true;
    }
    overview(sheet, flow);
    for check in sheet.document.checks.iter().take(DETAILS) {
        flow.space(10.0);
        detail(sheet, flow, check);
    }
    if let Some(more) = sheet.document.checks.get(DETAILS..).filter(|more| !more.is_empty()) {
        flow.space(10.0);
        let words_of = format!(
            "The particulars of {} more checks stand in report.json, which this file carries.",
            more.len()
        );
        flow.paragraph(&[words(words_of, STRONG)]);
    }
    flow.space(12.0);
    policy(sheet, flow);
}

fn overview(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let rows: Vec<_> = sheet
        .document
        .checks
        .iter()
        .map(|check| {
            let finding = facts::telling(check);
            let waived = check.waiver.as_ref().map(|_| vec![words("waived", QUIET)]);
            let mut binding = vec![vec![words(check.enforcement.word(), TEXT)]];
            binding.extend(waived);
            vec![
                vec![badge(check.outcome, TEXT.size)],
                vec![vec![words(check.id.as_str(), CODE)], vec![words(line(&check.probe), QUIET)]],
                vec![vec![words(short(&check.target, ROW), TEXT)]],
                finding.map(|finding| prose(&short(&finding.expected, ROW), TEXT)).into_iter().collect(),
                vec![finding.map_or_else(
                    || vec![words("not measured", QUIET)],
                    |finding| prose(&short(&finding.observed, ROW), TEXT),
                )],
                binding,
            ]
        })
        .collect();
    let columns = [
        ("Outcome", 0.11),
        ("Check", 0.18),
        ("Asked of", 0.2),
        ("Limit", 0.18),
        ("Measured", 0.24),
        ("Binding", 0.09),
    ];
    flow.table(&columns, &rows);
}

fn detail(sheet: &Sheet<'_>, flow: &mut Flow<'_>, check: &CheckDoc) {
    flow.rule();
    let before = flow.slabs.len();
    flow.heading(3, check.id.as_str());
    if let Some(first) = flow.slabs.get_mut(before) {
        first.bookmark = Some((2, check.id.to_string()));
    }
    let mut text = badge(check.outcome, TEXT.size);
    let path = check.path.as_ref().map(|path| format!("  ·  over {path}")).unwrap_or_default();
    text.push(words(
        format!(
            "   {}  ·  {}  ·  {}{path}",
            line(&check.probe),
            check.enforcement.word(),
            facts::owner(sheet.document, &check.owner)
        ),
        QUIET,
    ));
    flow.together(|flow| {
        flow.paragraph(&text);
        flow.paragraph(&[words(line(&check.target), Style { colour: SOFT, ..CODE })]);
        if !check.why.is_empty() {
            flow.paragraph(&prose(&capital(&check.why), TEXT));
        }
        unmeasured(flow, check);
        flow.space(2.0);
    });
    findings(sheet, flow, check);
    for series in check.series.iter().take(PLOTS) {
        flow.space(6.0);
        flow.plot(series, 112.0);
    }
    flow.space(4.0);
    how(sheet, flow, check);
}

fn unmeasured(flow: &mut Flow<'_>, check: &CheckDoc) {
    if let Some(not) = &check.not_measured {
        let mut text = vec![words(format!("Not measured ({}). ", not.cause.word()), STRONG)];
        text.extend(prose(&format!("{}. {}.", capital(&not.detail), capital(&not.remedy)), TEXT));
        flow.paragraph(&text);
    } else if check.measured.is_none() {
        flow.paragraph(&[words("Never measured.", STRONG)]);
    }
}

fn findings(sheet: &Sheet<'_>, flow: &mut Flow<'_>, check: &CheckDoc) {
    if check.findings.is_empty() {
        return;
    }
    let rows: Vec<_> = check
        .findings
        .iter()
        .take(FINDINGS)
        .map(|finding| {
            let mut meaning: Vec<Text> = Vec::new();
            meaning.extend(facts::means(sheet.document, finding).map(|means| prose(means, QUIET)));
            if !finding.remedy.is_empty() {
                let mut remedy = vec![words("Do: ", Style { size: QUIET.size, ..STRONG })];
                remedy.extend(prose(&finding.remedy, Style { size: QUIET.size, ..TEXT }));
                meaning.push(remedy);
            }
            let code = Style { size: 6.6, colour: SOFT, ..CODE };
            vec![
                vec![badge(finding.effect.into(), TEXT.size), vec![words(line(&finding.code), code)]],
                vec![prose(&finding.expected, TEXT)],
                vec![prose(&finding.observed, TEXT)],
                meaning,
            ]
        })
        .collect();
    let columns = [("Result", 0.2), ("Limit", 0.21), ("Measured", 0.29), ("Meaning, and what to do", 0.3)];
    flow.table(&columns, &rows);
    if let Some(more) = check.findings.len().checked_sub(FINDINGS).filter(|more| *more > 0) {
        flow.paragraph(&[words(format!("{more} more in report.json."), QUIET)]);
    }
}

fn how(sheet: &Sheet<'_>, flow: &mut Flow<'_>, check: &CheckDoc) {
    let small = Style { size: QUIET.size, ..TEXT };
    let plain = |text: String| vec![words(text, small)];
    let mut how: Vec<(&str, Text)> = Vec::new();
    let measured = brief::measured(sheet.document, &sheet.clock, check);
    how.extend(measured.map(|measured| ("Measured", plain(measured))));
    how.extend(check.expires.map(|expires| ("Counts until", plain(sheet.clock.at(expires)))));
    let methods = check.reading.as_ref().map(facts::methods).unwrap_or_default();
    if !methods.is_empty() {
        how.push(("Method", plain(methods.join(", "))));
    }
    if !check.limits.is_empty() {
        let limits: Vec<String> = check
            .limits
            .iter()
            .take(40)
            .map(|row| format!("{} {}", line(&row.field), line(&row.bound)))
            .collect();
        how.push(("Limits", vec![words(limits.join(",  "), Style { size: 7.0, ..CODE })]));
    }
    let exchanges = check.reading.as_ref().map(facts::exchanges).unwrap_or_default();
    for (at, exchange) in exchanges.iter().enumerate() {
        let mut text = vec![words(exchange.remote.clone(), Style { size: 7.0, ..CODE })];
        if let Some(local) = &exchange.local {
            text.push(words(" from ", small));
            text.push(words(local.clone(), Style { size: 7.0, ..CODE }));
        }
        text.extend(exchange.took_ms.map(|took| words(format!(", {} ms", number(took)), small)));
        how.push((if at == 0 { "Contacted" } else { "" }, text));
    }
    how.push(("Asks", prose(&capital(&check.asks), small)));
    how.push(("Can mislead", prose(&capital(&check.misleads), small)));
    if check.reading.is_some() {
        how.push(("Raw reading", plain("in report.json, which this file carries".to_owned())));
    }
    flow.facts(62.0, &how);
}

/// The files that the policy was made from.
fn policy(sheet: &Sheet<'_>, flow: &mut Flow<'_>) {
    let policy = &sheet.document.policy;
    flow.heading(2, "Policy");
    let digest = |text: &str| vec![words(line(text), Style { size: 7.0, ..CODE })];
    let mut facts = vec![("Resolved policy".to_owned(), digest(&policy.sha256))];
    facts.extend(policy.layers.iter().take(40).map(|layer| {
        let read_on = facts::read_on(layer).map(|words| format!("   {words}")).unwrap_or_default();
        (line(&layer.name) + &read_on, digest(&layer.sha256))
    }));
    for (name, digest) in facts {
        let mut text = digest;
        text.push(words(format!("   {name}"), Style { face: Face::Regular, ..QUIET }));
        flow.paragraph(&text);
    }
    flow.paragraph(&[words(brief::DIGESTS, QUIET)]);
}

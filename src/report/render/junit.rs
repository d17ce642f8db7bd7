//! JUnit XML for pipelines. What is not known is `<error>`, never `<skipped>` and never a pass.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::again::again;
use super::facts;
use super::text::line;
use crate::judge::Word;
use crate::model::{Finding, Outcome};
use crate::report::v1::{CheckDoc, Document};

/// The report as JUnit XML: one test case for the verdict, one a check.
///
/// A failed check is a `<failure>` whatever its enforcement and waivers, of type `required`,
/// `waived` or `advisory`; whether the event may go ahead is the case `verdict`.
pub fn junit(document: &Document) -> String {
    let mut suite = TestSuite::new(xml(&format!("golive: {}", document.event.title)));
    let run = &document.run;
    for (name, value) in [
        ("verdict", document.verdict.word.to_string()),
        ("evaluated_at", document.verdict.evaluated_at.to_string()),
        ("expires", document.verdict.expires.map(|at| at.to_string()).unwrap_or_default()),
        ("run", run.id.clone()),
        ("platform", run.platform.clone()),
        ("policy_sha256", document.policy.sha256.clone()),
        ("golive", document.golive.clone()),
    ] {
        suite.add_property(Property::new(name, xml(&value)));
    }
    if let Some(words) = facts::redacted(document) {
        suite.add_property(Property::new("redacted", xml(&words)));
    }
    if let Some(words) = again(document) {
        suite.add_property(Property::new("again", xml(&words)));
    }
    suite.add_test_case(verdict(document));
    for check in &document.checks {
        suite.add_test_case(case(document, check));
    }
    let mut report = Report::new("golive");
    report.add_test_suite(suite);
    // writing to memory does not fail; an empty file would be read as "no tests", so say it
    report.to_string().unwrap_or_else(|error| format!("<!-- not written: {} -->\n", xml(&error.to_string())))
}

fn verdict(document: &Document) -> TestCase {
    let word = document.verdict.word;
    let mut status = match word {
        Word::Go | Word::ConditionalGo => TestCaseStatus::success(),
        Word::NoGo => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Word::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let reasons: Vec<String> = document.verdict.reasons.iter().map(|reason| xml(&reason.text)).collect();
    if !matches!(word, Word::Go | Word::ConditionalGo) {
        status.set_type(word.text()).set_message(facts::meaning(word)).set_description(reasons.join("\n"));
    }
    let mut case = TestCase::new("verdict", status);
    case.set_classname("golive");
    let again = again(document).map(|words| xml(&words) + "\n").unwrap_or_default();
    case.set_system_out(format!("{word}\n{again}{}", reasons.join("\n")));
    case
}

fn case(document: &Document, check: &CheckDoc) -> TestCase {
    let (kind, of_type) = match check.outcome {
        Outcome::Pass | Outcome::Warn => (None, ""),
        Outcome::NotApplicable => (None, "n/a"),
        Outcome::Unknown => (Some(NonSuccessKind::Error), standing(check)),
        Outcome::Fail => (Some(NonSuccessKind::Failure), standing(check)),
    };
    let mut status = match (kind, check.outcome) {
        (Some(kind), _) => TestCaseStatus::non_success(kind),
        (None, Outcome::NotApplicable) => TestCaseStatus::skipped(),
        (None, _) => TestCaseStatus::success(),
    };
    if kind.is_some() {
        status
            .set_type(of_type)
            .set_message(message(check))
            .set_description(xml_lines(&troubles(document, check)));
    }
    let mut case = TestCase::new(xml(check.id.as_str()), status);
    case.set_classname(xml(&format!("golive.{}", check.probe)));
    if !check.findings.is_empty() {
        case.set_system_out(xml_lines(&comparisons(check)));
    }
    for (name, value) in [
        ("outcome", check.outcome.word()),
        ("enforcement", check.enforcement.word()),
        ("owner", check.owner.as_str()),
    ] {
        case.add_property(Property::new(name, xml(value)));
    }
    let took = check.measured.as_ref().map(|measured| measured.took_ms / 1000.0);
    // a time beyond a year is no time that a check took
    let took = took.filter(|seconds| (0.0..3.2e7).contains(seconds));
    case.set_time(took.map(Duration::from_secs_f64).unwrap_or_default());
    case
}

/// How a failure or an open question counts.
fn standing(check: &CheckDoc) -> &'static str {
    if check.waiver.is_some() {
        "waived"
    } else if check.enforcement.required() {
        "required"
    } else {
        "advisory"
    }
}

fn message(check: &CheckDoc) -> String {
    let what = match (facts::telling(check), &check.not_measured) {
        (_, Some(not)) => format!("not measured ({}): {}", not.cause.word(), not.detail),
        (Some(finding), None) => {
            format!("{}: asked {}, seen {}", finding.code, finding.expected, finding.observed)
        }
        (None, None) => "never measured".to_owned(),
    };
    xml(&format!("{} {}: {what}", standing(check), check.outcome.word()))
}

/// Lines that say what is wrong and what to do.
fn troubles(document: &Document, check: &CheckDoc) -> Vec<String> {
    let mut lines: Vec<String> = facts::troubles(check).into_iter().take(64).map(comparison).collect();
    if let Some(not) = &check.not_measured {
        lines.push(format!("not measured ({}): {}", not.cause.word(), not.detail));
        lines.push(format!("do: {}", not.remedy));
    }
    lines.push(format!("owner: {}", facts::owner(document, &check.owner)));
    if let Some(waiver) = &check.waiver {
        lines.push(format!("accepted by {} until {}: {}", waiver.by, waiver.expires, waiver.reason));
    }
    lines
}

fn comparisons(check: &CheckDoc) -> Vec<String> {
    check.findings.iter().take(64).map(comparison).collect()
}

fn comparison(finding: &Finding) -> String {
    let effect = Outcome::from(finding.effect).word();
    let mut text =
        format!("{effect} {}: asked {}, seen {}", finding.code, finding.expected, finding.observed);
    if !finding.remedy.is_empty() {
        let _ = write!(text, "; do: {}", finding.remedy);
    }
    text
}

fn xml_lines(lines: &[String]) -> String {
    lines.iter().map(|line| xml(line)).collect::<Vec<_>>().join("\n")
}

/// One inert line of characters that XML 1.0 allows (section 2.2).
fn xml(raw: &str) -> String {
    line(raw).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

//! What was measured against what is needed, and how anyone can verify it.

use std::fmt::{self, Write as _};

use super::risk::untested;
use super::verdict;
use crate::report::render::facts;
use crate::report::render::moment::Clock;
use crate::report::render::text::line;
use crate::report::v1::Document;

pub(super) fn test_plan(out: &mut String, document: &Document, clock: &Clock, sha256: &str) -> fmt::Result {
    writeln!(out, "Verdict: {}", verdict(document, clock))?;
    writeln!(out, "Measured {}.", clock.span(document.run.started, document.run.finished))?;
    writeln!(out, "\nVerify offline, with the attached files in one folder: `golive verify report.json`")?;
    writeln!(out, "Compute the verdict again from the readings: `{}`", facts::verifies(document))?;
    writeln!(out, "SHA-256 of report.json: {}", line(sha256))?;
    writeln!(out, "SHA-256 of the policy: {}", line(&document.policy.sha256))?;
    writeln!(out, "golive {}, run {}", line(&document.golive), line(&document.run.id))?;
    writeln!(out, "\nNeeded and measured:")?;
    for check in &document.checks {
        write!(out, "- {} {}: ", check.outcome.word(), check.id)?;
        match facts::telling(check) {
            Some(finding) => {
                writeln!(out, "needed {}, measured {}", line(&finding.expected), line(&finding.observed))?;
            }
            None => writeln!(out, "not measured")?,
        }
    }
    untested(out, document)
}

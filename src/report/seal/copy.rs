//! Verifying a redacted copy: by itself, and against the report that it was made from.

use super::verify::Verifier;
use super::{Bundle, Problem, Standing};
use crate::report::{self, Document, ledger, line};

impl Verifier<'_> {
    /// A copy follows from its own readings like any report; what was decided was decided about
    /// the full one, so by itself it carries no decision.
    pub fn copy(&mut self, document: &Document) {
        let Some(redacted) = &document.redacted else { return };
        self.problem(Problem::Redacted { words: line(&redacted.words()) });
        self.note("its verdict was computed again from its redacted readings".to_owned());
        if let Some(own) = &document.ledger {
            // the last line is about the full report's readings; the chain itself can be checked
            match ledger::check(&own.lines) {
                Ok(head) if head == own.head => {}
                Ok(_) => self.problem(Problem::Ledger(
                    "the ledger states another head than its lines give".to_owned(),
                )),
                Err(error) => self.problem(Problem::Ledger(error.to_string())),
            }
        }
    }
}

/// A copy's standing beside that of the full report: with the proof that the one was made from the
/// other, the decisions about the full report count.
pub fn against(mut copy: Standing, copied: &Bundle, full: Standing, bundle: &Bundle) -> Standing {
    let made =
        full.document.as_ref().map(|document| report::made_from(&copied.report, document, &full.sha256));
    match made {
        Some(Ok(true)) => {
            copy.problems.retain(|problem| !matches!(problem, Problem::Redacted { .. }));
            copy.notes.push(format!("redacted copy, made from {} (sha256 {})", full.file, full.sha256));
            let known = copy.notes.clone();
            copy.notes.extend(full.notes.into_iter().filter(|note| !known.contains(note)));
            // what is stale or broken is said once
            let more: Vec<Problem> =
                full.problems.into_iter().filter(|problem| !copy.problems.contains(problem)).collect();
            copy.problems.extend(more);
            copy.signed = full.signed;
        }
        Some(Ok(false)) | None => {
            let (file, of) = (copy.file.clone(), line(bundle.names.report()));
            copy.problems.push(Problem::NotMadeFrom { file, of, why: "they differ".to_owned() });
            copy.problems.extend(full.problems);
        }
        Some(Err(error)) => {
            let (file, of) = (copy.file.clone(), line(bundle.names.report()));
            copy.problems.push(Problem::NotMadeFrom { file, of, why: line(&error.to_string()) });
        }
    }
    copy
}

//! Measuring some checks of an earlier run again: for `golive check --again` and the key `r`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{exit, load, session};
use crate::model::CheckId;
use crate::net::{clock, machine};
use crate::policy::Policy;
use crate::report::{self, seal};
use crate::run::again::{From, carry};
use crate::run::opening::run_id;
use crate::run::{AgainError, Carried, ledger};

/// A run that is ready to begin.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The earlier run's policy.
    pub policy: Policy,
    /// What it takes over.
    pub carried: Carried,
    /// Its own folder.
    pub folder: PathBuf,
}

/// Verifies the run in `from` and takes over all but `checks`; `out` is the new run's folder, beside the
/// earlier one's by default.
///
/// # Errors
/// Whatever makes the earlier readings say nothing of this network now.
pub(super) fn prepare(
    from: &Path,
    policy: Policy,
    checks: &BTreeSet<CheckId>,
    out: Option<&Path>,
) -> anyhow::Result<Prepared> {
    let bundle = load::bundle(from)?;
    let document = load::read(from, &bundle.report)?;
    let stored = report::judged_from(&document).map_err(|error| failure(&error.into()))?.0;
    let policy = policy.named_as(&stored);
    load::sound(&bundle, "not measured again")?;
    let folder = out.map_or_else(|| free(from), Path::to_owned);
    let lines = beside(from, &folder, &policy)?;
    let sha256 = seal::sha256(&bundle.report);
    let from = From { document: &document, sha256: &sha256, ledger: &lines };
    let carried = carry(from, &policy, checks, machine::vantage().as_ref(), clock::now());
    Ok(Prepared { policy, carried: carried.map_err(|error| failure(&error))?, folder })
}

/// The ledger beside both folders.
fn beside(from: &Path, folder: &Path, policy: &Policy) -> anyhow::Result<Vec<report::ledger::Entry>> {
    let run = if from.is_dir() { from } else { from.parent().unwrap_or(Path::new(".")) };
    let none = |why: String| failure(&AgainError::NoLedger(why));
    let of = |folder: &Path| ledger::path(folder, &policy.event).map_err(|error| none(error.to_string()));
    if of(run)? != of(folder)? {
        let message =
            "a run that carries readings belongs beside the run that it has them from: give another --out";
        return Err(exit::Failure::new(exit::USAGE, message).into());
    }
    let lines = ledger::read(run, &policy.event).map_err(|error| none(error.to_string()))?;
    lines.ok_or_else(|| none("there is no ledger beside it".to_owned()))
}

/// A folder beside the earlier run's, named by the time.
fn free(from: &Path) -> PathBuf {
    let run = if from.is_dir() { from } else { from.parent().unwrap_or(Path::new(".")) };
    let run = std::path::absolute(run).unwrap_or_else(|_| run.to_owned());
    let named = |name: String| run.with_file_name(name);
    let id = run_id(clock::now());
    let more = (2..1000).map(|number| named(format!("{id}-{number}")));
    std::iter::once(named(id.clone()))
        .chain(more)
        .find(|folder| !folder.exists())
        .unwrap_or_else(|| session::folder(None))
}

/// An error with its exit code.
pub(super) fn failure(error: &AgainError) -> anyhow::Error {
    exit::Failure::new(code(error), error.to_string()).into()
}

/// The exit code of each.
pub(super) const fn code(error: &AgainError) -> u8 {
    match error {
        AgainError::UnknownCheck { .. } | AgainError::All => exit::USAGE,
        AgainError::OtherPolicy { .. } => exit::BAD_POLICY,
        _ => exit::DATA,
    }
}

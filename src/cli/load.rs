//! Loading what a command line names: policies, answers, runs; errors with their exit codes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::exit;
use crate::model::Answer;
use crate::policy::{self, Policy};
use crate::report::seal::{self, Bundle, Gravity, Standing};
use crate::report::{self, Document, WATCH_FILE, WatchDoc};
use crate::run::{JournalError, earlier};

/// The policy file of a folder, which `golive init` writes.
pub(super) const DEFAULT: &str = "golive.toml";

/// The policy file that the command line names, else the one of this folder.
pub(super) fn found(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    match given {
        Some(file) => Ok(file.to_owned()),
        None if Path::new(DEFAULT).exists() => Ok(DEFAULT.into()),
        None => {
            let message =
                format!("no policy is named, and this folder has no {DEFAULT}: `golive init` writes one");
            Err(exit::Failure::new(exit::USAGE, message).into())
        }
    }
}

/// The checked policy of a file or `builtin:NAME`.
pub(super) fn policy(file: &Path) -> anyhow::Result<Policy> {
    policy::load(file).map_err(|error| exit::Failure::new(exit::BAD_POLICY, error.to_string()).into())
}

/// Traffic beyond loopback needs an authorisation that is in force now.
pub(super) fn authorised(policy: &Policy) -> anyhow::Result<()> {
    policy::authorise(policy, crate::net::clock::now())
        .map_err(|error| exit::Failure::new(exit::NOT_AUTHORISED, error.to_string()).into())
}

/// Answers from a file to a policy's questions; none when there is no file.
pub(super) fn answers(file: Option<&Path>, policy: &Policy) -> anyhow::Result<Vec<Answer>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let shown = file.display();
    let bad = |error: String| exit::Failure::new(exit::DATA, format!("{shown}: {error}"));
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    let answers = policy::answers(&text).map_err(|error| bad(error.to_string()))?;
    match policy::misfit(&answers, policy) {
        Some(why) => Err(bad(why).into()),
        None => Ok(answers),
    }
}

/// A report: the file itself, or the report.json of a run's folder.
pub(super) fn report(file: &Path) -> anyhow::Result<Document> {
    read(file, &report_bytes(file)?)
}

/// A report's bytes as a report; `file` is where they are from.
pub(super) fn read(file: &Path, bytes: &[u8]) -> anyhow::Result<Document> {
    let shown = report::line(&report_file(file).display().to_string());
    Ok(report::read(bytes).map_err(|error| exit::Failure::new(exit::DATA, format!("{shown}: {error}")))?)
}

/// The file itself, or the report.json of a run's folder.
fn report_file(file: &Path) -> PathBuf {
    if file.is_dir() { file.join("report.json") } else { file.to_owned() }
}

/// The bytes of a report's file.
pub(super) fn report_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    bytes(&report_file(file))
}

/// A watch: its watch.json, or a folder that has one; `None` when it is something else.
pub(super) fn watch(file: &Path) -> anyhow::Result<Option<WatchDoc>> {
    let file = if file.is_dir() { file.join(WATCH_FILE) } else { file.to_owned() };
    if !file.ends_with(WATCH_FILE) || !file.is_file() {
        return Ok(None);
    }
    let document = WatchDoc::read(&bytes(&file)?);
    let shown = report::line(&file.display().to_string());
    Ok(Some(document.map_err(|error| exit::Failure::new(exit::DATA, format!("{shown}: {error}")))?))
}

/// A file's bytes, no more than a report may have.
fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let bad = |error: String| exit::Failure::new(exit::DATA, format!("{}: {error}", file.display()));
    let mut bytes = Vec::new();
    let source = File::open(file).map_err(|error| bad(error.to_string()))?;
    // one byte more than is allowed, so that too large a file is told from one that just fits
    source.take(report::MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| bad(error.to_string()))?;
    Ok(bytes)
}

/// A report with the decisions and signatures beside it; nothing of it is believed yet.
pub(super) fn bundle(file: &Path) -> anyhow::Result<Bundle> {
    Ok(Bundle::read(file).map_err(|error| exit::Failure::new(exit::DATA, error.to_string()))?)
}

/// Whether they hold, now or at another time.
pub(super) fn verified(bundle: &Bundle, today: Option<&Policy>, now: Timestamp) -> Standing {
    let folder = bundle.names.path("");
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
    let event = report::read(&bundle.report).ok().map(|document| document.event);
    let beside = event.map_or(Ok(None), |event| crate::run::ledger::read(folder, &event));
    let mut standing = seal::verify(bundle, today, beside.as_ref().ok().and_then(Option::as_deref), now);
    if let Err(error) = beside {
        standing.problems.push(seal::Problem::Ledger(report::line(&error.to_string())));
    }
    let again = standing.document.as_ref().and_then(|document| document.again.as_ref());
    let run = again.map(|again| again.run.clone());
    if let (Some(run), Some(document)) = (run, &standing.document) {
        let earlier = earlier::reports_of(folder, &document.event, &run);
        standing = seal::carried(standing, &earlier);
    }
    standing
}

/// The same with the paper that lies beside, which is for people and is not signed.
pub(super) fn with_papers(bundle: &Bundle, standing: Standing) -> anyhow::Result<Standing> {
    let read = |ending: &str| {
        let file = bundle.names.path(&bundle.names.beside(ending));
        if file.is_file() { bytes(&file).map(Some) } else { Ok(None) }
    };
    let papers = seal::Papers { pdf: read("pdf")?, html: read("html")? };
    Ok(seal::papers(standing, bundle, &papers))
}

/// Only a report that is what it says it is is gone on with; `what` was to be done.
pub(super) fn sound(bundle: &Bundle, what: &str) -> anyhow::Result<()> {
    let standing = verified(bundle, None, crate::net::clock::now());
    match standing.problems.iter().find(|problem| problem.gravity() == Gravity::Forged) {
        Some(problem) => Err(exit::Failure::new(exit::BAD_SIGNATURE, format!("{what}: {problem}")).into()),
        None => Ok(()),
    }
}

/// The file's full path, so that a resume finds it from any folder.
pub(super) fn absolute(file: &Path) -> String {
    if file.starts_with("builtin:") {
        return file.display().to_string();
    }
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string()
}

/// A run that cannot be read.
pub(super) fn unreadable(error: &JournalError) -> exit::Failure {
    exit::Failure::new(exit::DATA, error.to_string())
}

//! Earlier runs of an event: the ledger's, each with what its report says of the checks. Read from
//! files that anybody may have written, so bounded, and held against the ledger.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::ledger as kept;
use crate::judge::Word;
use crate::model::{CheckId, Outcome};
use crate::policy::Policy;
use crate::report::comparison::{figure_words, same_question};
use crate::report::ledger::{self, Entry};
use crate::report::v1::CheckDoc;
use crate::report::{self, Document};

/// Most runs that are looked at: the newest.
const MAX_RUNS: usize = 20;
/// Most folders that are searched for a run's report.
const MAX_FOLDERS: usize = 200;
/// Largest report that is read here, in bytes; real ones have a few hundred kilobytes.
const MAX_BYTES: u64 = 8 << 20;

/// What is known of an event's earlier runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The newest first.
    pub runs: Vec<EarlierRun>,
    /// Older runs that were not looked at.
    pub older: usize,
    /// Why nothing is known of earlier runs, if so.
    pub trouble: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierRun {
    /// Its id.
    pub run: String,
    /// When it began, UTC.
    pub at: Timestamp,
    /// Its verdict; none when it ended without a report.
    pub verdict: Option<Word>,
    /// What its report says of each check; or why there is none.
    pub checks: Result<BTreeMap<CheckId, EarlierCheck>, &'static str>,
}

/// What a run says of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierCheck {
    /// What it came to.
    pub outcome: Outcome,
    /// True when it asked what is asked now; else its answer says nothing of today's.
    pub same_question: bool,
    /// A waiver covered it.
    pub waived: bool,
    /// Its figures, each with its limit; where it has none, what was seen.
    pub said: Vec<String>,
}

/// Runs of the policy's event that began before `run`, else all, by the ledger beside `folder`.
pub fn read(folder: &Path, policy: &Policy, run: Option<&str>) -> Earlier {
    let lines = match kept::read(folder, &policy.event) {
        Ok(Some(lines)) => lines,
        Ok(None) => return Earlier::default(),
        Err(error) => return Earlier { trouble: Some(error.to_string()), ..Earlier::default() },
    };
    let all = ledger::runs(&lines);
    let before: Vec<&str> = all.into_iter().take_while(|id| Some(*id) != run).collect();
    let older = before.len().saturating_sub(MAX_RUNS);
    let newest: Vec<&str> = before.into_iter().skip(older).rev().collect();
    let mut reports = Reports::beside(folder, &policy.event);
    let runs = newest.into_iter().filter_map(|id| earlier(id, &lines, policy, &mut reports)).collect();
    Earlier { runs, older, trouble: None }
}

fn earlier(run: &str, lines: &[Entry], policy: &Policy, reports: &mut Reports) -> Option<EarlierRun> {
    let mine = || lines.iter().filter(|line| line.run == run);
    let at = mine().next()?.at;
    let Some((verdict, readings)) = mine().rev().find_map(|line| line.step.outcome()) else {
        let checks = Err("it ended without a report");
        return Some(EarlierRun { run: run.to_owned(), at, verdict: None, checks });
    };
    let checks = match reports.of(run) {
        None => Err("its report is not beside this run's"),
        Some(document) if ledger::readings(&document) != readings => {
            Err("its report is not the one that the ledger knows")
        }
        Some(document) => said(&document, policy),
    };
    Some(EarlierRun { run: run.to_owned(), at, verdict: Some(verdict), checks })
}

fn said(document: &Document, policy: &Policy) -> Result<BTreeMap<CheckId, EarlierCheck>, &'static str> {
    let (then, _) = report::judged_from(document).map_err(|_| "its report is of another golive")?;
    let one = |check: &CheckDoc| EarlierCheck {
        outcome: check.outcome,
        same_question: same_question(&then, policy, &check.id),
        waived: check.waiver.is_some(),
        said: words(check),
    };
    Ok(document.checks.iter().map(|check| (check.id.clone(), one(check))).collect())
}

fn words(check: &CheckDoc) -> Vec<String> {
    if let Some(not) = &check.not_measured {
        return vec![not.detail.clone()];
    }
    let figures = figure_words(check);
    if !figures.is_empty() {
        return figures;
    }
    let worst = check.findings.iter().map(|finding| finding.effect).max();
    let shown = check.findings.iter().find(|finding| Some(finding.effect) == worst);
    shown.map(|finding| finding.observed.clone()).into_iter().collect()
}

/// The reports that state this run, beside a folder, as they are: there may be several versions of one,
/// and one that was changed since may no longer be read as a report.
pub fn reports_of(folder: &Path, event: &crate::policy::Event, run: &str) -> Vec<Vec<u8>> {
    let reports = Reports::beside(folder, event);
    let Some(entries) = reports.beside.as_ref().and_then(|beside| std::fs::read_dir(beside).ok()) else {
        return Vec::new();
    };
    let stated = |bytes: &Vec<u8>| {
        serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|report| report["run"]["id"] == run)
    };
    let all = entries.flatten().take(MAX_FOLDERS).filter_map(|entry| bytes(&entry.path()));
    all.filter(stated).take(MAX_RUNS).collect()
}

/// The bytes of a run's report.
fn bytes(folder: &Path) -> Option<Vec<u8>> {
    let path = folder.join("report.json");
    // a pipe or device by that name would hold us up
    if !std::fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(&path).ok()?.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_BYTES).then_some(bytes)
}

/// The reports beside a run's folder, each read once.
struct Reports {
    beside: Option<PathBuf>,
    event: String,
    /// Read while looking for another one.
    known: BTreeMap<String, Document>,
    searched: bool,
}

impl Reports {
    fn beside(folder: &Path, event: &crate::policy::Event) -> Self {
        let beside = kept::path(folder, event).ok().and_then(|path| path.parent().map(Path::to_owned));
        Self { beside, event: ledger::event_id(event), known: BTreeMap::new(), searched: false }
    }

    /// In the folder of its own name, else in any.
    fn of(&mut self, run: &str) -> Option<Document> {
        let beside = self.beside.clone()?;
        // a run's id is the file's word: never a way out of this folder
        let mut parts = Path::new(run).components();
        let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        let named = plain.then(|| self.read(&beside.join(run))).flatten();
        if named.as_ref().is_some_and(|document| document.run.id == run) {
            return named;
        }
        if !self.searched {
            self.searched = true;
            self.search(&beside);
        }
        self.known.remove(run)
    }

    fn search(&mut self, beside: &Path) {
        let Ok(entries) = std::fs::read_dir(beside) else { return };
        let mut left = MAX_RUNS;
        for entry in entries.flatten().take(MAX_FOLDERS) {
            if left == 0 {
                return;
            }
            if let Some(document) = self.read(&entry.path()) {
                left -= 1;
                self.known.insert(document.run.id.clone(), document);
            }
        }
    }

    fn read(&self, folder: &Path) -> Option<Document> {
        let document = report::read(&bytes(folder)?).ok()?;
        (ledger::event_id(&document.event) == self.event).then_some(document)
    }
}

//! The ledger on the disk: one file for an event, beside its runs, so that every run counts,
//! also one that was killed before it could say anything.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::text;
use crate::policy::{Event, Policy};
use crate::report::Ledger;
use crate::report::ledger::{self, Broken, Entry, Step};

/// Largest ledger that is read, in bytes: some ten thousand runs.
const MAX_BYTES: u64 = 8 << 20;

/// Why a ledger cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Runs that lie where everybody's files lie.
    #[error("runs in {0} are not kept count of: it is everybody's; give an --out in a folder of its own")]
    Shared(PathBuf),
    /// The disk.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// It is larger than any.
    #[error("{0} is larger than any ledger")]
    TooLarge(PathBuf),
    /// A line that is none.
    #[error("{path}: line {line} is not one of a ledger")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
    },
    /// Its chain is broken.
    #[error("{path}: {broken}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where.
        broken: Broken,
    },
    /// It is not the one that the report knows.
    #[error("{0} does not hold the runs that the report knows of")]
    Other(PathBuf),
}

/// Where the ledger of an event lies, for runs in `folder`: beside that folder.
pub fn path(folder: &Path, event: &Event) -> Result<PathBuf, LedgerError> {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    // a folder that is still to be made lies where its parent does
    let beside = whole.canonicalize().ok().and_then(|whole| Some(whole.parent()?.to_owned()));
    let beside = beside.or_else(|| whole.parent()?.canonicalize().ok());
    let beside = beside.as_deref().or_else(|| whole.parent()).unwrap_or(&whole);
    let shared = std::env::temp_dir();
    if beside == shared || shared.canonicalize().is_ok_and(|shared| shared == beside) {
        return Err(LedgerError::Shared(shared));
    }
    Ok(beside.join(format!("ledger-{}.jsonl", ledger::event_id(event))))
}

/// The lines beside a run's folder; `None` when there is no ledger.
pub fn read(folder: &Path, event: &Event) -> Result<Option<Vec<Entry>>, LedgerError> {
    let Ok(path) = path(folder, event) else { return Ok(None) };
    match File::open(&path) {
        Ok(mut file) => lines(&mut file, &path).map(|(lines, _)| Some(lines)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::Io { path, error }),
    }
}

/// Which run writes a line, and what it knows of the chain already.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The run's folder.
    pub folder: &'a Path,
    /// Its policy.
    pub policy: &'a Policy,
    /// Its id.
    pub run: &'a str,
    /// The lines that it knows; they are gone on with where there is no ledger to write to.
    pub known: &'a [Entry],
}

impl Writer<'_> {
    /// Adds a line. A ledger that cannot be kept never ends a run: it goes on by itself and says why.
    pub fn add(&self, at: Timestamp, step: Step) -> Ledger {
        match self.append(at, &step) {
            Ok(lines) => Ledger::of(lines, self.run, None),
            Err(error) => {
                let mut lines = self.known.to_vec();
                lines.push(ledger::next(&lines, self.policy, self.run, at, step));
                let why = text::escape(&error.to_string()).chars().take(300).collect();
                Ledger::of(lines, self.run, Some(why))
            }
        }
    }

    fn append(&self, at: Timestamp, step: &Step) -> Result<Vec<Entry>, LedgerError> {
        let path = path(self.folder, &self.policy.event)?;
        let failed = |error: io::Error| LedgerError::Io { path: path.clone(), error };
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        // where a file system knows no locks, two runs at one moment are the people's own doing
        let _ = file.lock();
        let (mut lines, mut good) = lines(&mut file, &path)?;
        if good == 0 {
            // another machine's folder: its chain goes on here
            for line in self.known {
                good += write(&mut file, good, line).map_err(failed)?;
                lines.push(line.clone());
            }
        } else if !lines.starts_with(self.known) {
            return Err(LedgerError::Other(path));
        }
        let next = ledger::next(&lines, self.policy, self.run, at, step.clone());
        let written = write(&mut file, good, &next).map_err(failed)?;
        file.set_len(good + written).and_then(|()| file.sync_all()).map_err(failed)?;
        lines.push(next);
        Ok(lines)
    }
}

fn write(file: &mut File, at: u64, line: &Entry) -> io::Result<u64> {
    let text = ledger::text(line) + "\n";
    file.seek(SeekFrom::Start(at))?;
    file.write_all(text.as_bytes())?;
    Ok(text.len() as u64)
}

/// All whole lines, chained, and how many bytes they take; a torn last line was never promised.
fn lines(file: &mut File, path: &Path) -> Result<(Vec<Entry>, u64), LedgerError> {
    let mut bytes = Vec::new();
    let failed = |error: io::Error| LedgerError::Io { path: path.to_owned(), error };
    io::Read::by_ref(file).take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(LedgerError::TooLarge(path.to_owned()));
    }
    let good = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = bytes.get(..good).unwrap_or_default();
    let mut lines = Vec::new();
    for (index, line) in whole.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let damaged = || LedgerError::Damaged { path: path.to_owned(), line: index + 1 };
        let entry: Entry = serde_json::from_slice(line).map_err(|_| damaged())?;
        // only the one way to write a line is one: its digest is taken of its text
        if ledger::text(&entry).as_bytes() != line {
            return Err(damaged());
        }
        lines.push(entry);
    }
    ledger::check(&lines).map_err(|broken| LedgerError::Broken { path: path.to_owned(), broken })?;
    Ok((lines, good as u64))
}

//! The journal: every event of a run, one JSON object a line, on disk before it is on screen.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Event;
use super::event::{FORMAT, Started};
use crate::evidence::{Evidence, Measurement};
use crate::model::CheckId;
use crate::report;

/// Name of the journal in a run's folder.
pub const FILE: &str = "journal";

/// Longest line read back: a reading is bounded far below this.
const MAX_LINE: u64 = 64 << 20;

/// What can go wrong with a journal. Each says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder holds a run already.
    #[error("{0} holds a run already: give another --out, or go on with it by `golive resume {0}`")]
    Exists(PathBuf),
    /// It holds a report of another run, or a new version of one.
    #[error("{0} holds a report already: give another --out")]
    Report(PathBuf),
    /// Another process writes to it.
    #[error("{0} is in use by another golive: wait for it to end")]
    Locked(PathBuf),
    /// There is no journal.
    #[error("{0} holds no run: there is no file `journal` in it")]
    Missing(PathBuf),
    /// The disk.
    #[error("cannot {doing} {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The system's words.
        error: io::Error,
    },
    /// A line that is not an event.
    #[error(
        "{path}:{line}: not a golive event ({error}); the journal is damaged, keep it and start a new run"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// The parser's words.
        error: String,
    },
    /// It does not begin with a run.
    #[error(
        "{0} does not begin with a run of format {FORMAT}: it is from another version of golive, or damaged"
    )]
    NoStart(PathBuf),
}

fn io_error(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |error| JournalError::Io { path, doing, error }
}

/// What a line of a journal holds.
pub trait Line: Serialize + DeserializeOwned {
    /// True when it must survive a crash: it is flushed to the disk before it is on screen.
    fn is_kept(&self) -> bool;
}

impl Line for Event {
    fn is_kept(&self) -> bool {
        !matches!(self, Self::Sample { .. } | Self::CheckStarted { .. })
    }
}

/// An open journal, locked against a second writer.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Starts a new journal in `folder`, which is made if it is not there.
    pub fn create(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(io_error(folder, "make the folder"))?;
        let path = folder.join(FILE);
        if !path.exists() && (report::is_there(folder) || report::is_decided(folder)) {
            return Err(JournalError::Report(folder.to_owned()));
        }
        let file =
            OpenOptions::new().create_new(true).append(true).open(&path).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::AlreadyExists => JournalError::Exists(folder.to_owned()),
                    _ => io_error(&path, "make")(error),
                }
            })?;
        let journal = Self { file, path };
        journal.lock(folder)?;
        // The folder's entry must survive a power loss, too.
        File::open(folder).and_then(|dir| dir.sync_all()).map_err(io_error(folder, "flush"))?;
        Ok(journal)
    }

    /// Opens the journal of a run that died: reads it back and cuts off a torn last line.
    pub fn reopen(folder: &Path) -> Result<(Self, Recorded), JournalError> {
        Self::reopen_as(folder, |file, path| {
            let recorded = Recorded::from_reader(file, path)?;
            Ok((recorded.good_bytes, recorded))
        })
    }

    /// The same of a journal that `read` reads; it gives the bytes of whole lines, too.
    pub(super) fn reopen_as<T>(
        folder: &Path,
        read: impl FnOnce(&File, &Path) -> Result<(u64, T), JournalError>,
    ) -> Result<(Self, T), JournalError> {
        let path = folder.join(FILE);
        let file =
            OpenOptions::new().read(true).append(true).open(&path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => JournalError::Missing(folder.to_owned()),
                _ => io_error(&path, "open")(error),
            })?;
        let mut journal = Self { file, path };
        // Before anything is cut: the writer may be alive.
        journal.lock(folder)?;
        let (good_bytes, recorded) = read(&journal.file, &journal.path)?;
        journal.file.set_len(good_bytes).map_err(io_error(&journal.path, "cut the torn end of"))?;
        journal.file.seek(io::SeekFrom::End(0)).map_err(io_error(&journal.path, "go to the end of"))?;
        Ok((journal, recorded))
    }

    fn lock(&self, folder: &Path) -> Result<(), JournalError> {
        match self.file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked(folder.to_owned())),
            // A file system without locks (some network mounts) is no reason to refuse the run.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Appends an event; what must survive a crash is flushed to the disk before this returns.
    pub fn append(&mut self, event: &impl Line) -> Result<(), JournalError> {
        let mut line = serde_json::to_vec(event)
            .map_err(|error| io_error(&self.path, "write an event to")(io::Error::other(error)))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(io_error(&self.path, "write to"))?;
        if !event.is_kept() {
            return Ok(());
        }
        self.file.sync_data().map_err(io_error(&self.path, "flush"))
    }
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// How the run began.
    pub started: Started,
    /// Every event, in order.
    pub events: Vec<Event>,
    /// Bytes of whole lines; what follows is a line that the crash tore.
    pub good_bytes: u64,
    /// A torn last line was left out.
    pub torn: bool,
}

impl Recorded {
    /// Reads the journal in `folder` without opening it for writing.
    pub fn read(folder: &Path) -> Result<Self, JournalError> {
        let path = if folder.is_dir() { folder.join(FILE) } else { folder.to_owned() };
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => JournalError::Missing(folder.to_owned()),
            _ => io_error(&path, "open")(error),
        })?;
        Self::from_reader(&file, &path)
    }

    fn from_reader(file: impl io::Read, path: &Path) -> Result<Self, JournalError> {
        let mut events = Vec::new();
        let (good_bytes, torn) = read_lines(file, path, |event| events.push(event))?;
        match events.first() {
            Some(Event::RunStarted(started)) if started.format == FORMAT => {
                let started = Started::clone(started);
                Ok(Self { started, events, good_bytes, torn })
            }
            _ => Err(JournalError::NoStart(path.to_owned())),
        }
    }

    /// All measurements; the last one of a check counts.
    pub fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::default();
        for event in &self.events {
            match event {
                Event::Measured { measurement } | Event::Carried { measurement, .. } => {
                    evidence.measurements.insert(measurement.check.clone(), Measurement::clone(measurement));
                }
                Event::Interrupted { .. } => evidence.interrupted = true,
                Event::RunResumed { .. } => evidence.interrupted = false,
                _ => {}
            }
        }
        evidence
    }

    /// The checks whose measurement is an earlier run's.
    pub fn carried(&self) -> BTreeSet<CheckId> {
        let mut carried = BTreeSet::new();
        for event in &self.events {
            match event {
                Event::Carried { measurement, .. } => drop(carried.insert(measurement.check.clone())),
                Event::Measured { measurement } => drop(carried.remove(&measurement.check)),
                _ => {}
            }
        }
        carried
    }

    /// True when the run came to its end without being stopped.
    pub fn complete(&self) -> bool {
        matches!(self.events.last(), Some(Event::RunFinished { .. })) && !self.evidence().interrupted
    }
}

/// Gives every whole line of a journal to `take`; the bytes of these lines, and whether another one was
/// torn.
pub(super) fn read_lines<L: Line>(
    file: impl io::Read,
    path: &Path,
    mut take: impl FnMut(L),
) -> Result<(u64, bool), JournalError> {
    let mut reader = BufReader::new(file);
    let (mut good_bytes, mut line) = (0, Vec::new());
    for number in 1.. {
        line.clear();
        let read = io::Read::take(&mut reader, MAX_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(io_error(path, "read"))?;
        if read == 0 {
            break;
        }
        if line.last() != Some(&b'\n') {
            return Ok((good_bytes, true));
        }
        let event = serde_json::from_slice(&line).map_err(|error| JournalError::Damaged {
            path: path.to_owned(),
            line: number,
            error: error.to_string(),
        })?;
        take(event);
        good_bytes += read as u64;
    }
    Ok((good_bytes, false))
}

//! Writes a run's report files: whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::v1::Document;
use super::{Filed, html_of, junit, markdown, pdf, to_json};

/// How the name of every decision ends.
const DECISION: &str = ".decision.json";

/// A report file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk.
    #[error("cannot write {path}: {source}; check that the folder exists, is writable and has space")]
    Disk {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Somebody decided about the report that lies there.
    #[error("the report in {0} is signed, and is not written over: give another folder")]
    Signed(PathBuf),
}

/// True when a folder holds a report.
pub fn is_there(dir: &Path) -> bool {
    dir.join("report.json").exists()
}

/// True when somebody's decision about a report lies in a folder.
pub fn is_decided(dir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("report.") && name.ends_with(DECISION)
    })
}

/// Writes `report.json`, `report.html`, `report.md`, `report.junit.xml` and `report.pdf` into
/// `dir`, which is made if it is not there.
/// A report that somebody has decided about is never written over.
/// Each file appears whole (written aside, synced, renamed); returns the path of `report.json`.
pub fn write_all(dir: &Path, document: &Document) -> Result<PathBuf, WriteError> {
    fs::create_dir_all(dir).map_err(|source| at(dir, source))?;
    if is_decided(dir) {
        return Err(WriteError::Signed(dir.to_owned()));
    }
    let json = dir.join("report.json");
    let stored = to_json(document).map_err(|error| at(&json, error.into()))?;
    // the truth first: whatever happens next, it can be rendered again
    write_whole(&json, stored.as_bytes())?;
    let filed = Filed::alone(document, stored.as_bytes());
    write_whole(&dir.join("report.html"), html_of(&filed).as_bytes())?;
    write_whole(&dir.join("report.md"), markdown(document).as_bytes())?;
    write_whole(&dir.join("report.junit.xml"), junit(document).as_bytes())?;
    let paper = dir.join("report.pdf");
    let bytes = pdf(&filed).map_err(|error| at(&paper, io::Error::other(error)))?;
    write_whole(&paper, &bytes)?;
    Ok(json)
}

pub(super) fn at(path: &Path, source: io::Error) -> WriteError {
    WriteError::Disk { path: path.to_owned(), source }
}

/// Writes a file so that a reader, also after a power loss, sees the old one or the new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = (|| {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        sync_parent(path)
    })();
    written.map_err(|source| {
        let _ = fs::remove_file(&aside);
        at(path, source)
    })
}

/// Makes the new name itself durable.
#[cfg(unix)]
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_parent(_: &Path) -> io::Result<()> {
    Ok(())
}

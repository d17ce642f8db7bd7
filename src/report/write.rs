//! Writes a run's report files: whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::v1::Document;
use super::{Filed, html_of, junit, markdown, pdf, to_json};

/// A report file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; check that the folder exists, is writable and has space")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The system's words.
    pub source: io::Error,
}

/// Writes `report.json`, `report.html`, `report.md`, `report.junit.xml` and `report.pdf` into
/// `dir`, which is made if it is not there.
/// Each file appears whole (written aside, synced, renamed); returns the path of `report.json`.
pub fn write_all(dir: &Path, document: &Document) -> Result<PathBuf, WriteError> {
    fs::create_dir_all(dir).map_err(|source| WriteError { path: dir.to_owned(), source })?;
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
    WriteError { path: path.to_owned(), source }
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

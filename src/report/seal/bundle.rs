//! A report's files: the report, the decisions about it, their signatures.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{decision, key};
use crate::model::Role;
use crate::report::{MAX_BYTES, line};

const DECISION: &str = ".decision.json";
// Not `.sig`: some ticket systems take attachments of well-known names only.
const SIGNATURE: &str = ".sig.txt";

/// Most decisions that are read.
const MAX_DECISIONS: usize = 64;

/// The names of the files that belong to one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    folder: PathBuf,
    report: String,
    stem: String,
}

impl Names {
    /// Of the report at this path.
    pub fn of(report: &Path) -> Self {
        let name = report.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".json").unwrap_or(&name).to_owned();
        Self { folder: report.parent().unwrap_or(Path::new("")).to_owned(), report: name, stem }
    }

    /// The report's own name.
    pub fn report(&self) -> &str {
        &self.report
    }

    /// Of another form of the report, such as `pdf`.
    pub fn beside(&self, ending: &str) -> String {
        format!("{}.{ending}", self.stem)
    }

    /// Of a role's decision.
    pub fn decision(&self, role: &str) -> String {
        format!("{}.{role}{DECISION}", self.stem)
    }

    /// Of a role's signature.
    pub fn signature(&self, role: &str) -> String {
        format!("{}.{role}{SIGNATURE}", self.stem)
    }

    /// Of the list of signers, for `ssh-keygen`.
    pub fn allowed_signers(&self) -> String {
        format!("{}.allowed_signers.txt", self.stem)
    }

    /// Of the list of keys that no longer count, for `ssh-keygen -r`.
    pub fn revoked_keys(&self) -> String {
        format!("{}.revoked_keys.txt", self.stem)
    }

    /// The file of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The role in a file's name.
    fn role<'a>(&self, file: &'a str, ending: &str) -> Option<&'a str> {
        file.strip_prefix(self.stem.as_str())?.strip_prefix('.')?.strip_suffix(ending)
    }
}

/// A report's files as they are on the disk. Nothing in them is believed yet.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Their names.
    pub names: Names,
    /// The report's bytes.
    pub report: Vec<u8>,
    /// What each role said, by the role in the files' names.
    pub words: BTreeMap<Role, Words>,
}

/// The two files of one role, as far as they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The decision's bytes.
    pub decision: Option<Vec<u8>>,
    /// The signature's bytes.
    pub signature: Option<Vec<u8>>,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct BundleError {
    /// The file.
    pub path: String,
    /// The system's words.
    pub source: io::Error,
}

impl Bundle {
    /// Reads the report at `path` (or the report.json of a run's folder) and what lies beside it.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let path = if path.is_dir() { path.join("report.json") } else { path.to_owned() };
        let names = Names::of(&path);
        let report = bytes(&path, MAX_BYTES)?;
        let mut words: BTreeMap<Role, Words> = BTreeMap::new();
        let folder = if names.folder.as_os_str().is_empty() { Path::new(".") } else { &names.folder };
        for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
            let entry = entry.map_err(|error| failed(folder, error))?;
            let file = entry.file_name();
            let Some(file) = file.to_str() else { continue };
            let role_of = |ending| names.role(file, ending).and_then(|role| Role::new(role).ok());
            if let Some(role) = role_of(DECISION) {
                let read = bytes(&entry.path(), decision::MAX_BYTES)?;
                words.entry(role).or_default().decision = Some(read);
            } else if let Some(role) = role_of(SIGNATURE) {
                let read = bytes(&entry.path(), key::MAX_SIGNATURE)?;
                words.entry(role).or_default().signature = Some(read);
            }
            if words.len() > MAX_DECISIONS {
                let what = format!("more than {MAX_DECISIONS} decisions about one report");
                return Err(failed(folder, io::Error::other(what)));
            }
        }
        Ok(Self { names, report, words })
    }
}

/// At most one byte more than `limit`, so that what is too large is told later.
fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(path, error))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| failed(path, error))?;
    Ok(bytes)
}

fn failed(path: &Path, source: io::Error) -> BundleError {
    BundleError { path: line(&path.display().to_string()), source }
}

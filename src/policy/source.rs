//! Where policy files come from: the disk, or the binary itself (`builtin:NAME`).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

/// Largest policy file, in bytes.
pub const MAX_FILE: u64 = 256 * 1024;

/// What marks a policy that the binary carries.
const BUILTIN: &str = "builtin:";

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        /// Policies that the binary carries: name and text.
        pub const BUILTINS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../policies/", $name, ".toml")))),*];
    };
}

builtin![
    "baseline",
    "governance",
    "corporate-lan",
    "bonded-backup",
    "platforms/amazon-ivs",
    "platforms/aws-medialive",
    "platforms/cloudflare-stream",
    "platforms/dacast",
    "platforms/facebook",
    "platforms/globalmeet",
    "platforms/google-live-stream",
    "platforms/linkedin-live",
    "platforms/mux",
    "platforms/nanostream",
    "platforms/restream",
    "platforms/teams-town-hall",
    "platforms/twitch",
    "platforms/vimeo",
    "platforms/x",
    "platforms/youtube",
    "venue-survey",
    "show-day",
    "demo",
];

/// Reads files. The disk, but for tests.
pub trait Files {
    /// At most `limit` bytes of a regular file.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// One name for one file, however it is reached.
    fn identity(&self, path: &Path) -> PathBuf {
        path.to_path_buf()
    }
}

/// The disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        // Asked before opening: opening a pipe would wait for a writer.
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !kind.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
    }
}

/// A policy's address: a file, or a name in the binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A file.
    File(PathBuf),
    /// `builtin:NAME`.
    Builtin(String),
}

impl Address {
    /// As given on the command line.
    pub fn new(given: &Path) -> Self {
        match given.to_str().and_then(|text| text.strip_prefix(BUILTIN)) {
            Some(name) => Self::Builtin(plain(name)),
            None => Self::File(given.to_path_buf()),
        }
    }

    /// As an `extends` of this policy names it: relative to its folder.
    pub fn beside(&self, given: &str) -> Self {
        if let Some(name) = given.strip_prefix(BUILTIN) {
            return Self::Builtin(plain(name));
        }
        match self {
            Self::File(path) => Self::File(tidy(&path.parent().unwrap_or(Path::new("")).join(given))),
            Self::Builtin(name) => {
                let folder = Path::new(name).parent().unwrap_or(Path::new(""));
                Self::Builtin(plain(&tidy(&folder.join(given)).to_string_lossy()))
            }
        }
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => path.parent(),
            Self::Builtin(_) => None,
        }
    }

    /// The builtin that a missing file may have meant.
    pub fn builtin_namesake(&self) -> Option<&'static str> {
        let Self::File(path) = self else { return None };
        let path = path.with_extension("");
        BUILTINS.iter().map(|(name, _)| *name).find(|name| path.ends_with(name))
    }

    /// As errors and reports name it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Builtin(name) => format!("{BUILTIN}{name}"),
        }
    }

    /// The same for one policy, however it is reached.
    pub fn identity(&self, files: &dyn Files) -> Self {
        match self {
            Self::File(path) => Self::File(files.identity(path)),
            Self::Builtin(name) => Self::Builtin(name.clone()),
        }
    }

    /// Its text; an error is a sentence for a person.
    pub fn read(&self, files: &dyn Files) -> Result<String, String> {
        let path = match self {
            Self::Builtin(name) => {
                let found = BUILTINS.iter().find(|(known, _)| known == name);
                return found
                    .map(|(_, text)| (*text).to_owned())
                    .ok_or_else(|| "this golive carries no policy of that name".to_owned());
            }
            Self::File(path) => path,
        };
        let bytes = files.read(path, MAX_FILE + 1).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::IsADirectory => "this is a folder, not a policy file".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
            _ => format!("cannot read it: {error}"),
        })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(format!("larger than {} KiB, which no policy is", MAX_FILE / 1024));
        }
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].split(|byte| *byte == b'\n').count();
            format!("line {line} is not UTF-8 text; save the file as UTF-8")
        })
    }
}

fn plain(name: &str) -> String {
    name.strip_suffix(".toml").unwrap_or(name).to_owned()
}

/// `a/b/../c` → `a/c`, without asking the disk: for names that people read.
fn tidy(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_relative_to_the_file_that_extends_them() {
        for (from, given, name) in [
            ("policies/event.toml", "baseline.toml", "policies/baseline.toml"),
            ("policies/event.toml", "./platforms/youtube.toml", "policies/platforms/youtube.toml"),
            ("policies/platforms/x.toml", "../baseline.toml", "policies/baseline.toml"),
            ("event.toml", "../baseline.toml", "../baseline.toml"),
            ("event.toml", "/etc/golive/baseline.toml", "/etc/golive/baseline.toml"),
            ("event.toml", "builtin:platforms/youtube", "builtin:platforms/youtube"),
            ("builtin:venue-survey", "platforms/youtube.toml", "builtin:platforms/youtube"),
            ("builtin:platforms/youtube", "../baseline.toml", "builtin:baseline"),
        ] {
            assert_eq!(Address::new(Path::new(from)).beside(given).name(), name);
        }
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.toml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let error = Address::new(&pipe).read(&Disk).unwrap_err();
        assert!(error.contains("not a regular file"), "{error}");
    }
}

//! Policies as people write them: good ones load, bad ones say where and what.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use golive::policy::{Diagnostics, Files, Policy, load_from};

/// Files in memory.
#[derive(Default)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect())
    }

    fn load(&self, name: &str) -> Result<Policy, Diagnostics> {
        load_from(Path::new(name), self)
    }
}

impl Files for Memory {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes[..bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX))].to_vec())
    }
}

const GOOD: &str = r#"
schema = "golive-policy/1"
[event]
title = "Launch"
starts = 2026-12-04T14:00:00+01:00
ends = 2026-12-04T15:30:00+01:00
[people.it]
name = "A. Person"
[accountable]
network = "it"
[[check.attest]]
id = "stop"
target = { question = "May somebody stop the stream?", of = "it" }
enforcement = "waivable"
owner = "network"
why = "somebody must be able to"
valid_for = "7d"
"#;

#[test]
fn a_good_policy_loads() {
    let policy = Memory::of(&[("p.toml", GOOD)]).load("p.toml").unwrap();
    assert_eq!(policy.checks.len(), 1);
    assert_eq!(policy.checks[0].valid_for_s, 7 * 86_400);
    assert_eq!(policy.layers.len(), 1);
}

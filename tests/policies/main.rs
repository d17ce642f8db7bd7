//! Policies as people write them: good ones load, bad ones say where, what, and what is right.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in what its tests share")]

mod bad;
mod cli;
mod first_steps;
mod governance;
mod layers;
mod rendering;
mod secrets;
mod shipped;

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

/// Loads one file.
fn load(text: &str) -> Result<Policy, Diagnostics> {
    Memory::of(&[("p.toml", text)]).load("p.toml")
}

/// A small policy without a mistake; its lines are counted in the tests.
const GOOD: &str = r#"schema = "golive-policy/1"
[event]
title = "Launch"
starts = 2026-12-04T14:00:00+01:00
ends = 2026-12-04T15:30:00+01:00
[people.it]
name = "A. Person"
[accountable]
network = "it"
brand = "it"
production = "it"
[stream.main]
to = "rtmp://127.0.0.1/live"
video_kbps = 6000
audio_kbps = 128
headroom = 1.5
[[check.attest]]
id = "stop"
target = { question = "May somebody stop the stream?", of = "it", answered_by = "provider" }
enforcement = "waivable"
owner = "network"
why = "somebody must be able to"
valid_for = "7d"
[[check.tls]]
id = "certificate"
target = { host = "127.0.0.1", port = 443 }
limits = { handshake_ms = 1500, scts = 2 }
enforcement = "hard"
owner = "network"
why = "nobody may listen"
"#;

#[test]
fn a_good_policy_loads() {
    let policy = load(GOOD).unwrap();
    let ids: Vec<&str> = policy.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["stop", "certificate"], "the order of the file, not of the probes");
    assert_eq!(policy.checks[0].valid_for_s, 7 * 86_400);
    assert_eq!(policy.checks[1].valid_for_s, 86_400, "one day where nothing is said");
    assert_eq!(policy.layers[0].name, "p.toml");
    assert_eq!(policy.layers[0].sha256.len(), 64);
    assert_eq!(policy.event.ends.as_ref().unwrap().to_string(), "2026-12-04T15:30:00+01:00");
}

#[test]
fn a_certificate_must_outlast_the_event_without_being_told() {
    let policy = load(GOOD).unwrap();
    let rows = policy.checks[1].question.limit_rows();
    let row = rows.iter().find(|row| row.field == "valid_until").unwrap();
    assert!(row.bound.contains("2026-12-04T14:30:00Z"), "{row:?}");
}

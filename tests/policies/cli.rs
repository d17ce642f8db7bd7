//! `golive policy` as it is called: what it prints where, and its exit codes.

use std::path::PathBuf;

use assert_cmd::Command;

use super::GOOD;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Exit code, stdout, stderr of `golive policy …` run in this folder.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("golive").unwrap();
        let output = command.current_dir(self.0.path()).arg("policy").args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn check_gives_0_77_and_78() {
    let folder = Folder::new();
    folder.file("good.toml", GOOD);
    folder.file("bad.toml", &GOOD.replace("title", "titel"));
    folder.file("beyond.toml", &GOOD.replace("host = \"127.0.0.1\"", "host = \"example.com\""));
    let (code, out, err) = folder.run(&["check", "good.toml"]);
    assert_eq!((code, out.as_str()), (0, "good.toml: good: 2 checks (2 required), 1 layer\n"));
    assert!(err.lines().all(|line| line.starts_with("good.toml: note: ")), "{err}");
    assert!(err.contains("A. Person is accountable for brand and network and production"), "{err}");
    let (code, out, err) = folder.run(&["check", "good.toml", "--strict"]);
    assert_eq!((code, out.as_str()), (78, ""));
    assert!(err.contains("mistake: A. Person is accountable for") && err.contains("and --strict"), "{err}");
    let (code, out, err) = folder.run(&["check", "good.toml", "bad.toml"]);
    assert_eq!((code, out.lines().count()), (78, 1));
    assert!(
        err.contains("bad.toml:3:1: unknown key `titel`") && err.contains("bad policy: 1 mistake\n"),
        "{err}"
    );
    let (code, _, err) = folder.run(&["check", "beyond.toml"]);
    assert_eq!(code, 77, "{err}");
    assert!(err.contains("no [authorisation]") && err.contains("TCP example.com port 443"), "{err}");
    assert_eq!(folder.run(&["check"]).0, 64);
}

#[test]
fn a_layer_is_checked_as_a_layer() {
    let folder = Folder::new();
    folder.file("layer.toml", "schema = \"golive-policy/1\"\n[every.tls]\nlimits.version = \"1.3\"\n");
    assert_eq!(folder.run(&["check", "layer.toml"]).0, 78);
    assert_eq!(folder.run(&["check", "--layer", "layer.toml"]).0, 0);
    folder.file("layer.toml", "schema = \"golive-policy/1\"\n[every.tls]\nlimits.versoin = \"1.3\"\n");
    assert_eq!(folder.run(&["check", "--layer", "layer.toml"]).0, 78);
}

#[test]
fn resolve_writes_a_policy_and_schema_a_schema() {
    let folder = Folder::new();
    folder.file("good.toml", GOOD);
    let (code, resolved, _) = folder.run(&["resolve", "good.toml"]);
    assert_eq!(code, 0);
    folder.file("resolved.toml", &resolved);
    assert_eq!(folder.run(&["check", "resolved.toml"]).0, 0);
    let (code, schema, _) = folder.run(&["schema"]);
    assert_eq!((code, schema), (0, golive::policy::schema_file()));
    assert_eq!(folder.run(&["resolve", "nonesuch.toml"]).0, 78);
}

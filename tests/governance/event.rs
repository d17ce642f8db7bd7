//! An event to decide about: people with real keys, a policy, runs of it. Its questions are
//! asked of people only, so that a run takes no time and needs no network.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Finds a program or says what to install.
pub fn need(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{program} is missing: apt-get install {package}"))
}

/// What a program said (both streams) and its exit code.
pub fn told(output: &Output) -> (i32, String) {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&all).into_owned())
}

/// An event's folder.
pub struct Event(TempDir);

pub const POLICY: &str = r#"
schema = "golive-policy/1"

[event]
title = "Autumn product launch"
change = "CHG0031337"

[people.it]
name = "R. Osei"
key = "KEY(it)"
[people.marketing]
name = "M. Keller"
key = "KEY(marketing)"

[accountable]
network = "it"
brand = "marketing"
production = "marketing"

[signatures]
level = "key"

[[check.attest]]
id = "rules.open"
target = { question = "Are the firewall rules of the change in force?", of = "it" }
enforcement = "hard"
owner = "network"
why = "without them no stream leaves the building"
valid_for = "7d"

[[check.attest]]
id = "stop.authority"
target = { question = "May somebody stop the stream?", of = "marketing" }
enforcement = "waivable"
owner = "brand"
why = "what is live cannot be taken back"
valid_for = "7d"
"#;

impl Event {
    /// A new one; `it` and `marketing` have Ed25519 keys made by ssh-keygen.
    pub fn new() -> Self {
        let event = Self(tempfile::tempdir().unwrap());
        for name in ["it", "marketing", "stranger"] {
            event.key(name, "ed25519");
        }
        event
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a key without a passphrase.
    pub fn key(&self, name: &str, kind: &str) {
        let made = Command::new(need("ssh-keygen", "openssh-client"))
            .args(["-q", "-t", kind, "-N", "", "-C", name, "-f"])
            .arg(self.path(name))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", told(&made).1);
    }

    /// The line of a key's .pub file.
    pub fn public(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap().trim().to_owned()
    }

    /// Writes a policy, `KEY(name)` replaced by that key.
    pub fn policy(&self, text: &str) -> PathBuf {
        let mut text = text.to_owned();
        for name in ["it", "marketing", "stranger"] {
            text = text.replace(&format!("KEY({name})"), &self.public(name));
        }
        let file = self.path("event.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Answers given now.
    pub fn answers(&self, answers: &[(&str, &str, bool)]) -> PathBuf {
        let now = jiff::Timestamp::now();
        let tables: Vec<String> = answers
            .iter()
            .map(|(check, role, yes)| {
                let name = if *role == "it" { "R. Osei" } else { "M. Keller" };
                format!(
                    "[[answer]]\ncheck = \"{check}\"\nyes = {yes}\nrole = \"{role}\"\nname = \"{name}\"\nat = {now}\n"
                )
            })
            .collect();
        let file = self.path("answers.toml");
        std::fs::write(&file, tables.concat()).unwrap();
        file
    }

    /// A run in a folder of this name; gives its exit code and what was said.
    pub fn check(&self, run: &str, policy: &Path, answers: &Path) -> (i32, String) {
        let mut command = golive();
        command.arg("check").arg(policy).arg("--answers").arg(answers);
        told(&command.arg("--plain").arg("--out").arg(self.path(run)).output().unwrap())
    }

    /// A run that comes to GO.
    pub fn go(&self, run: &str) {
        let policy = self.policy(POLICY);
        let answers = self.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
        let (code, said) = self.check(run, &policy, &answers);
        assert_eq!(code, 0, "{said}");
    }

    /// One of golive's commands on a run's report.
    pub fn golive(&self, command: &str, run: &str, arguments: &[&str]) -> (i32, String) {
        told(&golive().arg(command).arg(self.path(run)).args(arguments).output().unwrap())
    }

    /// A role signs with its own key.
    pub fn sign(&self, run: &str, role: &str, decision: &str, more: &[&str]) -> (i32, String) {
        let key = self.path(role);
        let own = ["--role", role, "--decision", decision, "--key", key.to_str().unwrap()];
        self.golive("sign", run, &[&own, more].concat())
    }

    /// A role signs, and nothing stands against it.
    pub fn signed(&self, run: &str, role: &str, decision: &str, more: &[&str]) {
        let (code, said) = self.sign(run, role, decision, more);
        assert_eq!(code, 0, "{said}");
    }

    pub fn verify(&self, run: &str, more: &[&str]) -> (i32, String) {
        self.golive("verify", run, more)
    }

    /// What `ssh-keygen -Y verify` says of a role's decision, as the README shows it.
    pub fn ssh_keygen(&self, run: &str, role: &str, more: &[&str]) -> (i32, String) {
        let folder = self.path(run);
        let mut bytes = std::fs::read(folder.join("report.json")).unwrap();
        bytes.extend(std::fs::read(folder.join(format!("report.{role}.decision.json"))).unwrap());
        let mut child = Command::new(need("ssh-keygen", "openssh-client"))
            .current_dir(&folder)
            .args(["-Y", "verify", "-f", "report.allowed_signers.txt", "-I", role])
            .args(["-n", &format!("golive-{role}@golive-report-1"), "-s", &format!("report.{role}.sig.txt")])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // it may refuse before it has read everything
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), &bytes);
        told(&child.wait_with_output().unwrap())
    }

    /// A copy of a run's folder, as on another machine: no other file of the event is there.
    pub fn copy(&self, run: &str, to: &str) {
        let to = self.path(to);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(self.path(run)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

pub fn golive() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_golive"));
    command.stdin(Stdio::null()).env("TERM", "dumb").env_remove("SSH_AUTH_SOCK");
    command
}

//! A real `golive far-end` as a process of its own, and one in a namespace.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use golive::model::{CheckId, FarEnd, FarEndName, Pin, Secret, SecretSource};
use golive::probe::Env;
use tempfile::TempDir;

use crate::ground::peer::free_port;

/// The program under test.
pub const GOLIVE: &str = env!("CARGO_BIN_EXE_golive");

/// A running far end.
pub struct Process {
    child: Child,
    pub named: FarEnd,
    _out: BufReader<ChildStdout>,
    _state: TempDir,
}

impl Process {
    /// On loopback, without media listeners, and with room for whatever fits into a minute.
    pub fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut child = Command::new(GOLIVE)
            .args(["far-end", "--rtmp", "none", "--srt", "none", "--max-megabytes", "1000000000"])
            .args(["--listen", &listen, "--state"])
            .arg(state.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (mut pin, mut token) = (None, None);
        while pin.is_none() || token.is_none() {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "the far end ended");
            let quoted = line.strip_prefix("pin = \"").and_then(|rest| rest.split('"').next());
            pin = pin.or(quoted.map(str::to_owned));
            let exported = line.trim().strip_prefix("export GOLIVE_TOKEN=");
            token = token.or(exported.map(str::to_owned));
        }
        let token = SecretSource::Value(Secret::from(token.unwrap()));
        let named = FarEnd { address: listen, pin: Pin::try_from(pin.unwrap()).unwrap(), token };
        Self { child, named, _out: out, _state: state }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A policy's table of it; its token comes from the environment.
    pub fn table(&self) -> String {
        format!(
            "[far_end.cloud]\naddress = \"{}\"\npin = \"{}\"\ntoken = {{ env = \"GOLIVE_TOKEN\" }}\n",
            self.named.address, self.named.pin
        )
    }

    pub fn token(&self) -> &str {
        match &self.named.token {
            SecretSource::Value(token) => token.reveal(),
            _ => unreachable!("it was given by value"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a check runs in that knows this far end as `cloud`.
pub fn env(named: FarEnd) -> Env {
    let mut env = Env::bare(CheckId::new("bench").unwrap());
    env.far_ends = Arc::new([(cloud(), named)].into());
    env
}

pub fn cloud() -> FarEndName {
    FarEndName::new("cloud").unwrap()
}

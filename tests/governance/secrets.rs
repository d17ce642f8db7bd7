//! Canaries: the token, the stream keys and the far end's private key of a run, looked for in
//! everything that golive shows, writes or leaves behind.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::event::{golive, told};

/// A demo in its own process and folder, with every limit on core dumps lifted before it starts.
struct Demo {
    child: Child,
    folder: tempfile::TempDir,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    canaries: Vec<String>,
    shown: String,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = env!("CARGO_BIN_EXE_golive");
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh", program, "demo", "--json", "--out", "run"])
            .current_dir(folder.path())
            .env("RUST_BACKTRACE", "1")
            .env("RUST_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let shown = lines.next().unwrap().unwrap();
        let canaries = canaries(&folder.path().join("run/far-end"));
        assert!(!canaries.is_empty(), "the far end keeps a token and a key");
        Self { child, folder, lines, canaries, shown }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// What the kernel shows others of the process.
    fn proc(&self, name: &str) -> String {
        let bytes = std::fs::read(format!("/proc/{}/{name}", self.child.id())).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Command line and environment of every process that it started.
    fn children(&self) -> Vec<(String, String)> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let lists = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
        let ids: Vec<String> =
            lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
        let read = |id: &String, name: &str| {
            let bytes = std::fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
            (format!("{name} of child {id}"), String::from_utf8_lossy(&bytes).into_owned())
        };
        ids.iter().flat_map(|id| [read(id, "cmdline"), read(id, "environ")]).collect()
    }

    #[track_caller]
    fn clean(&self, artefacts: &[(String, String)]) {
        for (name, content) in artefacts {
            assert!(!self.canaries.iter().any(|canary| content.contains(canary)), "a secret is in {name}");
        }
    }

    /// Every file below the demo's folder but the far end's own state.
    fn files(&self) -> Vec<(String, String)> {
        fn below(folder: &Path, found: &mut Vec<(String, String)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && path.file_name().is_none_or(|name| name != "far-end") {
                    below(&path, found);
                } else if path.is_file() {
                    let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                    found.push((path.display().to_string(), content));
                }
            }
        }
        let mut found = Vec::new();
        below(self.folder.path(), &mut found);
        found
    }
}

/// Lines of the far end's state that are secrets: the token, the private key's text.
fn canaries(state: &Path) -> Vec<String> {
    let files = std::fs::read_dir(state).unwrap();
    let text = files.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect::<Vec<_>>();
    let lines = text.iter().flat_map(|file| file.lines());
    lines
        .filter(|line| line.len() >= 16 && !line.contains('{') && !line.contains("-----"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_runs_secrets_are_nowhere_else() {
    let mut demo = Demo::start();
    let limits = demo.proc("limits");
    let dumps = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let dumps: Vec<&str> = dumps.split_whitespace().skip(4).take(2).collect();
    assert_eq!(dumps, ["0", "0"], "no core dump, and none can be allowed again");
    let seen = vec![("argv".to_owned(), demo.proc("cmdline"))];
    demo.clean(&seen);
    demo.clean(&demo.children());
    for line in demo.lines.by_ref() {
        demo.shown.push_str(&line.unwrap());
    }
    demo.child.wait().unwrap();
    demo.clean(&[("stdout".to_owned(), demo.shown.clone())]);
    let out = demo.out();
    let mut forms = Vec::new();
    let mut form = |arguments: &[&str]| {
        let output = golive().args(&arguments[..1]).arg(&out).args(&arguments[1..]).output().unwrap();
        let (code, said) = told(&output);
        assert!(code <= 3, "{arguments:?}: {said}");
        forms.push((arguments.join(" "), said));
    };
    for format in ["text", "html", "md", "junit", "json"] {
        form(&["report", "--format", format]);
    }
    form(&["change"]);
    form(&["redact"]);
    form(&["verify"]);
    form(&["judge"]);
    form(&["replay", "--json"]);
    form(&["replay", "--plain"]);
    form(&["sign", "--role", "it", "--decision", "no-go", "--dissent", "a busy machine", "--named"]);
    let jira = ["attach", "--jira", "http://127.0.0.1:9", "--issue", "OPS-1", "--dry-run", "--html"];
    form(&jira);
    demo.clean(&forms);
    let files = demo.files();
    for name in ["report.json", "report.redacted.json", "journal", "stderr"] {
        assert!(files.iter().any(|(path, _)| path.ends_with(name)), "{name} was not looked at");
    }
    demo.clean(&files);
}

#[test]
fn a_crash_leaves_no_secret_behind() {
    let mut demo = Demo::start();
    while demo.shown.matches("\"event\":\"measured\"").count() < 3 {
        let line = demo.lines.next().unwrap().unwrap();
        demo.shown.push_str(&line);
    }
    let killed = Command::new("kill").args(["-ABRT", &demo.child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = demo.child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(6), "it died of it");
    let mut rest = String::new();
    for line in demo.lines.by_ref() {
        rest.push_str(&line.unwrap_or_default());
    }
    let files = demo.files();
    assert!(!files.iter().any(|(path, _)| path.contains("/core")), "there is a core dump");
    demo.clean(&files);
    demo.clean(&[("stdout".to_owned(), demo.shown.clone() + &rest)]);
}

//! Questions answered in the terminal UI, on a terminal of the test's own.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::event::{Event, POLICY, need, told};

/// golive on a pseudo-terminal, and all that it wrote.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub fn start(event: &Event, arguments: &str) -> Self {
        let shell = format!("stty cols 100 rows 40; exec {} {arguments}", env!("CARGO_BIN_EXE_golive"));
        let mut child = Command::new(need("script", "bsdutils"))
            .args(["-q", "-f", "-e", "-c", &shell, "/dev/null"])
            .current_dir(event.path(""))
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { child, keys, seen }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Waits until this was drawn since the last key.
    pub fn shows(&self, words: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.text().contains(words) {
            assert!(Instant::now() < end, "never drawn: {words}\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.seen.lock().unwrap().clear();
        // a terminal that has just ended takes no more keys
        let _ = self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush());
    }
}

impl Terminal {
    /// Waits for its end; gives the exit code.
    pub fn ends(&mut self) -> Option<i32> {
        let end = Instant::now() + Duration::from_secs(30);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it does not end: {}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
        // the reader may be a moment behind
        std::thread::sleep(Duration::from_millis(100));
        self.child.try_wait().unwrap().and_then(|status| status.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A terminal is told only what changes, so what was typed is looked for where it must be kept.
fn journal_holds(event: &Event, words: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while !std::fs::read_to_string(event.path("runs/a/journal")).unwrap().contains(words) {
        assert!(Instant::now() < end, "never journalled: {words}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn people_answer_in_the_terminal_ui_before_the_report_is_written() {
    let event = Event::new();
    event.policy(
        &POLICY.replace("of = \"marketing\" }", "of = \"marketing\", evidence = \"the run sheet\" }"),
    );
    let mut terminal = Terminal::start(&event, "check event.toml --out runs/a");
    terminal.shows("2 questions to people are open");
    terminal.press("a");
    terminal.shows("Are the firewall rules of the change in force?");
    terminal.press("yCHG0031337, in force since Monday\r");
    journal_holds(&event, "CHG0031337, in force since Monday");
    terminal.press("yrun sheet v3, page 2\r");
    journal_holds(&event, "\"run_finished\"");
    let end = Instant::now() + Duration::from_secs(30);
    let code = loop {
        if let Some(status) = terminal.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(Instant::now() < end, "it does not end");
        // the journal is ahead of the screen, which asks before it leaves a run that goes on
        terminal.press("q");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(code, Some(0), "{}", terminal.text());
    let report = std::fs::read_to_string(event.path("runs/a/report.json")).unwrap();
    assert!(report.contains("run sheet v3, page 2") && report.contains("\"M. Keller\""), "{report}");
    event.signed("runs/a", "it", "go", &[]);
    let replayed =
        crate::event::golive().arg("replay").arg(event.path("runs/a")).arg("--plain").output().unwrap();
    let (_, said) = told(&replayed);
    assert!(said.contains("answered: stop.authority: yes, by M. Keller as marketing"), "{said}");
}

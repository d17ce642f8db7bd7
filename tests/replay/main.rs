//! `golive replay` as people run it: through a pipe, and on a real (pseudo) terminal that it
//! must give back however it is left.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's steps fail the test")]

mod after;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use golive::ui::tui::state::Watching;
use golive::ui::tui::terminal::Options;

/// Leaving the alternate screen (xterm, `rmcup`), and showing the cursor again.
const LEFT: &[u8] = b"\x1b[?1049l";
const CURSOR: &[u8] = b"\x1b[?25h";
/// Taking the alternate screen, and the mouse (clicks, in decimal), and giving the mouse back.
const TAKEN: &[u8] = b"\x1b[?1049h";
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_LEFT: [&[u8]; 2] = [b"\x1b[?1006l", b"\x1b[?1000l"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golive(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_golive")).args(arguments).env("TERM", "xterm").output().unwrap()
}

#[test]
fn a_pipe_gets_the_plain_log_without_being_asked() {
    let path = golden("no-go.jsonl");
    let by_itself = golive(&["replay", path.to_str().unwrap()]);
    let asked = golive(&["replay", "--plain", path.to_str().unwrap()]);
    assert!(by_itself.status.success());
    assert_eq!(by_itself.stdout, asked.stdout);
    assert!(String::from_utf8(asked.stdout).unwrap().contains("VERDICT: NO-GO (exit 2)"));
}

#[test]
fn json_gives_the_recording_back() {
    let path = golden("go.jsonl");
    let shown = golive(&["replay", "--json", path.to_str().unwrap()]);
    assert_eq!(shown.stdout, std::fs::read(path).unwrap());
}

#[test]
fn a_run_s_folder_with_a_torn_journal_is_shown_and_the_loss_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(golden("stopped.jsonl")).unwrap();
    std::fs::write(folder.path().join("journal"), &whole[..whole.len() / 2]).unwrap();
    let shown = golive(&["replay", "--plain", folder.path().to_str().unwrap()]);
    assert!(shown.status.success());
    assert!(!String::from_utf8_lossy(&shown.stdout).contains("VERDICT"));
    assert!(String::from_utf8_lossy(&shown.stderr).contains("the last line is torn"));
}

/// The pictures of the README: what is drawn of the recorded demo, and when.
const PICTURES: [(&str, &[&str]); 2] =
    [("running.svg", &["--at", "17"]), ("over.svg", &["--theme", "light"])];

#[test]
fn the_pictures_are_fresh() {
    let folder = tempfile::tempdir().unwrap();
    for (name, how) in PICTURES {
        let (drawn, demo) = (folder.path().join(name), golden("demo.jsonl"));
        let mut arguments = vec!["replay", demo.to_str().unwrap(), "--picture", drawn.to_str().unwrap()];
        arguments.extend(how);
        let shown = golive(&arguments);
        assert!(shown.status.success() && shown.stdout.is_empty());
        let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/pictures").join(name);
        assert!(
            std::fs::read(&drawn).unwrap() == std::fs::read(stored).unwrap_or_default(),
            "write it anew: golive replay tests/golden/demo.jsonl --picture reports/pictures/{name} {}",
            how.join(" ")
        );
    }
    let small = golive(&["replay", "x", "--picture", "y", "--size", "10x10"]);
    assert_eq!(small.status.code(), Some(64));
}

#[test]
fn a_theme_is_known_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (drawn, demo) = (folder.path().join("a.svg"), golden("demo.jsonl"));
    let (drawn, demo) = (drawn.to_str().unwrap(), demo.to_str().unwrap());
    let picture = ["replay", demo, "--picture", drawn, "--size", "120x40", "--theme"];
    for (name, paper) in [("high-contrast", "#000000"), ("mono", "#0d1117"), ("light", "#ffffff")] {
        let shown = golive(&[&picture[..], &[name]].concat());
        assert!(shown.status.success(), "{shown:?}");
        assert!(std::fs::read_to_string(drawn).unwrap().contains(&format!("fill=\"{paper}\"/>")));
    }
    let unknown = golive(&[&picture[..], &["pink"]].concat());
    assert_eq!(unknown.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("high-contrast"));
    let named = Command::new(env!("CARGO_BIN_EXE_golive"))
        .args(["replay", "--plain", demo])
        .env("GOLIVE_THEME", "pink")
        .output()
        .unwrap();
    assert!(named.status.success(), "a theme of a screen that is not shown");
}

#[test]
fn what_is_no_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = golive(&["replay", folder.path().to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(65));
    std::fs::write(folder.path().join("journal"), "\n").unwrap();
    let empty = golive(&["replay", folder.path().to_str().unwrap()]);
    assert_eq!(empty.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("holds no event of a run"));
}

/// golive on a pseudo terminal of `script` (util-linux), with what it wrote there.
struct OnTerminal {
    script: Child,
    typescript: tempfile::NamedTempFile,
}

impl OnTerminal {
    fn replay(name: &str) -> Self {
        let golive = env!("CARGO_BIN_EXE_golive");
        Self::run(&format!("'{golive}' replay '{}' --speed 1000", golden(name).display()))
    }

    fn run(command: &str) -> Self {
        let typescript = tempfile::NamedTempFile::new().unwrap();
        let command = format!("stty rows 24 cols 80; exec {command}");
        let script = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command", &command])
            .arg(typescript.path())
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("`script` is missing; install it with: apt-get install -y bsdutils");
        Self { script, typescript }
    }

    fn seen(&self) -> Vec<u8> {
        std::fs::read(self.typescript.path()).unwrap()
    }

    /// Waits until these bytes were written to the terminal.
    fn wait_for(&self, bytes: &[u8]) {
        let start = Instant::now();
        while !contains(&self.seen(), bytes) {
            let seen = self.seen();
            assert!(start.elapsed() < Duration::from_secs(30), "{}", String::from_utf8_lossy(&seen));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until this file is there, whole.
    fn wait_for_file(&self, path: &Path) -> String {
        let start = Instant::now();
        while !path.is_file() {
            let seen = self.seen();
            assert!(start.elapsed() < Duration::from_secs(30), "{}", String::from_utf8_lossy(&seen));
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::read_to_string(path).unwrap()
    }

    fn press(&mut self, keys: &str) {
        self.script.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Sends a signal to golive itself, which is the only child of `script`.
    fn signal(&self, name: &str) {
        let children = format!("/proc/{0}/task/{0}/children", self.script.id());
        let golive = std::fs::read_to_string(children).unwrap();
        let sent = Command::new("kill").args([&format!("-{name}"), golive.trim()]).status().unwrap();
        assert!(sent.success());
    }

    /// The terminal was given back: no mouse, normal screen, cursor shown, in this order at the end.
    fn end(mut self) -> Vec<u8> {
        self.script.wait().unwrap();
        let seen = self.seen();
        let left = last(&seen, LEFT).expect("the alternate screen was not left");
        assert!(last(&seen, CURSOR) > Some(left), "the cursor was not shown again");
        if contains(&seen, MOUSE) {
            for mode in MOUSE_LEFT {
                assert!(last(&seen, mode) > last(&seen, MOUSE), "the mouse was not given back");
                assert!(last(&seen, mode) < Some(left), "the mouse was given back too late");
            }
        }
        seen
    }

    /// Waits until these bytes were written so often.
    fn wait_for_again(&self, bytes: &[u8], times: usize) {
        let start = Instant::now();
        while self.seen().windows(bytes.len()).filter(|window| *window == bytes).count() < times {
            let seen = self.seen();
            assert!(start.elapsed() < Duration::from_secs(30), "{}", String::from_utf8_lossy(&seen));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[test]
fn q_gives_the_terminal_back() {
    let mut terminal = OnTerminal::replay("no-go.jsonl");
    terminal.wait_for(b"Do not go live");
    terminal.press("?");
    terminal.wait_for(b"keys and signs");
    terminal.press("q");
    terminal.end();
}

#[test]
fn signals_give_the_terminal_back() {
    for name in ["TERM", "HUP", "INT"] {
        let terminal = OnTerminal::replay("go.jsonl");
        terminal.wait_for(b"took 0:");
        terminal.signal(name);
        terminal.end();
    }
}

#[test]
fn without_a_shell_that_could_wake_it_golive_stays_awake() {
    let mut terminal = OnTerminal::replay("go.jsonl");
    terminal.wait_for(b"took 0:");
    terminal.press("\u{1a}");
    terminal.wait_for(b"no shell here could wake it");
    terminal.signal("TSTP");
    terminal.press("q");
    terminal.end();
}

#[test]
fn put_to_sleep_golive_gives_the_terminal_back_and_takes_it_again_on_fg() {
    let mut terminal = OnTerminal::run("env HISTFILE=/dev/null PS1='wait> ' bash --norc --noprofile -i");
    terminal.wait_for(b"wait> ");
    let golive = env!("CARGO_BIN_EXE_golive");
    terminal.press(&format!("'{golive}' replay '{}' --speed 1000\n", golden("no-go.jsonl").display()));
    terminal.wait_for(b"Do not go live");
    terminal.press("\u{1a}");
    terminal.wait_for(b"Stopped");
    let seen = terminal.seen();
    assert!(last(&seen, MOUSE_LEFT[1]) > last(&seen, MOUSE) && last(&seen, LEFT) > last(&seen, TAKEN));
    assert!(last(&seen, b"Stopped") > last(&seen, LEFT), "the shell has the terminal");
    terminal.press("fg\n");
    terminal.wait_for_again(MOUSE, 2);
    terminal.wait_for_again(b"Do not go live", 2);
    terminal.press("q");
    terminal.wait_for_again(LEFT, 2);
    terminal.press("exit\n");
    terminal.end();
}

/// A left click in a column and row counted from 1, as xterm's mode 1006 has it.
fn click(column: usize, row: usize) -> String {
    format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m")
}

#[test]
fn a_click_arrives_unless_the_mouse_is_the_terminal_s() {
    let golive = env!("CARGO_BIN_EXE_golive");
    let mut terminal = OnTerminal::replay("no-go.jsonl");
    terminal.wait_for(b"Do not go live");
    // the second tab, below the seven lines of the verdict
    terminal.press(&click(15, 8));
    terminal.wait_for(b"Enter: ingest.primary");
    terminal.press("q");
    assert!(contains(&terminal.end(), MOUSE));
    let replay = format!("'{golive}' replay '{}' --speed 1000", golden("no-go.jsonl").display());
    for command in [format!("{replay} --no-mouse"), format!("env GOLIVE_NO_MOUSE=1 {replay}")] {
        let mut terminal = OnTerminal::run(&command);
        terminal.wait_for(b"Do not go live");
        terminal.press("q");
        let seen = terminal.end();
        assert!(!contains(&seen, b"\x1b[?1000"), "the mouse was touched");
    }
}

/// Names the part that [`the_part_of_a_process_that_panics`] plays; unset, it plays none.
const PART: &str = "GOLIVE_TEST_PANICKING_PART";
/// Names a file; the panic comes when it is there.
const CUE: &str = "GOLIVE_TEST_CUE";

/// Run by the tests below in a process and on a terminal of its own.
#[test]
fn the_part_of_a_process_that_panics() {
    let Ok(part) = std::env::var(PART) else { return };
    let cue = PathBuf::from(std::env::var_os(CUE).unwrap());
    let (out, events) = tokio::sync::mpsc::unbounded_channel();
    for line in std::fs::read_to_string(golden("go.jsonl")).unwrap().lines() {
        out.send(serde_json::from_str(line).unwrap()).unwrap();
    }
    let cancel = tokio_util::sync::CancellationToken::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let options = Options::from_env(Watching::Run, None).unwrap();
    let screen = runtime.spawn(golive::ui::tui::terminal::run(
        events,
        cancel,
        golive::ui::tui::terminal::Beside::default(),
        options,
    ));
    while !cue.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(part != "owner", "the owner broke\u{9b}31m");
    let probe = runtime.spawn(async { panic!("a probe broke\u{9b}31m") });
    assert!(runtime.block_on(probe).is_err());
    std::fs::remove_file(cue).unwrap();
    runtime.block_on(screen).unwrap().unwrap();
}

/// Plays a part until its panic; a probe's is over when this returns.
fn with_a_panic_of(part: &str) -> OnTerminal {
    let folder = tempfile::tempdir().unwrap();
    let cue = folder.path().join("cue");
    let this = std::env::current_exe().unwrap();
    let child = "--exact the_part_of_a_process_that_panics --nocapture";
    let set = format!("{PART}={part} {CUE}='{}'", cue.display());
    let terminal = OnTerminal::run(&format!("env {set} '{}' {child}", this.display()));
    terminal.wait_for(b"took 0:");
    std::fs::write(&cue, "").unwrap();
    while part == "probe" && cue.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    if part == "owner" {
        terminal.wait_for(b"the owner broke");
    }
    terminal
}

fn position(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

fn last(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).rposition(|window| window == part)
}

#[test]
fn a_panic_in_a_probe_leaves_the_screen_alone_and_is_said_afterwards() {
    let mut terminal = with_a_panic_of("probe");
    assert!(!contains(&terminal.seen(), b"a probe broke"));
    terminal.press("q");
    let seen = terminal.end();
    assert!(position(&seen, LEFT) < position(&seen, b"a probe broke"), "said before the screen was left");
    assert!(contains(&seen, b"a probe broke\\u{9b}31m"), "a panic's text is escaped");
}

#[test]
fn a_panic_of_the_screen_s_owner_gives_the_terminal_back_first() {
    let seen = with_a_panic_of("owner").end();
    assert!(position(&seen, LEFT) < position(&seen, b"the owner broke"));
}

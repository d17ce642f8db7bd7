//! One check measured again once something was mended: the others are carried, and nothing is hidden.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{Event, POLICY, golive, need, told};
use crate::screen::Terminal;

/// A web server that can be closed and opened again on its own port.
struct Server {
    port: u16,
    open: Arc<AtomicBool>,
}

impl Server {
    /// Reserves a port, which refuses until the server is opened.
    fn closed() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { port, open: Arc::default() }
    }

    fn open(&self) {
        let (listener, open) =
            (TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).unwrap(), self.open.clone());
        open.store(true, Ordering::SeqCst);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                if !open.load(Ordering::SeqCst) {
                    return;
                }
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            }
        });
    }

    fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
        // wakes the thread, which then lets the port go
        drop(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            assert!(std::time::Instant::now() < end, "the port stays open");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The event's policy with a check of that port, and more.
    fn policy(&self, event: &Event, more: &str) -> std::path::PathBuf {
        event.policy(&format!(
            r#"{POLICY}
[[check.port]]
id = "rules.encoder"
target = {{ host = "127.0.0.1", port = {}, ask = "http" }}
limits = {{ expect = "open" }}
enforcement = "hard"
owner = "network"
why = "the encoder sends through this port"
valid_for = "7d"
{more}"#,
            self.port
        ))
    }
}

fn ready() -> (Event, Server, std::path::PathBuf) {
    let (event, server) = (Event::new(), Server::closed());
    let policy = server.policy(&event, "");
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    let (code, said) = event.check("runs/a", &policy, &answers);
    assert_eq!(code, 2, "{said}");
    (event, server, policy)
}

fn again(event: &Event, policy: &Path, check: &str, from: &str, out: &str) -> (i32, String) {
    let mut command = golive();
    command.arg("check").arg(policy).args(["--plain", "--again", check, "--from"]).arg(event.path(from));
    told(&command.arg("--out").arg(event.path(out)).output().unwrap())
}

#[test]
fn a_mended_check_is_measured_again_and_every_form_tells_both() {
    let (event, server, policy) = ready();
    event.signed("runs/a", "it", "no-go", &[]);
    server.open();
    let (code, said) = again(&event, &policy, "rules.encoder", "runs/a", "runs/b");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("plan:   1 of 3 checks again") && said.contains("[carried ] PASS     rules.open"),
        "{said}"
    );
    let one = "1 of 3 checks was measured again at ";
    let so_far = "So far: rules.encoder fail, pass.";
    for file in ["report.html", "report.md", "report.junit.xml"] {
        let text = std::fs::read_to_string(event.path("runs/b").join(file)).unwrap().replace(['\\', '`'], "");
        assert!(text.contains(one) && text.contains(so_far), "{file}");
        assert!(text.contains("the others are of run 1, "), "{file}");
    }
    let html = std::fs::read_to_string(event.path("runs/b/report.html")).unwrap();
    assert_eq!(html.matches("; carried from run ").count(), 2, "each carried check says so");
    let pdf = std::process::Command::new(need("pdftotext", "poppler-utils"))
        .args(["-l", "1", "-layout"])
        .arg(event.path("runs/b/report.pdf"))
        .arg("-")
        .output()
        .unwrap();
    let page: String = told(&pdf).1.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(one) && page.contains("run 2 of 2 of this event; before it: NO-GO"), "{page}");
    let (_, fields) = event.golive("change", "runs/b", &["--field", "test_plan"]);
    assert!(fields.contains(one), "{fields}");

    // what was decided about the first report is nobody's word about the second
    let (code, said) = event.verify("runs/b", &[]);
    assert!(code == 3 && said.contains("not signed: it") && said.contains("not signed: marketing"), "{said}");
    assert!(said.contains("the carried readings are those of run ") && said.contains(so_far), "{said}");

    // a second time: no re-run of a re-run hides the first failure
    server.close();
    let (code, said) = again(&event, &policy, "rules.encoder", "runs/b", "runs/c");
    assert!(code == 2 && said.contains("So far: rules.encoder fail, pass, fail."), "{said}");
    let (_, said) = event.golive("report", "runs/c", &[]);
    assert!(said.contains("run 3 of 3 of this event; before it: NO-GO, GO"), "{said}");
    assert!(
        said.contains("the others are of run 1, "),
        "carried readings keep the run that measured them: {said}"
    );
}

#[test]
fn what_says_nothing_of_this_network_now_is_not_carried() {
    let (event, server, policy) = ready();
    server.open();
    let refused = |check: &str, from: &str, code: i32, words: &str| {
        let (got, said) = again(&event, &policy, check, from, "runs/never");
        assert!(got == code && said.contains(words), "{words}: {got} {said}");
        assert!(!event.path("runs/never").exists(), "nothing was begun");
    };
    refused("rules.nothing", "runs/a", 64, "no check rules.nothing; it has: rules.open, ");
    refused("rules.encoder,rules.open,stop.authority", "runs/a", 64, "these are all checks");
    let (code, said) = again(&event, &policy, "rules.encoder", "runs/a", "elsewhere/b");
    assert!(code == 64 && said.contains("belongs beside the run"), "{said}");

    let report = event.path("runs/a/report.json");
    let good = std::fs::read_to_string(&report).unwrap();
    let network = good
        .split("\"network\": \"")
        .find_map(|text| Some(text.split_once('"')?.0).filter(|t| t.len() == 16));
    std::fs::write(&report, good.replace(network.unwrap(), "0123456789abcdef")).unwrap();
    refused("rules.encoder", "runs/a", 65, "measured from another network");
    std::fs::write(&report, good.replace("\"refused\"", "\"filtered\"")).unwrap();
    refused("rules.encoder", "runs/a", 79, "not measured again: ");
    std::fs::write(&report, &good).unwrap();

    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("the encoder sends", "the encoder will send")).unwrap();
    refused("rules.encoder", "runs/a", 78, "the policy is not the one that run ");
    std::fs::write(&policy, &text).unwrap();

    // a later run's word counts, whichever report is more to one's liking
    assert_eq!(again(&event, &policy, "rules.encoder", "runs/a", "runs/b").0, 0);
    refused("rules.encoder", "runs/a", 65, "came after it");
}

#[test]
fn old_readings_are_not_carried() {
    let (event, server) = (Event::new(), Server::closed());
    let policy = server.policy(&event, "[again]\ncarry_at_most = \"1s\"\n");
    let answers = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    assert_eq!(event.check("runs/a", &policy, &answers).0, 2);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let (code, said) = again(&event, &policy, "rules.encoder", "runs/a", "runs/b");
    assert!(code == 65 && said.contains("measured more than 1s ago: rules.open, stop.authority"), "{said}");
}

#[test]
fn a_newer_answer_is_not_passed_over_for_a_carried_one() {
    let (event, server, policy) = ready();
    server.open();
    let again = |checks: &str, answers: &Path, out: &str| {
        let mut command = golive();
        command.arg("check").arg(&policy).args(["--plain", "--again", checks, "--from"]);
        command.arg(event.path("runs/a")).arg("--answers").arg(answers);
        told(&command.arg("--out").arg(event.path(out)).output().unwrap())
    };
    let no = event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", false)]);
    let (code, said) = again("rules.encoder", &no, "runs/b");
    assert!(
        code == 65 && said.contains("answered otherwise since: ") && said.contains("stop.authority"),
        "{said}"
    );
    assert!(!event.path("runs/b").exists(), "nothing was begun");
    let (code, said) = again("rules.encoder,rules.open,stop.authority", &no, "runs/b");
    assert!(code == 64 && said.contains("these are all checks"), "{said}");
    let (code, said) = again("rules.open,stop.authority", &no, "runs/b");
    assert!(code == 2 && said.contains("[carried ] FAIL     rules.encoder"), "{said}");
}

#[test]
fn a_report_that_hides_what_it_carries_is_refused() {
    let (event, server, policy) = ready();
    server.open();
    assert_eq!(again(&event, &policy, "rules.encoder", "runs/a", "runs/b").0, 0);
    let refused = |run: &str, words: &str| {
        let (code, said) = event.verify(run, &[]);
        assert!(code == 79 && said.contains(words), "{words}: {said}");
    };
    // the report without a word of it
    event.copy("runs/b", "runs/c");
    let file = event.path("runs/c/report.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut bare: serde_json::Value = serde_json::from_str(&text).unwrap();
    bare.as_object_mut().unwrap().remove("again");
    std::fs::write(&file, serde_json::to_string_pretty(&bare).unwrap()).unwrap();
    refused("runs/c", "carried readings of run ");
    // the earlier report mended afterwards
    let file = event.path("runs/a/report.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("CHG0031337", "CHG0031338")).unwrap();
    std::fs::remove_dir_all(event.path("runs/c")).unwrap();
    refused("runs/b", "is not the one that readings were carried from");
    // gone: said, and no more than that
    std::fs::remove_dir_all(event.path("runs/a")).unwrap();
    let (code, said) = event.verify("runs/b", &[]);
    assert!(code == 3 && said.contains("does not lie beside this one"), "{said}");
}

#[test]
fn the_terminal_ui_measures_again() {
    let (event, server) = (Event::new(), Server::closed());
    server.policy(&event, "");
    event.answers(&[("rules.open", "it", true), ("stop.authority", "marketing", true)]);
    let mut terminal = Terminal::start(&event, "check event.toml --answers answers.toml --out runs/a");
    terminal.shows("Do not go live from here");
    server.open();
    terminal.press("r");
    terminal.shows("It is a run of its own");
    terminal.press("\r");
    terminal.shows("was measured again at");
    terminal.press("q");
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.text());
    let beside: usize = std::fs::read_dir(event.path("runs")).unwrap().count();
    assert_eq!(beside, 3, "two runs, each in a folder of its own, and their ledger");
}

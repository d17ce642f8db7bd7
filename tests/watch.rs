//! `golive watch` as its users run it: a peer that goes away and comes back, a webhook, Prometheus.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use golive::model::Outcome;
use golive::report::WatchDoc;
use golive::run::watch::{Recorded, WatchEvent};
use serde_json::Value;

use super::{desk, golive, send, text};
use desk::{Desk, Reply};

const TOKEN: &str = "canary-webhook-token-7f3a9c";
const PATIENCE: Duration = Duration::from_secs(40);

/// An RTMP ingest that can be sent away: golive's own far end, in a process of its own.
struct Ingest {
    child: Child,
    _said: BufReader<std::process::ChildStdout>,
}

impl Ingest {
    fn start(state: &Path, rtmp: u16) -> Self {
        let mut child = golive()
            .args(["far-end", "--listen", "127.0.0.1:0", "--srt", "none", "--rtmp"])
            .arg(rtmp.to_string())
            .arg("--state")
            .arg(state)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", rtmp)).is_err() {
            assert!(Instant::now() < deadline, "the far end does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, _said: said }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody has.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What it asks beside the stream, and what it must leave alone.
fn policy(folder: &Path, rtmp: u16) -> PathBuf {
    let file = folder.join("event.toml");
    let text = format!(
        r#"schema = "golive-policy/1"
[event]
title = "Launch"
[people.it]
name = "I. T."
[accountable]
network = "it"
brand = "it"
production = "it"
[path.backup]
source = "127.0.0.1"
[path.primary]
source = "127.0.0.2"
[path.gone]
source = "192.0.2.77"
[stream.main]
to = "rtmp://127.0.0.1:{rtmp}/live"
video_kbps = 6000
audio_kbps = 128
headroom = 1.5
[[check.rtmp]]
id = "backup.ingest"
path = "backup"
target = {{ url = "rtmp://127.0.0.1:{rtmp}/live", publish = "test", test_key = {{ env = "NO_SUCH_KEY" }} }}
enforcement = "hard"
owner = "network"
why = "the test asks"
[[check.port]]
id = "primary.port"
enforcement = "advisory"
path = "primary"
target = {{ host = "127.0.0.1", port = {rtmp}, ask = "rtmp" }}
limits = {{ expect = "open" }}
owner = "network"
why = "the test asks"
[[check.port]]
id = "gone.port"
path = "gone"
target = {{ host = "127.0.0.1", port = {rtmp}, ask = "rtmp" }}
limits = {{ expect = "open" }}
enforcement = "waivable"
owner = "network"
why = "the test asks"
[[check.upload]]
id = "line.upload"
enforcement = "advisory"
target = {{ ingest = {{ url = "rtmp://127.0.0.1:{rtmp}/live", publish = "test", test_key = {{ env = "NO_SUCH_KEY" }} }}, stream = "main", seconds = 10, at_most_kbps = 12000 }}
owner = "network"
why = "the test asks"
[[check.attest]]
id = "people.stop"
enforcement = "advisory"
target = {{ question = "Who stops it?", of = "it" }}
owner = "network"
why = "the test asks"
"#
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// A watch in a process of its own, and its events as they come.
struct Watch {
    child: Child,
    events: Receiver<WatchEvent>,
    seen: Vec<WatchEvent>,
}

impl Watch {
    fn start(command: &mut Command) -> Self {
        let mut child = command.arg("--json").stdout(Stdio::piped()).spawn().unwrap();
        let (to, events) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = to.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, events, seen: Vec::new() }
    }

    /// Waits for an event; gives it.
    fn until(&mut self, what: &str, enough: impl Fn(&WatchEvent) -> bool) -> WatchEvent {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left);
            let event = event.unwrap_or_else(|_| panic!("no {what} among {:#?}", self.seen));
            self.seen.push(event.clone());
            if enough(&event) {
                return event;
            }
        }
    }

    fn alert(&mut self, check: &str, to: Outcome) {
        self.until(&format!("alert of {check}"), |event| {
            matches!(event, WatchEvent::Alert { alert } if alert.check.as_str() == check && alert.to == to)
        });
    }

    fn end(mut self) -> (Option<i32>, Vec<WatchEvent>) {
        let code = self.child.wait().unwrap().code();
        self.seen.extend(self.events.try_iter());
        (code, std::mem::take(&mut self.seen))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn document(folder: &Path) -> WatchDoc {
    WatchDoc::read(&std::fs::read(folder.join("watch.json")).unwrap()).unwrap()
}

fn outcomes(document: &WatchDoc, check: &str) -> Vec<Option<Outcome>> {
    let watched = document.checks.iter().find(|watched| watched.check.as_str() == check).unwrap();
    watched.timeline.periods().iter().map(|period| period.outcome).collect()
}

/// One page of a web server.
fn fetch(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

fn promtool(metrics: &str) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool: {error}; tests/setup installs it (package prometheus)"));
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{metrics}");
}

fn watch(policy: &Path, out: &Path) -> Command {
    let mut command = golive();
    command.args(["watch", "--every", "200ms", "--for", "5m", "--at-most-kbps", "1000000", "--out"]);
    command.arg(out).arg(policy);
    command
}

#[test]
fn an_ingest_that_goes_away_and_comes_back_is_told_and_timed() {
    let folder = tempfile::tempdir().unwrap();
    let (rtmp, out) = (free_port(), folder.path().join("watch"));
    let ingest = Ingest::start(&folder.path().join("state"), rtmp);
    let mut calls = 0;
    let desk = Desk::new(move |_| {
        calls += 1;
        // the first message is refused once, as a busy service does
        Some(Reply::new(if calls == 1 { 503 } else { 204 }, "text/plain", ""))
    });
    let mut command = watch(&policy(folder.path(), rtmp), &out);
    command.args(["--metrics", "127.0.0.1:0"]);
    command.env("GOLIVE_WEBHOOK", format!("{}/hook?sig=canary-address", desk.url()));
    command.env("GOLIVE_WEBHOOK_TOKEN", TOKEN);
    let mut watch = Watch::start(&mut command);
    let started = watch.until("start", |event| matches!(event, WatchEvent::WatchStarted(_)));
    let WatchEvent::WatchStarted(started) = started else { unreachable!() };
    watch.until(
        "pass",
        |event| matches!(event, WatchEvent::Looked { look, .. } if look.outcome == Outcome::Pass),
    );
    drop(ingest);
    watch.alert("backup.ingest", Outcome::Fail);
    let _back = Ingest::start(&folder.path().join("state"), rtmp);
    watch.alert("backup.ingest", Outcome::Pass);
    let metrics = fetch(&started.metrics.unwrap().to_string(), "GET /metrics");
    watch.until("delivery", |event| matches!(event, WatchEvent::Delivered { alert: 2, .. }));
    send(&watch.child, "INT");
    let (code, events) = watch.end();
    assert_eq!(code, Some(2), "the worst state: {events:#?}");

    let left_out: Vec<&str> = started.left_out.iter().map(|left| left.check.as_str()).collect();
    assert_eq!(left_out, ["primary.port", "gone.port", "line.upload", "people.stop"]);
    let document = document(&out);
    let [pass, fail, back] = outcomes(&document, "backup.ingest")[..] else { panic!("{document:#?}") };
    assert_eq!([pass, fail, back], [Some(Outcome::Pass), Some(Outcome::Fail), Some(Outcome::Pass)]);
    assert_eq!((document.alerts_in_all, document.exit_code, document.ended_by.as_str()), (2, 2, "SIGINT"));
    let webhook = document.webhook.as_ref().unwrap();
    assert_eq!((webhook.delivered, webhook.lost), (2, 0), "{webhook:?}");

    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n") && metrics.contains("version=0.0.4"), "{metrics}");
    let body = metrics.split_once("\r\n\r\n").unwrap().1;
    assert!(
        body.contains(
            r#"golive_watch_alerts_total{check="backup.ingest",probe="rtmp",path="backup",outcome="fail"} 1"#
        ),
        "{body}"
    );
    assert!(
        body.contains(
            r#"golive_watch_check_state{check="backup.ingest",probe="rtmp",path="backup",outcome="pass"} 1"#
        ),
        "{body}"
    );
    promtool(body);

    let shown = golive().arg("report").arg(&out).output().unwrap();
    assert!(
        text(&shown.stdout).contains("backup.ingest: pass → fail, seen since"),
        "{}",
        text(&shown.stdout)
    );
    let paper = golive().args(["report", "--format", "pdf"]).arg(&out).output().unwrap();
    assert_eq!(paper.status.code(), Some(0));
    assert_eq!(paper.stdout, std::fs::read(out.join("watch.pdf")).unwrap(), "the same bytes, made again");
    let junit = golive().args(["report", "--format", "junit"]).arg(&out).output().unwrap();
    assert_eq!(junit.status.code(), Some(64), "a watch is no verdict");

    told_to_the_webhook(&desk);
    no_secret_stays(&out, &events);
}

fn told_to_the_webhook(desk: &Desk) {
    let heard = desk.heard();
    assert_eq!(heard.len(), 3, "one was refused and sent again");
    assert!(heard.iter().all(|heard| heard.method == "POST" && heard.target == "/hook?sig=canary-address"));
    assert!(heard.iter().all(|heard| heard.header("authorization") == Some(&format!("Bearer {TOKEN}"))));
    let told: Vec<Value> = heard.iter().map(|heard| serde_json::from_slice(&heard.body).unwrap()).collect();
    let became: Vec<&str> = told.iter().map(|told| told["alert"]["to"].as_str().unwrap()).collect();
    assert_eq!(became, ["fail", "fail", "pass"]);
    assert!(told[2]["recovered"].as_bool().unwrap() && told[0]["text"].as_str().unwrap().contains("Launch"));
}

fn no_secret_stays(out: &Path, events: &[WatchEvent]) {
    let mut shown = serde_json::to_string(events).unwrap();
    for file in ["watch.json", "watch.html", "watch.md", "watch.pdf", "journal"] {
        let bytes = std::fs::read(out.join(file)).unwrap();
        assert!(bytes.len() > 500, "{file}");
        shown += &text(&bytes);
    }
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn what_cannot_be_asked_is_unknown_and_a_watch_that_died_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (rtmp, out) = (free_port(), folder.path().join("watch"));
    let policy = policy(folder.path(), rtmp);
    let mut command = watch(&policy, &out);
    command.args(["--path", "gone"]);
    let mut watch = Watch::start(&mut command);
    watch.alert("gone.port", Outcome::Unknown);
    send(&watch.child, "KILL");
    watch.end();
    let looks = Recorded::read(&out).unwrap().looks;
    assert!(looks >= 2 && !out.join("watch.json").exists());

    let mut again = Watch::start(golive().args(["watch", "--resume"]).arg(&out));
    again.until(
        "resume",
        |event| matches!(event, WatchEvent::WatchResumed { looks: kept, .. } if *kept == looks),
    );
    again.until("look", |event| matches!(event, WatchEvent::Looked { .. }));
    send(&again.child, "TERM");
    let (code, events) = again.end();
    assert_eq!(code, Some(3), "could not ask is never a pass: {events:#?}");
    let document = document(&out);
    assert_eq!((document.resumed, document.alerts_in_all), (1, 1), "it is told once");
    assert_eq!(outcomes(&document, "gone.port"), [Some(Outcome::Unknown)]);
    assert!(document.checks[0].looks > looks);

    let run = golive().arg("resume").arg(&out).output().unwrap();
    assert_eq!(run.status.code(), Some(65));
    assert!(text(&run.stderr).contains("golive watch --resume"), "{}", text(&run.stderr));

    // another policy is another watch
    let text = std::fs::read_to_string(&policy).unwrap().replace("ask = \"rtmp\"", "ask = \"tls\"");
    std::fs::write(&policy, text).unwrap();
    let changed = golive().args(["watch", "--resume"]).arg(&out).output().unwrap();
    assert_eq!(changed.status.code(), Some(78));
}

#[test]
fn the_plan_says_what_is_left_alone_and_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(folder.path(), free_port());
    let plan = golive().args(["watch", "--plan", "--at-most-kbps", "1"]).arg(&policy).output().unwrap();
    let shown = text(&plan.stdout);
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan.stderr));
    for words in [
        "1 check; at most 1 kb/s sent",
        "less often than was asked",
        "backup.ingest (rtmp over backup) rtmp://",
        "not primary.port (port): it goes out over primary, and backup is watched",
        "not line.upload (upload): it loads the line, which the stream needs",
        "not people.stop (attest): it asks a person",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("publishing"), "no media: {shown}");
    let unknown = golive().args(["watch", "--plan", "--path", "moon"]).arg(&policy).output().unwrap();
    assert_eq!(unknown.status.code(), Some(64));
    let mut cleartext = golive();
    cleartext.args(["watch", "--webhook", "http://chat.example/canary"]).arg(&policy);
    let refused = cleartext.output().unwrap();
    assert_eq!(refused.status.code(), Some(64));
    assert!(!text(&refused.stderr).contains("canary"), "{}", text(&refused.stderr));
}

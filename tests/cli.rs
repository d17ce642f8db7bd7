//! golive as its users run it: the binary, its exit codes, its files.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop")]

#[path = "governance/tickets/desk.rs"]
#[expect(dead_code, reason = "a webhook needs less of a server than a ticket system")]
mod desk;
mod watch;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use golive::report::Document;
use golive::run::{Event, Recorded};

fn golive() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_golive"));
    command.stdin(Stdio::null()).env_remove("NO_COLOR").env("TERM", "dumb");
    command
}

fn run(args: &[&str]) -> Output {
    golive().args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned() // a PDF is no text
}

fn document(folder: &Path) -> Document {
    serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap()
}

fn measured(events: &[Event]) -> Vec<&golive::evidence::Measurement> {
    events
        .iter()
        .filter_map(
            |event| if let Event::Measured { measurement } = event { Some(&**measurement) } else { None },
        )
        .collect()
}

/// Starts a demo that writes JSON lines, in its own process.
fn start_demo(folder: &Path) -> Child {
    golive().args(["demo", "--json", "--out"]).arg(folder).stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads the demo's events until `enough`; the demo goes on.
fn follow(child: &mut Child, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    let (deadline, stdout) = (Instant::now() + Duration::from_secs(90), child.stdout.take().unwrap());
    for line in BufReader::new(stdout).lines() {
        events.push(serde_json::from_str(&line.unwrap()).unwrap());
        if enough(&events) || Instant::now() > deadline {
            break;
        }
    }
    assert!(enough(&events), "the demo ended or stalled after {} events", events.len());
    events
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

#[test]
fn wrong_arguments_end_with_64_and_help_with_0() {
    assert_eq!(run(&["chekc"]).status.code(), Some(64));
    assert_eq!(run(&[]).status.code(), Some(64));
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("Exit codes:"));
    assert_eq!(run(&["--version"]).status.code(), Some(0));
}

#[test]
fn the_demo_ends_in_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = golive().args(["demo", "--plain", "--out"]).arg(&out).output().unwrap();
    let shown = text(&output.stdout);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{shown}\n{}", text(&output.stderr));
    let document = document(&out);
    assert!(shown.contains(document.verdict.word.text()), "{shown}");
    assert_eq!(Some(i32::from(document.verdict.exit_code)), output.status.code());
    for file in ["report.json", "report.html", "report.pdf", "report.md", "report.junit.xml", "journal"] {
        assert!(std::fs::metadata(out.join(file)).unwrap().len() > 500, "{file}");
    }
    let mut probes: Vec<&str> = document.checks.iter().map(|check| check.probe.as_str()).collect();
    probes.sort_unstable();
    probes.dedup();
    // On loopback there is no venue, and so no captive portal, proxy or viewers' page to ask about; this machine's
    // link and rules are not the demo's, and golive has no RIST receiver, WHIP endpoint, relay or server for files.
    let elsewhere = ["portal", "proxy", "link", "firewall", "web", "rist", "whip", "turn", "hls_push"];
    let mut all: Vec<&str> = golive::probe::catalogue().map(|(kind, _)| kind.name()).collect();
    all.retain(|probe| !elsewhere.contains(probe));
    all.sort_unstable();
    assert_eq!(probes, all, "the demo runs every other probe");
    assert!(document.checks.iter().all(|check| check.reading.is_some()), "everything was measured");
    let recorded = Recorded::read(&out).unwrap();
    assert!(recorded.complete() && !recorded.torn);
    assert_eq!(measured(&recorded.events).len(), document.checks.len());

    // The same folder again: refused, and nothing of the run is touched.
    let before = std::fs::read(out.join("journal")).unwrap();
    let again = golive().args(["demo", "--plain", "--out"]).arg(&out).output().unwrap();
    assert_eq!(again.status.code(), Some(65), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("golive resume"), "{}", text(&again.stderr));
    assert_eq!(std::fs::read(out.join("journal")).unwrap(), before);

    // Judged again from what is stored: the same word.
    let judged = golive().arg("judge").arg(out.join("report.json")).output().unwrap();
    assert_eq!(
        judged.status.code(),
        output.status.code(),
        "{}{}",
        text(&judged.stdout),
        text(&judged.stderr)
    );
}

#[test]
fn killed_in_mid_run_no_reading_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut child = start_demo(&out);
    let events = follow(&mut child, |events| measured(events).len() >= 4);
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    let on_screen: Vec<_> = measured(&events).into_iter().cloned().collect();

    // A crash can tear the last line; that must cost nothing but that line.
    let mut journal = std::fs::OpenOptions::new().append(true).open(out.join("journal")).unwrap();
    journal.write_all(b"{\"event\":\"measured\",\"measurem").unwrap();
    drop(journal);

    let resumed = golive().args(["resume", "--plain"]).arg(&out).output().unwrap();
    assert!(
        matches!(resumed.status.code(), Some(0 | 1)),
        "{}{}",
        text(&resumed.stdout),
        text(&resumed.stderr)
    );
    let recorded = Recorded::read(&out).unwrap();
    let kept = recorded.evidence().measurements;
    for measurement in &on_screen {
        assert_eq!(kept.get(&measurement.check), Some(measurement), "shown, so it must be kept as it was");
    }
    let document = document(&out);
    assert!(document.run.resumed && document.checks.iter().all(|check| check.reading.is_some()));
    let asked_again = measured(&recorded.events).len();
    assert_eq!(asked_again, document.checks.len(), "no check was asked twice");
}

#[test]
fn ctrl_c_keeps_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut child = start_demo(&out);
    let events = follow(&mut child, |events| measured(events).len() >= 3);
    send(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let document = document(&out);
    assert_eq!(document.verdict.word.text(), "INCONCLUSIVE");
    assert!(document.run.interrupted);
    let kept = document.checks.iter().filter(|check| check.reading.is_some()).count();
    assert!(kept >= measured(&events).len());
    assert!(document.checks.iter().any(|check| check.reading.is_none()), "the run was stopped early");
}

#[test]
fn secrets_are_in_no_artefact() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut child = start_demo(&out);
    let state = out.join("far-end");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let canaries: Vec<String> = std::fs::read_dir(&state)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .flat_map(|file| file.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.len() >= 16 && !line.contains('{') && !line.contains("-----"))
        .collect();
    assert!(!canaries.is_empty(), "the far end keeps a token");
    let mut shown = first;
    for line in lines {
        shown.push_str(&line.unwrap());
    }
    assert!(child.wait().unwrap().success() || out.join("report.json").exists());
    assert!(!state.exists(), "the demo's key and token are removed at its end");
    let mut artefacts = vec![("stdout".to_owned(), shown)];
    for entry in std::fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        artefacts.push((path.display().to_string(), text(&std::fs::read(&path).unwrap())));
    }
    for (name, content) in &artefacts {
        assert!(!canaries.iter().any(|canary| content.contains(canary)), "a secret is in {name}");
    }
}

#[test]
fn a_far_end_prints_what_the_policy_needs() {
    let folder = tempfile::tempdir().unwrap();
    let ports = ["--listen", "127.0.0.1:0", "--rtmp", "0", "--srt", "none"];
    let mut far_end = golive();
    far_end.arg("far-end").args(ports).arg("--state").arg(folder.path().join("state")).stdout(Stdio::piped());
    let mut far_end = far_end.spawn().unwrap();
    let mut lines = BufReader::new(far_end.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("Ctrl-C")).collect();
    let block: Vec<&String> = said.iter().skip_while(|line| !line.starts_with("[far_end.")).take(4).collect();
    let token = said.iter().find_map(|line| line.strip_prefix("export GOLIVE_TOKEN=")).unwrap();
    let policy = folder.path().join("policy.toml");
    let rest = r#"
        [[check.upload]]
        id = "line.upload"
        target = { far_end = "cloud", seconds = 5, at_most_kbps = 8000 }
        limits = { rate_kbps = 6000, stall_ms = 4000 }
        enforcement = "hard"
        owner = "network"
        why = "the stream needs it"
    "#;
    let head = "schema = \"golive-policy/1\"\nevent.title = \"T\"\npeople.it.name = \"I\"\naccountable = { network = \"it\", brand = \"it\", production = \"it\" }\n";
    let block = block.into_iter().cloned().collect::<Vec<_>>().join("\n");
    std::fs::write(&policy, format!("{head}{block}\n{rest}")).unwrap();

    let check = |token: &str, out: &str| {
        let out = folder.path().join(out);
        let output = golive()
            .env("GOLIVE_TOKEN", token)
            .args(["check", "--plain", "--out"])
            .arg(&out)
            .arg(&policy)
            .output()
            .unwrap();
        let files = std::fs::read_dir(&out)
            .unwrap()
            .map(|entry| text(&std::fs::read(entry.unwrap().path()).unwrap()));
        let all = files.chain([text(&output.stdout), text(&output.stderr)]).collect::<String>();
        assert!(!all.contains(token), "the token is in an artefact");
        (output.status.code(), all)
    };
    let (code, all) = check(token, "right");
    assert_eq!(code, Some(0), "{all}");
    let (code, all) = check("0123456789abcdef-wrong", "wrong");
    assert_eq!(code, Some(3), "could not ask is never a pass: {all}");
    assert!(lines.any(|line| line.contains("refused")), "the far end says whom it refused");
    send(&far_end, "TERM");
    assert_eq!(far_end.wait().unwrap().code(), Some(0));
}

#[test]
fn traffic_beyond_loopback_needs_an_authorisation() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let body = r#"
        schema = "golive-policy/1"
        event.title = "T"
        people.it.name = "I"
        accountable = { network = "it", brand = "it", production = "it" }
        [[check.port]]
        id = "p"
        target = { host = "192.0.2.1", port = 443 }
        limits = { expect = "open" }
        enforcement = "hard"
        owner = "network"
        why = "w"
    "#;
    std::fs::write(&policy, body).unwrap();
    for command in ["check", "plan"] {
        let output = golive().current_dir(folder.path()).arg(command).arg(&policy).output().unwrap();
        assert_eq!(output.status.code(), Some(77), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("192.0.2.1"), "{}", text(&output.stderr));
    }
    assert!(!folder.path().join("reports").exists(), "nothing was run");
    std::fs::write(&policy, body.replace("enforcement", "enforcment")).unwrap();
    let output = golive().args(["policy", "check"]).arg(&policy).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output.stderr).contains("enforcement"), "{}", text(&output.stderr));
}

/// Twelve ports that refuse, asked at most eight in a second: the eleven pauses take 1.4 s at least.
#[test]
fn questions_keep_the_policys_pace() {
    let folder = tempfile::tempdir().unwrap();
    let mut policy =
        "schema = \"golive-policy/1\"\n[event]\ntitle = \"Pace\"\n[people.it]\nname = \"Ida Tellers\"\n\
        [accountable]\nnetwork = \"it\"\nbrand = \"it\"\nproduction = \"it\"\n[pace]\nat_once = 50\nper_second = 8\n"
            .to_owned();
    let check = |n: u16| {
        format!(
            "[[check.port]]\nid = \"p{n}\"\ntarget = {{ host = \"127.0.0.1\", port = {n} }}\nlimits = {{ expect = \"open\" }}\n\
             enforcement = \"waivable\"\nowner = \"network\"\nwhy = \"pace\"\nvalid_for = \"1d\"\n"
        )
    };
    policy.push_str(&(2..14).map(check).collect::<Vec<_>>().concat());
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, policy).unwrap();
    let out = folder.path().join("out");
    let checked = golive().args(["check", "--plain", "--out"]).arg(&out).arg(&file).output().unwrap();
    let recorded = Recorded::read(&out).unwrap_or_else(|error| panic!("{error}: {}", text(&checked.stderr)));
    let at = |measurement: &&golive::evidence::Measurement| measurement.started;
    let measurements = measured(&recorded.events);
    let first = measurements.iter().map(at).min().unwrap();
    let last = measurements.iter().map(at).max().unwrap();
    let took = last.duration_since(first).as_secs_f64();
    assert_eq!(measurements.len(), 12);
    assert!(took > 1.3, "{took} s");
}

//! What a newcomer meets: the library, `golive init`, the policy that is found by itself, the pages.

use std::path::Path;

use assert_cmd::Command;
use golive::policy::{BUILTINS, Policy, load};
use golive::probe::Kind;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Exit code, stdout, stderr of `golive …` run in this folder without a terminal.
    fn golive(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("golive").unwrap();
        let output = command.current_dir(self.0.path()).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

const PIN: &str = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const ANSWERS: [&str; 14] = [
    "init",
    "--title",
    r#"Say "hi" to C:\new"#,
    "--starts",
    "2090-12-04 14:00",
    "--ends",
    "2090-12-04 15:30",
    "--time-zone",
    "Europe/Berlin",
    "--video-kbps",
    "4000",
    "--it",
    "Ida Tellers",
    "--marketing=Mark Etting",
];
const LINES: [&str; 9] = [
    "--corporate-lan",
    "--interface",
    "eth0",
    "--backup-interface",
    "wwan0",
    "--far-end",
    "far-end.example.net:8443",
    "--pin",
    PIN,
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&ANSWERS, more].concat()
}

#[test]
fn init_writes_a_policy_that_check_and_plan_take_without_a_name() {
    let folder = Folder::new();
    let (code, out, err) = folder.golive(&["plan"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.contains("this folder has no golive.toml: `golive init` writes one"), "{err}");

    let (code, out, err) = folder.golive(&with(&["--platform", "youtube"]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("wrote golive.toml: ") && out.contains("NO UPLOAD IS MEASURED YET"), "{out}");
    assert!(out.contains("golive check show-day.toml --compare reports/RUN"), "{out}");
    let text = std::fs::read_to_string(folder.path("golive.toml")).unwrap();
    assert!(
        text.contains("starts = 2090-12-04T14:00:00+01:00") && text.contains("# [[check.upload]]"),
        "{text}"
    );
    let policy = load(&folder.path("golive.toml")).unwrap();
    assert_eq!(policy.event.title, r#"Say "hi" to C:\new"#);
    assert!(policy.authorisation.is_some());

    let (code, out, err) = folder.golive(&["policy", "check"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("golive.toml: good: "), "{out}");
    let (code, out, err) = folder.golive(&["policy", "check", "show-day.toml"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("show-day.toml: good: "), "{out}");
    let (code, out, err) = folder.golive(&["plan"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("a.rtmps.youtube.com 443"), "{out}");

    let (code, _, err) = folder.golive(&with(&["--platform", "vimeo"]));
    assert_eq!(code, 64);
    assert!(err.contains("golive.toml is there already, and is not written over"), "{err}");
    assert_eq!(std::fs::read_to_string(folder.path("golive.toml")).unwrap(), text);
}

#[test]
fn init_makes_a_good_policy_of_every_platform() {
    let folder = Folder::new();
    for (at, name) in BUILTINS.iter().filter_map(|(name, _)| name.strip_prefix("platforms/")).enumerate() {
        let url = match name {
            "aws-medialive" | "google-live-stream" => "srt://ingest.example.net:9000",
            _ => "rtmps://ingest.example.net:443/live",
        };
        for (lines, kind) in [(&LINES[..0], "bare"), (&LINES[..], "lines")] {
            let file = format!("{at}-{kind}.toml");
            let mut arguments = with(&["--platform", name, "--out", &file]);
            arguments.extend(lines);
            let (code, _, err) = folder.golive(&arguments);
            if code != 0 {
                // its addresses are the event's
                let ids = err.rsplit(": for ").next().unwrap().split(", ").count();
                arguments.extend(["--ingest", url].repeat(ids));
                let (code, _, err) = folder.golive(&arguments);
                assert_eq!(code, 0, "{name}: {err}");
            }
            let policy = load(&folder.path(&file)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(policy.checks.iter().any(|check| check.id.as_str() == "line.upload"), kind == "lines");
            the_day(&folder.path(&format!("{at}-{kind}-show-day.toml")), &policy, kind == "lines");
            if kind == "lines" {
                assert_eq!(policy.paths.len(), 2, "{name}");
                assert!(policy.checks.iter().any(|check| check.id.as_str() == "backup.upload"), "{name}");
            }
        }
    }
}

/// The policy of the day asks the survey's questions under the survey's ids, and is over in three minutes.
fn the_day(file: &Path, survey: &Policy, measures: bool) {
    let day = load(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(day.checks.len() > 2 && day.checks.len() < survey.checks.len(), "{}", file.display());
    for check in &day.checks {
        let asked = survey.check(&check.id);
        let asked = asked.unwrap_or_else(|| panic!("{} is not in the survey", check.id));
        let target = |check: &golive::policy::Check| {
            let mut all = serde_json::to_value(&check.question).unwrap();
            all.as_object_mut().unwrap().values_mut().next().unwrap()["target"].take()
        };
        assert_eq!((target(check), &check.path), (target(asked), &asked.path), "{}", check.id);
        let people = check.question.lane() == golive::model::Lane::Person;
        assert!(people || check.valid_for_s <= 4 * 3600, "{} counts from the survey", check.id);
    }
    assert_eq!(day.check(&golive::model::CheckId::new("line.upload").unwrap()).is_some(), measures);
    assert_eq!((&day.event, &day.people, &day.far_ends), (&survey.event, &survey.people, &survey.far_ends));
    let seconds = golive::run::Plan::new(&day).seconds();
    assert!(seconds < 180.0, "{}: {seconds} s", file.display());
}

#[test]
fn init_takes_several_platforms_and_others_and_says_what_is_wrong() {
    let folder = Folder::new();
    let several = ["--platform", "mux", "--platform", "other", "--ingest", "rtmp://192.0.2.7/live"];
    let (code, _, err) = folder.golive(&[&with(&several)[..], &LINES].concat());
    assert_eq!(code, 0, "{err}");
    let policy = load(&folder.path("golive.toml")).unwrap();
    let upload = policy.checks.iter().find(|check| check.id.as_str() == "line.upload").unwrap();
    let rows = upload.question.limit_rows();
    let rate = rows.iter().find(|row| row.field == "rate_kbps").unwrap();
    // twice (4000 + 128) kb/s, half as much again, and RTMP's 3 %
    assert_eq!(rate.bound, "≥ 12756");

    for (more, words) in [
        (vec!["--platform", "yuotube"], "did you mean `youtube`?"),
        (vec!["--platform", "vimeo", "--platform", "vimeo"], "a platform is named twice"),
        (vec!["--platform", "amazon-ivs"], "--ingest is needed 1 times and given 0 times: for ivs.ingest"),
        (
            vec!["--platform", "dacast", "--ingest", "rtmp://h/live/aBcD1234efgh5678"],
            "looks like a stream key",
        ),
        (vec!["--platform", "youtube", "--far-end", "h:1"], "--pin"),
    ] {
        let (code, out, err) = folder.golive(&[&with(&more)[..], &["--out", "other.toml"]].concat());
        assert_eq!((code, out.as_str()), (64, ""), "{err}");
        assert!(err.contains(words), "{words}: {err}");
        assert!(!folder.path("other.toml").exists());
    }
    let (code, _, err) = folder.golive(&["init", "--platform", "youtube", "--out", "other.toml"]);
    assert_eq!(code, 64);
    assert!(err.contains("not given: --title --starts --ends --video-kbps --it --marketing"), "{err}");
}

#[test]
fn the_library_can_be_looked_into() {
    let folder = Folder::new();
    let (code, out, _) = folder.golive(&["policy", "list"]);
    assert_eq!(code, 0);
    for (name, _) in BUILTINS {
        assert!(out.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}: {out}");
    }
    let (code, out, _) = folder.golive(&["policy", "show", "youtube"]);
    assert_eq!(code, 0);
    assert!(out.contains("[provenance]") && out.contains("[stream.youtube]"));
    let (code, out, err) = folder.golive(&["policy", "show", "yotube"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.contains("did you mean `youtube`?"), "{err}");
}

/// A policy that needs no network, so that its run takes no time.
const QUESTION: &str = r#"schema = "golive-policy/1"
[event]
title = "Launch"
[people.it]
name = "Ida"
[accountable]
network = "it"
brand = "it"
production = "it"
[[check.attest]]
id = "stop"
target = { question = "May somebody stop the stream?", of = "it" }
enforcement = "waivable"
owner = "network"
why = "somebody must be able to"
"#;

#[test]
fn a_run_is_compared_with_an_earlier_one() {
    let folder = Folder::new();
    std::fs::write(folder.path("golive.toml"), QUESTION).unwrap();
    let (code, _, err) = folder.golive(&["check", "--plain", "--out", "first", "--compare", "nothing"]);
    assert_eq!(code, 65, "before the run: {err}");
    assert!(!folder.path("first").exists());
    let (code, _, err) = folder.golive(&["check", "--plain", "--out", "first"]);
    assert_eq!(code, 3, "nobody answered: {err}");
    let now = jiff::Timestamp::now();
    let answer = format!(
        "[[answer]]\ncheck = \"stop\"\nyes = true\nrole = \"it\"\nname = \"Ida\"\nat = {now}\nevidence = \"x\"\n"
    );
    std::fs::write(folder.path("answers.toml"), answer).unwrap();
    let second = ["check", "--plain", "--answers", "answers.toml", "--out", "second", "--compare", "first"];
    let (code, out, err) = folder.golive(&second);
    assert_eq!(code, 0, "the verdict's own code: {out}{err}");
    let since = out.split("since the earlier report:\n").nth(1).unwrap();
    assert!(since.starts_with("INCONCLUSIVE → GO (better)\n"), "{since}");
    let stored = std::fs::read_to_string(folder.path("second/comparison.md")).unwrap();
    assert!(stored.contains("## Got better") && stored.contains("`stop`"), "{stored}");
}

#[test]
fn every_code_is_explained() {
    let folder = Folder::new();
    let (code, list, _) = folder.golive(&["explain"]);
    assert_eq!(code, 0);
    for kind in Kind::ALL {
        for code in kind.codes() {
            assert!(list.contains(&format!("  {} ", code.id)), "{}", code.id);
        }
    }
    let (code, page, _) = folder.golive(&["explain", "upload.bufferbloat"]);
    assert_eq!(code, 0);
    for part in
        ["upload.bufferbloat\n\nThe round trip", "Why it matters\n  ", "How it can mislead\n", "What to do\n"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (code, probe, _) = folder.golive(&["explain", "path"]);
    assert_eq!(code, 0);
    assert!(probe.contains("What it needs\n") && probe.contains("  path.loss "), "{probe}");
    let (code, out, err) = folder.golive(&["explain", "upload.bufferblaot"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.contains("did you mean `upload.bufferbloat`?"), "{err}");
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let folder = Folder::new();
    let (code, page, _) = folder.golive(&["man"]);
    assert_eq!(code, 0);
    assert!(
        page.contains(".TH golive 1") && page.contains("golive\\-check(1)") && page.contains("Exit codes")
    );
    std::fs::create_dir(folder.path("man1")).unwrap();
    let (code, _, err) = folder.golive(&["man", "--out", "man1"]);
    assert_eq!(code, 0, "{err}");
    for file in ["golive.1", "golive-check.1", "golive-policy-show.1"] {
        let page = std::fs::read_to_string(folder.path("man1").join(file)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{file}");
    }
    assert!(!folder.path("man1/golive-readme.1").exists(), "what is hidden has no page");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = folder.golive(&["completions", shell]);
        assert_eq!(code, 0, "{shell}");
        assert!(script.contains("far-end") && script.contains("explain"), "{shell}");
    }
    let script = folder.golive(&["completions", "bash"]).1;
    let file = folder.path("golive.bash");
    std::fs::write(&file, script).unwrap();
    assert!(bash_takes(&file), "bash does not read it");
}

fn bash_takes(file: &Path) -> bool {
    std::process::Command::new("bash").arg("-n").arg(file).status().unwrap().success()
}

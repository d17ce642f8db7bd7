//! Committed reports with their decisions, signatures and renderings, one per verdict: verified,
//! judged and rendered again by every later golive. Their readings are a real run's (of the demo).
//!
//! `GOLIVE_CORPUS=1 cargo test --test reports signed` writes reports that are not there yet, with
//! keys that exist in memory only, and the renderings anew. A committed report is never changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use golive::evidence::{Evidence, Measured};
use golive::judge::{self, Word};
use golive::model::{Cause, NotMeasured};
use golive::policy::{Accepts, Level, Policy, Waiver};
use golive::report::ledger::{self, Entry, Step};
use golive::report::seal::{self, Bundle, Choice, Decision, Roster, SecretKey};
use golive::report::v1::{Document, RunDoc};
use golive::report::{self, Filed, Ledger, html_of, judged_from, junit, markdown_of, pdf, summary, to_json};
use golive::run::Recorded;
use serde_json::json;

use crate::samples::{id, role, when};

const SAMPLES: [(&str, Word); 4] = [
    ("go", Word::Go),
    ("conditional-go", Word::ConditionalGo),
    ("no-go", Word::NoGo),
    ("inconclusive", Word::Inconclusive),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/samples/signed").join(name)
}

fn writing() -> bool {
    std::env::var_os("GOLIVE_CORPUS").is_some()
}

/// What each sample is rendered as, with the decisions that lie beside it: file and bytes.
fn renderings(bundle: &Bundle) -> [(&'static str, Vec<u8>); 5] {
    let document = &report::read(&bundle.report).unwrap();
    let after = document.verdict.evaluated_at + jiff::SignedDuration::from_hours(1);
    let standing = seal::verify(bundle, None, None, after);
    assert_eq!(standing.signed.len(), 2, "{:?}", standing.problems);
    let filed = Filed { document, bytes: &bundle.report, signed: &standing.signed, refused: &[] };
    [
        ("report.html", html_of(&filed).into_bytes()),
        ("report.md", markdown_of(&filed).into_bytes()),
        ("report.pdf", pdf(&filed).unwrap()),
        ("report.junit.xml", junit(document).into_bytes()),
        ("report.txt", summary(document).into_bytes()),
    ]
}

/// A limit of a check, set to another value.
fn limit(policy: &mut Policy, check: &str, field: &str, value: serde_json::Value) {
    let check = policy.checks.iter_mut().find(|one| one.id.as_str() == check).unwrap();
    let mut question = serde_json::to_value(&check.question).unwrap();
    question.as_object_mut().unwrap().values_mut().next().unwrap()["limits"][field] = value;
    check.question = serde_json::from_value(question).unwrap();
}

fn accept(policy: &mut Policy) {
    policy.waivers.push(Waiver {
        check: id("line.path"),
        accepts: Accepts::Fail,
        scope: vec!["path.jitter_high".into()],
        reason: "the line is shared with the exhibition until Thursday night".into(),
        compensating: Some("SRT with a latency of 500 ms, and a technician at the switch".into()),
        by: role("it"),
        expires: when("2026-12-04T16:00:00+01:00"),
        granted: Some(when("2026-11-23T09:00:00+01:00")),
        renewals: Some(1),
    });
}

/// Policy and readings of a sample: the demo's run, asked for more, or less of it.
fn case(word: Word, policy: &mut Policy, evidence: &mut Evidence) {
    match word {
        Word::Go => {}
        Word::ConditionalGo => {
            limit(policy, "line.path", "jitter_ms", json!(0.000_001));
            accept(policy);
        }
        Word::NoGo => {
            limit(policy, "ingest.rtmp", "handshake_ms", json!(0.01));
            limit(policy, "names.ingest", "addresses", json!(["192.0.2.10"]));
        }
        Word::Inconclusive => {
            let not = NotMeasured::new(Cause::NoPath, "interface eth0 has no carrier", "plug the cable in");
            evidence.measurements.get_mut(&id("line.upload")).unwrap().result = Measured::NotMeasured(not);
        }
    }
}

fn policy_of(recorded: &Recorded, keys: &[(&str, SecretKey)]) -> Policy {
    let mut policy = recorded.started.policy.clone();
    policy.event.title = "Autumn product launch".into();
    policy.event.venue = Some("Hall 3".into());
    policy.event.change = Some("CHG0031337".into());
    policy.event.starts = Some(when("2026-12-04T14:00:00+01:00"));
    policy.event.ends = Some(when("2026-12-04T15:30:00+01:00"));
    policy.event.time_zone = Some("Europe/Berlin".into());
    policy.signatures.level = Level::Key;
    policy.signatures.required = vec![role("it"), role("marketing")];
    policy.checks.iter_mut().for_each(|check| check.valid_for_s = 14 * 86_400);
    for (name, key) in keys {
        policy.people.get_mut(&role(name)).unwrap().key = Some(key.public().to_openssh().unwrap());
    }
    policy
}

/// A run's report. Three runs went before the one that came to a conditional GO.
fn document(word: Word, recorded: &Recorded, keys: &[(&str, SecretKey)]) -> Document {
    let (mut policy, mut evidence) = (policy_of(recorded, keys), recorded.evidence());
    case(word, &mut policy, &mut evidence);
    let at = recorded.started.at + jiff::SignedDuration::from_secs(90);
    let verdict = judge::evaluate(&policy, &evidence, at);
    let run = RunDoc {
        id: recorded.started.run.clone(),
        started: recorded.started.at,
        finished: at,
        interrupted: false,
        resumed: false,
        platform: "linux x86_64".into(),
    };
    let mut document = report::build(run, &policy, &evidence, &verdict);
    let mut lines: Vec<Entry> = Vec::new();
    let mut add = |run: &str, at, step| {
        let entry = ledger::next(&lines, &policy, run, at, step);
        lines.push(entry);
    };
    if word == Word::ConditionalGo {
        for (run, minutes) in
            [("20261123T101500Z", 900), ("20261123T130200Z", 730), ("20261123T151000Z", 600)]
        {
            let before = recorded.started.at - jiff::SignedDuration::from_mins(minutes);
            add(run, before, Step::Started {});
            let step = Step::Finished { verdict: Word::NoGo, readings: seal::sha256(run.as_bytes()) };
            add(run, before + jiff::SignedDuration::from_secs(80), step);
        }
    }
    add(&recorded.started.run, recorded.started.at, Step::Started {});
    let step = Step::Finished { verdict: document.verdict.word, readings: ledger::readings(&document) };
    add(&recorded.started.run, at, step);
    document.ledger = Some(Ledger::of(lines, &recorded.started.run, None));
    document
}

fn decided(decision: &mut Decision, word: Word) {
    match (word, decision.role.as_str()) {
        (Word::ConditionalGo, "marketing") => {
            decision.conditions = vec!["the moderator sits beside the encoder".into()];
        }
        (Word::NoGo, "marketing") => {
            decision.dissent = Some("the invitations are out: we ask for a second run on Thursday".into());
        }
        _ => {}
    }
}

/// Writes a sample that is not there yet: report, decisions, signatures, list of signers.
fn write(name: &str, word: Word) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo.jsonl");
    let recorded = Recorded::read(&file).unwrap();
    let keys = ["it", "marketing"].map(|name| {
        let mut seed = [0; 32];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), &mut seed).unwrap();
        (name, SecretKey::from_seed(&seed, name).unwrap())
    });
    let document = document(word, &recorded, &keys);
    let report = to_json(&document).unwrap().into_bytes();
    let (policy, _) = judged_from(&document).unwrap();
    std::fs::create_dir_all(folder(name)).unwrap();
    let put = |file: &str, bytes: &[u8]| std::fs::write(folder(name).join(file), bytes).unwrap();
    for (minutes, (who, key)) in (5..).zip(&keys) {
        let choice = match word {
            Word::Go => Choice::Go,
            Word::ConditionalGo => Choice::GoWithConditions,
            Word::NoGo | Word::Inconclusive => Choice::NoGo,
        };
        let person = policy.people[&role(who)].name.clone();
        let mut decision = Decision::about(&document, &report, role(who), person, choice);
        decision.at = document.verdict.evaluated_at + jiff::SignedDuration::from_mins(minutes);
        decision.level = Level::Key;
        decision.key = Some(seal::fingerprint(key.public()));
        decided(&mut decision, word);
        let bytes = decision.to_bytes().unwrap();
        let signature = key.sign(&role(who), &seal::message(&report, &bytes)).unwrap();
        put(&format!("report.{who}.decision.json"), &bytes);
        put(&format!("report.{who}.sig.txt"), signature.to_text().unwrap().as_bytes());
    }
    put("report.allowed_signers.txt", Roster::new(&policy, None).allowed_signers().as_bytes());
    put("report.json", &report);
}

/// Tests run side by side, and a sample is written once.
static ONE_WRITER: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn bundle(name: &str, word: Word) -> Bundle {
    if writing() {
        let _alone = ONE_WRITER.lock().unwrap();
        if !folder(name).join("report.json").exists() {
            write(name, word);
        }
    }
    Bundle::read(&folder(name)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn signed_reports_hold_for_ever() {
    for (name, word) in SAMPLES {
        let bundle = bundle(name, word);
        let stored = report::read(&bundle.report).unwrap();
        let after = stored.verdict.evaluated_at + jiff::SignedDuration::from_hours(1);
        let standing = seal::verify(&bundle, None, None, after);
        assert_eq!(standing.problems, [], "{name}");
        assert_eq!(stored.verdict.word, word, "{name}: {:?}", stored.verdict.reasons);
        let signed: Vec<_> =
            standing.signed.iter().map(|one| (one.decision.role.to_string(), one.level)).collect();
        assert_eq!(signed, [("it".to_owned(), Level::Key), ("marketing".to_owned(), Level::Key)], "{name}");
        // and they lapse: a month later nobody may rely on them
        let late = seal::verify(&bundle, None, None, after + jiff::SignedDuration::from_hours(24 * 31));
        assert_eq!(late.gravity(), Some(seal::Gravity::Open), "{name}");
    }
}

#[test]
fn signed_reports_judge_as_they_did() {
    for (name, word) in SAMPLES {
        let stored = report::read(&bundle(name, word).report).unwrap();
        let (policy, evidence) = judged_from(&stored).unwrap();
        let verdict = judge::evaluate(&policy, &evidence, stored.verdict.evaluated_at);
        assert_eq!(
            (verdict.word, &verdict.reasons),
            (stored.verdict.word, &stored.verdict.reasons),
            "{name}"
        );
        let again = report::build(stored.run.clone(), &policy, &evidence, &verdict);
        assert_eq!(report::differences(&stored, &again), [""; 0], "{name}");
    }
}

#[test]
fn signed_reports_are_rendered_as_they_stand_beside_them() {
    for (name, word) in SAMPLES {
        for (file, bytes) in renderings(&bundle(name, word)) {
            let path = folder(name).join(file);
            if writing() {
                std::fs::write(&path, &bytes).unwrap();
            }
            assert!(
                std::fs::read(&path).unwrap_or_default() == bytes,
                "{name}/{file} is not what this golive renders; look at it and write it anew: \
                 GOLIVE_CORPUS=1 cargo test --test reports signed"
            );
        }
    }
}

#[test]
fn plain_ssh_keygen_accepts_the_signed_reports() {
    for (name, word) in SAMPLES {
        let bundle = bundle(name, word);
        for who in ["it", "marketing"] {
            let decision = bundle.words[&role(who)].decision.clone().unwrap();
            let mut child = Command::new("ssh-keygen")
                .current_dir(folder(name))
                .args(["-Y", "verify", "-f", "report.allowed_signers.txt", "-I", who])
                .args([
                    "-n",
                    &format!("golive-{who}@golive-report-1"),
                    "-s",
                    &format!("report.{who}.sig.txt"),
                ])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("ssh-keygen is missing: apt-get install openssh-client");
            let message = seal::message(&bundle.report, &decision);
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), &message).unwrap();
            assert!(child.wait().unwrap().success(), "{name}, {who}");
        }
    }
}

#[test]
fn no_private_key_is_committed() {
    fn look(folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(11).any(|part| part == b"PRIVATE KEY"), "{}", path.display());
            }
        }
    }
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/samples"));
}

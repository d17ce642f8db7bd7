//! Committed reports with their decisions, signatures and renderings, one per verdict: verified,
//! judged and rendered again by every later golive. Their readings are real runs' of networks of the
//! lab (`tests/lab/sample`), whose keys are gone.
//!
//! `GOLIVE_CORPUS=1 cargo test --test reports signed` writes the renderings anew. The report, its
//! decisions and signatures are never changed; `cargo run --example lab -- samples` makes new ones.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use golive::judge::{self, Word};
use golive::policy::Level;
use golive::report::seal::{self, Bundle, Choice, Decision, Signed};
use golive::report::{
    self, Field, Filed, comment, field, html_of, judged_from, junit, markdown_of, pdf, summary,
};

use crate::samples::{self, role};

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
fn renderings(bundle: &Bundle) -> Vec<(String, Vec<u8>)> {
    let document = &report::read(&bundle.report).unwrap();
    let after = document.verdict.evaluated_at + jiff::SignedDuration::from_hours(1);
    let standing = seal::verify(bundle, None, None, after);
    assert_eq!(standing.signed.len(), 2, "{:?}", standing.problems);
    let filed = Filed { document, bytes: &bundle.report, signed: &standing.signed, refused: &[] };
    let digest = filed.sha256();
    let named = |name: &str, bytes: Vec<u8>| (name.to_owned(), bytes);
    let mut forms = vec![
        named("report.html", html_of(&filed).into_bytes()),
        named("report.md", markdown_of(&filed).into_bytes()),
        named("report.pdf", pdf(&filed).unwrap()),
        named("report.junit.xml", junit(document).into_bytes()),
        named("report.txt", summary(document).into_bytes()),
        named("change/comment.md", comment(document, &digest).into_bytes()),
    ];
    for which in Field::ALL {
        let text = field(document, &digest, which) + "\n";
        forms.push((format!("change/{}.txt", which.name()), text.into_bytes()));
    }
    forms
}

fn bundle(name: &str) -> Bundle {
    Bundle::read(&folder(name)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn signed_reports_hold_for_ever() {
    for (name, word) in SAMPLES {
        let bundle = bundle(name);
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
    for (name, _) in SAMPLES {
        let stored = report::read(&bundle(name).report).unwrap();
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
    for (name, _) in SAMPLES {
        for (file, bytes) in renderings(&bundle(name)) {
            let path = folder(name).join(&file);
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

/// The samples show what a company would see: an opening to ask for, a waiver within its cap, an
/// earlier run, two roles at one machine.
#[test]
fn the_samples_show_what_they_are_there_for() {
    let text = |name: &str, file: &str| std::fs::read_to_string(folder(name).join(file)).unwrap();
    for file in ["report.html", "report.md"] {
        let blocked = text("no-go", file);
        assert!(blocked.to_lowercase().contains("firewall change request"), "{file}");
        let conditional = text("conditional-go", file);
        assert!(conditional.contains("It and marketing decided on the same machine"), "{file}");
        assert!(!text("go", file).contains("on the same machine"), "{file}");
    }
    assert!(text("no-go", "change/implementation_plan.txt").contains("UDP"));
    let stored = report::read(&bundle("conditional-go").report).unwrap();
    let (policy, _) = judged_from(&stored).unwrap();
    let waiver = &policy.waivers[0];
    let holds = waiver.expires.at().duration_since(waiver.granted.as_ref().unwrap().at());
    assert!(holds <= jiff::SignedDuration::from_hours(7 * 24), "tests/lab/sample/policy.toml caps it");
    let ledger = stored.ledger.as_ref().unwrap();
    assert_eq!(ledger.words(&stored.run.id), "run 2 of 2 of this event; before it: NO-GO");
}

/// One remark for each key and each machine, however many roles used it.
#[test]
fn who_shares_a_key_or_a_machine_is_named_once() {
    let stored = samples::go();
    let signed: Vec<Signed> = [("it", "a"), ("marketing", "a"), ("provider", "b")]
        .map(|(name, key)| {
            let mut decision = Decision::about(&stored, b"{}", role(name), name.to_owned(), Choice::Go);
            decision.key = Some(key.to_owned());
            decision.machine = Some("one desk".to_owned());
            Signed { decision, level: Level::Named }
        })
        .into();
    let said = [
        "it and marketing signed with the same key",
        "it, marketing and provider decided on the same machine",
    ];
    assert_eq!(seal::same_hands(&signed), said);
    assert_eq!(seal::same_hands(&signed[2..]), [""; 0]);
}

#[test]
fn plain_ssh_keygen_accepts_the_signed_reports() {
    for (name, _) in SAMPLES {
        let bundle = bundle(name);
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

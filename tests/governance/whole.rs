//! The whole story, from the survey to what must be refused a year later: a firewall that drops
//! the stream's port, a rule that lets it through, one waiver, one attestation, two signatures, and
//! the change request that holds them all.

use std::path::Path;
use std::process::Command;

use crate::event::{Event, golive, need, told};
use crate::tickets;

/// A policy of one port that the stream needs, one line that is not there yet, one question.
const POLICY: &str = r#"
schema = "golive-policy/1"

[event]
title = "Autumn product launch"
change = "CHG0031337"

[people.it]
name = "R. Osei"
key = "KEY(it)"
[people.marketing]
name = "M. Keller"
key = "KEY(marketing)"

[accountable]
network = "it"
brand = "marketing"
production = "marketing"

[signatures]
level = "key"

[waiver_rules.waivable]
longest = "1d"
renewals = 2

[[check.port]]
id = "rules.ingest"
target = { host = "127.0.0.1", port = 18443, ask = "tls" }
limits = { expect = "open" }
enforcement = "hard"
owner = "network"
why = "the encoder sends through this port"
valid_for = "2d"

[[check.port]]
id = "backup.ingest"
target = { host = "127.0.0.1", port = 18444, ask = "tls" }
limits = { expect = "open" }
enforcement = "waivable"
owner = "network"
why = "the second way in"
valid_for = "2d"

[[check.attest]]
id = "stop.authority"
target = { question = "May the moderator stop the stream alone?", of = "marketing", evidence = "the run sheet" }
enforcement = "hard"
owner = "brand"
why = "what is live cannot be taken back"
valid_for = "2d"

[[waiver]]
check = "backup.ingest"
accepts = "fail"
scope = ["port.refused"]
reason = "the second ingest is set up on the morning"
compensating = "the provider is on site with a bonded router"
by = "it"
granted = GRANTED
expires = EXPIRES
renewals = 1
"#;

/// Two surveys on a network of their own: before and after the rule was added.
const SURVEYS: &str = r#"
set -e
ip link set lo up
"$GOLIVE" far-end --listen 127.0.0.1:18443 --state far-end >far-end.log 2>&1 &
peer=$!
trap 'kill $peer' EXIT
for try in $(seq 100); do ss -Hltn | grep -q :18443 && break; sleep 0.1; done
nft add table inet building
nft add chain inet building out '{ type filter hook output priority 0; }'
nft add rule inet building out tcp dport 18443 drop
set +e
"$GOLIVE" check event.toml --plain --out runs/a >a.log 2>&1; echo "before $?"
nft insert rule inet building out tcp dport 18443 accept
"$GOLIVE" check event.toml --plain --out runs/b >b.log 2>&1; echo "after $?"
"#;

fn hours(hours: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string()
}

/// Both surveys, marketing's answer, both signatures: a conditional GO in `runs/b-v2`.
fn signed() -> Event {
    let event = Event::new();
    event.policy(&POLICY.replace("GRANTED", &hours(-1)).replace("EXPIRES", &hours(20)));
    for (program, package) in [("unshare", "util-linux"), ("nft", "nftables"), ("ip", "iproute2")] {
        need(program, package);
    }
    let surveys = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", SURVEYS])
        .env("GOLIVE", env!("CARGO_BIN_EXE_golive"))
        .current_dir(event.path(""))
        .output()
        .unwrap();
    let (_, said) = told(&surveys);
    let log = |name: &str| std::fs::read_to_string(event.path(name)).unwrap_or_default();
    assert_eq!(said, "before 2\nafter 3\n", "{}\n{}", log("a.log"), log("b.log"));
    assert!(log("a.log").contains("VERDICT: NO-GO"), "{}", log("a.log"));
    assert!(log("b.log").contains("stop.authority could not be established"), "{}", log("b.log"));

    let answer =
        ["--role", "marketing", "--answer", "stop.authority=yes", "--evidence", "run sheet v3, page 2"];
    let (code, said) = event.golive("attest", "runs/b", &answer);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("CONDITIONAL GO") && said.contains("accepted by it"), "{said}");
    event.signed("runs/b-v2", "it", "go-with-conditions", &[]);
    event.signed(
        "runs/b-v2",
        "marketing",
        "go-with-conditions",
        &["--condition", "the moderator is in the hall"],
    );
    event
}

/// The signed report goes into the change request; somebody elsewhere takes it from there, and has
/// nothing else.
fn attached() -> Event {
    let event = signed();
    let files = tickets::in_service_now(&event, "runs/b-v2");
    let elsewhere = event.path("elsewhere/a");
    std::fs::create_dir_all(&elsewhere).unwrap();
    for (name, bytes) in &files {
        assert!(std::fs::read(event.path("runs/b-v2").join(name)).unwrap() == *bytes, "{name}");
        std::fs::write(elsewhere.join(name), bytes).unwrap();
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["report.pdf", "report.json", "report.it.sig.txt", "report.marketing.decision.json"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    event
}

/// The PDF that lies in the ticket carries the very report that was signed.
fn paper_carries_the_report(event: &Event) {
    let folder = event.path("elsewhere/a");
    let carried = Command::new(need("pdfdetach", "poppler-utils"))
        .args(["-save", "1", "-o"])
        .arg(event.path("elsewhere/carried.json"))
        .arg(folder.join("report.pdf"))
        .output()
        .unwrap();
    assert!(carried.status.success(), "{}", told(&carried).1);
    let carried = std::fs::read(event.path("elsewhere/carried.json")).unwrap();
    assert!(carried == std::fs::read(folder.join("report.json")).unwrap());
}

/// `golive verify` on another machine: a copy, no network, no home, nothing in the environment.
fn verify(event: &Event, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(need("unshare", "util-linux"));
    command.args(["--user", "--net", "--"]).arg(env!("CARGO_BIN_EXE_golive")).arg("verify").arg("a");
    told(&command.args(arguments).env_clear().current_dir(event.path("elsewhere")).output().unwrap())
}

fn refused(event: &Event, arguments: &[&str], code: i32, words: &str) {
    let (found, said) = verify(event, arguments);
    assert!(found == code && said.contains(words), "wanted {code} and {words:?}: {found}\n{said}");
}

/// Does something to a file of the copy, and puts it back afterwards.
fn with_changed(event: &Event, name: &str, change: impl FnOnce(&Path), then: impl FnOnce()) {
    let file = event.path("elsewhere/a").join(name);
    let good = std::fs::read(&file).unwrap();
    change(&file);
    then();
    std::fs::write(&file, good).unwrap();
}

#[test]
fn from_the_survey_to_the_report_on_somebody_elses_desk() {
    let event = attached();
    paper_carries_the_report(&event);
    let (code, said) = verify(&event, &[]);
    assert_eq!(code, 1, "{said}");
    for words in [
        "CONDITIONAL GO  Autumn product launch",
        "run 2 of 2 of this event; before it: NO-GO",
        "cryptographic: SHA256:",
        "on condition: the moderator is in the hall",
        "it and marketing decided on the same machine",
        "holds: report, decisions, readings, verdict and ledger agree",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    for role in ["it", "marketing"] {
        let (code, said) = event.ssh_keygen("elsewhere/a", role, &[]);
        assert!(code == 0 && said.contains("Good \"golive-"), "{said}");
    }
    let text = std::fs::read_to_string(event.path("runs/b-v2/report.md")).unwrap();
    for words in ["run sheet v3, page 2", "the provider is on site", "renewed 1 time"] {
        assert!(text.contains(words), "{words}: {text}");
    }

    // what was changed is named
    for (from, to, words) in [
        ("run sheet v3, page 2", "run sheet v3, page 3", "check stop.authority"),
        ("\"R. Osei\"", "\"R. Osel\"", "people"),
        ("\"port.refused\"", "\"port.refuse\"", "waivers"),
    ] {
        let edit = |file: &Path| {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.contains(from), "{from}");
            std::fs::write(file, text.replace(from, to)).unwrap();
        };
        with_changed(&event, "report.json", edit, || {
            refused(&event, &[], 79, "is not the report that it signed");
            refused(&event, &[], 79, words);
            assert_ne!(event.ssh_keygen("elsewhere/a", "it", &[]).0, 0, "{from}");
        });
    }
    lapses(&event);
}

/// Key revoked, role swapped, waiver expired, verdict stale: each its own message.
fn lapses(event: &Event) {
    let revoked = std::fs::read_to_string(event.path("event.toml")).unwrap()
        + &format!(
            "\n[[signatures.revoked]]\nkey = \"{}\"\nsince = {}\nreason = \"laptop stolen\"\n",
            event.public("it"),
            hours(-1)
        );
    std::fs::write(event.path("elsewhere/today.toml"), revoked).unwrap();
    refused(event, &["--policy", "today.toml"], 79, "key revoked: it signed with SHA256:");
    for ending in ["decision.json", "sig.txt"] {
        let (it, marketing) =
            (format!("report.it.{ending}"), format!("elsewhere/a/report.marketing.{ending}"));
        let swap = |file: &Path| {
            std::fs::copy(event.path(&marketing), file).unwrap();
        };
        with_changed(event, &it, swap, || refused(event, &[], 79, "role swapped: report.it."));
    }
    let late = hours(21);
    refused(event, &["--at", &late], 3, "waiver expired: it accepted backup.ingest until");
    assert!(!verify(event, &["--at", &late]).1.contains("verdict stale"), "the readings still count");
    let later = hours(60);
    refused(event, &["--at", &later], 3, "verdict stale: it counted until");
    // nobody signs what has lapsed, and the untouched copy still holds
    assert_eq!(verify(event, &[]).0, 1);
}

/// Chosen places of every file that is signed, one bit each: refused, and the file is named.
#[test]
fn one_byte_of_a_real_report_changed_anywhere_is_refused() {
    let event = attached();
    let names =
        ["report.json", "report.it.decision.json", "report.it.sig.txt", "report.marketing.decision.json"];
    for name in names {
        let good = std::fs::read(event.path("elsewhere/a").join(name)).unwrap();
        for step in 0..40 {
            let at = step * (good.len() - 1) / 39;
            let flip = |file: &Path| {
                let mut bad = good.clone();
                bad[at] ^= 1 << (step % 7);
                std::fs::write(file, bad).unwrap();
            };
            with_changed(&event, name, flip, || {
                let verified = golive().arg("verify").arg(event.path("elsewhere/a")).output().unwrap();
                let (code, said) = told(&verified);
                assert!(code == 79 && said.contains("REFUSED: "), "{name}, byte {at}: {code} {said}");
                assert!(said.contains(name), "{name}, byte {at}: {said}");
            });
        }
    }
    assert_eq!(event.verify("elsewhere/a", &[]).0, 1);
}

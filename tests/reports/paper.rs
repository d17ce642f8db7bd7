//! The PDF as other people's tools see it: poppler's pdftotext, pdfinfo and pdfdetach.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use golive::judge::Rank;
use golive::model::{Outcome, Role, text::acts};
use golive::policy::Level;
use golive::report::seal::{Choice, Decision, Signed};
use golive::report::{Document, Filed, html_of, pdf, to_json};
use proptest::prelude::*;

use crate::hostile::{poison, poisoned};
use crate::samples;

/// A PDF in a folder of its own.
pub struct Paper {
    dir: tempfile::TempDir,
}

impl Paper {
    pub fn of(document: &Document) -> Self {
        let stored = to_json(document).unwrap();
        Self::with(&Filed::alone(document, stored.as_bytes()))
    }

    pub fn with(filed: &Filed<'_>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("report.pdf"), pdf(filed).unwrap()).unwrap();
        Self { dir }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("report.pdf")
    }

    /// What one of poppler's tools says of it.
    pub fn poppler(&self, program: &str, before: &[&str], after: &[&str]) -> String {
        let output = Command::new(program)
            .args(before)
            .arg(self.file())
            .args(after)
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}; tests/setup installs poppler-utils"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Words of some pages, one space between two.
    pub fn words(&self, pages: &[&str]) -> String {
        // in the order of the file, which is that of reading
        let shown = self.poppler("pdftotext", &[&["-raw"], pages].concat(), &["-"]);
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The report.json inside.
    pub fn carried(&self) -> Vec<u8> {
        let into = self.dir.path().join("carried");
        std::fs::create_dir_all(&into).unwrap();
        self.poppler("pdfdetach", &["-saveall", "-o", into.to_str().unwrap()], &[]);
        std::fs::read(into.join("report.json")).unwrap()
    }

    fn front(&self) -> String {
        self.words(&["-f", "1", "-l", "1"])
    }

    fn pages(&self) -> usize {
        let info = self.poppler("pdfinfo", &[], &[]);
        let line = info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap();
        line.trim().parse().unwrap()
    }
}

#[test]
fn page_one_answers_a_manager() {
    for (name, document) in samples::all() {
        let paper = Paper::of(&document);
        let front = paper.front();
        let mut asked = vec![document.verdict.word.text(), "Counts until", "What was not tested"];
        asked.push("The way back");
        asked.extend(["Upload: needed against measured", "5th percentile"]);
        let reasons = document.verdict.reasons.iter();
        asked.extend(reasons.filter_map(|reason| reason.check.as_ref()).map(golive::model::CheckId::as_str));
        let blocks = document.verdict.reasons.iter().filter(|reason| reason.rank == Rank::Blocks);
        for check in blocks.filter_map(|reason| reason.check.as_ref()) {
            let check = document.checks.iter().find(|have| have.id == *check).unwrap();
            let finding = check.findings.iter().find(|finding| !finding.remedy.is_empty()).unwrap();
            asked.extend([finding.observed.as_str(), &finding.remedy[finding.remedy.len() / 2..]]);
        }
        let waivers = document.waivers.iter();
        asked.extend(waivers.map(|entry| entry.approver.as_deref().unwrap()));
        for words in asked {
            assert!(front.contains(words), "{name}: {words}\n{front}");
        }
        for words in ["Decision", "IT", "Marketing", "signs on the last page", "golive verify report.json"] {
            assert!(front.contains(words), "{name}: {words}\n{front}");
        }
        let digest = golive::report::seal::sha256(to_json(&document).unwrap().as_bytes());
        assert!(front.contains(&digest), "{name}: {front}");
    }
}

#[test]
fn the_pages_behind_hold_every_check_and_room_to_sign() {
    for (name, document) in samples::all() {
        let paper = Paper::of(&document);
        let words = paper.words(&[]);
        for check in &document.checks {
            assert!(words.contains(&check.why[..20.min(check.why.len())]), "{name}: {}", check.id);
            for finding in &check.findings {
                assert!(words.contains(&finding.code), "{name}: {}", finding.code);
            }
        }
        let last = paper.pages().to_string();
        let last = paper.words(&["-f", &last, "-l", &last]);
        for room in ["Sign-off", "Signature", "dissent", "Date, time", "R. Osei", "M. Keller", "named only"] {
            assert!(last.contains(room), "{name}: {room}\n{last}");
        }
        let count = paper.pages();
        assert!(last.contains(&format!("{count} of {count}")), "{last}");
    }
}

#[test]
fn it_carries_the_report_byte_for_byte() {
    for (name, document) in samples::all() {
        let paper = Paper::of(&document);
        let carried = paper.carried();
        assert_eq!(carried, to_json(&document).unwrap().into_bytes(), "{name}");
        assert!(golive::report::read(&carried).unwrap() == document, "{name}");
    }
}

#[test]
fn it_says_that_it_is_tagged_pdf_a_3() {
    let document = samples::no_go();
    let paper = Paper::of(&document);
    let info = paper.poppler("pdfinfo", &[], &[]);
    assert!(info.contains("NO-GO: Autumn product launch"), "{info}");
    let says = |name: &str, value: &str| {
        let mut lines = info.lines().filter_map(|line| line.strip_prefix(name));
        assert!(lines.any(|line| line.trim() == value), "{name} {value}: {info}");
    };
    says("Tagged:", "yes");
    says("JavaScript:", "no");
    says("Encrypted:", "no");
    let meta = paper.poppler("pdfinfo", &["-meta"], &[]);
    for words in
        ["<pdfaid:part>3<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<", "2026-12-03T13:01:00+00:00"]
    {
        assert!(meta.contains(words), "{words}: {meta}");
    }
    let bytes = std::fs::read(paper.file()).unwrap();
    let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
    assert!(has(b"/AFRelationship /Source") || has(b"/AFRelationship/Source"));
    let structure = paper.poppler("pdfinfo", &["-struct"], &[]);
    for element in ["H1", "H2", "Table", "TH", "TD", "Figure", "LI"] {
        assert!(structure.lines().any(|line| line.trim().starts_with(element)), "{element}: {structure}");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for (name, document) in samples::all() {
        let stored = to_json(&document).unwrap();
        let filed = Filed::alone(&document, stored.as_bytes());
        assert!(pdf(&filed).unwrap() == pdf(&filed).unwrap(), "{name}");
    }
}

#[test]
fn text_that_wants_to_act_is_only_text() {
    for (document, text) in poisoned() {
        let paper = Paper::of(&document);
        let shown = paper.words(&[]);
        assert!(!shown.contains(acts), "{text:.80}");
        let front = paper.front();
        assert!(front.contains(document.verdict.word.text()), "{text:.80}");
        assert!(front.contains("signs on the last page"), "page 1 holds the decision: {text:.80}");
        assert!(paper.pages() < 80, "{} pages of {text:.80}", paper.pages());
    }
}

#[test]
fn what_no_font_has_shows_that_something_is_there() {
    let mut document = samples::go();
    document.event.title = "Launch 🎬 発売 Größe Żółw Ωμέγα Запуск".into();
    let front = Paper::of(&document).front();
    assert!(front.contains("Launch □ □□ Größe Żółw Ωμέγα Запуск"), "{front}");
}

#[test]
fn an_event_without_a_title_has_a_report() {
    let mut document = samples::go();
    document.event.title = String::new();
    assert!(Paper::of(&document).front().contains("An event without a title"));
}

/// As many checks as nobody has, each failed: the pages stay few, and the time short.
#[test]
fn five_hundred_checks_make_a_bounded_file() {
    let mut document = samples::no_go();
    let failed = document.checks.iter().find(|check| check.outcome == Outcome::Fail).unwrap().clone();
    let reason = document.verdict.reasons[0].clone();
    for at in 0..500 {
        let id = samples::id(&format!("more.check{at}"));
        let mut check = failed.clone();
        check.id = id.clone();
        document.checks.push(check);
        let mut reason = reason.clone();
        reason.check = Some(id);
        document.verdict.reasons.push(reason);
    }
    let begun = Instant::now();
    let paper = Paper::of(&document);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    assert!((20..150).contains(&paper.pages()), "{} pages", paper.pages());
    let front = paper.front();
    assert!(front.contains("signs on the last page") && front.contains("The way back"), "{front}");
    assert!(front.contains("more on page 2"), "what page 1 leaves out is said there: {front}");
    let second = paper.words(&["-f", "2", "-l", "2"]);
    assert!(second.contains("Page 1 in full"), "{second}");
    let words = paper.words(&[]);
    for at in [0, 77, 499] {
        assert!(words.contains(&format!("more.check{at}")), "check {at} is nowhere");
    }
    assert!(words.contains("more checks stand in report.json"), "what is left out is said");
}

fn signed(document: &Document, stored: &[u8]) -> Vec<Signed> {
    let decision = |role: &str, name: &str, choice| {
        let role = Role::new(role).unwrap();
        let mut decision = Decision::about(document, stored, role, name.into(), choice);
        decision.at = samples::instant("2026-12-03T14:30:00Z");
        decision
    };
    let mut it = decision("it", "R. Osei", Choice::GoWithConditions);
    it.conditions = vec!["the modem is plugged in".into()];
    it.key = Some("SHA256:abcdefgh".into());
    let mut marketing = decision("marketing", "M. Keller", Choice::NoGo);
    marketing.dissent = Some("the launch can wait a day".into());
    marketing.ticket = Some("CHG0031337".into());
    vec![Signed { decision: it, level: Level::Key }, Signed { decision: marketing, level: Level::Ticket }]
}

#[test]
fn decisions_that_were_made_stand_in_their_blocks() {
    let document = samples::conditional();
    let stored = to_json(&document).unwrap();
    let signed = signed(&document, stored.as_bytes());
    let refused = ["report.provider.decision.json was changed after it was signed".to_owned()];
    let filed = Filed { document: &document, bytes: stored.as_bytes(), signed: &signed, refused: &refused };
    let paper = Paper::with(&filed);
    let page = html_of(&filed);
    let front = paper.words(&["-f", "1", "-l", "2"]);
    let count = paper.pages().to_string();
    let last = paper.words(&["-f", &count, "-l", &count]);
    for shown in [front, last, page.clone()] {
        for words in [
            "Go with conditions",
            "cryptographic: SHA256:abcdefgh",
            "the modem is plugged in",
            "No-go",
            "ticket approval: CHG0031337",
            "the launch can wait a day",
            "Thu 3 Dec 2026, 15:30:00 UTC+01:00",
        ] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
    for shown in [paper.words(&[]), page] {
        assert!(shown.contains("Does not count:") && shown.contains(&refused[0]), "{shown}");
    }
}

/// `GOLIVE_SAMPLES=DIR` writes each page of each sample there as a picture, to be looked at.
#[test]
fn pages_can_be_looked_at() {
    let scratch = tempfile::tempdir().unwrap();
    let base = std::env::var_os("GOLIVE_SAMPLES").map_or(scratch.path().to_owned(), PathBuf::from);
    for (name, document) in samples::all() {
        let paper = Paper::of(&document);
        let into = base.join(format!("{name}-page"));
        paper.poppler("pdftoppm", &["-r", "40", "-png"], &[into.to_str().unwrap()]);
        let drawn = |at: usize| Path::new(&format!("{}-{at}.png", into.display())).exists();
        assert!((1..=paper.pages()).all(drawn), "{name}");
        assert!(paper.pages() <= 6, "{name}: {} pages", paper.pages());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_makes_a_file_of_the_standard(text in any::<String>(), which in 0..4_usize) {
        let mut document = samples::all()[which].1.clone();
        poison(&mut document, &text);
        let stored = to_json(&document).unwrap();
        prop_assert!(pdf(&Filed::alone(&document, stored.as_bytes())).unwrap().starts_with(b"%PDF-1.7"));
    }
}

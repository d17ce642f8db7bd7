//! The fields of a change request: whole, short enough, inert.

use golive::model::text;
use golive::report::{Field, MAX_FIELD, comment, field};

use crate::samples;

const DIGEST: &str = "2807045f85162b0b1215de7c29f4d760886b6c8d22476cc82063cd3499535f5c";

#[test]
fn each_field_says_what_its_reader_needs() {
    let document = samples::no_go();
    for (which, words) in [
        (
            Field::Justification,
            &["NO-GO", "Show the new range", "Hall 3", "CHG0031337", "brand → marketing"][..],
        ),
        (
            Field::ImplementationPlan,
            &["14:00 to 15:30", "9468 kb/s", "Do: let the network team allow", "R. Osei"],
        ),
        (
            Field::RiskImpactAnalysis,
            &["waiting page", "expired; accepted by it", "uplink.backup", "does not ask srt"],
        ),
        (Field::BackoutPlan, &["The producer stops the encoder", "14:00 to 15:30"]),
        (Field::TestPlan, &["needed ≥ 9467 kb/s", "measured 8 904", "golive verify", DIGEST, "not measured"]),
    ] {
        let text = field(&document, DIGEST, which);
        for word in words {
            assert!(text.contains(word), "{} lacks {word}:\n{text}", which.name());
        }
    }
    let short = comment(&document, DIGEST);
    assert!(
        short.contains("**■ NO-GO**") && short.contains(DIGEST) && short.contains("`uplink.backup`"),
        "{short}"
    );
}

#[test]
fn a_missing_way_back_is_shouted() {
    let mut document = samples::go();
    document.event.way_back = None;
    assert!(field(&document, DIGEST, Field::BackoutPlan).starts_with("THE WAY BACK IS MISSING"));
}

#[test]
fn no_document_makes_a_field_too_long_or_lets_it_act() {
    for (name, mut document) in samples::all() {
        document.event.title = format!("Launch \u{1b}[31m\u{202e} {}", "long. ".repeat(900));
        let way_back = "Somebody stops it. \u{9b}2J".repeat(400);
        document.event.way_back = Some(way_back);
        let more = document.checks.clone();
        document.checks.extend((0..60).flat_map(|_| more.clone()));
        for which in Field::ALL {
            let shown = field(&document, DIGEST, which);
            let units: usize = shown.chars().map(char::len_utf16).sum();
            assert!(units <= MAX_FIELD, "{name} {}: {units}", which.name());
            assert!(!shown.contains(|c| text::acts(c) && c != '\n'), "{name} {}", which.name());
        }
        let cut = field(&document, DIGEST, Field::TestPlan);
        assert!(cut.ends_with("the whole is in the attached report, sha256 2807045f85162b0b…]"), "{cut}");
        assert!(!comment(&document, DIGEST).contains(|c| text::acts(c) && c != '\n'));
    }
}

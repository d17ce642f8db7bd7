//! What each format says of each verdict.

use golive::report::{html, junit, markdown, summary};

use crate::samples;

/// A line per element, no style sheet and no curves, so that a changed snapshot can be read.
fn readable(html: &str) -> String {
    let (before, rest) = html.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let lines = format!("{before}{after}").replace("><", ">\n<");
    let short = |line: &str| match line.split_once(" points=\"") {
        Some((start, points)) if points.len() > 120 => format!("{start} points=\"…\">"),
        _ => line.to_owned(),
    };
    lines.lines().map(short).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_verdict_in_every_format() {
    for (name, document) in samples::all() {
        insta::assert_snapshot!(format!("{name}.html"), readable(&html(&document)));
        insta::assert_snapshot!(format!("{name}.md"), markdown(&document));
        insta::assert_snapshot!(format!("{name}.junit"), junit(&document));
        insta::assert_snapshot!(format!("{name}.txt"), summary(&document));
    }
}

/// `GOLIVE_SAMPLES=DIR` writes the samples there, to be looked at.
#[test]
fn samples_can_be_written_out() {
    let scratch = tempfile::tempdir().unwrap();
    let base = std::env::var_os("GOLIVE_SAMPLES").map_or(scratch.path().to_owned(), Into::into);
    for (name, document) in samples::all() {
        let dir = base.join(name);
        golive::report::write_all(&dir, &document).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["report.html", "report.json", "report.junit.xml", "report.md", "report.pdf"]);
    }
}

#[test]
fn facts_that_were_to_be_read_again_are_said() {
    let (_, mut document) = samples::all().into_iter().next().unwrap();
    let facts = serde_json::json!({
        "source": ["https://docs.example.com/<ingest>"], "verified": "2025-01-02", "review_by": "2025-07-02",
    });
    let layer = document.policy.layers.first_mut().unwrap();
    layer.provenance = Some(serde_json::from_value(facts).unwrap());
    let (told, page) = (summary(&document), html(&document));
    let words =
        "were last read 2025-01-02 and were to be read again by 2025-07-02: see https://docs.example.com/";
    assert!(told.contains(words) && page.contains(words), "{told}");
    assert!(markdown(&document).contains("2025-07-02"));
    assert!(
        page.contains("facts of 2025-01-02, to be read again by 2025-07-02") && !page.contains("<ingest>")
    );
    let layer = document.policy.layers.first_mut().unwrap();
    layer.provenance.as_mut().unwrap().review_by = "2999-01-01".parse().unwrap();
    assert!(!summary(&document).contains("read again") && !markdown(&document).contains("read again"));
}

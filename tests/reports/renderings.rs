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

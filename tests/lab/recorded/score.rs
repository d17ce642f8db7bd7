//! The table, and what it says of each predictor.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Form, Row};
use crate::truth::survival::{Outcome, Survival};
use crate::truth::table::{Agreement, Counts, Said, agreement};

type Predictor = fn(&Row) -> Said;
type Part = fn(&Row) -> &Survival;

/// Predictors, each with what it said of a row.
const PREDICTORS: [(&str, Predictor); 3] = [
    ("golive", |row| row.golive),
    ("mean of 10 s × 1/1.5", |row| row.mean),
    ("OBS's wizard, 70 %", |row| row.wizard),
];

/// On which part the stream ran.
const PARTS: [(&str, Part); 2] = [("the next part", |row| &row.next), ("the same part", |row| &row.same)];

/// The whole report.
pub fn markdown(rows: &[Row], form: Form) -> String {
    let mut text = format!(
        "golive looked for {} s; streams ran for {} s. The recordings hold no delay: 40 ms of round trip \
         and a queue of 250 kB were added. No threshold was chosen on these rows.\n\n{}",
        form.look_s,
        form.stream_s,
        summary(rows)
    );
    text += "\n| recording | from | stream | golive | 10 s mean | wizard | next part | same part |\n\
             |---|---|---|---|---|---|---|---|\n";
    for row in rows {
        let because = if row.because.is_empty() { String::new() } else { format!(" ({})", row.because) };
        let _ = writeln!(
            text,
            "| {} | {} s | {} | {}{because} | {} | {} | {} | {} |",
            row.case.recording,
            row.case.start_s,
            row.case.stream,
            row.golive.word(),
            row.mean.word(),
            row.wizard.word(),
            row.next.summary(),
            row.same.summary(),
        );
    }
    text
}

/// Each predictor's counts on either part, and golive's mistakes by place.
pub fn summary(rows: &[Row]) -> String {
    let mut text = String::new();
    for (part, truth) in PARTS {
        let _ = writeln!(text, "Stream on {part}:\n");
        for (name, said) in PREDICTORS {
            let counts = Counts::of(rows.iter().map(|row| (truth(row), said(row))));
            let _ = writeln!(text, "- {name}: {}.", counts.sentence());
        }
        text.push('\n');
    }
    let mut places: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.next.outcome != Outcome::Invalid) {
        let counts = places.entry(row.case.place()).or_default();
        let found = agreement(row.next.outcome, row.golive);
        counts[0] += 1;
        counts[1] += usize::from(found == Agreement::FalseGo);
        counts[2] += usize::from(found == Agreement::FalseNoGo);
    }
    text += "By place (golive, next part): ";
    let place = |(place, [all, go, no_go]): (&&str, &[usize; 3])| {
        format!("{place}: {all} rows, {go} false GO, {no_go} false NO-GO")
    };
    text + &places.iter().map(place).collect::<Vec<_>>().join("; ") + ".\n"
}

/// A row for the terminal.
pub fn line(row: &Row) -> String {
    format!(
        "{} from {} s, {}: golive {} ({}), mean {}, wizard {}\n    next: {}\n    same: {}",
        row.case.recording,
        row.case.start_s,
        row.case.stream,
        row.golive.word(),
        row.because,
        row.mean.word(),
        row.wizard.word(),
        row.next.summary(),
        row.same.summary(),
    )
}

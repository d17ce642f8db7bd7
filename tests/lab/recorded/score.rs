//! The table, and what it says of each predictor.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Form, Row};
use crate::truth::survival::{Outcome, Survival};
use crate::truth::table::{Agreement, Counts, Said, agreement};

type Predictor = fn(&Row) -> Said;
type Part = fn(&Row) -> &Survival;

/// Predictors, each with what it said of a row.
const PREDICTORS: [(&str, Predictor); 4] = [
    ("golive", |row| row.golive),
    ("golive, headroom 1.5 asked", |row| row.with_headroom),
    ("mean of 10 s × 1/1.5", |row| row.mean),
    ("OBS's wizard, 70 %", |row| row.wizard),
];

/// On which part the stream ran.
const PARTS: [(&str, Part); 2] = [("the next part", |row| &row.next), ("the same part", |row| &row.same)];

/// Places on whose recordings golive's prior (`src/model/risk`) and thresholds
/// (`src/probe/upload/judge/stream.rs`) were chosen by arithmetic ([`super::study`]): every second one by name.
pub(super) const CHOSEN_ON: [&str; 9] = [
    "leo_starlink_isl",
    "mm_TMobile-LTE-short",
    "nu_lte_static",
    "solis_wifi_cafe",
    "solis_wifi_office",
    "walk_11_1_cellular",
    "walk_12_2_cellular",
    "walk_22_1_wifi",
    "walk_7_1_wifi",
];

/// Steps of a stated chance within which it is held against what came.
const STEPS: [f64; 6] = [0.0, 0.15, 0.35, 0.6, 0.8, 1.01];

/// The whole report.
pub fn markdown(rows: &[Row], form: Form) -> String {
    let mut text = format!(
        "golive looked for {} s; streams ran for {} s. The recordings hold no delay: 40 ms of round trip \
         and a queue of 250 kB were added. Thresholds and prior were chosen by arithmetic on \
         the recordings of half of the places ({}): study.md; the others are held out. Another run differs in \
         its marginal rows.\n\n{}",
        form.look_s,
        form.stream_s,
        CHOSEN_ON.join(", "),
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

/// Each predictor's counts on either part, what stated chances were worth, and golive's mistakes by place.
pub fn summary(rows: &[Row]) -> String {
    let mut text = String::new();
    let held_out: Vec<&Row> = rows.iter().filter(|row| !CHOSEN_ON.contains(&row.case.place())).collect();
    for (which, rows) in [("all places", rows.iter().collect()), ("places held out", held_out)] {
        for (part, truth) in PARTS {
            let _ = writeln!(text, "Stream on {part}, {which}:\n");
            for (name, said) in PREDICTORS {
                let counts = Counts::of(rows.iter().map(|row| (truth(row), said(row))));
                let _ = writeln!(text, "- {name}: {}.", counts.sentence());
            }
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "Chance of a damaging gap as golive stated it, and streams that died on the next part, {which}: {}.\n",
            calibration(&pairs(&rows))
        );
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

/// Stated chances, each with 1 for a stream that died on the next part and 0 for one that did not.
fn pairs(rows: &[&Row]) -> Vec<(f64, f64)> {
    let known = rows.iter().filter(|row| row.next.outcome != Outcome::Invalid);
    known
        .filter_map(|row| Some((row.stated?, f64::from(u8::from(row.next.outcome == Outcome::Died)))))
        .collect()
}

/// Mean of the stated chances and share of streams that died, in steps; and Brier's score.
pub(super) fn calibration(pairs: &[(f64, f64)]) -> String {
    let mean = |some: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
        some.iter().map(of).sum::<f64>() / some.len() as f64
    };
    let step = |edges: &[f64]| {
        let some: Vec<_> =
            pairs.iter().filter(|pair| (edges[0]..edges[1]).contains(&pair.0)).copied().collect();
        let (stated, died) = (mean(&some, |pair| pair.0) * 100.0, mean(&some, |pair| pair.1) * 100.0);
        (!some.is_empty()).then(|| format!("stated {stated:.0} %, came {died:.0} % ({} streams)", some.len()))
    };
    let steps: Vec<String> = STEPS.windows(2).filter_map(step).collect();
    let brier = mean(pairs, |pair| (pair.0 - pair.1).powi(2));
    format!("{}; Brier's score {brier:.3}", steps.join("; "))
}

/// A row for the terminal.
pub fn line(row: &Row) -> String {
    format!(
        "{} from {} s, {}: golive {} ({}; chance {}), mean {}, wizard {}\n    next: {}\n    same: {}",
        row.case.recording,
        row.case.start_s,
        row.case.stream,
        row.golive.word(),
        row.because,
        row.stated.map_or("not stated".to_owned(), |chance| format!("{:.0} %", chance * 100.0)),
        row.mean.word(),
        row.wizard.word(),
        row.next.summary(),
        row.same.summary(),
    )
}

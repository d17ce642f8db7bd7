//! What golive said beside what became of the stream.

use std::fmt::Write as _;

use serde::Serialize;

use crate::truth::survival::{Outcome, Survival};

/// golive's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Said {
    Go,
    ConditionalGo,
    NoGo,
    Inconclusive,
}

/// What came of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Agreement {
    /// GO, and it survived; NO-GO, and it died.
    Right,
    /// GO, also with conditions, and it died.
    FalseGo,
    /// NO-GO, and it survived.
    FalseNoGo,
    /// INCONCLUSIVE.
    Undecided,
    /// The run of the stream is no truth.
    NoTruth,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub scenario: String,
    pub truth: Survival,
    pub said: Said,
    /// What decided the verdict, in a few words.
    pub because: String,
    /// What simpler rules said; none where they were not asked.
    pub simpler: Option<Simpler>,
}

/// What a test of ten seconds says, by two rules (`baseline.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Simpler {
    pub mean: Said,
    pub wizard: Said,
}

impl Said {
    /// By golive's exit code.
    pub fn of_exit(code: i32) -> Option<Self> {
        [Self::Go, Self::ConditionalGo, Self::NoGo, Self::Inconclusive]
            .get(usize::try_from(code).ok()?)
            .copied()
    }

    /// As a report writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::ConditionalGo => "CONDITIONAL GO",
            Self::NoGo => "NO-GO",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

impl Row {
    pub fn agreement(&self) -> Agreement {
        agreement(self.truth.outcome, self.said)
    }
}

/// How a verdict compares with what became of the stream.
pub fn agreement(truth: Outcome, said: Said) -> Agreement {
    match (truth, said) {
        (Outcome::Invalid, _) => Agreement::NoTruth,
        (_, Said::Inconclusive) => Agreement::Undecided,
        (Outcome::Survived, Said::Go | Said::ConditionalGo) | (Outcome::Died, Said::NoGo) => Agreement::Right,
        (Outcome::Died, _) => Agreement::FalseGo,
        (Outcome::Survived, _) => Agreement::FalseNoGo,
    }
}

/// Counts over rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub rows: usize,
    /// Streams that survived and streams that died, where the verdict was not INCONCLUSIVE.
    pub survived: usize,
    pub died: usize,
    pub false_go: usize,
    pub false_no_go: usize,
    pub undecided: usize,
    pub no_truth: usize,
    pub marginal: usize,
}

impl Counts {
    pub fn of<'a>(results: impl IntoIterator<Item = (&'a Survival, Said)>) -> Self {
        let mut counts = Self::default();
        for (truth, said) in results {
            counts.marginal += usize::from(truth.marginal);
            counts.push(truth.outcome, said);
        }
        counts
    }

    /// One more.
    pub fn push(&mut self, truth: Outcome, said: Said) {
        self.rows += 1;
        match agreement(truth, said) {
            Agreement::NoTruth => self.no_truth += 1,
            Agreement::Undecided => self.undecided += 1,
            found => {
                self.survived += usize::from(truth == Outcome::Survived);
                self.died += usize::from(truth == Outcome::Died);
                self.false_go += usize::from(found == Agreement::FalseGo);
                self.false_no_go += usize::from(found == Agreement::FalseNoGo);
            }
        }
    }

    /// In words, with 95 % intervals.
    pub fn sentence(&self) -> String {
        let wrong = self.false_go + self.false_no_go;
        let decided = self.survived + self.died;
        format!(
            "{} of {} streams judged right{}; false GO {} of {} that died{}; false NO-GO {} of {} that \
             survived{}; {} undecided; {} without truth; {} marginal",
            decided - wrong,
            decided,
            interval(decided - wrong, decided),
            self.false_go,
            self.died,
            interval(self.false_go, self.died),
            self.false_no_go,
            self.survived,
            interval(self.false_no_go, self.survived),
            self.undecided,
            self.no_truth,
            self.marginal,
        )
    }
}

fn interval(hits: usize, of: usize) -> String {
    wilson(hits, of)
        .map_or(String::new(), |(low, high)| format!(" ({:.0}–{:.0} %)", low * 100.0, high * 100.0))
}

/// Wilson's 95 % interval of a share; none of nothing.
pub fn wilson(hits: usize, of: usize) -> Option<(f64, f64)> {
    const Z: f64 = 1.96;
    if of == 0 {
        return None;
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let middle = p + Z * Z / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Some((((middle - reach) / scale).max(0.0), ((middle + reach) / scale).min(1.0)))
}

/// The table for a report.
pub fn markdown(rows: &[Row]) -> String {
    let head = ["scenario", "stream", "what became of it", "golive", "", "10 s mean", "wizard"];
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        let simpler = |said: fn(&Simpler) -> Said| {
            row.simpler.as_ref().map_or("not asked", |simpler| said(simpler).word()).to_owned()
        };
        let cells = cells(row).into_iter().chain([simpler(|s| s.mean), simpler(|s| s.wizard)]);
        let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text + "\n" + &summary(rows)
}

/// How often each rule was right: golive's, then those that were asked too, on the same streams.
pub fn summary(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut line = |rule: &str, results: Vec<(&Survival, Said)>| {
        if !results.is_empty() {
            let _ = writeln!(text, "- {rule}: {}.", Counts::of(results).sentence());
        }
    };
    line("golive", rows.iter().map(|row| (&row.truth, row.said)).collect());
    let simpler = || rows.iter().filter_map(|row| Some((&row.truth, row.simpler?)));
    line("mean of 10 s × 1/1.5", simpler().map(|(truth, said)| (truth, said.mean)).collect());
    line("OBS's wizard, 70 %", simpler().map(|(truth, said)| (truth, said.wizard)).collect());
    text
}

/// One row for a terminal.
pub fn plain_row(row: &Row) -> String {
    let [scenario, stream, truth, said, agreement] = cells(row);
    format!("{scenario:<28} {stream:<34} {said:<30} {agreement}\n    {truth}\n")
}

/// The table for a terminal.
pub fn plain(rows: &[Row]) -> String {
    let text: String = rows.iter().map(plain_row).collect();
    text + &summary(rows)
}

fn cells(row: &Row) -> [String; 5] {
    let because = if row.because.is_empty() { String::new() } else { format!(" ({})", row.because) };
    let agreement = match row.agreement() {
        Agreement::Right => "right",
        Agreement::FalseGo => "FALSE GO",
        Agreement::FalseNoGo => "false NO-GO",
        Agreement::Undecided => "undecided",
        Agreement::NoTruth => "no truth",
    };
    [
        row.scenario.clone(),
        row.truth.stream.to_string(),
        row.truth.summary(),
        format!("{}{because}", row.said.word()),
        agreement.to_owned(),
    ]
}

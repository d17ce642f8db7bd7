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
    let mut text = "| scenario | stream | what became of it | golive | |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let cells = cells(row).map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    let counts = Counts::of(rows.iter().map(|row| (&row.truth, row.said)));
    let _ = write!(text, "\n{}.\n", counts.sentence());
    text
}

/// One row for a terminal.
pub fn plain_row(row: &Row) -> String {
    let [scenario, stream, truth, said, agreement] = cells(row);
    format!("{scenario:<28} {stream:<34} {said:<30} {agreement}\n    {truth}\n")
}

/// The table for a terminal.
pub fn plain(rows: &[Row]) -> String {
    let mut text: String = rows.iter().map(plain_row).collect();
    let counts = Counts::of(rows.iter().map(|row| (&row.truth, row.said)));
    let _ = writeln!(text, "{}", counts.sentence());
    text
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

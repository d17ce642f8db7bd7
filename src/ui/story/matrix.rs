//! Targets by ways out: what came of each question at a target, over each path and address
//! family. Put together from the cards; nothing is judged here.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::{Card, FindingText, Stage};
use crate::model::{Family, Outcome};
use crate::probe::Reading;
use crate::report::rules;

/// Probes that ask this machine, its own network or people: they have no target outside.
const INSIDE: &[&str] = &["attest", "clock", "dns", "firewall", "link"];
const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// One way to go: a path and an address family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The path; none where the policy names none.
    pub path: Option<String>,
    /// The family.
    pub family: Family,
    /// Nothing was tried over the other family, which has no column.
    pub only: bool,
}

/// What came of one question over one way.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No check asks it over this path.
    NotAsked,
    /// Nothing is known of this family.
    Unseen {
        /// Index of the check's card.
        card: usize,
        /// An address of it was tried, and no finding speaks of it.
        tried: bool,
    },
    /// What it came to.
    Seen {
        /// Index of the check's card.
        card: usize,
        /// How far it is; judged: what is said of this family.
        stage: Stage,
        /// The finding that decides, in a word or two; empty before there is one.
        word: String,
    },
}

impl Cell {
    /// Index of the check's card.
    pub const fn card(&self) -> Option<usize> {
        match self {
            Self::NotAsked => None,
            Self::Unseen { card, .. } | Self::Seen { card, .. } => Some(*card),
        }
    }
}

/// One question at one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The probe's word.
    pub probe: &'static str,
    /// The target.
    pub target: String,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    /// The ways, by path in the order of the checks.
    pub columns: Vec<Column>,
    /// The questions, in the order of the checks.
    pub rows: Vec<Row>,
}

impl Matrix {
    /// From the cards.
    pub fn of(cards: &[Card]) -> Self {
        let outside = || cards.iter().enumerate().filter(|(_, card)| !INSIDE.contains(&card.probe));
        let mut paths: Vec<Option<&String>> = Vec::new();
        for (_, card) in outside() {
            if !paths.contains(&card.path.as_ref()) {
                paths.push(card.path.as_ref());
            }
        }
        let columns: Vec<Column> = paths
            .into_iter()
            .flat_map(|path| FAMILIES.map(|family| Column { path: path.cloned(), family, only: false }))
            .collect();
        let mut rows: Vec<Row> = Vec::new();
        let mut known: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (index, card) in outside() {
            // two checks may ask the same of the same target, with other limits
            let free = |row: &Row| {
                let mut cells = row.cells.iter().zip(&columns);
                cells.all(|(cell, column)| column.path != card.path || *cell == Cell::NotAsked)
            };
            let same = known.entry((card.probe, &card.target)).or_default();
            let found = same.iter().copied().find(|at| rows.get(*at).is_some_and(free));
            let at = found.unwrap_or_else(|| {
                let cells = vec![Cell::NotAsked; columns.len()];
                rows.push(Row { probe: card.probe, target: card.target.clone(), cells });
                same.push(rows.len() - 1);
                rows.len() - 1
            });
            let cells = rows.get_mut(at).map(|row| row.cells.iter_mut()).into_iter().flatten();
            for (cell, column) in cells.zip(&columns).filter(|(_, column)| column.path == card.path) {
                *cell = seen(index, card, column.family);
            }
        }
        let mut matrix = Self { columns, rows };
        matrix.leave_out_untried();
        matrix
    }

    /// A family over which nothing was tried on a path has no column, when the other one has.
    fn leave_out_untried(&mut self) {
        let tried =
            |at: usize| self.rows.iter().any(|row| matches!(row.cells.get(at), Some(Cell::Seen { .. })));
        let tried: Vec<bool> = (0..self.columns.len()).map(tried).collect();
        // the families of a path stand side by side
        let beside = |at: usize| tried.get(at ^ 1).copied().unwrap_or(false);
        let kept: Vec<bool> = tried.iter().enumerate().map(|(at, tried)| *tried || !beside(at)).collect();
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.only = kept.get(at ^ 1) == Some(&false);
        }
        let mut keep = kept.iter().copied();
        self.columns.retain(|_| keep.next().unwrap_or(true));
        for row in &mut self.rows {
            let mut keep = kept.iter().copied();
            row.cells.retain(|_| keep.next().unwrap_or(true));
        }
    }
}

fn seen(index: usize, card: &Card, family: Family) -> Cell {
    let Stage::Judged(outcome) = card.stage else {
        return Cell::Seen { card: index, stage: card.stage, word: String::new() };
    };
    if !card.families.is_empty() && !card.families.contains(&family) {
        return Cell::Unseen { card: index, tried: false };
    }
    // an outcome that no finding explains (too old, never measured) is that of every family
    let explained = worst(card.findings.iter()).filter(|finding| Outcome::from(finding.effect) == outcome);
    let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
    let here =
        |finding: &&FindingText| finding.families.contains(&family) || !finding.families.contains(&other);
    let (outcome, word) = match (explained, worst(card.findings.iter().filter(here))) {
        (None, _) => (outcome, unexplained(card)),
        (Some(_), Some(finding)) => (finding.effect.into(), tail(&finding.code)),
        (Some(_), None) => return Cell::Unseen { card: index, tried: true },
    };
    Cell::Seen { card: index, stage: Stage::Judged(outcome), word }
}

/// The first of the worst findings.
fn worst<'a>(findings: impl Iterator<Item = &'a FindingText>) -> Option<&'a FindingText> {
    findings.reduce(|worst, finding| if finding.effect > worst.effect { finding } else { worst })
}

/// `port.reset_after_data`: `reset after data`.
pub(super) fn tail(code: &str) -> String {
    code.rsplit_once('.').map_or(code, |(_, tail)| tail).replace('_', " ")
}

fn unexplained(card: &Card) -> String {
    match &card.not_measured {
        Some(not) => not.cause.replace('_', " "),
        None if card.never_asked() => "never asked".to_owned(),
        None => String::new(),
    }
}

/// Families that a text names, by word or by address.
pub(super) fn named(text: &str) -> Vec<Family> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'));
    let address = |word: &str| {
        let word = word.strip_suffix(':').unwrap_or(word);
        if let Some(family) = FAMILIES.into_iter().find(|family| family.word() == word) {
            return Some(family);
        }
        let socket = word.parse::<SocketAddr>().map(|socket| socket.ip());
        socket.or_else(|_| word.parse::<IpAddr>()).ok().map(Family::of)
    };
    let mut families: Vec<Family> = words.filter_map(address).collect();
    families.dedup();
    families
}

/// Families that were asked at the target, IPv4 first.
pub(super) fn families(reading: &Reading) -> Vec<Family> {
    let of = |contact: &crate::model::Contact| Family::of(contact.remote.ip());
    let mut families: Vec<Family> = match reading {
        // the load goes over one connection, whatever was tried before
        Reading::Upload(upload) => vec![of(&upload.data)],
        Reading::Rehearsal(take) => {
            let used = take.attempts.iter().filter(|attempt| attempt.failed.is_none());
            used.map(|attempt| of(&attempt.contact)).collect()
        }
        other => rules::contacts(other).into_iter().map(of).collect(),
    };
    families.sort_unstable();
    families.dedup();
    families
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Effect;
    use crate::model::Family::{V4, V6};
    use crate::ui::fixture::{self, End};

    fn cards() -> Vec<Card> {
        fixture::cards(End::NoGo)
    }

    fn card<'a>(cards: &'a mut [Card], id: &str) -> &'a mut Card {
        cards.iter_mut().find(|card| card.id == id).unwrap()
    }

    fn cell<'a>(matrix: &'a Matrix, probe: &str, column: usize) -> &'a Cell {
        &matrix.rows.iter().find(|row| row.probe == probe).unwrap().cells[column]
    }

    fn said(cell: &Cell) -> (Outcome, &str) {
        match cell {
            Cell::Seen { stage: Stage::Judged(outcome), word, .. } => (*outcome, word),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_is_a_question_and_a_column_a_way() {
        let matrix = Matrix::of(&cards());
        let paths: Vec<_> = matrix.columns.iter().map(|column| column.path.as_deref()).collect();
        assert_eq!(paths, [None, None, Some("primary"), Some("primary"), Some("backup"), Some("backup")]);
        let probes: Vec<_> = matrix.rows.iter().map(|row| row.probe).collect();
        assert_eq!(probes, ["port", "rtmp", "srt", "tls", "path", "upload"], "both uploads in one row");
        let upload = &matrix.rows[5].cells;
        assert_eq!((&upload[0], said(&upload[2]).0), (&Cell::NotAsked, Outcome::Fail));
        assert_eq!(said(cell(&matrix, "path", 0)), (Outcome::Unknown, "far end"), "not measured, and why");
    }

    #[test]
    fn each_family_has_its_own_word() {
        let mut cards = cards();
        let port = card(&mut cards, "port.rtmps");
        port.stage = Stage::Judged(Outcome::Fail);
        port.families = vec![V4, V6];
        let finding = |code: &str, effect, observed: &str| FindingText {
            code: code.to_owned(),
            means: None,
            effect,
            expected: "open".to_owned(),
            observed: observed.to_owned(),
            families: named(observed),
            remedy: String::new(),
        };
        port.findings = vec![
            finding("port.open", Effect::Pass, "IPv4 203.0.113.7: open"),
            finding("port.filtered", Effect::Fail, "IPv6 2001:db8::7: nothing came back"),
        ];
        let matrix = Matrix::of(&cards);
        assert_eq!(said(cell(&matrix, "port", 0)), (Outcome::Pass, "open"));
        assert_eq!(said(cell(&matrix, "port", 1)), (Outcome::Fail, "filtered"));
        card(&mut cards, "port.rtmps").families = vec![V4];
        assert!(matches!(cell(&Matrix::of(&cards), "port", 1), Cell::Unseen { tried: false, .. }));
        let port = card(&mut cards, "port.rtmps");
        (port.stage, port.families) = (Stage::Judged(Outcome::Pass), vec![V4, V6]);
        port.findings.truncate(1);
        let unsaid = Matrix::of(&cards);
        assert!(matches!(cell(&unsaid, "port", 1), Cell::Unseen { tried: true, .. }), "no pass for IPv6");
    }

    #[test]
    fn a_family_that_nobody_tried_has_no_column() {
        let mut cards = cards();
        cards.iter_mut().filter(|card| card.path.is_some()).for_each(|card| card.families = vec![V4]);
        let matrix = Matrix::of(&cards);
        let only: Vec<_> = matrix.columns.iter().map(|column| (column.family, column.only)).collect();
        assert_eq!(only, [(V4, false), (V6, false), (V4, true), (V4, true)]);
        assert!(matrix.rows.iter().all(|row| row.cells.len() == 4));
        assert_eq!(said(&matrix.rows[5].cells[3]).0, Outcome::Fail, "the backup's upload");
    }

    #[test]
    fn evidence_that_is_too_old_passes_in_no_family() {
        let mut cards = cards();
        let port = card(&mut cards, "port.rtmps");
        (port.stage, port.families) = (Stage::Judged(Outcome::Unknown), vec![V4, V6]);
        let matrix = Matrix::of(&cards);
        assert_eq!([0, 1].map(|column| said(cell(&matrix, "port", column)).0), [Outcome::Unknown; 2]);
    }

    #[test]
    fn addresses_are_found_in_what_findings_say() {
        assert_eq!(named("203.0.113.7:1935: refused"), [V4]);
        assert_eq!(named("31 ms, [2001:db8::1]:9000 (IPv6)"), [V6]);
        assert_eq!(named("IPv6 2001:db8::1: filtered; 10.1.2.3"), [V6, V4]);
        assert_eq!(named("IPv4: open after 1 s"), [V4]);
        assert_eq!(named("8790 kb/s at the 5th percentile, 5.7.6"), []);
    }
}

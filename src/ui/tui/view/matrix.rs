//! Targets by ways out: a row for each question at a target, a column for each path and family.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{framed, stage_text, titled, words};
use crate::model::Outcome;
use crate::ui::story::{Cell, Matrix, Row, Stage};
use crate::ui::tui::pointer::{Hit, Spots};
use crate::ui::tui::state::State;
use crate::ui::tui::theme::Theme;
use crate::ui::tui::wrap::{cells, clip};

/// Narrowest and widest column, with its air.
const COLUMN: (usize, usize) = (10, 22);
/// Fewest cells for the target.
const TARGET: usize = 26;

/// Draws it around the selected cell.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme, spots: &mut Spots) {
    let matrix = state.matrix();
    let mut block = framed(theme, titled(theme, "targets by ways out"));
    let (at, column) = state.cell(&matrix);
    let selected = matrix.rows.get(at).and_then(|row| row.cells.get(column)?.card());
    if let Some(card) = selected.and_then(|card| state.story.cards.get(card)) {
        block = block.title_bottom(Line::from(format!(" Enter: {} ", card.id)).right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    spots.put(area, Hit::Rows);
    if matrix.rows.is_empty() {
        let text = " no check of this policy goes to a target outside";
        frame.render_widget(Line::from(Span::styled(text, theme.faint())), inner);
        return;
    }
    let grid = Grid::of(&matrix, state, theme, usize::from(inner.width), (at, column));
    let mut lines = grid.head(&matrix);
    let height = usize::from(inner.height).saturating_sub(lines.len());
    let top = at.saturating_sub(height / 2).min(matrix.rows.len().saturating_sub(height));
    let shown = matrix.rows.iter().enumerate().skip(top).take(height);
    for (line, row) in inner.rows().skip(lines.len()).zip(top..matrix.rows.len()) {
        grid.put(spots, line, row);
    }
    lines.extend(shown.map(|(index, row)| grid.row(index, row)));
    frame.render_widget(Paragraph::new(lines), inner);
}

/// What fits where.
struct Grid<'a> {
    state: &'a State,
    theme: Theme,
    /// Cells of the target, and of one column.
    target: usize,
    column: usize,
    /// First column that is shown, and how many are.
    from: usize,
    shown: usize,
    at: (usize, usize),
}

impl<'a> Grid<'a> {
    fn of(matrix: &Matrix, state: &'a State, theme: Theme, width: usize, at: (usize, usize)) -> Self {
        let texts =
            matrix.rows.iter().flat_map(|row| &row.cells).map(|cell| cells(&text(cell, state, theme).0));
        let column = (texts.max().unwrap_or(0) + 2).clamp(COLUMN.0, COLUMN.1);
        let room = width.saturating_sub(TARGET);
        let shown = (room / column).clamp(1, matrix.columns.len().max(1));
        let from = (at.1 + 1).saturating_sub(shown);
        Self { state, theme, target: width.saturating_sub(shown * column), column, from, shown, at }
    }

    /// Where the cells of a row can be clicked: on the target, in the column that was gone to.
    fn put(&self, spots: &mut Spots, line: Rect, row: usize) {
        spots.put(line, Hit::Cell(row, self.at.1));
        let places = (0..self.shown)
            .map(|place| (self.target + place * self.column, self.column, Hit::Cell(row, self.from + place)));
        words::put(spots, line, places.collect());
    }

    /// Paths above families.
    fn head(&self, matrix: &Matrix) -> Vec<Line<'static>> {
        let columns = || matrix.columns.iter().skip(self.from).take(self.shown);
        let mut last = None;
        let paths = columns().map(|column| {
            let new = last != Some(&column.path);
            last = Some(&column.path);
            let path = column.path.as_deref().unwrap_or("default route");
            self.padded(if new { path } else { "" }, self.column)
        });
        let left = if self.from > 0 { self.theme.pick("←", "<") } else { "" };
        let paths: String = [self.padded(left, self.target)].into_iter().chain(paths).collect();
        let families = columns().map(|column| {
            let only = if column.only { " only" } else { "" };
            self.padded(&format!("{}{only}", column.family.word()), self.column)
        });
        let families: String = [self.padded("", self.target)].into_iter().chain(families).collect();
        let more = matrix.columns.len() > self.from + self.shown;
        let paths = if more { self.ended(&paths) } else { paths };
        vec![
            Line::from(Span::styled(paths, self.theme.strong())),
            Line::from(Span::styled(families, self.theme.faint())),
        ]
    }

    /// With a sign in the last cell: there are columns beyond it.
    fn ended(&self, line: &str) -> String {
        let room = (self.target + self.shown * self.column).saturating_sub(1);
        self.padded(line.trim_end(), room) + self.theme.pick("→", ">")
    }

    fn row(&self, index: usize, row: &Row) -> Line<'static> {
        let here = index == self.at.0;
        let mark = if here { self.theme.pick("▸", ">") } else { " " };
        let name = self.padded(&format!("{mark}{:<9} {}", row.probe, row.target), self.target);
        let mut spans = vec![Span::styled(name, if here { self.theme.strong() } else { Style::new() })];
        for (column, cell) in row.cells.iter().enumerate().skip(self.from).take(self.shown) {
            let (text, style) = text(cell, self.state, self.theme);
            let style = if (index, column) == self.at { style.patch(self.theme.selected()) } else { style };
            let text = clip(&text, self.column.saturating_sub(1), self.theme.pick("…", "..."));
            let gap = " ".repeat(self.column.saturating_sub(cells(&text)));
            spans.extend([Span::styled(text, style), Span::raw(gap)]);
        }
        Line::from(spans)
    }

    fn padded(&self, text: &str, width: usize) -> String {
        let text = clip(text, width.saturating_sub(1), self.theme.pick("…", "..."));
        let gap = width.saturating_sub(cells(&text));
        text + &" ".repeat(gap)
    }
}

/// Sign and word of a cell, and how it looks.
fn text(cell: &Cell, state: &State, theme: Theme) -> (String, Style) {
    match cell {
        Cell::NotAsked => (theme.pick("·", ".").to_owned(), theme.faint()),
        Cell::Unseen { tried, .. } => {
            let text = if *tried { "- not judged" } else { "- not tried" };
            (text.to_owned(), theme.faint())
        }
        Cell::Seen { card, stage, word } => {
            let waived = state.story.cards.get(*card).is_some_and(|card| card.waived.is_some());
            let said = match stage {
                // a waiver never changes the outcome: it stands beside it
                Stage::Judged(outcome) if waived && *outcome != Outcome::Pass => {
                    format!("{}, waived", outcome.word())
                }
                _ if word.is_empty() => stage_text(*stage).to_owned(),
                _ => word.clone(),
            };
            (format!("{} {said}", theme.stage_sign(*stage, state.now_ms())), theme.stage(*stage))
        }
    }
}

//! The selected cell of the matrix: its check is the selected one.

use super::{Filter, Search, State};
use crate::ui::story::Matrix;
use crate::ui::tui::page::Page;

/// Where to go from a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// So many rows.
    Rows(isize),
    /// So many columns.
    Columns(isize),
}

impl State {
    /// What the checks say, by target and way out.
    pub fn matrix(&self) -> Matrix {
        Matrix::of(&self.story.cards)
    }

    /// Row and column of the selected cell: of the selected check, where that is in the matrix.
    pub fn cell(&self, matrix: &Matrix) -> (usize, usize) {
        let here = |row: usize, column: usize| {
            matrix.rows.get(row).and_then(|row| row.cells.get(column)?.card()) == Some(self.selected)
        };
        let (row, column) = self.cell;
        let column = column.min(matrix.columns.len().saturating_sub(1));
        if here(row, column) || self.at_nothing {
            return (row.min(matrix.rows.len().saturating_sub(1)), column);
        }
        let rows = || 0..matrix.rows.len();
        let same_column = rows().find(|row| here(*row, column)).map(|row| (row, column));
        let any = || rows().find_map(|row| Some((row, (0..matrix.columns.len()).find(|at| here(row, *at))?)));
        same_column.or_else(any).unwrap_or((0, 0))
    }

    /// The check of the selected cell, with its details; also one that the filter hides.
    pub(super) fn show_cell(&mut self) {
        if !self.at_nothing {
            if self.card().is_none() {
                (self.filter, self.search) = (Filter::All, Search::default());
            }
            self.open(Page::Checks);
        }
    }

    pub(super) fn step_cell(&mut self, step: Step) {
        let matrix = self.matrix();
        let (row, column) = self.cell(&matrix);
        let within =
            |at: usize, by: isize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
        let cell = match step {
            Step::Rows(by) => (within(row, by, matrix.rows.len()), column),
            Step::Columns(by) => (row, within(column, by, matrix.columns.len())),
        };
        self.select_cell(&matrix, cell);
    }

    /// A click selects a cell; one on the selected cell shows its check.
    pub(super) fn click_cell(&mut self, cell: (usize, usize)) {
        let matrix = self.matrix();
        if self.cell(&matrix) == cell {
            self.show_cell();
        } else {
            self.select_cell(&matrix, cell);
        }
    }

    fn select_cell(&mut self, matrix: &Matrix, cell: (usize, usize)) {
        self.cell = cell;
        let card = matrix.rows.get(cell.0).and_then(|row| row.cells.get(cell.1)?.card());
        self.at_nothing = card.is_none();
        if let Some(card) = card {
            self.select(card);
        }
        self.follow = false;
    }
}

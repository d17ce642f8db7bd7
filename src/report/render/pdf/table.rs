//! Tables: a row never stands on two pages, and its head stands on each.

use std::rc::Rc;

use super::flow::{Flow, QUIET, words};
use super::lines::{Style, Text};
use super::palette::{INK, RULE};
use super::slab::{Pen, Slab, straight};
use super::tags::{Part, Role};

/// Lines of one paragraph in a cell at most.
const MOST: usize = 10;
const BETWEEN: f32 = 8.0;
const PAD: f32 = 2.6;

/// Paragraphs in one cell.
pub type Cell = Vec<Text>;

/// Heads and widths of the columns; the widths are shares of the whole.
pub type Columns<'a> = [(&'a str, f32)];

impl Flow<'_> {
    /// A table.
    pub fn table(&mut self, columns: &Columns<'_>, rows: &[Vec<Cell>]) {
        let table = self.tags.add(self.within, Role::Table);
        let shares: f32 = columns.iter().map(|(_, share)| share).sum();
        let widths: Vec<f32> = columns.iter().map(|(_, share)| self.width * share / shares).collect();
        let heads: Vec<Cell> = columns
            .iter()
            .map(|(head, _)| vec![vec![words(*head, Style { face: super::face::Face::Bold, ..QUIET })]])
            .collect();
        let row = self.tags.add(table, Role::Row);
        let mut head = self.row(row, &heads, &widths, &Role::HeadCell);
        head.keep = true;
        let mut repeated = head.clone();
        repeated.marks.iter_mut().for_each(|mark| mark.part = None);
        let repeated = Rc::new(repeated);
        self.slabs.push(head);
        for cells in rows {
            let part = self.tags.add(table, Role::Row);
            let mut slab = self.row(part, cells, &widths, &Role::Cell);
            slab.head = Some(Rc::clone(&repeated));
            self.slabs.push(slab);
        }
    }

    fn row(&mut self, row: Part, cells: &[Cell], widths: &[f32], role: &Role) -> Slab {
        let mut slab = Slab::default();
        let (mut x, mut deepest) = (0.0, 0.0_f32);
        for (cell, width) in cells.iter().zip(widths) {
            let part = self.tags.add(row, role.clone());
            let mut top = PAD;
            for paragraph in cell {
                for line in self.set(Some(part), paragraph, x, width - BETWEEN, MOST) {
                    let height = line.height;
                    slab.marks.extend(line.moved(0.0, top).marks);
                    top += height;
                }
            }
            deepest = deepest.max(top);
            x += width;
        }
        slab.height = deepest + PAD;
        let (colour, width) = if *role == Role::HeadCell { (INK, 0.7) } else { (RULE, 0.6) };
        slab.shape(
            straight((0.0, slab.height), (self.width, slab.height)),
            None,
            Some(Pen::new(colour, width)),
        );
        slab
    }
}

//! Slabs onto pages. What must stay together does, as far as a page can hold it.

use super::slab::{Mark, Slab};

/// Width of A4.
pub const WIDTH: f32 = 595.28;
/// Height of A4.
pub const HEIGHT: f32 = 841.89;
/// Margin at the left and at the right.
pub const SIDE: f32 = 45.0;
/// Width between the margins.
pub const COLUMN: f32 = WIDTH - 2.0 * SIDE;
const TOP: f32 = 32.0;
/// Top of later pages, below the line that says which report this is.
const LATER_TOP: f32 = 56.0;
const BOTTOM: f32 = HEIGHT - 40.0;
/// What the first page holds.
pub const FIRST: f32 = BOTTOM - TOP;
/// Most pages: a forged report must not fill a disk. What is left out is in report.json, which
/// the PDF carries, and the last page says so.
pub const MOST: usize = 600;

/// What stands on one page, in its place.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Back to front.
    pub marks: Vec<Mark>,
    /// Level, words and height of each entry of the bookmarks.
    pub bookmarks: Vec<(u8, String, f32)>,
}

/// Fills pages. True with them when there was more than they may hold.
pub fn pages(slabs: Vec<Slab>) -> (Vec<Page>, bool) {
    let mut pages = vec![Page::default()];
    let mut y = TOP;
    let mut slabs = slabs.into_iter().peekable();
    while slabs.peek().is_some() {
        let mut group = Vec::new();
        for slab in slabs.by_ref() {
            let keep = slab.keep;
            group.push(slab);
            if !keep {
                break;
            }
        }
        let height: f32 = group.iter().map(|slab| slab.height).sum();
        let begun = y > top(pages.len());
        let fits = y + height <= BOTTOM;
        let alone = group.iter().all(|slab| slab.space);
        let asked = group.iter().any(|slab| slab.new_page);
        let mut turn = begun && (asked || (!fits && !alone));
        for slab in group {
            turn |= y + slab.height > BOTTOM && y > top(pages.len()) && !slab.space;
            if turn {
                if pages.len() == MOST {
                    return (pages, true);
                }
                pages.push(Page::default());
                y = top(pages.len());
                turn = false;
                if let Some(head) = &slab.head {
                    put(&mut pages, head.as_ref().clone(), &mut y);
                }
            }
            // distance is between things, never above the first
            if !slab.space || y > top(pages.len()) {
                put(&mut pages, slab, &mut y);
            }
        }
    }
    (pages, false)
}

const fn top(page: usize) -> f32 {
    if page == 1 { TOP } else { LATER_TOP }
}

fn put(pages: &mut [Page], slab: Slab, y: &mut f32) {
    let Some(page) = pages.last_mut() else { return };
    let height = slab.height;
    if let Some((level, title)) = &slab.bookmark {
        page.bookmarks.push((*level, title.clone(), *y));
    }
    page.marks.extend(slab.moved(SIDE, *y).marks);
    *y += height;
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::report::render::pdf::palette::INK;
    use crate::report::render::pdf::slab::rectangle;

    fn slab(height: f32) -> Slab {
        let mut slab = Slab { height, ..Slab::default() };
        slab.shape(rectangle(0.0, 0.0, 1.0, height), Some(INK), None);
        slab
    }

    fn counts(slabs: Vec<Slab>) -> Vec<usize> {
        pages(slabs).0.iter().map(|page| page.marks.len()).collect()
    }

    #[test]
    fn a_heading_goes_with_what_it_is_above() {
        let heading = Slab { keep: true, ..slab(20.0) };
        assert_eq!(counts(vec![slab(720.0), heading, slab(50.0)]), [1, 2]);
    }

    #[test]
    fn the_head_of_a_table_stands_on_each_of_its_pages() {
        let head = Rc::new(slab(10.0));
        let rows = (0..3).map(|_| Slab { head: Some(Rc::clone(&head)), ..slab(400.0) });
        assert_eq!(counts(rows.collect()), [1, 2, 2]);
    }

    #[test]
    fn no_page_begins_with_nothing() {
        assert_eq!(counts(vec![slab(750.0), Slab::space(10.0), slab(50.0)]), [1, 1]);
        let first = Slab { new_page: true, ..slab(5.0) };
        assert_eq!(counts(vec![first.clone(), first]), [1, 1]);
    }

    #[test]
    fn what_is_taller_than_a_page_ends() {
        assert_eq!(counts(vec![slab(5000.0), slab(5.0)]), [1, 1]);
        let (all, more) = pages((0..2000).map(|_| slab(700.0)).collect());
        assert_eq!((all.len(), more), (MOST, true));
    }
}

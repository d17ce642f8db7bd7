//! Each theme: the same text, its own looks.

use std::fmt::Write as _;

use super::*;

/// Rows of a screen as pieces of one look each: text, letters, ground, modifiers.
fn looks(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut out = String::new();
    for row in buffer.content.chunks(width) {
        let look = |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg, cell.modifier);
        for piece in row.chunk_by(|one, other| look(one) == look(other)) {
            let text: String = piece.iter().map(ratatui::buffer::Cell::symbol).collect();
            if !text.trim().is_empty() || piece[0].modifier != ratatui::style::Modifier::empty() {
                let (front, back, modifier) = look(&piece[0]);
                let _ = writeln!(out, "{front}/{back} {modifier:?} {}", text.trim());
            }
        }
    }
    out
}

#[test]
fn each_theme_has_the_same_text_and_looks_of_its_own() {
    let plain = text(&draw(&mut over(End::NoGo), SMALL, MONO));
    for (name, palette) in Palette::ALL {
        let shown = draw(&mut over(End::NoGo), SMALL, Theme { palette, charset: Charset::Unicode });
        assert_eq!(text(&shown), plain, "{name}");
        assert_snapshot!(format!("theme_{name}_80x24"), looks(&shown));
    }
}

#[test]
fn a_theme_with_a_ground_leaves_no_cell_to_the_terminal() {
    for palette in [Palette::Light, Palette::HighContrast] {
        let mut state = after(End::NoGo, 12.9, COLOUR);
        for key in [Key::Other, Key::Help, Key::Back, Key::NextPage] {
            state.key(key);
            let shown = draw(&mut state, SMALL, Theme { palette, charset: Charset::Unicode });
            assert!(shown.content.iter().all(|cell| cell.fg != Color::Reset && cell.bg != Color::Reset));
        }
    }
}

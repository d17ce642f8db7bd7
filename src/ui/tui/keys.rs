//! What each key means, and the table that the help shows.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The check above.
    Up,
    /// The check below.
    Down,
    /// The first check.
    First,
    /// The last check.
    Last,
    /// Details, a page up.
    PageUp,
    /// Details, a page down.
    PageDown,
    /// The way at the left.
    Left,
    /// The way at the right.
    Right,
    /// The next page.
    NextPage,
    /// The page before.
    PreviousPage,
    /// The page of this tab, counted from 0.
    Page(usize),
    /// All checks, those that need attention, or one area's.
    Filter,
    /// Look for a text in the checks.
    Search,
    /// Follow what is running.
    Follow,
    /// The next chart.
    Chart,
    /// Show or hide the keys.
    Help,
    /// Close what is open.
    Back,
    /// Answer questions to people.
    Answer,
    /// No more answers: write the report. In the matrix: show the cell's check.
    Done,
    /// Sign a decision about the report.
    Sign,
    /// Ask for a waiver of the selected check.
    Waive,
    /// Write the report's forms into a folder.
    Export,
    /// Measure the selected check again.
    Again,
    /// Yes.
    Yes,
    /// Stop the run, after asking; leave, when it is over.
    Quit,
    /// Stop the run at once; leave, when it is over or being stopped.
    Interrupt,
    /// Put golive to sleep: refused while it would spoil what is being measured.
    Suspend,
    /// Any other key.
    Other,
}

/// Keys and what they do, for the help.
pub const HELP: &[(&str, &str)] = &[
    ("Up Down Home End", "or k j g G: select a check; the first, the last"),
    ("PgUp PgDn, Space", "scroll the details"),
    ("Tab, 1 to 4", "pages: checks, matrix, way out, earlier runs"),
    ("Arrows, Enter", "in the matrix: another way; the check of the cell"),
    ("f", "what needs attention; one area after another; all"),
    ("/", "look for a text in the checks; Esc: no more"),
    ("c", "the next chart"),
    ("l", "follow what is running"),
    ("a", "answer questions to people"),
    ("s w e r", "once it is over: sign, waiver, export, re-run"),
    ("q", "stop the run (asks first); leave when it is over"),
    ("Ctrl-C", "stop at once, keep what was measured; again: leave"),
    ("Ctrl-Z", "sleep until fg, when nothing is measured"),
    ("? Esc", "show, hide this help"),
];

/// The same of the mouse, where it is golive's.
pub const MOUSE: (&str, &str) = ("mouse", "click what you want; wheel; Shift selects text");

impl Key {
    /// From the terminal's event; `None` for releases.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        if event.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(match event.code {
                KeyCode::Char('c' | 'C') => Self::Interrupt,
                KeyCode::Char('z' | 'Z') => Self::Suspend,
                _ => Self::Other,
            });
        }
        Some(match event.code {
            KeyCode::Up | KeyCode::Char('k') => Self::Up,
            KeyCode::Down | KeyCode::Char('j') => Self::Down,
            KeyCode::Left => Self::Left,
            KeyCode::Right => Self::Right,
            KeyCode::Tab => Self::NextPage,
            KeyCode::BackTab => Self::PreviousPage,
            KeyCode::Char(digit @ '1'..='9') => Self::Page(digit as usize - '1' as usize),
            KeyCode::Home | KeyCode::Char('g') => Self::First,
            KeyCode::End | KeyCode::Char('G') => Self::Last,
            KeyCode::PageUp | KeyCode::Char('b') => Self::PageUp,
            KeyCode::PageDown | KeyCode::Char(' ') => Self::PageDown,
            KeyCode::Char('f') => Self::Filter,
            KeyCode::Char('/') => Self::Search,
            KeyCode::Char('l') => Self::Follow,
            KeyCode::Char('c') => Self::Chart,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => Self::Help,
            KeyCode::Char('a') => Self::Answer,
            KeyCode::Char('s') => Self::Sign,
            KeyCode::Char('w') => Self::Waive,
            KeyCode::Char('e') => Self::Export,
            KeyCode::Char('r') => Self::Again,
            KeyCode::Enter => Self::Done,
            KeyCode::Esc => Self::Back,
            KeyCode::Char('y' | 'Y') => Self::Yes,
            KeyCode::Char('q' | 'Q') => Self::Quit,
            _ => Self::Other,
        })
    }
}

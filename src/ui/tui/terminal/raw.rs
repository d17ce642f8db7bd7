//! Taking the terminal, and giving it back however golive ends.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crossterm::event::DisableMouseCapture;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{Command, cursor, execute, terminal};

use crate::run::crash;

/// True while the terminal is ours.
static OURS: AtomicBool = AtomicBool::new(false);
/// True while the terminal tells us what the mouse does.
static MOUSE: AtomicBool = AtomicBool::new(false);
/// What panicked while the terminal was ours, to be said after it is given back.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Asks for clicks and the wheel (xterm's modes 1000 and 1006), not for all that the mouse passes over:
/// that would be a stream of events, over ssh too.
struct TellClicks;

impl Command for TellClicks {
    fn write_ansi(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str("\x1b[?1000h\x1b[?1006h")
    }

    #[cfg(windows)]
    fn execute_winapi(&self) -> io::Result<()> {
        crossterm::event::EnableMouseCapture.execute_winapi()
    }

    #[cfg(windows)]
    fn is_ansi_code_supported(&self) -> bool {
        false
    }
}

/// Takes the terminal, with or without the mouse; once more, after others used it.
pub(super) fn enter(mouse: bool) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
    if mouse {
        MOUSE.store(true, Ordering::SeqCst);
        execute!(io::stdout(), TellClicks)?;
    }
    Ok(())
}

/// Gives the terminal back, if it is ours; before ending the process early, call this.
pub fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    if MOUSE.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), DisableMouseCapture);
    }
    let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
    let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    for panic in panics.drain(..) {
        let _ = writeln!(io::stderr(), "{panic}");
    }
}

/// The terminal in raw mode on its alternate screen; dropping it gives the terminal back, also
/// when drawing panics.
pub(super) struct Raw;

impl Raw {
    pub(super) fn enter(mouse: bool) -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("stdout is not a terminal: use --plain or --json"));
        }
        keep_panics_off_the_screen();
        let raw = Self;
        enter(mouse)?;
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// While the terminal is ours, a panic's text would be written across the screen, and a panic
/// in a probe is no reason to end the screen (it becomes a "not measured"). So the text is
/// kept until the terminal is given back; a panic of the process's own end gives it back first.
fn keep_panics_off_the_screen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if OURS.load(Ordering::SeqCst) && std::thread::current().name() == Some("main") {
                restore();
            }
            if OURS.load(Ordering::SeqCst) {
                let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                panics.push(crash::hear(info));
                panics.truncate(16);
            } else {
                before(info);
            }
        }));
    });
}

//! The line to ourselves: what loads both cores or needs exact times runs one at a time.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// While this lives, no other holder of one runs: in this process or in another on this machine.
pub struct Quiet {
    _file: File,
    _process: MutexGuard<'static, ()>,
}

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Waits until nobody else is timing anything or loading the machine. Take it before laying
/// lines or starting peers, and hold it no longer than needed. Once a thread: a second one on the
/// same thread could never be had, and panics.
///
/// It keeps holders from each other, not the rest of the tests from running: who times something
/// still checks that the machine kept up.
pub fn quiet() -> Quiet {
    static PROCESS: Mutex<()> = Mutex::new(());
    assert!(!HELD.get(), "quiet() is held on this thread already");
    let process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let path = std::env::temp_dir().join("golive-lab.quiet");
    // Whoever runs as another user finds it locked by us, or may at least read it.
    let file = OpenOptions::new().create(true).append(true).open(&path).or_else(|_| File::open(&path));
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    HELD.set(true);
    Quiet { _file: file, _process: process }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        HELD.set(false);
    }
}

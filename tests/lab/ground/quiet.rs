//! The line to ourselves: what loads both cores or needs exact times runs alone, what measures
//! loosely beside a few of its kind.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::sync::{Condvar, Mutex, PoisonError};

/// So many may measure at once: what they do to each other stays below what they look for.
const SEATS: usize = 3;

static FREE: Mutex<usize> = Mutex::new(SEATS);
static CHANGED: Condvar = Condvar::new();

/// Leave to measure, until dropped.
pub struct Quiet {
    _file: File,
    seats: usize,
}

thread_local! {
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Waits until nobody else is timing anything or loading the machine: in this process or in another
/// on this machine. Take it before laying lines or starting peers, and hold it no longer than
/// needed. Once a thread: a second one on the same thread could never be had, and panics.
///
/// It keeps holders from each other, not the rest of the tests from running: who times something
/// still checks that the machine kept up.
pub fn quiet() -> Quiet {
    take(SEATS)
}

/// Waits until few others measure, and nobody has the machine to himself.
pub fn beside_others() -> Quiet {
    take(1)
}

fn take(seats: usize) -> Quiet {
    assert!(!HELD.replace(true), "this thread holds leave to measure already");
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut free = CHANGED.wait_while(free, |free| *free < seats).unwrap_or_else(PoisonError::into_inner);
    *free -= seats;
    drop(free);
    let path = std::env::temp_dir().join("golive-lab.quiet");
    // Whoever runs as another user finds it locked by us, or may at least read it.
    let file = OpenOptions::new().create(true).append(true).open(&path).or_else(|_| File::open(&path));
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let locked = if seats == SEATS { file.lock() } else { file.lock_shared() };
    locked.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Quiet { _file: file, seats }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        HELD.set(false);
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.seats;
        CHANGED.notify_all();
    }
}

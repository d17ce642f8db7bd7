//! Who may run beside whom: scenarios that only ask, many at once; those that measure the line, a
//! few at once and with nothing else beside them.

use std::sync::{Condvar, Mutex, PoisonError};

/// Scenarios that only ask: they mostly wait for what does not come.
pub const SIDE_BY_SIDE: usize = 6;
/// Scenarios that measure the line: each has a line of its own, but all share this machine.
const MEASURING: usize = 3;

#[derive(Default)]
struct Running {
    asking: usize,
    measuring: usize,
}

static RUNNING: Mutex<Running> = Mutex::new(Running { asking: 0, measuring: 0 });
static CHANGED: Condvar = Condvar::new();

/// Leave to run, until dropped.
pub struct Lane {
    measures: bool,
}

/// Waits until a scenario may run.
pub fn lane(measures: bool) -> Lane {
    let blocked = |running: &mut Running| {
        if measures {
            running.asking > 0 || running.measuring >= MEASURING
        } else {
            running.measuring > 0 || running.asking >= SIDE_BY_SIDE
        }
    };
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut running = CHANGED.wait_while(running, blocked).unwrap_or_else(PoisonError::into_inner);
    *running.of(measures) += 1;
    Lane { measures }
}

impl Running {
    fn of(&mut self, measures: bool) -> &mut usize {
        if measures { &mut self.measuring } else { &mut self.asking }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner).of(self.measures) -= 1;
        CHANGED.notify_all();
    }
}

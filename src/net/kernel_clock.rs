//! What the system's kernel says of its own clock: whether something keeps it right.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the kernel says of its clock (adjtimex(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelClock {
    /// A daemon keeps it: the kernel does not call itself unsynchronised.
    pub synchronised: bool,
    /// Furthest that the kernel believes it to be off, in µs. Grows while nobody keeps it.
    pub max_error_us: u64,
}

/// Asks the kernel; needs no privilege. `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub fn read() -> Option<KernelClock> {
    #[expect(unsafe_code, reason = "neither std nor rustix has adjtimex")]
    // SAFETY: all zeros is a valid `timex` (integers only), and without modes the kernel only writes into it.
    let (state, clock) = unsafe {
        let mut clock: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut clock), clock)
    };
    (state >= 0).then(|| KernelClock {
        synchronised: state != libc::TIME_ERROR && clock.status & libc::STA_UNSYNC == 0,
        max_error_us: u64::try_from(clock.maxerror).unwrap_or(0),
    })
}

/// Not asked here.
#[cfg(not(target_os = "linux"))]
pub const fn read() -> Option<KernelClock> {
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    #[test]
    fn an_ordinary_user_is_told() {
        let clock = super::read().expect("adjtimex without modes is everybody's");
        // The kernel grows the error of a clock that nobody keeps up to 16 s, and calls it unsynchronised.
        assert!(!clock.synchronised || clock.max_error_us <= 16_000_000, "{clock:?}");
    }
}

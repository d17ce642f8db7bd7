//! Congestion control and pacing of one socket (Linux; elsewhere the system's own).
//!
//! Encoders run on Windows, macOS and stock Linux, whose TCP is CUBIC (RFC 9438). A machine
//! that measures with BBR promises what CUBIC cannot keep on a lossy path.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socket2::{SockRef, Socket};

/// A congestion control.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Congestion {
    /// What encoders have: Windows, macOS and stock Linux.
    #[default]
    Cubic,
    /// RFC 5681.
    Reno,
    /// Version 1, as in Linux.
    Bbr,
    /// Whatever this machine uses by itself.
    System,
}

impl Congestion {
    /// The kernel's name for it; none for the system's own.
    pub const fn kernel_name(self) -> Option<&'static str> {
        match self {
            Self::Cubic => Some("cubic"),
            Self::Reno => Some("reno"),
            Self::Bbr => Some("bbr"),
            Self::System => None,
        }
    }
}

/// Asks for a congestion control, best before the socket connects. The kernel may refuse it:
/// [`in_force`] tells what it came to.
pub fn ask(socket: &Socket, wanted: Congestion) {
    #[cfg(target_os = "linux")]
    if let Some(name) = wanted.kernel_name() {
        let _ = socket.set_tcp_congestion(name.as_bytes());
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, wanted);
}

/// The congestion control of a socket, by the kernel's name; `None` where the system does not tell.
pub fn in_force(socket: &SockRef<'_>) -> Option<String> {
    #[cfg(target_os = "linux")]
    return {
        let name = socket.tcp_congestion().ok()?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(name).into_owned())
    };
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        None
    }
}

/// Lets the kernel send at most so many bytes a second (`SO_MAX_PACING_RATE`, works without
/// the fq queue too). False where it does not take it: then the sender must pace itself.
pub fn pace(socket: &Socket, bytes_per_second: u64) -> bool {
    #[cfg(target_os = "linux")]
    return linux::pace(socket, bytes_per_second);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (socket, bytes_per_second);
        false
    }
}

/// Keeps at most about so many bytes unsent in the kernel (`TCP_NOTSENT_LOWAT`), so that a
/// sender that stops has stopped, and what it reports as sent is on its way.
pub fn keep_unsent_below(socket: &Socket, bytes: u32) -> bool {
    #[cfg(target_os = "linux")]
    return socket.set_tcp_notsent_lowat(bytes).is_ok();
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (socket, bytes);
        false
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::AsRawFd as _;

    use socket2::Socket;

    pub(super) fn pace(socket: &Socket, bytes_per_second: u64) -> bool {
        let value: u64 = bytes_per_second;
        #[expect(clippy::cast_possible_truncation, reason = "the size of a u64")]
        let length = size_of::<u64>() as libc::socklen_t;
        #[expect(unsafe_code, reason = "setsockopt(SO_MAX_PACING_RATE): socket2 does not have it")]
        // SAFETY: the descriptor is open while borrowed; pointer and length are those of `value`.
        let done = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MAX_PACING_RATE,
                (&raw const value).cast(),
                length,
            )
        };
        done == 0
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use socket2::{Domain, Type};

    #[test]
    fn what_is_in_force_is_read_back() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let before = in_force(&SockRef::from(&socket)).unwrap();
        assert!(before.bytes().all(|c| c.is_ascii_alphanumeric()), "{before:?}");
        ask(&socket, Congestion::Reno); // allowed to everybody (tcp_allowed_congestion_control)
        assert_eq!(in_force(&SockRef::from(&socket)).as_deref(), Some("reno"));
        ask(&socket, Congestion::System);
        assert_eq!(in_force(&SockRef::from(&socket)).as_deref(), Some("reno"));
    }

    #[test]
    fn pacing_and_the_low_water_mark_are_taken() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        assert!(pace(&socket, 1_000_000));
        assert!(keep_unsent_below(&socket, 64 * 1024));
    }
}

//! Waiting on one socket from a thread of its own, to the tenth of a millisecond.
//!
//! Timers of the runtime are 1 ms grained and come late under load (`ppoll` on a thread of its own does not),
//! which is too coarse for what paces media.

use std::time::Duration;

use socket2::SockRef;

/// Returns when something can be read, when `to_write` something can be written, or after `limit`;
/// perhaps earlier. What it is shows on trying.
pub fn wait(socket: &SockRef<'_>, to_write: bool, limit: Duration) {
    #[cfg(target_os = "linux")]
    linux::wait(socket, to_write, limit);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (socket, to_write);
        std::thread::sleep(limit.min(Duration::from_millis(2)));
    }
}

/// Bytes that the kernel holds of a TCP connection: not yet sent, or not yet acknowledged. `None` where
/// the system does not tell.
pub fn held(socket: &SockRef<'_>) -> Option<u64> {
    #[cfg(target_os = "linux")]
    return linux::held(socket);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        None
    }
}

/// Processor time of this thread so far, in milliseconds; `None` where the system does not tell.
pub fn thread_cpu_ms() -> Option<f64> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let ns: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(ns / 1e6)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::AsRawFd as _;
    use std::time::Duration;

    use socket2::SockRef;

    pub(super) fn wait(socket: &SockRef<'_>, to_write: bool, limit: Duration) {
        let events = libc::POLLIN | if to_write { libc::POLLOUT } else { 0 };
        let mut one = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
        let limit = libc::timespec {
            tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        #[expect(unsafe_code, reason = "ppoll: std and socket2 have no wait with a limit below 1 ms")]
        // SAFETY: the pointers are to one `pollfd` and one `timespec` that live on this frame for as long
        // as the call; the descriptor is open while borrowed; no signal mask is given.
        unsafe {
            libc::ppoll(&raw mut one, 1, &raw const limit, std::ptr::null());
        }
    }

    pub(super) fn held(socket: &SockRef<'_>) -> Option<u64> {
        let mut bytes: libc::c_int = 0;
        #[expect(unsafe_code, reason = "ioctl(SIOCOUTQ): neither std nor socket2 has it")]
        // SAFETY: the descriptor is open while borrowed; SIOCOUTQ (the same number as TIOCOUTQ, tcp(7))
        // writes one int to where the pointer shows.
        let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
        (done == 0).then(|| u64::try_from(bytes).unwrap_or(0))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    #[test]
    fn waits_as_long_as_it_is_told_and_no_longer_than_needed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        let start = Instant::now();
        wait(&SockRef::from(&near), false, Duration::from_micros(3_300));
        assert!(start.elapsed() >= Duration::from_micros(3_300));
        far.write_all(b"x").unwrap();
        wait(&SockRef::from(&near), false, Duration::from_mins(1));
        wait(&SockRef::from(&near), true, Duration::from_mins(1));
        near.write_all(b"x").unwrap();
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_nobody_reads_is_held() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_far, _) = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        while near.write(&[0; 8_192]).is_ok() {}
        assert!(held(&SockRef::from(&near)).unwrap() > 65_536);
    }

    #[test]
    fn the_processor_time_of_a_thread_grows() {
        // The kernel may count whole ticks only.
        let begun = Instant::now();
        while thread_cpu_ms().is_some_and(|ms| ms <= 0.0) && begun.elapsed().as_secs() < 20 {
            std::hint::black_box(begun.elapsed());
        }
        assert!(thread_cpu_ms().unwrap() > 0.0);
    }
}

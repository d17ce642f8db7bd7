//! Socket options that are a number, for those that neither std nor socket2 has (Linux).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

/// The size of an int.
#[expect(clippy::cast_possible_truncation, reason = "four")]
const LENGTH: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

/// Sets an option; `name` is its level and number.
pub fn set(socket: &impl AsFd, name: (libc::c_int, libc::c_int), value: libc::c_int) -> io::Result<()> {
    let descriptor = socket.as_fd().as_raw_fd();
    #[expect(unsafe_code, reason = "neither std nor socket2 has these options")]
    // SAFETY: the descriptor is open while borrowed; pointer and length are those of `value`, which
    // outlives the call.
    let done = unsafe { libc::setsockopt(descriptor, name.0, name.1, (&raw const value).cast(), LENGTH) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads an option.
pub fn get(socket: &impl AsFd, name: (libc::c_int, libc::c_int)) -> io::Result<libc::c_int> {
    let (descriptor, mut value, mut length) = (socket.as_fd().as_raw_fd(), 0, LENGTH);
    #[expect(unsafe_code, reason = "neither std nor socket2 has these options")]
    // SAFETY: the descriptor is open while borrowed; the kernel writes at most `length` bytes, which
    // is what `value` has room for.
    let done =
        unsafe { libc::getsockopt(descriptor, name.0, name.1, (&raw mut value).cast(), &raw mut length) };
    if done == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

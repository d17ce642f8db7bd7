//! What the kernel hands over beside a datagram's bytes (Linux, recvmsg(2) and cmsg(3)).

use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{MaybeUninitSlice, MsgHdrMut, SockAddr, SockRef};

/// Room for all control messages of one datagram: the kernel cuts off what does not fit.
const ROOM: usize = 512;

/// A datagram, or what the error queue holds of one.
#[derive(Debug)]
pub struct Message {
    /// Bytes written to the buffer.
    pub length: usize,
    /// Who sent it, where the system says.
    pub from: Option<SocketAddr>,
    control: [u8; ROOM],
    control_length: usize,
}

/// One control message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// Protocol level and type, in setsockopt(2)'s numbers.
    pub kind: (libc::c_int, libc::c_int),
    /// Its data.
    pub data: &'a [u8],
}

impl Message {
    /// Its control messages, in order.
    pub fn controls(&self) -> impl Iterator<Item = Control<'_>> {
        controls(self.control.get(..self.control_length).unwrap_or_default())
    }
}

/// Receives one datagram, or with `MSG_ERRQUEUE` in `flags` one entry of the error queue.
pub fn receive(socket: &impl AsFd, buffer: &mut [u8], flags: libc::c_int) -> io::Result<Message> {
    let mut control = [MaybeUninit::<u8>::zeroed(); ROOM];
    // Large enough for both families; the kernel writes its own over it.
    let mut from = SockAddr::from(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    #[expect(unsafe_code, reason = "socket2 takes buffers that may be uninitialised only")]
    // SAFETY: the same bytes, seen as possibly uninitialised, for as long as `buffer` is borrowed;
    // recvmsg writes initialised bytes only.
    let room = unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) };
    let mut parts = [MaybeUninitSlice::new(room)];
    let mut message =
        MsgHdrMut::new().with_addr(&mut from).with_buffers(&mut parts).with_control(&mut control);
    let length = SockRef::from(socket).recvmsg(&mut message, flags)?;
    let control_length = message.control_len();
    #[expect(unsafe_code, reason = "the array was zeroed, which the type no longer shows")]
    // SAFETY: every byte was zeroed above, and the kernel writes initialised bytes only.
    let control = control.map(|byte| unsafe { byte.assume_init() });
    let from = from.as_socket().filter(|from| from.port() != 0);
    Ok(Message { length, from, control, control_length })
}

/// Walks control messages: `struct cmsghdr` (length, level, type), data, each aligned to a word.
fn controls(mut bytes: &[u8]) -> impl Iterator<Item = Control<'_>> {
    const WORD: usize = size_of::<usize>();
    const HEADER: usize = WORD + 2 * size_of::<libc::c_int>();
    std::iter::from_fn(move || {
        let length = usize::from_ne_bytes(*bytes.first_chunk::<WORD>()?);
        let level = libc::c_int::from_ne_bytes(*bytes.get(WORD..)?.first_chunk()?);
        let kind = libc::c_int::from_ne_bytes(*bytes.get(WORD + 4..)?.first_chunk()?);
        let data = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(WORD)..).unwrap_or_default();
        Some(Control { kind: (level, kind), data })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + data.len()).to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn messages_are_walked_and_what_is_cut_off_is_not_there() {
        let bytes = [one(0, 1, &[184]), one(1, 37, &[7; 48])].concat();
        let found: Vec<_> = controls(&bytes).collect();
        let expected = [Control { kind: (0, 1), data: &[184] }, Control { kind: (1, 37), data: &[7; 48] }];
        assert_eq!(found, expected);
        for cut in 0..bytes.len() {
            let whole = usize::from(cut >= 17) + usize::from(cut >= bytes.len());
            assert_eq!(controls(&bytes[..cut]).count(), whole, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(controls(&bytes).count() <= bytes.len());
        }
    }
}

//! What hostile packets can make the SRT and STAMP code hold, counted by the allocator: the
//! bounds that their pages state. One test alone, since every allocation of the process counts.
#![allow(clippy::unwrap_used, reason = "tests: a panic is the report")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use golive::wire::srt::{Caller, CallerOptions, Listener, ListenerEvent, ListenerOptions};
use golive::wire::stamp::{MAX_PACKETS, ReflectorPacket, SenderPacket, Session};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

#[expect(
    unsafe_code,
    reason = "a counting allocator: the trait is unsafe, and all it does is ask the system's"
)]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` held at a time, beyond what was held before.
fn peak(work: impl FnOnce()) -> usize {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed).saturating_sub(before)
}

/// Numbers that look random and are the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next().to_le_bytes()[3];
        }
    }

    fn address(&mut self) -> SocketAddr {
        let bits = u32::try_from(self.next() & 0xffff_ffff).unwrap();
        SocketAddr::from((Ipv4Addr::from(bits | 1), 1 + u16::try_from(bits & 0x7fff).unwrap()))
    }
}

#[test]
fn what_hostile_packets_can_make_it_hold_is_bounded() {
    stamp();
    srt_caller();
    srt_listener_before_the_cookie();
    srt_listener_with_a_hostile_caller();
}

fn stamp() {
    let mut datagram = [0; 1472];
    Noise(1).fill(&mut datagram);
    let parsing = peak(|| {
        for cut in 0..datagram.len() {
            let _ = SenderPacket::parse(&datagram[..cut]);
            let _ = ReflectorPacket::parse(&datagram[..cut]);
        }
    });
    assert_eq!(parsing, 0, "parsing allocates nothing");
    let books = peak(|| {
        let mut session = Session::new(usize::MAX);
        while session.sent(Duration::from_secs(1)).is_some() {}
        let reply = ReflectorPacket::parse(&datagram).unwrap();
        for sequence in (0..200_000).chain([u32::MAX]) {
            session.received(sequence, Duration::from_secs(2), Some(&reply));
        }
    });
    assert!(books <= MAX_PACKETS * 24 + 1024, "{books} bytes for a session's books");
}

/// The rest of the system's allocations while a few packets pass: queues and tables.
const SMALL: usize = 64 << 10;

fn srt_caller() {
    let (now, listener) = (Instant::now(), SocketAddr::from(([192, 0, 2, 1], 9000)));
    let held = peak(|| {
        let mut caller = Caller::new(CallerOptions::default(), listener, 7, now).unwrap();
        let request = caller.transmit(now).unwrap();
        let (mut noise, mut datagram) = (Noise(2), [0; 1500]);
        for n in 0..20_000_u32 {
            noise.fill(&mut datagram[..200]);
            if n % 2 == 0 {
                // A handshake addressed to us, with noise behind its head.
                datagram[..16].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                datagram[12..16].copy_from_slice(&request[40..44]);
            }
            caller.receive(now, listener, &datagram);
            while caller.event().is_some() {}
        }
    });
    assert!(held <= SMALL, "{held} bytes in a caller");
}

fn srt_listener_before_the_cookie() {
    let now = Instant::now();
    let options = ListenerOptions { handshakes_per_second: u32::MAX, ..ListenerOptions::default() };
    let mut caller =
        Caller::new(CallerOptions::default(), SocketAddr::from(([192, 0, 2, 1], 9000)), 7, now).unwrap();
    let induction = caller.transmit(now).unwrap();
    let held = peak(|| {
        let mut listener = Listener::new(&options, now).unwrap();
        let mut noise = Noise(3);
        for n in 0..50_000_u32 {
            let mut datagram = induction.clone();
            if n % 3 == 0 {
                // A conclusion with a guessed cookie.
                datagram[36..40].fill(0xff);
                noise.fill(&mut datagram[44..48]);
            }
            listener.receive(now, noise.address(), &datagram);
            while listener.transmit().is_some() {}
            assert!(listener.event().is_none());
        }
    });
    assert!(held <= SMALL, "{held} bytes in a listener that nobody has proved an address to");
}

fn srt_listener_with_a_hostile_caller() {
    let options = ListenerOptions { buffer_packets: 512, ..ListenerOptions::default() };
    let bound = options.buffer_packets * 2048 + 4 * SMALL;
    let (mut now, from) = (Instant::now(), SocketAddr::from(([192, 0, 2, 9], 40_000)));
    let held = peak(|| {
        let mut listener = Listener::new(&options, now).unwrap();
        let (destination, first) = connect(&mut listener, from, now);
        let mut noise = Noise(4);
        let mut datagram = vec![0_u8; 1472];
        for n in 0..60_000_u32 {
            now += Duration::from_micros(50);
            // First media with every eighth packet missing, to be held as long as possible; then
            // sequence numbers and times all over the place.
            let (offset, stamp) = if n < 30_000 {
                (n + n / 8 + 1, 0x7000_0000)
            } else {
                let random = u32::try_from(noise.next() & 0xffff_ffff).unwrap();
                (random, random.rotate_left(7))
            };
            let sequence = first.wrapping_add(offset) & 0x7fff_ffff;
            datagram[..4].copy_from_slice(&sequence.to_be_bytes());
            datagram[4..8].copy_from_slice(&(0xc000_0000 | n).to_be_bytes());
            datagram[8..12].copy_from_slice(&stamp.to_be_bytes());
            datagram[12..16].copy_from_slice(&destination);
            if n % 3 == 0 {
                // Control of every kind but shutdown, with noise in it.
                datagram[0] = 0x80;
                datagram[1] = [0, 1, 2, 3, 4, 6, 7, 8][n as usize % 8];
            }
            listener.receive(now, from, &datagram[..if n % 5 == 0 { 200 } else { 1472 }]);
            listener.timeout(now);
            while listener.transmit().is_some() {}
            while listener.event().is_some() {}
        }
    });
    assert!(held > bound / 8, "the buffer was never used: {held}");
    assert!(held <= bound, "{held} bytes for one caller, and {bound} are allowed");
}

/// A true handshake; gives the socket id to which media goes, and its first sequence number.
fn connect(listener: &mut Listener, from: SocketAddr, now: Instant) -> ([u8; 4], u32) {
    let to = SocketAddr::from(([192, 0, 2, 1], 9000));
    let mut caller = Caller::new(CallerOptions::default(), to, 7, now).unwrap();
    let mut answer = (None, None);
    for _ in 0..4 {
        while let Some(datagram) = caller.transmit(now) {
            listener.receive(now, from, &datagram);
        }
        while let Some(event) = listener.event() {
            if let ListenerEvent::Called(call) = event {
                assert!(listener.accept(call.id, now));
            }
        }
        while let Some((_, datagram)) = listener.transmit() {
            // In an answer to conclusion: the listener's socket id and our sequence number.
            answer = (datagram[40..44].try_into().ok(), datagram[24..28].try_into().ok());
            caller.receive(now, to, &datagram);
        }
    }
    assert_eq!(listener.connected(), 1);
    (answer.0.unwrap(), u32::from_be_bytes(answer.1.unwrap()))
}

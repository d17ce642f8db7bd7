//! The thread that carries one way's packets.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::wan::counters::Counters;
use crate::wan::flow::Flow;
use crate::wan::pipeline::Pipeline;
use crate::wan::tun::{Tun, hurry};

/// Carries until it is dropped.
pub struct Carrier {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    counters: Mutex<Counters>,
    /// How often it was asked to begin anew, and how often it did.
    asked: AtomicU64,
    restarted: AtomicU64,
    ends: AtomicBool,
    /// Wakes the thread.
    bell: OwnedFd,
}

impl Carrier {
    pub fn start(name: &str, from: &Arc<Tun>, to: &Arc<Tun>, pipeline: Pipeline) -> Self {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).unwrap();
        let shared = Arc::new(Shared {
            counters: Mutex::default(),
            asked: AtomicU64::new(0),
            restarted: AtomicU64::new(0),
            ends: AtomicBool::new(false),
            bell,
        });
        let mut work = Work {
            shared: Arc::clone(&shared),
            from: Arc::clone(from),
            to: Arc::clone(to),
            flow: Flow::new(pipeline),
            started: Instant::now(),
            woke: 0,
            packet: vec![0; 65_536],
            gone: false,
        };
        let thread = std::thread::Builder::new().name(format!("wan {name}"));
        Self { shared, thread: Some(thread.spawn(move || work.run()).unwrap()) }
    }

    pub fn counters(&self) -> Counters {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it begin anew soon.
    pub fn ask_restart(&self) -> u64 {
        let asked = self.shared.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.ring();
        asked
    }

    /// Returns when it has.
    pub fn await_restart(&self, asked: u64) {
        while self.shared.restarted.load(Ordering::SeqCst) < asked && !self.ended() {
            std::thread::sleep(Duration::from_micros(20));
        }
    }

    fn ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn ring(&self) {
        let _ = rustix::io::write(&self.shared.bell, &1_u64.to_ne_bytes());
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        self.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
struct Work {
    shared: Arc<Shared>,
    from: Arc<Tun>,
    to: Arc<Tun>,
    flow: Flow,
    started: Instant,
    /// When it last woke, in ns since it started.
    woke: u64,
    packet: Vec<u8>,
    /// The near interface went with its namespace.
    gone: bool,
}

/// At most so many are read before those that are due go out.
const BATCH: usize = 16;
/// The thread wakes at most this often (ns). A dense flow then costs a wake for many packets
/// instead of one each, and the other core is left to what loads the line; a packet is off by
/// less than this for it. Waking takes about as long, so nothing is gained by spinning.
const REST: u64 = 100_000;

impl Work {
    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn run(&mut self) {
        hurry();
        while !self.shared.ends.load(Ordering::SeqCst) {
            self.answer_restart();
            self.release();
            let more = self.accept();
            if !more {
                self.tell();
                self.sleep();
            }
        }
    }

    fn answer_restart(&mut self) {
        let asked = self.shared.asked.load(Ordering::SeqCst);
        if asked != self.shared.restarted.load(Ordering::SeqCst) {
            self.flow.restart(self.now());
            self.tell();
            self.shared.restarted.store(asked, Ordering::SeqCst);
        }
    }

    fn tell(&self) {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner) = self.flow.counters();
    }

    /// Lets out what is due.
    fn release(&mut self) {
        while let Some(parcel) = self.flow.release(self.now()) {
            if self.to.write(&parcel.bytes).is_err() {
                self.flow.refused();
            }
        }
    }

    /// Takes in what was sent; true when there may be more.
    fn accept(&mut self) -> bool {
        for _ in 0..BATCH {
            // An error here is an interface that is gone: sleep notices.
            let Ok(Some(bytes)) = self.from.read(&mut self.packet) else { return false };
            self.flow.accept(self.now(), &self.packet[..bytes]);
        }
        true
    }

    /// Until a packet comes, one is due, or the bell rings.
    fn sleep(&mut self) {
        let rested = self.woke + REST;
        std::thread::sleep(Duration::from_nanos(rested.saturating_sub(self.now())));
        let wait = self.flow.next().map(|due| {
            let wait = Duration::from_nanos(due.saturating_sub(self.now()));
            Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 })
        });
        let mut watched =
            [PollFd::new(&self.shared.bell, PollFlags::IN), PollFd::new(&*self.from, PollFlags::IN)];
        let watching = if self.gone { 1 } else { 2 };
        let _ = poll(&mut watched[..watching], wait.as_ref());
        let [bell, from] = watched.map(|one| one.revents());
        self.gone |= from.contains(PollFlags::ERR);
        if bell.contains(PollFlags::IN) {
            let _ = rustix::io::read(&self.shared.bell, &mut [0_u8; 8]);
        }
        self.woke = self.now();
    }
}

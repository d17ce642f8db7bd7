//! The thread that carries one way's packets.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::wan::counters::{Counters, LATE};
use crate::wan::delivery::{Delivery, Parcel};
use crate::wan::pipeline::{Fate, Pipeline};
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
        let mut work = Work::new(Arc::clone(&shared), Arc::clone(from), Arc::clone(to), pipeline);
        let thread = std::thread::Builder::new().name(format!("wan {name}"));
        Self { shared, thread: Some(thread.spawn(move || work.run()).unwrap()) }
    }

    pub fn counters(&self) -> Counters {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when it has begun anew.
    pub fn restart(&self) {
        let asked = self.shared.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.ring();
        while self.shared.restarted.load(Ordering::SeqCst) < asked && !self.ended() {
            std::thread::sleep(Duration::from_micros(100));
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
    /// As it was before the first packet.
    unused: Pipeline,
    pipeline: Pipeline,
    /// When the thread started; and when, after that, the pipeline's time began.
    started: Instant,
    begun: u64,
    delivery: Delivery,
    counters: Counters,
    number: u64,
    packet: Vec<u8>,
    /// The near interface went with its namespace.
    gone: bool,
}

/// At most so many are read before those that are due go out.
const BATCH: usize = 16;
/// A release this near is waited for awake: going to sleep would take as long.
const NEAR: u64 = 10_000;

impl Work {
    fn new(shared: Arc<Shared>, from: Arc<Tun>, to: Arc<Tun>, pipeline: Pipeline) -> Self {
        Self {
            shared,
            from,
            to,
            unused: pipeline.clone(),
            pipeline,
            started: Instant::now(),
            begun: 0,
            delivery: Delivery::default(),
            counters: Counters::default(),
            number: 0,
            packet: vec![0; 65_536],
            gone: false,
        }
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn run(&mut self) {
        hurry();
        while !self.shared.ends.load(Ordering::SeqCst) {
            self.answer_restart();
            self.release();
            let more = self.accept();
            let next = self.delivery.next();
            let wait = next.map(|due| due.saturating_sub(self.now()));
            if !more && wait.is_none_or(|wait| wait > NEAR) {
                self.tell();
                self.sleep(wait);
            }
        }
    }

    fn answer_restart(&mut self) {
        let asked = self.shared.asked.load(Ordering::SeqCst);
        if asked != self.shared.restarted.load(Ordering::SeqCst) {
            self.pipeline = self.unused.clone();
            self.begun = self.now();
            self.counters = Counters::default();
            self.tell();
            self.shared.restarted.store(asked, Ordering::SeqCst);
        }
    }

    fn tell(&self) {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner) = self.counters;
    }

    /// Lets out what is due.
    fn release(&mut self) {
        while let Some((parcel, overtaken)) = self.delivery.due(self.now()) {
            let late = Duration::from_nanos(self.now() - parcel.due);
            let counters = &mut self.counters;
            counters.late += u64::from(late > LATE);
            counters.latest = counters.latest.max(late);
            if parcel.copy {
                counters.duplicated += 1;
            } else {
                counters.passed += 1;
                counters.passed_bytes += parcel.bytes.len() as u64;
                counters.reordered += u64::from(overtaken);
            }
            if self.to.write(&parcel.bytes).is_err() {
                counters.refused += 1;
            }
        }
    }

    /// Takes in what was sent; true when there may be more.
    fn accept(&mut self) -> bool {
        for _ in 0..BATCH {
            // An error here is an interface that is down: nothing is sent then either.
            let Ok(Some(bytes)) = self.from.read(&mut self.packet) else { return false };
            let packet = &self.packet[..bytes];
            if is_link_local(packet) {
                self.counters.link_local += 1;
                continue;
            }
            self.counters.arrived += 1;
            self.number += 1;
            match self.pipeline.packet(self.started.elapsed().as_nanos() as u64 - self.begun, bytes) {
                Fate::Lost(cause) => self.counters.lost(cause),
                Fate::Arrives { at, twice } => {
                    let parcel = |copy| Parcel {
                        due: at + self.begun,
                        number: self.number,
                        copy,
                        bytes: packet.to_vec(),
                    };
                    self.delivery.add(parcel(false));
                    if twice {
                        self.delivery.add(parcel(true));
                    }
                }
            }
        }
        true
    }

    /// Until a packet comes, the bell rings, or it is nearly time.
    fn sleep(&mut self, wait: Option<u64>) {
        let wait = wait.map(|wait| {
            let wait = Duration::from_nanos(wait - NEAR / 2);
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
    }
}

/// What an interface says to its own link only: `224.0.0.0/24` and `ff02::/16`. It would use up dice.
fn is_link_local(packet: &[u8]) -> bool {
    match packet.first().map(|first| first >> 4) {
        Some(4) => packet.get(16..19) == Some(&[224, 0, 0]),
        Some(6) => packet.get(24..26) == Some(&[0xff, 0x02]),
        _ => false,
    }
}

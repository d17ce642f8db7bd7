//! Numbered, timed packets over the line: STAMP (RFC 8762) as far as a test needs it.
//!
//! Both ends are this process, so one clock serves both.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::ground::namespace::Namespace;
use crate::line::emulator::course::Course;
use crate::wan::tun::hurry;

/// What is sent.
pub struct Train {
    pub count: u64,
    /// Of each IP packet.
    pub bytes: usize,
    pub every: Duration,
}

/// A packet that came out.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    pub number: u64,
    /// Since the line was started anew.
    pub sent: Duration,
    pub at: Duration,
}

impl Received {
    /// How long it took, in ms.
    pub fn took_ms(&self) -> f64 {
        self.at.saturating_sub(self.sent).as_secs_f64() * 1e3
    }
}

impl Train {
    /// So many Mb/s for so long, in packets of 1000 bytes.
    pub fn of(mbps: f64, seconds: f64) -> Self {
        let count = (mbps * 125.0 * seconds) as u64;
        Self { count, bytes: 1000, every: Duration::from_secs_f64(8e-3 / mbps) }
    }

    /// Sends it up the line, begun anew. What arrives, in the order in which it does.
    pub fn up(&self, course: &Course, to: &str) -> Vec<Received> {
        self.up_at(course, to).0
    }

    /// Likewise, and when each was sent.
    pub fn up_at(&self, course: &Course, to: &str) -> (Vec<Received>, Vec<Duration>) {
        self.over(course, &course.near, &course.far, to)
    }

    /// Likewise down the line.
    pub fn down(&self, course: &Course, to: &str) -> Vec<Received> {
        self.over(course, &course.far, &course.near, to).0
    }

    fn over(
        &self,
        course: &Course,
        from: &Namespace,
        to: &Namespace,
        address: &str,
    ) -> (Vec<Received>, Vec<Duration>) {
        let address: IpAddr = address.parse().unwrap();
        let sink = to.run(|| UdpSocket::bind(SocketAddr::new(address, 0)).unwrap());
        let sink_at = sink.local_addr().unwrap();
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let source = from.run(|| UdpSocket::bind(any).unwrap());
        source.connect(sink_at).unwrap();
        let headers = if address.is_ipv4() { 28 } else { 48 };
        course.wan.restart();
        let zero = Instant::now();
        std::thread::scope(|scope| {
            let receiver = scope.spawn(move || receive(&sink, zero));
            let sent = scope.spawn(move || self.send(&source, zero, self.bytes - headers)).join().unwrap();
            for (number, sent) in (0..).zip(&sent) {
                course.pause(sent.saturating_sub(self.every * number));
            }
            (receiver.join().unwrap(), sent)
        })
    }

    fn send(&self, source: &UdpSocket, zero: Instant, bytes: usize) -> Vec<Duration> {
        hurry();
        let mut packet = vec![0; bytes];
        let times = (0..u32::try_from(self.count).unwrap()).map(|number| {
            std::thread::sleep((self.every * number).saturating_sub(zero.elapsed()));
            let now = zero.elapsed();
            packet[..8].copy_from_slice(&u64::from(number).to_be_bytes());
            packet[8..16].copy_from_slice(&(now.as_nanos() as u64).to_be_bytes());
            source.send(&packet).unwrap();
            now
        });
        times.collect()
    }
}

/// Until nothing has come for a while.
fn receive(sink: &UdpSocket, zero: Instant) -> Vec<Received> {
    hurry();
    sink.set_read_timeout(Some(Duration::from_millis(600))).unwrap();
    let mut received = Vec::new();
    let mut packet = [0; 2000];
    while let Ok(bytes) = sink.recv(&mut packet) {
        let at = zero.elapsed();
        assert!(bytes >= 16);
        let number = |from: usize| u64::from_be_bytes(packet[from..from + 8].try_into().unwrap());
        received.push(Received { number: number(0), sent: Duration::from_nanos(number(8)), at });
    }
    received
}

/// Mb/s of IP packets of 1000 bytes that arrived between the two times, in seconds.
pub fn mbps(received: &[Received], from: f64, to: f64) -> f64 {
    let within = |one: &&Received| (from..to).contains(&one.at.as_secs_f64());
    received.iter().filter(within).count() as f64 * 8e-3 / (to - from)
}

/// Numbers that never arrived.
pub fn lost(received: &[Received], count: u64) -> Vec<u64> {
    let came: std::collections::BTreeSet<_> = received.iter().map(|one| one.number).collect();
    (0..count).filter(|number| !came.contains(number)).collect()
}

/// Asserts that so many of `count` are `percent` of them, within what chance leaves in 999 of
/// 1000 runs.
#[track_caller]
pub fn within_chance(what: &str, seen: u64, count: u64, percent: f64) {
    let (count, share) = (count as f64, percent / 100.0);
    let (wanted, spread) = (count * share, (count * share * (1.0 - share)).sqrt());
    let off = (seen as f64 - wanted).abs();
    eprintln!("{what}: {seen} of {count}, wanted {wanted:.1} ± {:.1}", 3.29 * spread);
    assert!(
        off <= 3.29 * spread + 0.5,
        "{what}: {seen} of {count}, wanted {wanted:.1} ± {:.1}",
        3.29 * spread
    );
}

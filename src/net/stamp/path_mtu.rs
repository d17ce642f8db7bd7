//! Path MTU by real delivery: STAMP packets of growing size that nobody on the way may cut
//! (`IP_PMTUDISC_PROBE`, RFC 8899 in spirit), and whether anybody says that one was too large.
//! Linux; elsewhere nothing is sent.

use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::is_too_big;
use crate::net::clock::Wall;
use crate::net::datagram::{self, Kept};
use crate::wire::stamp::{BASE_BYTES, ErrorEstimate, MAX_BYTES, Ntp, ReflectorPacket, SenderPacket};

/// Largest IP packet asked about: Ethernet's.
pub const LARGEST: u16 = 1500;
/// Most packets of one search.
pub const MOST_PACKETS: u64 = 260;
/// Longest that one search takes, in seconds.
pub const LONGEST_S: f64 = 8.0;
/// Packets of each size: a line that loses some must not look narrow.
const COPIES: usize = 3;
/// Sizes of one round, between the largest that passed and the smallest that did not.
const STEPS: u16 = 12;
/// From one packet to the next.
const GAP: Duration = Duration::from_millis(3);
/// Packets of each size when a limit was found, spread so that a burst of loss ends meanwhile.
const CONFIRM: usize = 5;
const CONFIRM_GAP: Duration = Duration::from_millis(120);
/// Longest wait for the first small packet's answer.
const FIRST: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Largest IP packet that was answered; `None` when not even the smallest was.
    pub largest: Option<u16>,
    /// Largest that this machine's interface let out, at most [`LARGEST`].
    pub asked: u16,
    /// Who said that a packet was too large, and the MTU that it told (0: none).
    pub told: Option<(IpAddr, u32)>,
    /// True when sizes passed and failed consistently, twice.
    pub steady: bool,
    /// True when the answer to the largest was as large: it holds for the way back, too.
    pub whole: bool,
    /// Packets that got no answer.
    pub unanswered: u32,
    /// Answers, each packet's counted as often as it came.
    pub answers: u32,
}

/// Searches over a connected socket that no other session uses. Blocks. `None` where this system
/// cannot forbid cutting, or when cancelled.
pub fn search(socket: &UdpSocket, ssid: u16, cancel: &CancellationToken) -> Option<Outcome> {
    let six = socket.peer_addr().ok()?.is_ipv6();
    forbid_cutting(socket, six)?;
    socket.set_read_timeout(Some(Duration::from_millis(5))).ok()?;
    let headers = if six { 48 } else { 28 };
    let mut search = Search {
        socket,
        ssid,
        cancel,
        headers,
        wall: Wall::now(),
        end: Instant::now() + Duration::from_secs_f64(LONGEST_S),
        patience: FIRST,
        probes: Vec::new(),
        outcome: Outcome::default(),
    };
    search.run()?;
    Some(search.outcome)
}

struct Search<'a> {
    socket: &'a UdpSocket,
    ssid: u16,
    cancel: &'a CancellationToken,
    headers: u16,
    wall: Wall,
    end: Instant,
    patience: Duration,
    probes: Vec<Probe>,
    outcome: Outcome,
}

/// A packet that was sent: its IP size, and the size of the answer.
struct Probe {
    size: u16,
    sent: Instant,
    answer: Option<u16>,
}

impl Search<'_> {
    fn run(&mut self) -> Option<()> {
        let small = u16::try_from(BASE_BYTES).ok()? + self.headers;
        self.outcome.asked = small;
        // The small one first: whether anything passes at all is another question.
        self.round(&[small], COPIES, FIRST / 4)?;
        if self.passed(small) {
            let trip = self.probes.iter().filter(|probe| probe.answer.is_some()).map(|probe| probe.sent);
            let trip = trip.min().map_or(FIRST, |sent| sent.elapsed());
            self.patience = (trip * 2 + Duration::from_millis(200)).min(FIRST);
            let top = self.ceiling()?;
            self.outcome.asked = top;
            self.outcome.largest = Some(small);
            self.narrow(small, top)?;
        }
        self.settle();
        Some(())
    }

    /// The interface's own limit, found by sending.
    fn ceiling(&mut self) -> Option<u16> {
        let most = u16::try_from(MAX_BYTES).ok()? + self.headers;
        let top = LARGEST.min(most);
        if self.round(&[top], COPIES, GAP * 7)? {
            return Some(top);
        }
        let own = own_mtu(self.socket, self.headers == 48)?.min(top);
        self.round(&[own], COPIES, GAP * 7)?;
        Some(own)
    }

    /// Between what passes and what does not, in ever finer steps; then both once more.
    fn narrow(&mut self, small: u16, top: u16) -> Option<()> {
        if self.passed(top) {
            (self.outcome.largest, self.outcome.steady) = (Some(top), true);
            return Some(());
        }
        let (mut low, mut high) = (small, top);
        while high - low > 1 {
            let step = (high - low).div_ceil(STEPS + 1).max(1);
            let sizes: Vec<u16> =
                (1..=STEPS).map(|n| low + n * step).take_while(|size| *size < high).collect();
            self.round(&sizes, COPIES, GAP)?;
            low = sizes.iter().copied().filter(|size| self.passed(*size)).max().unwrap_or(low);
            high = sizes.iter().copied().find(|size| *size > low).unwrap_or(high);
        }
        self.outcome.largest = Some(low);
        let before = self.probes.len();
        self.round(&[low, high, top], CONFIRM, CONFIRM_GAP / 3)?;
        let again =
            |size| self.probes.iter().skip(before).any(|probe| probe.size == size && probe.answer.is_some());
        self.outcome.steady = again(low) && !again(high) && !again(top);
        if again(top) {
            (self.outcome.largest, self.outcome.steady) = (Some(top), true); // a burst of loss, over now
        }
        Some(())
    }

    /// Sends so many packets of each size, one size after another and then all again, and waits
    /// for answers. False when this machine could not send one.
    fn round(&mut self, sizes: &[u16], copies: usize, gap: Duration) -> Option<bool> {
        let mut sent = true;
        let first = self.probes.len();
        for _ in 0..copies {
            for size in sizes {
                let known = sizes.len() == 1 && self.passed(*size);
                if !known {
                    sent &= self.send(*size);
                    self.listen(Instant::now() + gap, first)?;
                }
            }
        }
        self.listen(Instant::now() + self.patience, first)?;
        Some(sent)
    }

    fn send(&mut self, size: u16) -> bool {
        let now = Instant::now();
        if self.probes.len() as u64 >= MOST_PACKETS {
            return true;
        }
        let sequence = u32::try_from(self.probes.len()).unwrap_or(u32::MAX);
        let sent = Ntp::from_unix_ns(self.wall.unix_ns(now));
        let packet = SenderPacket { sequence, sent, error: ErrorEstimate::UNSYNCHRONISED, ssid: self.ssid };
        let bytes = packet.encode(usize::from(size.saturating_sub(self.headers)));
        // An error may be an earlier packet's, told late: once more.
        let refused = self.socket.send(&bytes).or_else(|_| self.socket.send(&bytes));
        match refused {
            Err(error) if is_too_big(&error) => false,
            _ => {
                self.probes.push(Probe { size, sent: now, answer: None });
                true
            }
        }
    }

    /// Collects answers until then, or until all of this round are there.
    fn listen(&mut self, until: Instant, first: usize) -> Option<()> {
        let until = until.min(self.end);
        loop {
            for kept in datagram::kept(self.socket) {
                if let Kept::Icmp(error, mtu) = kept
                    && error.is_too_big()
                {
                    self.outcome.told.get_or_insert((error.from, mtu));
                }
            }
            let round = self.probes.get(first..).unwrap_or_default();
            let done = !round.is_empty() && round.iter().all(|probe| probe.answer.is_some());
            if self.cancel.is_cancelled() || Instant::now() >= self.end {
                return None;
            }
            if done || Instant::now() >= until {
                return Some(());
            }
            let mut buffer = [0; MAX_BYTES + 1];
            let Ok(came) = datagram::receive(self.socket, &mut buffer) else { continue };
            let Ok(reply) = ReflectorPacket::parse(buffer.get(..came.length).unwrap_or_default()) else {
                continue;
            };
            if self.ssid != 0 && reply.ssid != self.ssid {
                continue;
            }
            if let Some(probe) = self.probes.get_mut(reply.sender_sequence as usize) {
                self.outcome.answers += 1;
                probe.answer =
                    u16::try_from(came.length).ok().map(|length| length.saturating_add(self.headers));
            }
        }
    }

    fn passed(&self, size: u16) -> bool {
        self.probes.iter().any(|probe| probe.size == size && probe.answer.is_some())
    }

    fn settle(&mut self) {
        let outcome = &mut self.outcome;
        let unanswered = self.probes.iter().filter(|probe| probe.answer.is_none()).count();
        outcome.unanswered = u32::try_from(unanswered).unwrap_or(u32::MAX);
        let largest = self.probes.iter().filter(|probe| Some(probe.size) == outcome.largest);
        outcome.whole =
            largest.filter_map(|probe| probe.answer).any(|answer| Some(answer) == outcome.largest);
    }
}

/// Lets nobody cut what this socket sends, not even this machine, and lets the kernel ignore what
/// it believes of the path.
#[cfg(target_os = "linux")]
fn forbid_cutting(socket: &UdpSocket, six: bool) -> Option<()> {
    let (name, value) = if six {
        ((libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER), libc::IPV6_PMTUDISC_PROBE)
    } else {
        ((libc::IPPROTO_IP, libc::IP_MTU_DISCOVER), libc::IP_PMTUDISC_PROBE)
    };
    crate::net::option::set(socket, name, value).ok()
}

/// What the kernel takes for the MTU of this connected socket's way out.
#[cfg(target_os = "linux")]
fn own_mtu(socket: &UdpSocket, six: bool) -> Option<u16> {
    let name = if six { (libc::IPPROTO_IPV6, libc::IPV6_MTU) } else { (libc::IPPROTO_IP, libc::IP_MTU) };
    crate::net::option::get(socket, name).ok().map(|mtu| u16::try_from(mtu).unwrap_or(u16::MAX))
}

#[cfg(not(target_os = "linux"))]
fn forbid_cutting(_: &UdpSocket, _: bool) -> Option<()> {
    None
}

#[cfg(not(target_os = "linux"))]
fn own_mtu(_: &UdpSocket, _: bool) -> Option<u16> {
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Reflects packets whose IP size `keep` lets through; counts those that came.
    fn against(keep: impl Fn(usize, usize) -> bool + Send + 'static, trim: bool) -> (Outcome, usize) {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        near.connect(far.local_addr().unwrap()).unwrap();
        far.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
        let thread = std::thread::spawn(move || {
            let (mut buffer, mut count) = ([0; 2000], 0);
            while let Ok((length, from)) = far.recv_from(&mut buffer) {
                count += 1;
                if keep(length + 28, count) {
                    let now = Ntp::from_unix_ns(1);
                    let answer = ReflectorPacket::answer(&buffer[..length], 0, now, now).unwrap();
                    let length = if trim { BASE_BYTES } else { answer.len() };
                    far.send_to(&answer[..length], from).unwrap();
                }
            }
            count
        });
        let outcome = search(&near, 0, &CancellationToken::new()).unwrap();
        (outcome, thread.join().unwrap())
    }

    #[test]
    fn a_wide_way_takes_two_packets() {
        let (outcome, count) = against(|_, _| true, false);
        let wide = Outcome {
            largest: Some(1500),
            asked: 1500,
            steady: true,
            whole: true,
            answers: 2,
            ..Outcome::default()
        };
        assert_eq!((outcome, count), (wide, 2));
    }

    #[test]
    fn the_exact_limit_of_a_narrow_way_is_found() {
        for limit in [73, 600, 1359, 1499] {
            let (outcome, count) = against(move |size, _| size <= limit, false);
            assert_eq!((outcome.largest, outcome.asked), (u16::try_from(limit).ok(), 1500));
            assert!(outcome.steady && outcome.whole && outcome.told.is_none(), "{outcome:?}");
            assert_eq!(outcome.answers + outcome.unanswered, u32::try_from(count).unwrap());
        }
    }

    #[test]
    fn loss_does_not_look_like_a_limit() {
        let (outcome, _) = against(|_, n| n % 3 == 0 || n < 3, false);
        assert_eq!((outcome.largest, outcome.steady), (Some(1500), true));
        // All is lost for a while after the small packet: a burst.
        let (outcome, _) = against(|_, n| n == 1 || n > 60, false);
        assert_eq!((outcome.largest, outcome.steady), (Some(1500), true));
    }

    #[test]
    fn a_reflector_that_answers_small_says_nothing_of_the_way_back() {
        let (outcome, _) = against(|_, _| true, true);
        assert_eq!((outcome.largest, outcome.whole), (Some(1500), false));
    }

    #[test]
    fn nobody_there_is_no_limit() {
        let (outcome, count) = against(|_, _| false, false);
        assert_eq!((outcome.largest, outcome.asked, count), (None, 72, 3));
    }
}

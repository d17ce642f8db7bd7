//! Datagrams at an even rate, from a thread of their own: a task's timer is 1 ms coarse and waits
//! for its turn besides. Where the system can (Linux, GSO) one call sends many.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use crate::model::{Cause, NotMeasured};

/// Most that is sent at once, of time: what leaves together arrives together.
const QUANTUM: Duration = Duration::from_micros(500);
/// Most that is sent to catch up after a pause of this machine. The rest is left out: a burst
/// would fill queues on the way that the even rate does not.
const CATCH_UP: Duration = Duration::from_millis(10);
/// Largest call, in bytes: below what UDP's length field can say.
const MOST: usize = 60_000;
/// How long a full send buffer is left to drain.
const FULL: Duration = Duration::from_micros(200);

/// What to send.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Payload of each datagram, in bytes.
    pub payload: usize,
    /// Kilobits of payload a second.
    pub kbps: u64,
    /// How long.
    pub time: Duration,
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Datagrams that the system took.
    pub datagrams: u64,
    /// Their payload, in bytes.
    pub bytes: u64,
    /// Calls that the system or the network refused.
    pub refused: u64,
    /// Latest that a datagram left, against its time.
    pub late: Duration,
}

/// Sending that is going on; stops when dropped.
#[derive(Debug)]
pub struct Sending {
    stop: Arc<AtomicBool>,
    result: oneshot::Receiver<Sent>,
    sent: Option<Sent>,
}

impl Sending {
    /// Waits until all is sent. May be dropped and asked again.
    pub async fn done(&mut self) {
        if self.sent.is_none() {
            self.sent = Some((&mut self.result).await.unwrap_or_default());
        }
    }

    /// Stops it, and tells what was sent.
    pub async fn stop(mut self) -> Sent {
        self.stop.store(true, Relaxed);
        self.done().await;
        self.sent.unwrap_or_default()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

/// Sends on a connected socket. `head` gives what datagram number `n` (from 0) begins with, at
/// the moment when it leaves; the rest is noise.
///
/// # Errors
/// The system gives no thread, socket option or random bytes.
pub fn send<const N: usize>(
    socket: UdpSocket,
    plan: Plan,
    head: impl Fn(u64, Instant) -> [u8; N] + Send + 'static,
) -> Result<Sending, NotMeasured> {
    let broken = |error: io::Error| {
        NotMeasured::new(Cause::Broken, format!("cannot send datagrams: {error}"), "report this")
    };
    let to = socket.peer_addr().map_err(broken)?;
    let socket = socket.into_std().map_err(broken)?;
    let state = UdpSocketState::new(UdpSockRef::from(&socket)).map_err(broken)?;
    let mut noise = vec![0; MOST.max(plan.payload)];
    getrandom::fill(&mut noise).map_err(|error| broken(io::Error::other(error.to_string())))?;
    let (told, result) = oneshot::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("datagrams".to_owned()).spawn(move || {
        let mut sender = Sender { socket, state, to, plan, buffer: noise, sent: Sent::default(), number: 0 };
        sender.run(&stopped, head);
        let _ = told.send(sender.sent);
    });
    thread.map_err(broken)?;
    Ok(Sending { stop, result, sent: None })
}

struct Sender {
    socket: std::net::UdpSocket,
    state: UdpSocketState,
    to: SocketAddr,
    plan: Plan,
    buffer: Vec<u8>,
    sent: Sent,
    number: u64,
}

impl Sender {
    fn run<const N: usize>(&mut self, stop: &AtomicBool, head: impl Fn(u64, Instant) -> [u8; N]) {
        let each = Duration::from_secs_f64(to_bits(self.plan.payload) / (to_float(self.plan.kbps) * 1000.0));
        let most = (MOST / self.plan.payload.max(1)).max(1);
        let together = whole(QUANTUM.as_secs_f64() / each.as_secs_f64()).clamp(1, most);
        let (start, mut due) = (Instant::now(), Instant::now());
        while !stop.load(Relaxed) {
            let now = Instant::now();
            if now.saturating_duration_since(start) >= self.plan.time {
                return;
            }
            let Some(late) = now.checked_duration_since(due) else {
                std::thread::sleep(due - now);
                continue;
            };
            self.sent.late = self.sent.late.max(late);
            if late > CATCH_UP {
                due += late.saturating_sub(CATCH_UP);
            }
            let behind = whole(late.min(CATCH_UP).as_secs_f64() / each.as_secs_f64()) + 1;
            let count = behind.max(together).min(most).min(self.state.max_gso_segments().max(1));
            self.call(count, now, &head);
            due += each * u32::try_from(count).unwrap_or(1);
        }
    }

    /// One call: so many datagrams.
    fn call<const N: usize>(&mut self, count: usize, now: Instant, head: &impl Fn(u64, Instant) -> [u8; N]) {
        let size = self.plan.payload;
        let Some(contents) = self.buffer.get_mut(..count * size) else { return };
        for (datagram, number) in contents.chunks_exact_mut(size).zip(self.number..) {
            if let Some(place) = datagram.first_chunk_mut::<N>() {
                *place = head(number, now);
            }
        }
        let segment_size = (count > 1).then_some(size);
        let contents = &*contents;
        let transmit = Transmit { destination: self.to, ecn: None, contents, segment_size, src_ip: None };
        let given_up = now + CATCH_UP;
        loop {
            match self.state.try_send(UdpSockRef::from(&self.socket), &transmit) {
                Ok(()) => {
                    self.sent.datagrams += count as u64;
                    self.sent.bytes += (count * size) as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < given_up => {
                    std::thread::sleep(FULL);
                    continue;
                }
                // A full buffer, or ICMP about an earlier one: what does not leave is lost.
                Err(_) => self.sent.refused += 1,
            }
            self.number += count as u64;
            return;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes and rates are far below 2^52")]
const fn to_bits(bytes: usize) -> f64 {
    bytes as f64 * 8.0
}

#[expect(clippy::cast_precision_loss, reason = "rates are far below 2^52")]
const fn to_float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates at 0")]
const fn whole(number: f64) -> usize {
    number as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pair() -> (UdpSocket, UdpSocket) {
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        near.connect(far.local_addr().unwrap()).await.unwrap();
        (near, far)
    }

    #[tokio::test]
    async fn datagrams_leave_at_the_rate_and_in_order() {
        let (near, far) = pair().await;
        let plan = Plan { payload: 1200, kbps: 9_600, time: Duration::from_millis(500) };
        let mut sending = send(near, plan, |number, _| number.to_be_bytes()).unwrap();
        let (mut datagram, mut numbers) = ([0; 2000], Vec::new());
        loop {
            tokio::select! {
                biased;
                length = far.recv(&mut datagram) => {
                    assert_eq!(length.unwrap(), 1200);
                    numbers.push(u64::from_be_bytes(*datagram.first_chunk().unwrap()));
                }
                () = sending.done() => break,
            }
        }
        let sent = sending.stop().await;
        // 1000 datagrams a second.
        assert!((450..=510).contains(&sent.datagrams), "{sent:?}");
        assert_eq!(sent.bytes, sent.datagrams * 1200);
        assert!(numbers.len() as u64 <= sent.datagrams && numbers.is_sorted(), "{numbers:?}");
        assert_eq!(numbers[0], 0);
    }

    #[tokio::test]
    async fn it_stops_when_told() {
        let (near, _far) = pair().await;
        let plan = Plan { payload: 100, kbps: 1000, time: Duration::from_hours(1) };
        let sending = send(near, plan, |_, _| []).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let sent = sending.stop().await;
        assert!(sent.datagrams > 0 && sent.datagrams < 1000, "{sent:?}");
    }
}

//! How far packets get: the same packet with a growing TTL (`IP_TTL`, `IPV6_UNICAST_HOPS`), each
//! on a socket of its own whose ICMP errors the kernel keeps (`IP_RECVERR`). No privilege needed.
//!
//! Linux only. Elsewhere ICMP errors are not handed to an ordinary program: nothing is sent there.

pub mod question;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use socket2::{Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::model::{Failure, Family, Hop, HopEnd, IcmpError, SourceAddress};
use crate::net::clock::Origin;
use crate::net::{dial, icmp_error};

/// Farthest hop that is looked for.
pub const FARTHEST: u8 = 16;
/// Packets of one hop at most: SYN, its second, and the end of a handshake.
pub const PACKETS_PER_HOP: u64 = 4;
/// TTLs tried side by side: a router limits how many errors it sends in a second, and each of these
/// ends at another one.
const STRIDE: u8 = 4;
/// The TTL that packets usually leave with (IANA, IP parameters).
const USUAL_TTL: u8 = 64;
/// Long enough for the kernel's second SYN, which leaves after 1 s.
const PATIENCE: Duration = Duration::from_millis(1300);
/// After which a datagram is sent again.
const AGAIN: Duration = Duration::from_millis(600);

/// One walk at a time and family, in this process: routers limit how many errors they send to one
/// address (Linux: six at once, then one a second), and what they leave out must not look like a block.
static TURNS: [Turns; 2] = [Turns::new(), Turns::new()];
/// As many may wait until it is their turn; where more do, all give up soon: a walk says where packets
/// stop, and among hundreds of ports a few walks say it.
const CROWD: usize = 16;
const SOON: Duration = Duration::from_millis(1500);
/// Longest wait for a turn.
pub const LONGEST_WAIT: Duration = Duration::from_secs(12);

/// Who waits for a turn.
struct Turns {
    turn: Semaphore,
    waiting: AtomicUsize,
    /// Most that waited since nobody did.
    most: AtomicUsize,
}

impl Turns {
    const fn new() -> Self {
        Self { turn: Semaphore::const_new(1), waiting: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    async fn take(&self) -> Option<SemaphorePermit<'_>> {
        let _waits = Waits::begin(self);
        let mut turn = std::pin::pin!(self.turn.acquire());
        if let Ok(turn) = timeout(SOON, &mut turn).await {
            return turn.ok();
        }
        if self.most.load(Relaxed) > CROWD {
            return None;
        }
        timeout(LONGEST_WAIT.saturating_sub(SOON), turn).await.ok()?.ok()
    }
}

/// One that waits, until dropped.
struct Waits<'a>(&'a Turns);

impl<'a> Waits<'a> {
    fn begin(turns: &'a Turns) -> Self {
        let waiting = turns.waiting.fetch_add(1, Relaxed) + 1;
        turns.most.fetch_max(waiting, Relaxed);
        Self(turns)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Relaxed) == 1 {
            self.0.most.store(0, Relaxed);
        }
    }
}

/// What to walk with.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// TCP handshakes.
    Handshake,
    /// This datagram.
    Datagram(&'a [u8]),
}

/// Walks to this port until it answers or nothing comes back, and to `reference`, a port on the same
/// host that answers, as far as that tells which routers speak. Each hop of the reference is asked
/// after the port's own: what speaks to the reference alone was asked twice for the port before.
///
/// `None` where the system cannot tell, or when no turn came.
pub async fn walk(
    (remote, step): (SocketAddr, Step<'_>),
    reference: Option<SocketAddr>,
    source: &SourceAddress,
    origin: &Origin,
) -> Option<(Vec<Hop>, Vec<Hop>)> {
    let _turn = turn(remote).await?;
    let hop = |ttl| async move {
        match step {
            Step::Handshake => tcp_hop(remote, source, origin, ttl).await,
            Step::Datagram(datagram) => udp_hop(remote, source, origin, datagram, ttl).await,
        }
    };
    let reference = reference.map(|reference| move |ttl| tcp_hop(reference, source, origin, ttl));
    Some(pair(hop, reference).await)
}

/// A turn to walk there; none where the system cannot tell anything.
async fn turn(remote: SocketAddr) -> Option<SemaphorePermit<'static>> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let [v4, v6] = &TURNS;
    if remote.is_ipv4() { v4 } else { v6 }.take().await
}

/// Milliseconds until an ICMP error about a datagram to this port came back: of the host itself, when
/// nothing listens there. `None` when none came, or an answer.
pub async fn refusal_ms(remote: SocketAddr, source: &SourceAddress, origin: &Origin) -> Option<f64> {
    let hop = udp_hop(remote, source, origin, b"golive", USUAL_TTL).await;
    let in_time = hop.took_ms < AGAIN.as_secs_f64() * 1000.0; // later, which of two it was is not known
    (hop.end == HopEnd::Denied && hop.from == Some(remote.ip()) && in_time).then_some(hop.took_ms)
}

async fn pair<F: Future<Output = Hop>, G: Future<Output = Hop>>(
    hop: impl Fn(u8) -> F,
    reference: Option<impl Fn(u8) -> G>,
) -> (Vec<Hop>, Vec<Hop>) {
    let (mut hops, mut others): (Vec<Hop>, Vec<Hop>) = (Vec::new(), Vec::new());
    while hops.len() < FARTHEST.into() {
        let next = u8::try_from(hops.len()).unwrap_or(FARTHEST) + 1;
        let batch = || next..next + STRIDE;
        let asked = join_all(batch().map(&hop)).await;
        let silent = asked.iter().all(|hop| hop.end == HopEnd::Silent);
        hops.extend(asked);
        if let Some(reference) = reference.as_ref().filter(|_| !others.iter().any(|hop| hop.end.is_last())) {
            others.extend(join_all(batch().map(reference)).await);
        }
        let spoke = hops.iter().rposition(|hop| hop.end != HopEnd::Silent).map_or(0, |at| at + 1);
        let farther = others.iter().skip(spoke).any(|hop| hop.end != HopEnd::Silent);
        if silent || farther || hops.iter().any(|hop| hop.end.is_last()) {
            break;
        }
    }
    (cut(hops), cut(others))
}

/// Behind what ended a walk, and behind the last that said a word, there is nothing to tell.
fn cut(mut hops: Vec<Hop>) -> Vec<Hop> {
    let last = hops.iter().position(|hop| hop.end.is_last());
    let spoke = hops.iter().rposition(|hop| hop.end != HopEnd::Silent);
    hops.truncate(last.or(spoke).map_or(0, |at| at + 1));
    hops
}

fn limit(socket: &Socket, family: Family, ttl: u8) {
    // A refused option would let the packet go all the way, which its answer then shows.
    let _ = match family {
        Family::V4 => socket.set_ttl_v4(ttl.into()),
        Family::V6 => socket.set_unicast_hops_v6(ttl.into()),
    };
}

fn told(icmp: IcmpError) -> HopEnd {
    if icmp.is_expired() { HopEnd::Expired } else { HopEnd::Denied }
}

async fn tcp_hop(remote: SocketAddr, source: &SourceAddress, origin: &Origin, ttl: u8) -> Hop {
    let began = origin.ms();
    let prepare = |socket: &Socket| limit(socket, Family::of(remote.ip()), ttl);
    let (end, from) = match dial::tcp_with(remote, source, PATIENCE, origin, prepare).await {
        Ok(Ok(_)) => (HopEnd::Answered, None),
        Ok(Err(undialled)) => match (undialled.icmp, undialled.failure) {
            (Some(icmp), _) => (told(icmp), Some(icmp.from)),
            (None, Failure::Refused | Failure::Reset) => (HopEnd::Refused, None),
            _ => (HopEnd::Silent, None),
        },
        Err(_) => (HopEnd::Silent, None),
    };
    Hop { ttl, end, from, took_ms: origin.ms() - began }
}

async fn udp_hop(
    remote: SocketAddr,
    source: &SourceAddress,
    origin: &Origin,
    datagram: &[u8],
    ttl: u8,
) -> Hop {
    let began = origin.ms();
    let (end, from) = match exchange(remote, source, datagram, ttl).await {
        Some(Ok(())) => (HopEnd::Answered, None),
        Some(Err(icmp)) => (told(icmp), Some(icmp.from)),
        None => (HopEnd::Silent, None),
    };
    Hop { ttl, end, from, took_ms: origin.ms() - began }
}

/// Sends it, and once more when nothing came: an answer, an ICMP error, or nothing.
async fn exchange(
    remote: SocketAddr,
    source: &SourceAddress,
    datagram: &[u8],
    ttl: u8,
) -> Option<Result<(), IcmpError>> {
    let socket = dial::bound(remote, Type::DGRAM, source).ok()?;
    let family = Family::of(remote.ip());
    icmp_error::keep(&socket, family, true);
    limit(&socket, family, ttl);
    let socket = UdpSocket::from_std(socket.into()).ok()?;
    socket.connect(remote).await.ok()?;
    let (end, mut answer) = (Instant::now() + PATIENCE, [0; 64]);
    for wait in [AGAIN, PATIENCE] {
        let _ = socket.send(datagram).await;
        let until = end.min(Instant::now() + wait);
        match timeout_at(until, socket.recv(&mut answer)).await {
            Ok(Ok(_)) => return Some(Ok(())),
            Ok(Err(_)) => return icmp_error::take(&socket).map(Err),
            Err(_) => {}
        }
    }
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn hop(ttl: u8, end: HopEnd) -> Hop {
        Hop { ttl, end, from: None, took_ms: 0.0 }
    }

    /// Walks over hops that end so: their TTLs, and how many were asked of each.
    async fn ends(of: &[HopEnd], reference: &[HopEnd]) -> ([Vec<u8>; 2], [usize; 2]) {
        let asked = [0, 0].map(AtomicUsize::new);
        let at = |list: &[HopEnd], which: usize, ttl: u8| {
            asked[which].fetch_add(1, Relaxed);
            let end = list.get(usize::from(ttl) - 1).copied().unwrap_or(HopEnd::Silent);
            std::future::ready(hop(ttl, end))
        };
        let other = (!reference.is_empty()).then_some(|ttl| at(reference, 1, ttl));
        let (hops, others) = pair(|ttl| at(of, 0, ttl), other).await;
        let ttls = |hops: Vec<Hop>| hops.iter().map(|hop| hop.ttl).collect();
        ([ttls(hops), ttls(others)], asked.map(AtomicUsize::into_inner))
    }

    #[tokio::test]
    async fn a_walk_ends_where_there_is_nothing_more_to_learn() {
        use HopEnd::{Answered, Expired, Refused, Silent};
        let alone = async |list: &[HopEnd]| {
            let (ttls, asked) = ends(list, &[]).await;
            (ttls[0].clone(), asked[0])
        };
        assert_eq!(alone(&[Expired, Expired, Answered, Answered]).await, (vec![1, 2, 3], 4));
        assert_eq!(alone(&[Expired, Silent, Refused]).await, (vec![1, 2, 3], 4));
        assert_eq!(alone(&[Expired, Expired]).await, (vec![1, 2], 8));
        assert_eq!(alone(&[]).await, (vec![], 4));
        assert_eq!(alone(&[Expired; 40]).await.1, usize::from(FARTHEST));
        // Where the reference gets farther, nothing more is asked.
        let reference = [Expired, Expired, Expired, Answered];
        let (ttls, asked) = ends(&[Expired, Expired], &reference).await;
        assert_eq!((ttls, asked), ([vec![1, 2], vec![1, 2, 3, 4]], [4, 4]));
        let far = [Expired, Expired, Expired, Expired, Expired, Answered];
        let (ttls, asked) = ends(&[Expired; 4], &far).await;
        assert_eq!((ttls, asked), ([vec![1, 2, 3, 4], vec![1, 2, 3, 4, 5, 6]], [8, 8]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_wait_for_their_turn_and_a_crowd_gives_up() {
        let walks = |many: usize| async move {
            let turns = Turns::new();
            let walk = async |_| match turns.take().await {
                Some(_turn) => {
                    tokio::time::sleep(Duration::from_millis(1300)).await;
                    true
                }
                None => false,
            };
            let began = Instant::now();
            let walked = join_all((0..many).map(walk)).await.into_iter().filter(|walked| *walked).count();
            (walked, began.elapsed().as_millis())
        };
        assert_eq!(walks(8).await, (8, 8 * 1300));
        let (walked, took) = walks(100).await;
        assert!(walked == 2 && took < 3000, "{walked} in {took} ms");
    }

    #[tokio::test]
    async fn loopback_is_one_hop_away() {
        let (source, origin) = (SourceAddress::default(), Origin::start());
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            let other = tokio::net::TcpListener::bind(address).await.unwrap();
            let (at, other) = (listener.local_addr().unwrap(), other.local_addr().ok());
            let walked = async |step| {
                let (hops, _) = walk((at, step), other, &source, &origin).await.unwrap();
                hops.iter().map(|hop| hop.end).collect::<Vec<_>>()
            };
            assert_eq!(walked(Step::Handshake).await, [HopEnd::Answered]);
            drop(listener);
            assert_eq!(walked(Step::Handshake).await, [HopEnd::Refused]);
            assert_eq!(walked(Step::Datagram(b"?")).await, [HopEnd::Denied]);
            assert!(refusal_ms(at, &source, &origin).await.is_some());
        }
    }
}
